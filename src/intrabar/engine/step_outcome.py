"""What one step of the machine did to the orders, put in words from the book before and after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from intrabar.engine import narration_words as words
from intrabar.engine.step_changes import DUST, View
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import OrderStatus, OrderType, Phase, Reject, Role, TimeInForce
from intrabar.sim.costs import TOLERANCE
from intrabar.sim.machine import Machine

CANCELLED, EXPIRED = OrderStatus.CANCELLED, OrderStatus.EXPIRED
REJECTED = OrderStatus.REJECTED


@dataclass
class Outcome:
    """Fills and ends of orders of one step, in the order in which they happened."""

    machine: Machine
    before: View
    phase: Phase
    bar: int
    names: dict[int, str]
    walks: dict[int, words.Walk]
    pairs: set[frozenset[str]]
    told: set[int] = field(default_factory=set)
    orders: dict[int, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.orders = {int(o["id"]): o for o in self.machine.orders()}
        self.last_filled = -1

    def sentences(self) -> Iterator[tuple[int, str, int]]:
        """Number of the order, sentence, index of the fill or -1."""
        book = self.machine.book
        account = book.account[0]
        fills = {int(book.fills[n]["order"]): n for n in range(self.before.fills, account["fills"])}
        waiting: list[Any] = []
        for entry in book.orders[book.log[self.before.log : account["log"]]]:
            number = int(entry["id"])
            if number not in fills:
                waiting.append(entry)
                continue
            causes = {int(c["id"]): self._cause(c, entry) for c in waiting}
            yield from self._ends([c for c in waiting if not causes[int(c["id"])]])
            index = fills.pop(number)
            yield number, self._filled(entry, index), index
            for c in waiting:
                if causes[int(c["id"])]:
                    text = f"{self._name(c)}: cancelled, {causes[int(c['id'])]}"
                    yield int(c["id"]), text, -1
            waiting = []
        yield from self._ends(waiting)
        yield from self._still_working()

    def _name(self, order: Any) -> str:
        return self.names[int(order["id"])]

    def _instrument(self, order: Any) -> Any:
        return self.machine.book.instruments[order["instrument"]]

    def _bar(self, order: Any) -> tuple[float, ...]:
        tape, j = self.machine.tape, order["instrument"]
        return tuple(float(x[self.bar, j]) for x in (tape.open, tape.high, tape.low, tape.close))

    def _cause(self, gone: Any, filled: Any) -> str:
        """How a fill did away with another order, "" where it did not."""
        number, other = int(gone["id"]), int(filled["id"])
        if gone["status"] != CANCELLED or number in self.told:
            return ""
        protects = gone["role"] <= Role.TARGET
        siblings = protects and filled["role"] <= Role.TARGET and gone["parent"] == filled["parent"]
        asked = frozenset((self._name(gone), self._name(filled))) in self.pairs
        if siblings or asked or self.before.partners.get(number) == other:
            return f"as its partner {self._name(filled)} has filled"
        if protects and gone["instrument"] == filled["instrument"]:
            return "as the position that it protected is gone"
        return ""

    def _ends(self, ended: list[Any]) -> Iterator[tuple[int, str, int]]:
        for order in ended:
            number = int(order["id"])
            if number in self.told:
                continue
            why = self._end(order)
            if order["status"] == REJECTED and number in self.before.working:
                why = (
                    f"{words.order_text(order, float(self._instrument(order)['tick_size']))} {why}"
                )
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
        if order["tif"] in (TimeInForce.IOC, TimeInForce.FOK) and order["starts"] <= self.bar:
            tif = TimeInForce(int(order["tif"])).word
            if (order["type"] == OrderType.MOC) == (self.phase is Phase.CLOSE):
                return f"cancelled: {tif}, and it has not filled at once"
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

    def _inside(self, order: Any, made_now: bool) -> tuple[str, float]:
        """How the price came to an order inside the bar, and what it got before slippage."""
        instrument, buys = self._instrument(order), bool(order["side"] > 0)
        tick = float(instrument["tick_size"])
        name, kind = words.order_text(order, tick), order["type"]
        stop, limit = float(order["stop_price"]), float(order["limit_price"])
        walk = self.walks[int(order["instrument"])]
        if made_now:
            ahead = (walk.here - stop) if kind == OrderType.STOP else (limit - walk.here)
            if ahead * order["side"] >= -TOLERANCE * tick:
                here = words.price_text(walk.here, tick)
                return f"{name} is already through where the price stands, {here}", walk.here
        if kind == OrderType.STOP:
            return f"{name} {walk.reach(stop, buys)}", stop
        through = limit - order["side"] * float(instrument["limit_through_ticks"]) * tick
        if kind == OrderType.LIMIT:
            return f"{name} {walk.reach(through, not buys)}", limit
        before = self.before.working.get(int(order["id"]))
        side, at = "buy" if buys else "sell", words.price_text(limit, tick)
        if before is not None and before["triggered"]:
            where = walk.reach(through, not buys)
            return f"{side} limit {at} (triggered earlier) {where}", limit
        where = walk.reach(stop, buys)
        if (limit - walk.here) * order["side"] >= -TOLERANCE * tick:
            return f"{name} {where}, within its limit", walk.here
        return f"{name} {where}, then its limit {walk.reach(through, not buys)}", limit

    def _filled(self, order: Any, index: int) -> str:
        """What filled, why, at what price, and what it left."""
        f = self.machine.book.fills[index]
        tick = float(self._instrument(order)["tick_size"])
        price = words.price_text(float(f["price"]), tick)
        made_now = order["parent"] >= 0 and self.last_filled == int(order["parent"])
        if self.phase is Phase.INTRABAR:
            why, base = self._inside(order, made_now)
            text = f"{why}: filled at {words.price_text(base, tick)}"
        elif made_now:
            open_ = words.price_text(self._bar(order)[0], tick)
            name = words.order_text(order, tick)
            text = f"{name} is already through at the open: filled at {open_}"
        else:
            text = words.fill_reason(order, self.phase.word, self._bar(order), tick)
        if not text.endswith(f" {price}"):
            text += f", slipped to {price}"
        self.last_filled = int(order["id"])
        return f"{self._name(order)}: {text}{self._quantity(order, f)}"

    def _quantity(self, order: Any, f: Any) -> str:
        parts = []
        before = self.before.working.get(int(order["id"]))
        wanted = float((before if before is not None else order)["qty"])
        qty = float(f["qty"])
        if qty < wanted - DUST:
            why = (
                "the position is no larger" if order["reduce_only"] else "the margin allows no more"
            )
            parts.append(f"{words.quantity(qty)} of {words.quantity(wanted)}, {why}")
        parts.append(words.position_text(float(f["position"])))
        if f["realized"]:
            result = "profit" if f["realized"] > 0 else "loss"
            parts.append(f"{result} {words.money(abs(float(f['realized'])))}")
        if f["cost"]:
            parts.append(f"cost {words.money(float(f['cost']))}")
        return "; " + ", ".join(parts)

    def _still_working(self) -> Iterator[tuple[int, str, int]]:
        """Orders that have been made or changed by what happened, and work on."""
        for number, order in View.of(self.machine).working.items():
            tick = float(self._instrument(order)["tick_size"])
            before, name = self.before.working.get(number), self.names[number]
            if before is None:
                if order["role"] == Role.LIQUIDATION:
                    symbol = self.machine.market.symbols[order["instrument"]]
                    yield number, f"{name}: {symbol} has no bar, liquidated at its next open", -1
                elif order["parent"] >= 0:
                    qty = words.quantity(order["qty"])
                    yield number, f"{name}: {words.order_text(order, tick)} for {qty} works", -1
            elif order["triggered"] and not before["triggered"]:
                yield number, f"{name}: {self._triggered(order, tick)}", -1
            if before is not None and order["qty"] < before["qty"] and number not in self.told:
                left = words.quantity(order["qty"])
                yield number, f"{name}: {left} left, its partner has filled the rest", -1

    def _triggered(self, order: Any, tick: float) -> str:
        limit = words.price_text(float(order["limit_price"]), tick)
        stop = words.price_text(float(order["stop_price"]), tick)
        side = "buy" if order["side"] > 0 else "sell"
        where = f"at {stop}"
        if self.phase is Phase.OPEN:
            where = f"by the open {words.price_text(self._bar(order)[0], tick)}"
        return (
            f"{side} stop {stop} triggered {where}, which is beyond its limit {limit}: now a limit"
        )
