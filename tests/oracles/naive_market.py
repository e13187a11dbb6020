"""The market a second time: slow, obvious, and written from the fill model alone.

`run(scenario)` takes and gives what scenario files take and give. Plain objects, standard
library only, no code in common with the engine: where the two disagree, one of them has
misread the rules. The numbers in brackets are sections and steps of the fill model.

Left out: detail bars, corporate actions, borrow and interest, volume caps, trailing stops,
several strategies in one account.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from tests.oracles.naive_account import Instrument
from tests.oracles.naive_execution import Execution
from tests.oracles.naive_orders import Order, accept, make_partners, modify
from tests.oracles.naive_prices import (
    Bar,
    at_or_above,
    at_or_below,
    coin,
    corners,
    goes_low_first,
    same,
)


def run(scenario: dict) -> dict:
    """The result of a scenario."""
    return run_with_notes(scenario)[0]


def run_with_notes(scenario: dict) -> tuple[dict, Counter]:
    """The result, and how often each rule came to bear ("knife edge": a margin tie)."""
    market = Market(scenario)
    market.run()
    for what in market.account.knife_edges:
        market.notes[f"knife edge: {what}"] += 1
    return market.result(), market.notes


class Market(Execution):
    """The three phases, the path, margin calls and the end of a run."""

    # --- the three phases (2) -------------------------------------------------------------

    def run(self) -> None:
        for at in range(self.length):
            self.at = at
            self.phase = "open"
            self.open_phase()
            self.phase = "intrabar"
            for instrument in self.instruments:
                if instrument.bars[self.at]:
                    self.walk(instrument, instrument.bars[self.at])
            self.phase = "close"
            self.close_phase()
            if self.status == "ruined":
                break
            self.obey("close")

    def open_phase(self) -> None:
        awake = [i for i in self.instruments if i.bars[self.at]]
        for i in awake:
            i.mark = i.bars[self.at].open
        for i in awake:  # step 1
            waiting = self.working(i)
            waiting.sort(key=lambda o: o.role != "liquidation")
            for order in waiting:
                self.test(order, i.mark)
        touched = self.obey("open")  # step 2
        for i in awake:
            for order in sorted(touched, key=lambda o: o.number):
                if order.instrument is i:
                    self.test(order, i.mark)
        for i in awake:
            for order in self.working(i):
                if order.tif in ("ioc", "fok") and order.type != "moc":
                    self.notes[f"{order.tif} cancelled"] += 1
                    order.end("cancelled")

    def close_phase(self) -> None:
        for i in self.instruments:  # step 7
            if i.bars[self.at]:
                i.mark = i.bars[self.at].close
        for i in self.instruments:  # step 8
            for order in self.working(i) if i.bars[self.at] else []:
                if order.type == "moc" and order.works:
                    self.notes["moc"] += 1
                    self.execute(order, i.mark, standing=None, slips=True)
        self.expire()
        self.check_maintenance()  # step 9
        if self.close_at_end and self.at == self.length - 1:
            self.close_everything()
        self.equity.append(self.account.equity())  # step 10
        if not self.account.less(0, self.equity[-1], "ruin"):
            self.status = "ruined"
            self.notes["ruin"] += 1

    def expire(self) -> None:
        """A DAY order ends with its first real bar, a GTD order with its last index (8)."""
        for order in self.working():
            day_over = order.tif == "day" and order.instrument.bars[self.at]
            if day_over or (order.tif == "gtd" and self.at >= order.until):
                self.notes[f"{order.tif} expired"] += 1
                order.end("expired")

    # --- what the strategy asks for -------------------------------------------------------

    def obey(self, phase: str) -> list[Order]:
        """Take the commands of this moment in the order of the list; returns what they touch."""
        touched = []
        for written in self.commands:
            if (written["at"], written["phase"]) != (self.at, phase):
                continue
            if "cancel" in written:
                order = self.find(written["cancel"])
                if order:
                    self.notes["cancel"] += 1
                    order.end("cancelled")
            elif "modify" in written:
                order = self.find(written["modify"])
                if order:
                    self.notes["modify of a child" if order.role != "plain" else "modify"] += 1
                    modify(order, written)
                    touched.append(order)
            else:
                touched.append(self.submit(written))
        return touched

    def find(self, name: str) -> Order | None:
        for order in self.working():
            if order.id == name and order.role in ("plain", "stop", "target"):
                return order
        return None

    def submit(self, written: dict) -> Order:
        order = accept(written, len(self.orders), self.by_symbol[written["symbol"]])
        self.orders.append(order)
        if order.reason:
            self.notes[f"rejected: {order.reason}"] += 1
        if order.tif == "gtd" and order.until < self.at + (self.phase == "close"):
            order.end("expired")  # it ended before it began
        make_partners(order, self.orders)
        return order

    # --- the price comes to an order (4) --------------------------------------------------

    def walk(self, instrument: Instrument, bar: Bar) -> None:
        """Walk the path of a bar leg by leg (2.3, 2.4)."""
        low_first = goes_low_first(
            self.policy,
            bar,
            instrument.tick_size,
            self.danger(instrument),
            coin(self.seed, instrument.index, self.at),
        )
        path = corners(bar, low_first)
        for start, end in pairwise(path):
            self.walk_leg(instrument, start, end)

    def danger(self, instrument: Instrument) -> str:
        """The extreme that hurts the position; when flat, the only side that could open (2.3)."""
        if instrument.position.lots:
            return "low" if instrument.position.lots > 0 else "high"
        sides = {o.side for o in self.working(instrument) if not o.reduce_only}
        if len(sides) == 1:
            self.notes["path decided by the side of the orders"] += 1
        return {(-1,): "low", (1,): "high"}.get(tuple(sides), "")

    def walk_leg(self, instrument: Instrument, start: float, end: float) -> None:
        if start == end:
            return
        way, tick = (1 if end > start else -1), instrument.tick_size
        reached = at_or_above if way > 0 else at_or_below
        while True:
            levels = {o: self.trigger_level(o, way) for o in self.working(instrument)}
            ahead = {o: p for o, p in levels.items() if p is not None and reached(end, p, tick)}
            if not ahead:
                return
            nearest = min(ahead.values(), key=lambda p: p * way)
            tied = [o for o, p in ahead.items() if same(p, nearest, tick)]
            first = min(tied, key=lambda o: o.rank)
            if len(tied) > 1:
                self.notes["several orders at one price"] += 1
                if first is not min(tied, key=lambda o: o.number):
                    self.notes["child before an earlier order at one price"] += 1
            self.trigger(first, ahead[first])

    def trigger_level(self, order: Order, way: int) -> float | None:
        """The price at which a leg going up (1) or down (-1) sets the order off, if any."""
        i = order.instrument
        if order.acts_as in ("stop", "stop_limit") and order.side == way:
            return order.stop
        if order.acts_as == "limit" and order.side == -way:
            return order.limit - order.side * i.limit_through_ticks * i.tick_size
        return None

    def trigger(self, order: Order, level: float) -> None:
        """Column "on a leg": the price has reached the order."""
        self.notes[f"{order.type} on a leg"] += 1
        if order.acts_as == "stop":
            self.execute(order, level, standing=level, slips=True)
        elif order.acts_as == "limit":
            self.execute(order, order.limit, standing=level, slips=False)
        else:
            order.triggered = True
            tick = order.instrument.tick_size
            cheap_enough = at_or_below if order.side > 0 else at_or_above
            if cheap_enough(level, order.limit, tick):
                self.execute(order, level, standing=level, slips=False)
            else:
                self.notes["stop limit triggered, not marketable"] += 1

    # --- margin calls and the end (2.9, 6) ------------------------------------------------

    def check_maintenance(self) -> None:
        worst = self.account.worst_equity(self.at)
        if not self.account.less(
            worst, self.account.maintenance(self.instruments), "maintenance check"
        ):
            return
        self.notes[f"margin call: {self.margin_call_closes}"] += 1
        for order in self.working():
            if order.role != "liquidation":
                order.end("cancelled")
        pending = {o.instrument for o in self.working()}
        if pending:
            self.notes["margin call while a liquidation is pending"] += 1
        left = [i for i in self.instruments if i.position.lots and i not in pending]
        while left:
            chosen = left[0]
            if self.margin_call_closes == "reduce":
                needed = self.account.maintenance(left)
                if not self.account.less(self.account.equity(), needed, "reduce"):
                    self.notes["margin call reduced and kept something"] += 1
                    return
                chosen = self.largest_requirement(left)
            left.remove(chosen)
            self.liquidate(chosen)

    def largest_requirement(self, instruments: list[Instrument]) -> Instrument:
        """The position with the largest maintenance requirement; of equals the first."""
        chosen = instruments[0]
        for i in instruments[1:]:
            least, most = self.account.maintenance([chosen]), self.account.maintenance([i])
            by_amount = chosen.maintenance_margin_rate == i.maintenance_margin_rate == 0
            if least < most if by_amount else self.account.less(least, most, "largest requirement"):
                chosen = i
        return chosen

    def liquidate(self, instrument: Instrument) -> None:
        """Close at the close; without a bar at the next real open, ahead of everything."""
        order = self.closing_order(instrument, "liquidation")
        if instrument.bars[self.at]:
            self.fill_at_mark(order)
        else:
            self.notes["liquidation pending"] += 1

    def closing_order(self, instrument: Instrument, role: str) -> Order:
        lots = instrument.position.lots
        order = Order(
            id=role,
            number=len(self.orders),
            instrument=instrument,
            side=-1 if lots > 0 else 1,
            lots=abs(lots),
            type="liquidation",
            role=role,
        )
        self.orders.append(order)
        return order

    def fill_at_mark(self, order: Order) -> None:
        self.execute(order, order.instrument.mark, standing=None, slips=True)

    def close_everything(self) -> None:
        """`close_at_end`: nothing works on, every position closes at its last close (6)."""
        for order in self.working():
            order.end("cancelled")
        for i in self.instruments:
            if i.position.lots:
                carried = "" if i.bars[self.at] else " at a carried close"
                self.notes[f"closed at the end{carried}"] += 1
                self.fill_at_mark(self.closing_order(i, "end_of_data"))

    def result(self) -> dict:
        return {
            "name": self.name,
            "fills": self.fills,
            "orders": [{"id": o.id, "status": o.status, "reason": o.reason} for o in self.orders],
            "equity": self.equity,
            "status": self.status,
        }
