"""What one step of the machine did to the orders, put in words from the book before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from intrabar.engine.story import words as words
from intrabar.engine.story.changes import DUST, View
from intrabar.engine.story.fill import STOPS, FillWords
from intrabar.engine.story.walk import Walk
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import (
    ActionKind,
    OrderStatus,
    OrderType,
    Phase,
    Reject,
    Role,
    TimeInForce,
)
from intrabar.model.prices import reaches
from intrabar.sim.machine import Machine

CANCELLED, EXPIRED = OrderStatus.CANCELLED, OrderStatus.EXPIRED
REJECTED, FILLED = OrderStatus.REJECTED, OrderStatus.FILLED
Sentence = tuple[int, str, int]
MOVED = (ActionKind.SPLIT, ActionKind.ROLL, ActionKind.DELISTING)


@dataclass
class Outcome:
    """Fills and ends of orders of one step, in the order in which they happened."""

    machine: Machine
    before: View
    phase: Phase
    bar: int
    names: dict[int, str]
    walks: dict[int, Walk]
    pairs: set[frozenset[str]]
    told: set[int] = field(default_factory=set)
    orders: dict[int, Any] = field(init=False)
    filled: dict[int, int] = field(init=False)  # number of an order -> its fill in this step
    moved: dict[int, ActionKind] = field(init=False)  # instruments that are split, rolled, delisted

    def __post_init__(self) -> None:
        book = self.machine.book
        account, actions = book.account[0], self.machine.tape.actions
        done = self.machine.done_since(self.before.log)
        self.orders = {int(o["id"]): o for o in done} | View.of(self.machine).working
        fills = range(self.before.fills, int(account["fills"]))
        self.filled = {int(book.fills[n]["order"]): n for n in fills}
        taken = actions[self.before.actions : int(account["actions"])]
        self.moved = {
            int(a["instrument"]): ActionKind(int(a["kind"])) for a in taken if a["kind"] in MOVED
        }
        self.fills = FillWords(
            self.machine, self.before, self.phase, self.bar, self.names, self.walks
        )

    def sentences(self) -> Iterator[Sentence]:
        """Number of the order (-1: a split or a roll), sentence, index of the fill or -1."""
        book = self.machine.book
        queue = []
        for n in range(self.before.fills, int(book.account[0]["fills"])):
            if book.fills[n]["order"] < 0:
                yield -1, self.fills.of_action(n), n
            else:
                queue.append(n)
        waiting: list[Any] = []
        for entry in self.machine.done_since(self.before.log):
            if entry["status"] != FILLED:
                waiting.append(entry)
                continue
            place = queue.index(self.filled[int(entry["id"])]) + 1
            yield from self._stretch(queue[:place], waiting, True)
            queue, waiting = queue[place:], []
        yield from self._stretch(queue, waiting, False)
        yield from self._still_working()

    def _stretch(self, fills: list[int], ended: list[Any], is_done: bool) -> Iterator[Sentence]:
        """Fills in their order, each with the ends that it brought about.

        The log says what ended before a fill that has done its order (`is_done`: the last one);
        around one that has not, orders are taken to have come in the order of acceptance.
        """
        left = list(ended)
        for n in fills:
            number = int(self.machine.book.fills[n]["order"])
            order = self.orders[number]
            causes = {int(c["id"]): self._cause(c, order, n) for c in left}
            free = [c for c in left if not causes[int(c["id"])]]
            if not (is_done and n == fills[-1]):
                free = [c for c in free if int(c["id"]) < number]
            free = [c for c in free if self.filled.get(int(c["id"]), -1) < n]
            yield from self._ends(free)
            yield number, self.fills.of_order(order, n), n
            brought = [c for c in left if causes[int(c["id"])]]
            for c in brought:
                yield int(c["id"]), f"{self._name(c)}: cancelled, {causes[int(c['id'])]}", -1
            gone = {int(c["id"]) for c in (*free, *brought)}
            left = [c for c in left if int(c["id"]) not in gone]
        yield from self._ends(left)

    def _name(self, order: Any) -> str:
        return self.names[int(order["id"])]

    def _instrument(self, order: Any) -> Any:
        return self.machine.book.instruments[order["instrument"]]

    def _open(self, order: Any) -> float:
        return float(self.machine.tape.open[self.bar, order["instrument"]])

    def _cause(self, gone: Any, filled: Any, index: int) -> str:
        """How a fill did away with another order, "" where it did not."""
        number, other = int(gone["id"]), int(filled["id"])
        if gone["status"] != CANCELLED or number in self.told or number == other:
            return ""
        protects = gone["role"] <= Role.TARGET
        siblings = protects and filled["role"] <= Role.TARGET
        siblings = siblings and gone["parent"] == filled["parent"] >= 0
        asked = frozenset((self._name(gone), self._name(filled))) in self.pairs
        if siblings or asked or self.before.partners.get(number) == other:
            return f"as its partner {self._name(filled)} has filled"
        f = self.machine.book.fills[index]
        same = all(gone[n] == filled[n] for n in ("instrument", "strategy"))
        held = float(f["position"] - f["side"] * f["qty"])
        if protects and same and held * f["position"] <= 0.0:
            return "as the position that it protected is gone"
        return ""

    def _ends(self, ended: list[Any]) -> Iterator[Sentence]:
        for order in ended:
            number = int(order["id"])
            if number in self.told:
                continue
            why = self._end(order)
            if order["status"] == REJECTED and number in self.before.working:
                tick = float(self._instrument(order)["tick_size"])
                why = f"{words.order_text(order, tick, True)} {why}"
            yield number, f"{self._name(order)}: {why}", -1

    def _end(self, order: Any) -> str:
        if order["status"] == REJECTED:
            symbol = self.machine.market.symbols[order["instrument"]]
            text = words.rejection_text(order, symbol, self._instrument(order))
            if order["reject"] == Reject.INSUFFICIENT_MARGIN:
                text += self._margin_asked(order)
            return text
        if order["status"] == EXPIRED:
            return words.expiry_text(order, DAY_NS)
        account = self.machine.book.account[0]
        moved = self._moved_away(order)
        if moved:
            return moved
        if order["tif"] in (TimeInForce.IOC, TimeInForce.FOK) and order["starts"] <= self.bar:
            if (order["type"] == OrderType.MOC) == (self.phase is Phase.CLOSE):
                return f"cancelled: {self._not_at_once(order)}"
        if order["reduce_only"] and self.phase is not Phase.CLOSE:
            return "cancelled: it may only reduce, and there is nothing to reduce"
        if self.phase is Phase.CLOSE:
            if int(account["margin_calls"]) > self.before.margin_calls:
                return "cancelled by the margin call"
            if order["type"] == OrderType.MOC and order["reduce_only"]:
                return "cancelled: it may only reduce, and there is nothing to reduce"
            if account["close_at_end"] and self.bar == len(self.machine.market) - 1:
                return "cancelled: the data end here"
        return "cancelled"

    def _moved_away(self, order: Any) -> str:
        """Why a split, a roll or a delisting has cancelled an order, "" where none has."""
        number, kind = int(order["id"]), self.moved.get(int(order["instrument"]))
        if kind is None or number not in self.before.working:
            return ""
        if kind is ActionKind.DELISTING:
            return "cancelled: its instrument has no further bars"
        if order["role"] == Role.LIQUIDATION:
            return f"cancelled: the {kind.word} has left nothing of its position"
        if order["qty"] - order["filled"] < float(self._instrument(order)["lot"]) * (1 - DUST):
            return f"cancelled by the {kind.word}: no whole lot is left to fill"
        needs = {OrderType.LIMIT: ["limit_price"], OrderType.STOP_LIMIT: ["limit_price"]}
        prices = [float(order[n]) for n in needs.get(OrderType(int(order["type"])), [])]
        if order["type"] in (*STOPS, OrderType.STOP_LIMIT):
            prices.append(float(order["stop_price"]))
        if not all(price > 0.0 for price in prices):
            return f"cancelled by the {kind.word}: its price would not be above 0"
        if order["role"] <= Role.TARGET and self.phase is Phase.OPEN:
            return f"cancelled: the {kind.word} has left nothing of the position it protected"
        return ""

    def _not_at_once(self, order: Any) -> str:
        """Why an IOC or FOK order is gone."""
        x, tif = self._instrument(order), TimeInForce(int(order["tif"])).word
        rest, room = float(order["qty"] - order["filled"]), self.fills.room[order["instrument"]]
        want, capped = words.quantity(rest), bool(x["max_volume_share"] > 0.0)
        if order["filled"] > 0.0:
            return f"{tif}, and {want} of {words.quantity(order['qty'])} have not filled at once"
        if not self._was_met(order) or (order["tif"] == TimeInForce.IOC and not capped):
            return f"{tif}, and it has not filled at once"
        if order["tif"] == TimeInForce.IOC:
            return f"{tif}, and the volume leaves nothing now"
        if capped and room < rest - DUST:
            return f"{tif} wants all {want}, and the volume leaves {words.quantity(room)}"
        if order["reduce_only"]:
            return f"{tif} wants all {want}, and the position is smaller"
        return f"{tif} wants all {want}, and the margin allows less"

    def _was_met(self, order: Any) -> bool:
        """Whether the open had reached the prices of an order."""
        if order["type"] in (OrderType.MARKET, OrderType.MOC):
            return True
        tick, open_ = float(self._instrument(order)["tick_size"]), self._open(order)
        stop = reaches(int(order["side"]), open_, float(order["stop_price"]), tick)
        limit = reaches(-int(order["side"]), open_, float(order["limit_price"]), tick)
        if order["type"] in STOPS:
            return bool(stop or order["triggered"])
        return bool(limit and (stop or order["type"] == OrderType.LIMIT or order["triggered"]))

    def _margin_asked(self, order: Any) -> str:
        """The figures of a refusal, where nothing else has happened that would change them."""
        book = self.machine.book
        if int(book.account[0]["fills"]) != self.before.fills:
            return ""
        x = self._instrument(order)
        amount, rate = float(x["initial_margin"]), float(x["initial_margin_rate"])
        parts = [f"{words.money(amount)} a contract"] if amount else []
        parts += [f"{rate:.4g} of the notional"] if rate else []
        when = " at the open" if self.phase is Phase.INTRABAR else ""
        return (
            f" ({words.quantity(order['qty'])} at {words.listed(parts) or 'cash'}; "
            f"equity {words.money(float(book.account[0]['equity']))}{when})"
        )

    def _still_working(self) -> Iterator[Sentence]:
        """Orders that have been made or changed by what happened, and work on."""
        for number, order in View.of(self.machine).working.items():
            old = self.before.working.get(number)
            text = self._born(order) if old is None else self._changed(order, old)
            if text and number not in self.told:
                yield number, f"{self.names[number]}: {text}", -1

    def _born(self, order: Any) -> str:
        tick = float(self._instrument(order)["tick_size"])
        symbol = self.machine.market.symbols[order["instrument"]]
        if order["role"] == Role.LIQUIDATION:
            if int(order["id"]) in self.filled:
                return ""
            if not self._open(order) > 0.0:
                return f"{symbol} has no bar, liquidated at its next open"
            return "the volume leaves nothing now, liquidated at the next opens"
        if order["parent"] >= 0 and int(order["id"]) not in self.filled:
            return f"{words.order_text(order, tick)} for {words.quantity(order['qty'])} works"
        return self._triggered(order) if order["triggered"] else ""

    def _changed(self, order: Any, old: Any) -> str:
        tick = float(self._instrument(order)["tick_size"])
        now = words.order_text(order, tick, True)
        moved = self.moved.get(int(order["instrument"]))
        if moved is not None:
            was = f"{words.order_text(old, tick, True)} for {words.quantity(old['qty'])}"
            now = f"{now} for {words.quantity(order['qty'])}"
            return f"{was} becomes {now} by the {moved.word}" if was != now else ""
        if order["triggered"] and not old["triggered"]:
            return self._triggered(order)
        follows = self.phase is Phase.CLOSE and order["type"] == OrderType.TRAILING_STOP
        if follows and order["stop_price"] != old["stop_price"]:
            name, tape = ("low" if order["side"] > 0 else "high"), self.machine.tape
            far = float(getattr(tape, name)[self.bar, order["instrument"]])
            was = words.order_text(old, tick)
            return f"follows the {name} {words.price_text(far, tick)}: {was} becomes {now}"
        if order["qty"] < old["qty"]:
            return f"{words.quantity(order['qty'])} left, its partner has filled the rest"
        if order["qty"] > old["qty"] and order["parent"] >= 0:
            return f"{now} is now for {words.quantity(order['qty'])}, its entry has filled more"
        return ""

    def _triggered(self, order: Any) -> str:
        """A stop that has triggered and not filled: beyond its limit, or without volume."""
        x = self._instrument(order)
        tick, rest = float(x["tick_size"]), words.quantity(order["qty"] - order["filled"])
        stop = words.price_text(float(order["stop_price"]), tick)
        side, where = "buy" if order["side"] > 0 else "sell", f"at {stop}"
        if self.phase is Phase.OPEN:
            where = f"by the open {words.price_text(self._open(order), tick)}"
        elif x["max_volume_share"] > 0.0 or self.walks[int(order["instrument"])].bars > 1:
            where = "inside the bar"
        if int(order["id"]) in self.filled:
            return ""
        kind = "trailing stop" if order["type"] == OrderType.TRAILING_STOP else "stop"
        text = f"{side} {kind} {stop} triggered {where}"
        if order["type"] in STOPS:
            return f"{text}, but the volume leaves nothing: {rest} wait for the next open"
        limit = words.price_text(float(order["limit_price"]), tick)
        if x["max_volume_share"] > 0.0 and x["room"] <= 0.0:
            return f"{text}, but the volume leaves nothing: now a limit at {limit}"
        return f"{text}, which is beyond its limit {limit}: now a limit"
