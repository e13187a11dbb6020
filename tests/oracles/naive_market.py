"""The market a second time: slow, obvious, and written from the fill model alone.

`run(scenario)` takes and gives what scenario files take and give. Plain objects, standard
library only, no code in common with the engine: where the two disagree, one of them has
misread the rules. The numbers in brackets are sections and steps of the fill model.

Left out: several strategies in one account, which scenarios do not have.
"""

from __future__ import annotations

import datetime
from collections import Counter

from tests.oracles.naive_actions import take_effect
from tests.oracles.naive_execution import Execution
from tests.oracles.naive_margin import check_maintenance, close_everything
from tests.oracles.naive_nights import Evening, accrue, evening, is_last_of_session, settle
from tests.oracles.naive_orders import Order, accept, follow, make_partners, modify
from tests.oracles.naive_walk import walk


def run(scenario: dict) -> dict:
    """The result of a scenario."""
    return run_with_notes(scenario)[0]


def run_with_notes(scenario: dict) -> tuple[dict, Counter]:
    """The result, and how often each rule came to bear ("knife edge": nearly not a tie)."""
    market = Market(scenario)
    market.run()
    market.notes.update(market.account.ties)
    return market.result(), +market.notes


class Market(Execution):
    """The three phases of every timestamp, and what the strategy asks for."""

    # --- the three phases (2) -------------------------------------------------------------

    def run(self) -> None:
        before: Evening | None = None
        for at in range(self.length):
            self.begin(at)
            self.open_phase()
            self.phase = "intrabar"
            for instrument in self.instruments:
                if instrument.bars[self.at]:
                    walk(self, instrument)
            self.phase = "close"
            self.close_phase(before)
            before = evening(self)
            if self.status == "ruined":
                break
            self.obey("close")

    def begin(self, at: int) -> None:
        self.at = at
        self.phase = "open"
        for i in self.instruments:
            i.taken = 0
            i.month = month_of(at)

    def open_phase(self) -> None:
        take_effect(self)
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
            for order in sorted(set(touched), key=lambda o: o.number):
                if order.instrument is i:
                    self.test(order, i.mark)
        for i in awake:
            for order in self.working(i):
                if order.type != "moc":
                    self.cancel_immediate(order)

    def cancel_immediate(self, order: Order) -> None:
        if order.works and order.tif in ("ioc", "fok"):
            rest = " the rest" if order.filled else ""
            self.notes[f"{order.tif} cancelled{rest}"] += 1
            order.end("cancelled")

    def close_phase(self, before: Evening | None) -> None:
        for i in self.instruments:
            i.rate = i.rates[self.at]
        for i in self.instruments:  # step 7
            if i.bars[self.at]:
                i.mark = i.bars[self.at].close
        for i in self.instruments:  # step 8
            for order in self.working(i) if i.bars[self.at] else []:
                if order.type == "moc" and order.works:
                    self.notes["moc"] += 1
                    self.execute(order, i.mark, standing=None, slips=True)
                    self.cancel_immediate(order)
        self.expire()
        check_maintenance(self)  # step 9
        if self.close_at_end and self.at == self.length - 1:
            close_everything(self)
        for order in self.working():  # step 10
            trails = order.type == "trailing_stop" and not order.triggered
            bar = order.instrument.bars[self.at]
            if trails and bar and follow(order, bar.high, bar.low):
                self.notes["a trailing stop follows"] += 1
        settle(self)
        accrue(self, before)
        self.equity.append(self.account.equity())
        if not self.account.less(0, self.equity[-1], self.account.gross(), "ruin"):
            self.status = "ruined"
            self.notes["ruin"] += 1

    def expire(self) -> None:
        """A DAY order ends with a session that it worked in, a GTD order with its index (4)."""
        for order in self.working():
            day_over = order.tif == "day" and is_last_of_session(self, order.instrument)
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

    def result(self) -> dict:
        result = {
            "name": self.name,
            "fills": self.fills,
            "orders": [{"id": o.id, "status": o.state, "reason": o.reason} for o in self.orders],
            "equity": self.equity,
            "status": self.status,
        }
        return {**result, "ledger": self.ledger} if self.ledger else result


def month_of(at: int) -> tuple[int, int]:
    """The calendar month of a timestamp (5): in a scenario they are days from 1970 on."""
    date = datetime.date(1970, 1, 1) + datetime.timedelta(days=at)
    return date.year, date.month
