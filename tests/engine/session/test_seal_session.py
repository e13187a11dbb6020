"""A session on sealed rows is the backtest of the stored bars, where days end by the calendar."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import intrabar as ib
from intrabar.data.timeline import market_from_bars
from intrabar.engine.run import Run, Setup
from intrabar.engine.session.session import Session
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from tests.engine.session.sessions import event_of, events_of, plan_of
from tests.engine.session.test_seal_rows import live_through, scenario


class ForTheDay(ib.Strategy):
    """Limits that are good for the day and may fill much later, if their day does not end."""

    def __init__(self, symbols: tuple[str, ...]) -> None:
        self.symbols = symbols

    def on_close(self, now: ib.Now) -> None:
        for symbol in self.symbols:
            one = now.of(symbol)
            if not one.close > 0.0:  # no bar of it yet
                continue
            if one.is_flat:
                one.buy(1, limit=one.close * 0.99, tif="day")
            elif now.bar % 5 == 0:
                one.close_position()


def digest_of(setup: Setup) -> str:
    run = Run(setup)
    run.to_end()
    return run.machine.digest()


def setups(seed: int) -> Iterator[tuple[Setup, Market]]:
    given = scenario(seed)
    bars, calendars = [one for one, _ in given], [calendar for _, calendar in given]
    instruments = tuple(
        Instrument(one.symbol, calendar=name, initial_margin=10.0) for one, name in given
    )
    for rule in (calendars, None):
        market = market_from_bars(bars, rule)
        yield (
            Setup(
                market, instruments, {"day": ForTheDay(market.symbols)}, Account(settlement="daily")
            ),
            market,
        )


@pytest.mark.parametrize("seed", range(8))
def test_the_digest_of_stored_bars(seed: int) -> None:
    (setup, market), _ = setups(seed)
    rows = live_through([one for one, _ in scenario(seed)], list(setup.instruments), seed)
    session = Session(plan_of(setup))
    for event in [events_of(market, 0)[0], *map(event_of, rows)]:
        session.handle(event)
    assert session.machine.digest() == digest_of(setup)
    assert session.machine.book.account["next_order"][0] > 1


def test_the_two_rules_are_two() -> None:
    pairs = [[digest_of(setup) for setup, _ in setups(seed)] for seed in range(8)]
    assert any(a != b for a, b in pairs)
