"""A session of an hourly market, and the journal that it left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Run
from intrabar.engine.session.lived_rows import market_in, wakes_of
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry
from intrabar.risk.limits import Limits
from tests.engine.session.sessions import events_of, plan_of
from tests.engine.session.test_session import hourly


@dataclass(frozen=True)
class Lived:
    """Its journal, where each turn of it ends, and the backtest of the same rows."""

    session: Session
    turns: list[list[Entry]]
    backtest: Result

    @property
    def entries(self) -> list[Entry]:
        return [entry for turn in self.turns for entry in turn]


@cache
def lived(rows: int = 160) -> Lived:
    setup, bars = hourly(1, rows)
    limits = Limits(max_daily_loss_pct=1.0, max_position_qty=100, day="00:00 UTC")
    filled = limits.filled_in(len(bars), setup.market.period)
    session = Session(plan_of(setup, bars, filled))
    turns = []
    for event in events_of(setup.market, 30):
        if event.kind == "session.started":
            values = [x.point_value for x in setup.instruments]
            known: dict[str, Any] = {"symbols": list(session.plan.symbols), "point_values": values}
            event = Entry(*event_place(event), {**event.body, "name": "main", **known})
        turns.append([event, *session.handle(event).records])
    own = replace(
        hourly(1, rows)[0],  # with strategies of its own
        market=market_in(session.rows, session.plan),
        trade_from=session.trade_from,
        wakes=wakes_of(session.rows),
        risk=limits,
    )
    run = Run(own)
    run.to_end()
    return Lived(session, turns, Result(run))


def event_place(event: Entry) -> tuple[int, int, int, str]:
    return event.at, event.bar, event.step, event.kind
