"""What a step sees of the book before and after it, and what became of the commands it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from numpy.typing import NDArray

from intrabar.engine.story import words as words
from intrabar.model.enums import OrderStatus, OrderType
from intrabar.sim.machine import Machine

CANCELLED = OrderStatus.CANCELLED
DUST = 1e-9


class View(NamedTuple):
    """The book at one moment: copies of what changes, and how long the records are."""

    step: int
    working: dict[int, Any]
    partners: dict[int, int]
    instruments: NDArray[Any]
    fills: int
    log: int
    ledger: int
    actions: int
    margin_calls: int

    @classmethod
    def of(cls, machine: Machine) -> View:
        """Look at a machine."""
        book = machine.book
        account = book.account[0]
        orders = book.orders[machine.working()]
        return cls(
            int(account["step"]),
            {int(o["id"]): o for o in sorted(orders, key=lambda o: int(o["id"]))},
            {int(o["id"]): int(book.orders[o["oco"]]["id"]) for o in orders if o["oco"] >= 0},
            book.instruments.copy(),
            int(account["fills"]),
            int(account["log"]),
            int(account["ledger"]),
            int(account["actions"]),
            int(account["margin_calls"]),
        )


@dataclass
class Changes:
    """What became of the commands that a step took from the inbox, fills apart."""

    machine: Machine
    before: View
    names: dict[int, str]
    entries: list[dict[str, Any]]
    told: set[int] = field(default_factory=set)

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Order and sentence, where there is more to say than what was asked for."""
        book = self.machine.book
        after = View.of(self.machine).working
        done = {int(o["id"]): o for o in self.machine.done_since(self.before.log)}
        numbers = {name: number for number, name in self.names.items()}
        submitted = {e["id"] for e in self.entries if "id" in e}
        for entry in self.entries:
            name = str(entry.get("id") or entry.get("cancel") or entry.get("modify"))
            number = numbers.get(name, -1)
            if "cancel" in entry or "modify" in entry:
                verb = "cancel" if "cancel" in entry else "modify"
                if number not in self.before.working and name not in submitted:
                    yield name, f"{name}: nothing to {verb}, no order of that name works"
                elif number in done and done[number]["status"] == CANCELLED:
                    if number not in self.told:
                        why = "" if verb == "cancel" else ": the new quantity is filled already"
                        yield name, f"{name}: cancelled as asked{why}"
                    self.told.add(number)
                elif verb == "modify" and number in after:
                    yield name, f"{name}: {self._modified(number, after[number])}"
            elif number in after:
                tick = float(book.instruments[after[number]["instrument"]]["tick_size"])
                rounded = self._rounded(entry, after[number], tick)
                if rounded:
                    yield name, f"{name}: {rounded}"

    def _modified(self, number: int, order: Any) -> str:
        tick = float(self.machine.book.instruments[order["instrument"]]["tick_size"])
        now = f"{words.order_text(order, tick, True)}, quantity {words.quantity(order['qty'])}"
        old = self.before.working.get(number)
        if old is None:
            return f"now {now}"
        was = f"{words.order_text(old, tick, True)}, quantity {words.quantity(old['qty'])}"
        return f"stays {was}" if was == now else f"{was} becomes {now}"

    def _rounded(self, entry: dict[str, Any], order: Any, tick: float) -> str:
        said = []
        for name, word in (("limit_price", "limit"), ("stop_price", "stop")):
            asked, taken = entry.get(name), float(order[name])
            if asked is not None and abs(asked - taken) > DUST * tick:
                way = "up" if taken > asked else "down"
                said.append(f"{word} {asked} rounded {way} to {words.price_text(taken, tick)}")
        if order["type"] == OrderType.TRAILING_STOP and entry.get("stop_price") is None:
            said.append(f"its first level is {words.price_text(float(order['stop_price']), tick)}")
        return ", ".join(said)
