"""A row walked through under limits: what commands ask for is judged, and losses are measured.

Backtests with limits, sessions and their re-runs judge here, so that all refuse the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from intrabar.data.calendars import sessions, spans_midnight, zone_of
from intrabar.data.session_time import time_in_session
from intrabar.engine.steps import walk_row
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import OrderType, Reject, Role, RunStatus
from intrabar.model.instrument import Instrument
from intrabar.risk.book import Ages, Earned, book_of, request_of, view_of
from intrabar.risk.day import Broker, day_begins
from intrabar.risk.flatten import Cancel, Duty
from intrabar.risk.judge import Judge, Record
from intrabar.risk.limits import Limits
from intrabar.risk.records import Book, Refusal, Seen
from intrabar.sim.inbox import leave, refuse_waiting, take_out, waiting
from intrabar.sim.machine import Machine
from intrabar.sim.state import CANCEL, STEP_END, STEP_NEW, SUBMIT

Blocks = Mapping[str, str]
"""Of "account" or a symbol, why nothing may be entered there."""


class Refused(NamedTuple):
    """A command that was not let through: its place in the inbox, and why."""

    place: int
    refusal: Refusal


class Judged:
    """A machine whose commands a judge looks at before they are taken.

    Parameters
    ----------
    machine : Machine
    judge : Judge
    strategies : sequence of str
        By their rows.
    """

    def __init__(self, machine: Machine, judge: Judge, strategies: Sequence[str]) -> None:
        self.machine, self.judge, self.strategies = machine, judge, tuple(strategies)
        self.symbols = tuple(x.symbol for x in machine.instruments)
        self._earned, self._ages = Earned(machine), Ages(machine, time_in_session)
        self._records: list[Record] = []
        self.quotes: Mapping[str, Seen] = {}  # of the moment, where a broker fills
        self.broker: Broker | None = None

    def taken(self) -> list[Record]:
        """What the judge has recorded since the last call."""
        records = [*self._records, *self.judge.taken()]
        self._records.clear()
        return records

    def book(self, blocks: Blocks | None = None) -> Book:
        """What is held and what works where the machine stands."""
        return book_of(self.machine, self.strategies, self._earned, blocks)

    def stop(self, step: int, now: int) -> list[Refused]:
        """All that is done before a step takes its commands; what was refused."""
        refused = self.judge_waiting(step, now)
        if step in (STEP_NEW, STEP_END):
            self.put(self.duties())
        return refused

    def judge_waiting(
        self, step: int, now: int, blocks: Blocks | None = None, persons: int = 0
    ) -> list[Refused]:
        """Measure a row at its end, and refuse what may not pass of what waits.

        An order becomes one that is rejected (`risk`), a change is taken out. What the judge has
        recorded waits in `taken`.

        Parameters
        ----------
        step : int
            One of `steps.TAKING`.
        now : int, ns UTC
        blocks : mapping, optional
        persons : int
            How many of the last commands that wait are a person's.

        Returns
        -------
        list of Refused
            In the order of the inbox.
        """
        if step == STEP_END:
            self._records += self.judge.after_row(self.book(), now, self.broker)
        return self._judge(step, now, blocks, persons)

    def duties(self) -> Sequence[Duty]:
        """What the breaker asks for where the machine stands."""
        account = self.machine.book.account[0]
        idle = not account["working"] and not account["open_sleeves"]
        if idle or not self.judge.breaker.causes:
            return ()
        return self.judge.duties(self.book())

    def put(self, duties: Sequence[Duty]) -> None:
        """Leave commands of the session behind those that wait."""
        if duties:
            self.machine.make_room(len(duties))
        for duty in duties:
            leave(self.machine.book, **self._command(duty))

    def _judge(self, step: int, now: int, blocks: Blocks | None, persons: int) -> list[Refused]:
        if not self.machine.book.account["inbox"][0]:
            return []
        commands = waiting(self.machine.book).copy()
        book = self.book(blocks)
        requests = [request_of(c, book, self.strategies, self.symbols) for c in commands]
        for k in range(len(requests) - persons, len(requests)):
            if (one := requests[k]) is not None:
                requests[k] = one._replace(by="person")
        columns = set(commands["instrument"].tolist())
        view = view_of(self.machine, columns, self._ages, now)
        view |= {s: _beside(self.quotes[s], seen) for s, seen in view.items() if s in self.quotes}
        place = (self.machine.bar, step)
        verdicts = self.judge.verdicts(book, view, requests, now, place, self.broker)
        refused = [Refused(k, v) for k, v in enumerate(verdicts) if v is not None]
        gone = np.zeros(len(commands), bool)
        for k, _ in refused:
            if commands["kind"][k] == SUBMIT:
                refuse_waiting(self.machine.book, k, Reject.RISK)
            else:
                gone[k] = True
        if gone.any():
            take_out(self.machine.book, gone)
        return refused

    def _command(self, duty: Duty) -> dict[str, Any]:
        if isinstance(duty, Cancel):
            working = self.machine.book.orders[self.machine.working()]
            order = working[working["id"] == duty.order][0]
            owner = {name: int(order[name]) for name in ("strategy", "instrument", "side")}
            return {"kind": CANCEL, "id": duty.order, **owner}
        return {
            "kind": SUBMIT,
            "strategy": self.strategies.index(duty.strategy),
            "instrument": self.symbols.index(duty.symbol),
            "side": duty.side,
            "type": int(OrderType.MARKET),
            "role": int(Role.SESSION),
            "reduce_only": 1,
            "qty": duty.qty,
        }


def _beside(quote: Seen, bar: Seen) -> Seen:
    """A quote that counts before the bar, as old as the younger of them."""
    price = quote.price if math.isfinite(quote.price) else bar.price
    return Seen(price, min(quote.age, bar.age), quote.bid, quote.ask)


class RefusedAt(NamedTuple):
    """What a backtest's limits refused, and where.

    Parameters
    ----------
    bar, step : place
    time : int, ns UTC
        Close of the row.
    order : int
        Its number.
    kind : int
        Of the command, as `sim.state` has them.
    """

    bar: int
    step: int
    time: int
    strategy: str
    symbol: str
    order: int
    kind: int
    refusal: Refusal


class MovedAt(NamedTuple):
    """A record of the breaker or of a day, and where."""

    bar: int
    step: int
    time: int
    kind: str
    body: dict[str, Any]


@dataclass
class RiskLog:
    """What the limits of a backtest did.

    Parameters
    ----------
    said : Limits
        As they were given.
    limits : Limits
        With what was left out filled in.
    state : str
        Of the breaker: "trading", "reducing", "halted" or "flattening".
    """

    said: Limits
    limits: Limits
    refused: list[RefusedAt] = field(default_factory=list)
    moved: list[MovedAt] = field(default_factory=list)
    state: str = "trading"


class Limited:
    """A backtest under limits: it stops wherever commands are taken.

    Parameters
    ----------
    machine : Machine
        At its first row.
    limits : Limits
        As they were given.
    strategies : sequence of str
        By their rows.
    """

    def __init__(self, machine: Machine, limits: Limits, strategies: Sequence[str]) -> None:
        market = machine.market
        filled = limits.filled_in(len(machine.instruments), market.period)
        begins = first_day_begins(machine.instruments[0], int(market.time[machine.bar]))
        judge = Judge(filled, tuple(strategies), machine.account.cash, begins)
        self.log = RiskLog(limits, filled)
        self._judged = Judged(machine, judge, strategies)
        self._machine = machine

    def advance(self, end: int) -> None:
        """Go on to the first step of a row, or to ruin."""
        while self._machine.bar < end and self._machine.status is not RunStatus.RUINED:
            walk_row(self._machine, self._stop)

    def _stop(self, step: int) -> None:
        machine, judged = self._machine, self._judged
        has_commands = bool(machine.book.account["inbox"][0])
        if step != STEP_END and not has_commands and not judged.judge.breaker.causes:
            return
        bar = machine.bar
        now = int(machine.tape.time[bar])
        asked = waiting(machine.book).copy() if has_commands else ()
        for k, refusal in judged.stop(step, now):
            command = asked[k]
            strategy = judged.strategies[command["strategy"]]
            symbol = judged.symbols[command["instrument"]]
            order, kind = int(command["id"]), int(command["kind"])
            at = RefusedAt(bar, step, now, strategy, symbol, order, kind, refusal)
            self.log.refused.append(at)
        for name, body in judged.taken():
            self.log.moved.append(MovedAt(bar, step, now, name, body))
        self.log.state = judged.judge.breaker.level().word


def first_day_begins(instrument: Instrument, time: int) -> str:
    """When a day of the limits begins, by the exchange of the first instrument.

    Parameters
    ----------
    instrument : Instrument
    time : int, ns UTC
        Of a row, around which its calendar is asked.
    """
    calendar, day = instrument.calendar, time // DAY_NS
    evening = bool(calendar) and spans_midnight(sessions(calendar, day - 10, day + 10))
    return day_begins(zone_of(calendar), evening)
