"""Splits, dividends, rolls, rates and nights in a session: the digest of the backtest."""

from __future__ import annotations

import pytest

from intrabar.engine.session.session import Session
from tests.engine.parity.worlds import world
from tests.engine.session.sessions import backtest_of, events_of, plan_of


@pytest.mark.parametrize(("seed", "history"), [(19, 0), (33, 5), (50, 5), (19, 7)])
def test_all_that_befalls_an_instrument_befalls_it_in_a_session(seed: int, history: int) -> None:
    setup = world(seed)
    session = Session(plan_of(setup))
    mine = []
    for event in events_of(setup.market, history):
        session.handle(event)
        if event.kind == "row.closed":
            mine.append(session.machine.digest())
    assert len(setup.market.actions) > 0
    assert mine == list(backtest_of(session, setup))[history:]
    assert session.machine.book.account["actions"][0] == len(setup.market.actions)
