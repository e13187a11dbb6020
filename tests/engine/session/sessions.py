"""Sessions of markets that are known beforehand, and what they are held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np

from intrabar.engine.chunks.setup import usual_phase
from intrabar.engine.run import Run, Setup, warm_up
from intrabar.engine.session.lived_rows import market_in, wakes_of
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import ClosedRow, body_of, rows_of
from intrabar.engine.session.session import Session
from intrabar.engine.session.shadows import in_shadow
from intrabar.model.bars import Bars, Market
from intrabar.model.entry import Entry
from intrabar.risk.limits import Limits

DAY_NS = 86_400_000_000_000


def plan_of(setup: Setup, bars: Iterable[Bars] = (), limits: Limits | None = None) -> Plan:
    """The plan of a session that does what a backtest does."""
    traded, shadowed = in_shadow(setup.strategies)
    return Plan(
        setup.instruments,
        traded,
        setup.account,
        setup.market.period,
        setup.is_open,
        limits or Limits(),
        array_rows=len(setup.market),
        phases=tuple(usual_phase([b]) for b in bars),
        shadowed=shadowed,
    )


def events_of(market: Market, history: int) -> list[Entry]:
    """The events of a session whose first rows are history: in JSON and back."""
    rows = rows_of(market)
    first = rows[history].time if history < len(rows) else rows[-1].time + 1
    start = {"history": history, "trade_from": first, "grace": 0, "is_recorded": True}
    events = [Entry(first, 0, 0, "session.started", start)]
    if history:
        events.append(
            Entry(first, 0, 0, "history", {"rows": [body_of(row) for row in rows[:history]]})
        )
    events += [event_of(row) for row in rows[history:]]
    return msgspec.json.decode(msgspec.json.encode(events), type=list[Entry])


def event_of(row: ClosedRow) -> Entry:
    return Entry(row.time, 0, 0, "row.closed", body_of(row))


def run_through(session: Session, events: Iterable[Entry]) -> list[Entry]:
    """The journal that a session would leave: each event, and behind it its records."""
    journal = []
    for event in events:
        journal += [event, *session.handle(event).records]
    return journal


def backtest_of(session: Session, setup: Setup) -> Iterator[str]:
    """The digest, row by row, of the backtest of a session's own market."""
    own = replace(
        setup,
        market=market_in(session.rows, session.plan),
        trade_from=session.trade_from,
        wakes=wakes_of(session.rows),
    )
    run = Run(own)
    for running in run.running.values():
        if hasattr(running, "tell"):
            running.tell("on_start")
    first = int(np.searchsorted(own.market.time, session.trade_from))
    warm_up(run.machine, own.strategies.values(), first)
    for row in range(len(own.market)):
        run.machine.advance(row + 1)
        yield run.machine.digest()


def kinds(journal: Iterable[Entry]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in journal:
        found[entry.kind] = found.get(entry.kind, 0) + 1
    return found


def commands(session: Any) -> None: ...
