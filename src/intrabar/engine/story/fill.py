"""One fill in words: why, at what price, how much of it and why not more, and what it cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from intrabar.engine.story import words as words
from intrabar.engine.story.changes import DUST, View
from intrabar.engine.story.walk import Walk
from intrabar.model.enums import (
    ActionKind,
    Ambiguity,
    FillReason,
    OrderStatus,
    OrderType,
    Phase,
    Role,
)
from intrabar.model.prices import reaches, same
from intrabar.sim.costs import OF_A_LOT, cost_of, lots_down, rates_of
from intrabar.sim.machine import Machine
from intrabar.sim.state import STEP_OPEN

STOPS = (OrderType.STOP, OrderType.TRAILING_STOP)


@dataclass
class FillWords:
    """Tells the fills of one step, in the order in which they happened.

    `room` is what the volume cap leaves at the fill that is told next, `traded` what the tiers
    have counted by then; `met` is what each fill met before it slipped.
    """

    machine: Machine
    before: View
    phase: Phase
    bar: int
    names: dict[int, str]
    walks: dict[int, Walk]
    met: dict[int, float] = field(default_factory=dict)
    room: list[float] = field(init=False)
    traded: list[float] = field(init=False)
    last_filled: int = -1

    def __post_init__(self) -> None:
        book = self.machine.book
        now = book.instruments
        self.room = [float(x) for x in self.before.instruments["room"]]
        if self.before.step == STEP_OPEN:
            self.room = [
                float(lots_down(x["max_volume_share"] * x["volume"], x["lot"])) for x in now
            ]
        self.traded = [float(x) for x in now["traded"]]
        for f in book.fills[self.before.fills : book.account[0]["fills"]]:
            self.traded[f["instrument"]] -= float(f["qty"])

    def of_order(self, order: Any, index: int) -> str:
        """The sentence of an order's fill."""
        f = self.machine.book.fills[index]
        tick = float(self._instrument(f)["tick_size"])
        number = int(order["id"])
        is_new = order["parent"] >= 0 and number not in self.before.working
        made_now = is_new and self.last_filled == int(order["parent"])
        old = self.before.working.get(number)
        rests = old is not None and bool(old["triggered"])
        if self.phase is Phase.INTRABAR:
            why, base = self._inside(order, f, made_now, rests)
            at = ""
        elif made_now:
            base, at = self._bar(f)[0], ""
            why = f"{words.order_text(order, tick)} is already through at the open"
        else:
            at_open = self.phase is Phase.OPEN and order["role"] != Role.END_OF_DATA
            base = self._bar(f)[0 if at_open else 3]
            at = "open" if at_open else "close"
            why = words.fill_reason(order, at, self._bar(f), tick, rests)
        rest = self._rest(order, f)
        text = f"{why}: filled at {f'the {at} ' * bool(at)}{words.price_text(base, tick)}"
        asked = float(f["qty"])
        if order["status"] == OrderStatus.FILLED and not order["reduce_only"]:
            asked = rest  # the margin cuts what has slipped already
        text += self._slipped(f, base, tick, asked)
        text += self._quantity(order, f, rest) + self._ambiguity(order, f)
        self._count(f, index, base)
        self.last_filled = number
        return f"{self.names[number]}: {text}"

    def of_action(self, index: int) -> str:
        """The sentence of a fill that a split or a roll has made."""
        f = self.machine.book.fills[index]
        x = self._instrument(f)
        tick, price = float(x["tick_size"]), float(f["price"])
        position, qty = float(f["position"]), float(f["qty"])
        verb = "buys" if f["side"] > 0 else "sells"
        base = price
        if f["reason"] == FillReason.SPLIT and qty == 0.0:
            text = (
                f"split: {words.position_text(position / price)} becomes "
                f"{words.position_text(position)}"
            )
        elif f["reason"] == FillReason.SPLIT:
            at = words.price_text(price, tick)
            text = f"split: {verb} {words.quantity(qty)}, no whole lot, at the open {at}"
            text += self._left(f)
        else:
            closes = position == 0.0
            base = self._roll_from(index) if closes else self._bar(f)[0]
            what = "the old contract" if closes else "the new contract, at the open"
            text = f"roll: {verb} {words.quantity(qty)} of {what}: filled at "
            text += words.price_text(base, tick) + self._slipped(f, base, tick, qty)
            text += self._left(f)
        self._count(f, index, base)
        return text

    def _count(self, f: Any, index: int, base: float) -> None:
        j, qty = int(f["instrument"]), float(f["qty"])
        self.met[index] = base
        self.traded[j] += qty
        self.room[j] = max(self.room[j] - qty, 0.0)

    def _instrument(self, f: Any) -> Any:
        return self.machine.book.instruments[f["instrument"]]

    def _bar(self, f: Any) -> tuple[float, ...]:
        tape, j = self.machine.tape, f["instrument"]
        return tuple(float(x[self.bar, j]) for x in (tape.open, tape.high, tape.low, tape.close))

    def _roll_from(self, index: int) -> float:
        """The price of the old contract that the fill of a roll has met."""
        book, tape = self.machine.book, self.machine.tape
        f = book.fills[index]
        rolls = [
            float(a["value"])
            for a in tape.actions[self.before.actions : book.account[0]["actions"]]
            if a["instrument"] == f["instrument"] and a["kind"] == ActionKind.ROLL
        ]
        earlier = [
            g
            for g in book.fills[self.before.fills : index]
            if g["reason"] == FillReason.ROLL
            and (g["instrument"], g["strategy"]) == (f["instrument"], f["strategy"])
        ]
        return rolls[min(len(earlier) // 2, len(rolls) - 1)]

    def _slipped(self, f: Any, base: float, tick: float, asked: float) -> str:
        if same(float(f["price"]), base, tick):
            return ""
        parts = words.slippage_text(self._instrument(f), asked)
        return f", slipped to {words.price_text(float(f['price']), tick)}{parts}"

    def _rest(self, order: Any, f: Any) -> float:
        """What the order still wanted when it filled, as far as the volume would let it."""
        rest = float(order["qty"] - order["filled"] + f["qty"])
        old = self.before.working.get(int(order["id"]))
        if order["status"] != OrderStatus.FILLED and old is not None:
            acted = self.before.actions != int(self.machine.book.account[0]["actions"])
            rest = rest if acted else max(rest, float(old["qty"] - old["filled"]))
        return rest

    def _inside(self, order: Any, f: Any, made_now: bool, rests: bool) -> tuple[str, float]:
        """How the price came to an order inside the bar, and what it got before slippage."""
        instrument, buys = self._instrument(f), bool(order["side"] > 0)
        tick, walk = float(instrument["tick_size"]), self.walks[int(f["instrument"])]
        name, kind = words.order_text(order, tick), order["type"]
        stop, limit = float(order["stop_price"]), float(order["limit_price"])
        if made_now:
            stops, sign = kind == OrderType.STOP, int(order["side"])
            if reaches(sign if stops else -sign, walk.here, stop if stops else limit, tick):
                here = words.price_text(walk.here, tick)
                return f"{name} is already through where the price stands, {here}", walk.here
        if kind in STOPS:
            where = walk.reach(stop, buys, stop)
            return f"{name} {where}", walk.here if walk.jumped else stop
        through = limit - order["side"] * float(instrument["limit_through_ticks"]) * tick
        got = float(f["price"])  # a limit does not slip
        if kind == OrderType.LIMIT:
            return f"{name} {walk.reach(through, not buys, limit)}", got
        if rests:
            side, at = "buy" if buys else "sell", words.price_text(limit, tick)
            where = walk.reach(through, not buys, limit)
            return f"{side} limit {at} (triggered earlier) {where}", got
        where = walk.reach(stop, buys, stop)
        if reaches(-int(order["side"]), walk.here, limit, tick):
            return f"{name} {where}, within its limit", got
        return f"{name} {where}, then its limit {walk.reach(through, not buys, limit)}", got

    def _quantity(self, order: Any, f: Any, rest: float) -> str:
        """How much of what was wanted, why not more, and what the account has then."""
        qty, x = float(f["qty"]), self._instrument(f)
        part = ""
        if qty < rest - DUST and order["status"] == OrderStatus.FILLED:
            why = (
                "the position is no larger" if order["reduce_only"] else "the margin allows no more"
            )
            part = f"{words.quantity(qty)} of {words.quantity(rest)}, {why}"
        elif qty < rest - DUST:
            share, volume = words.quantity(x["max_volume_share"]), words.quantity(x["volume"])
            part = (
                f"{words.quantity(qty)} of {words.quantity(rest)}, the volume allows no more "
                f"({share} of {volume}), {words.quantity(rest - qty)} left to fill"
            )
        elif order["filled"] > qty + DUST:
            part = f"{words.quantity(qty)}, the rest of {words.quantity(order['filled'])}"
        return f"{f'; {part}' * bool(part)}{self._left(f, '; ' if not part else ', ')}"

    def _left(self, f: Any, joint: str = "; ") -> str:
        """The position after a fill, its profit and its cost."""
        parts = [words.position_text(float(f["position"]))]
        if f["realized"]:
            result = "profit" if f["realized"] > 0 else "loss"
            parts.append(f"{result} {words.money(abs(float(f['realized'])))}")
        if f["cost"]:
            word = "cost" if f["cost"] > 0 else "rebate"
            parts.append(f"{word} {words.money(abs(float(f['cost'])))}{self._rates(f)}")
        return joint + ", ".join(parts)

    def _rates(self, f: Any) -> str:
        """Whether a cost is that of a maker or a taker, and of which tier; "" without those."""
        book, j = self.machine.book, int(f["instrument"])
        x = book.instruments[j : j + 1].copy()[0]
        x["traded"] = self.traded[j]
        said = []
        if not math.isnan(x["maker_rate"]):
            taken, made = (
                float(cost_of(x, f["qty"], f["price"], *rates_of(x, book.tiers, rests)))
                for rests in (False, True)
            )
            if not math.isclose(taken, made):
                said.append("maker" if math.isclose(made, f["cost"]) else "taker")
        tiers = book.tiers[x["first_tier"] : x["first_tier"] + x["tiers"]]
        reached = [t for t in tiers if t["from_qty"] <= x["traded"] + OF_A_LOT * x["lot"]]
        if len(tiers):
            start = words.quantity(reached[-1]["from_qty"]) if reached else ""
            tier = f"tier from {start}" if reached else "below the first tier"
            said.append(f"{tier}, {words.quantity(x['traded'])} traded this month")
        return f" ({', '.join(said)})" if said else ""

    def _ambiguity(self, order: Any, f: Any) -> str:
        if f["ambiguous"] == Ambiguity.AMBIGUOUS:
            return "; ambiguous, as its partner's price lay there too"
        if f["ambiguous"] == Ambiguity.SETTLED:
            return "; the bar held its partner's price too, the lower bars settle it"
        return ""
