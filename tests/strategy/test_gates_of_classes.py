"""Gates of strategies in Python: flat in time, nothing entered where a gate is closed, counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from intrabar.data import calendars
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run
from intrabar.errors import ConfigError, OrderError
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose, AtOpen
from tests.examples.opening_range import opening_range
from tests.strategy.markets import (
    MINUTE_NS,
    Points,
    Told,
    flat_market,
    ns,
    run_of,
    setup_of,
    walk,
    without_rows,
)

NEW_YORK = ZoneInfo("America/New_York")
CHICAGO = ZoneInfo("America/Chicago")


def long_with(gates: Any) -> Strategy:
    """Gates of an instance."""
    strategy = Long()
    strategy.gates = gates
    return strategy


def opened(result: Any, zone: ZoneInfo = NEW_YORK) -> list[tuple[str, str]]:
    """Local time of the open of the bar, and reason, of every fill."""
    stamps = result.fills["time"].dt.epoch("ns") - result.market.period
    local = [datetime.fromtimestamp(t / 1e9, UTC).astimezone(zone) for t in stamps]
    return list(zip((t.strftime("%d %H:%M") for t in local), result.fills["reason"], strict=True))


def counted(result: Any) -> dict[str, int]:
    return {gate: count for _, _, gate, count in result.gates.rows()}


@dataclass
class Long(Strategy):
    """Buys at every close at which it is flat."""

    def on_close(self, now: AtClose) -> None:
        """Market, and it holds."""
        if now.is_flat:
            now.buy(1)


def of_a_bot(market: Any, gates: Gates, **how: Any) -> Any:
    bot = Bot(Told(long_below=1e9), Points(50.0, 50.0), 0.0, 1.0, gates)
    return run_of(market, bot, **how)


@pytest.mark.parametrize("calendar", ["", "CME_Equity"])
@pytest.mark.parametrize("day", [(2024, 3, 8), (2024, 3, 11), (2024, 11, 4)])
def test_a_class_is_flattened_as_a_bot_is(day: tuple[int, int, int], calendar: str) -> None:
    market = flat_market(8 * 60, start=ns(*day, 18))
    how: Any = {"instruments": [Instrument("A", tick_size=0.01, calendar=calendar)]}
    result = run_of(market, long_with(Gates(flatten="17:00")), **how)
    bot = of_a_bot(market, Gates(flatten="17:00"), **how)
    columns = ["bar", "phase", "side", "qty", "price", "reason"]
    assert result.fills.select(columns).rows() == bot.fills.select(columns).rows()
    assert counted(result) == counted(bot)
    if not calendar or day != (2024, 3, 8):  # a Friday: CME shuts until Sunday
        assert counted(result) == {"flatten": 60}
    assert (f"{day[2]:02d} 16:59", "session") in opened(result)


@pytest.mark.parametrize(
    ("calendar", "day", "last"),
    [
        ("NYSE", (2024, 11, 29), "29 12:59"),
        ("CME_Equity", (2024, 11, 29), "29 13:14"),
        ("NYSE", (2024, 11, 27), "27 15:59"),
        ("CME_Equity", (2024, 11, 27), "27 16:54"),
    ],
)
def test_half_days_are_flat_before_their_own_end(
    calendar: str, day: tuple[int, int, int], last: str
) -> None:
    market = flat_market(9 * 60, start=ns(*day, 15))
    trade_date = date(*day)
    close = calendars.sessions(calendar, trade_date, trade_date).close[0]
    kept = market.time <= close
    assert kept.sum() < len(market)
    how: Any = {"instruments": [Instrument("A", tick_size=0.01, calendar=calendar)]}
    for result in (
        run_of(market, long_with(Gates(flatten="16:55")), **how),
        of_a_bot(market, Gates(flatten="16:55"), **how),
    ):
        assert opened(result)[1] == (last, "session")
        assert counted(result)["flatten"] > 0
        filled = result.fills.filter(pl.col("time").dt.epoch("ns") > close)
        assert all(reason == "entry" for reason in filled["reason"])


@dataclass
class Rests(Strategy):
    """A stop and a limit that rest, laid once."""

    gates = Gates(flatten="17:00")

    def on_close(self, now: AtClose) -> None:
        """Neither is near."""
        if now.bar == 0:
            self.ids = [now.buy(1, stop=200.0), now.buy(1, limit=50.0)]


def test_what_rests_is_taken_back_before_the_break() -> None:
    market = flat_market(180, start=ns(2024, 3, 11, 19))
    result = run_of(market, Rests())
    assert result.orders["status"].to_list() == ["cancelled", "cancelled"]
    assert result.orders["done_bar"].to_list() == [118, 118]  # the close of 16:59
    assert counted(result) == {"flatten": 2}


@dataclass
class Protected(Strategy):
    """Exits of any kind go through a closed gate."""

    gates = Gates(session=True)

    def on_open(self, now: AtOpen) -> None:
        """In at first; out outside of the session; and in again, which is kept back."""
        if now.bar == 1:
            now.buy(2, stop_loss=90.0)
        if now.bar == 100:
            now.sell(1)
        if now.bar == 101:
            now.close_position()
        if now.bar in (102, 103):
            now.buy(1)


def test_a_closed_gate_lets_out_what_reduces() -> None:
    """NYSE shuts at 16:00: 20:00 UTC in summer; the market runs from 15:00 to 17:00."""
    market = flat_market(120, start=ns(2024, 7, 8, 19))
    result = run_of(
        market,
        Protected(),
        instruments=[Instrument("A", tick_size=0.01, calendar="NYSE")],
        is_open=calendars.is_open,
    )
    assert result.fills.select("bar", "side", "qty").rows() == [
        (1, "buy", 2.0), (100, "sell", 1.0), (101, "sell", 1.0),
    ]  # fmt: skip
    assert counted(result) == {"session": 2}


def test_what_only_bots_look_at_is_refused() -> None:
    with pytest.raises(ConfigError, match="min_atr and daily_loss are for bots"):
        run_of(flat_market(5), long_with(Gates(min_atr=1.0)))
    with pytest.raises(ConfigError, match="must be a Gates"):
        run_of(flat_market(5), long_with("16:55"))


# --- sizes ---------------------------------------------------------------------------------------


@dataclass
class Sizes(Strategy):
    """Asks for sizes by the bots' own rule."""

    stop: float = 2.0

    def on_open(self, now: AtOpen) -> None:
        """The open is the price."""
        if now.bar == 1:
            self.at_open = now.size(risk=0.01, stop=now.open - self.stop)

    def on_close(self, now: AtClose) -> None:
        """At the second close, as a bot's first decision sees it."""
        if now.bar == 0:
            self.point, self.grid = now.point_value, now.tick
            self.long = now.size(risk=0.01, stop=now.close - self.stop)
            self.short = now.size(risk=0.01, stop=now.close + self.stop)
            self.resting = now.size(risk=0.01, stop=now.close, entry=now.close + self.stop)


def test_sizes_are_those_of_the_bots() -> None:
    es = Instrument("A", 0.25, 50.0, commission_per_contract=2.1, fee_per_trade=1.5,
                    slippage_ticks=1.0, initial_margin=9000.0)  # fmt: skip
    market = flat_market(4, 100.0)
    strategy = Sizes(4.0)
    run_of(market, strategy, instruments=[es])
    assert (strategy.point, strategy.grid) == (50.0, 0.25)
    # (100 000 * 1 % - 3) / (4 * 50 + 2 * 0.25 * 50 + 2 * 2.10) = 4.35
    assert [strategy.long, strategy.short, strategy.resting, strategy.at_open] == [4.0] * 4
    for told, own in ((Told(long_below=1e9), strategy.long), (Told(short_above=0.0), 4.0)):
        fills = run_of(market, Bot(told, Points(4.0), 0.01), instruments=[es]).fills
        assert fills["qty"][0] == own


def test_a_size_of_nothing_is_counted() -> None:
    strategy = Sizes(4.0)
    result = run_of(flat_market(4), strategy, instruments=[Instrument("A", point_value=1e6)])
    assert strategy.long == 0.0
    assert counted(result) == {"size_zero": 4}


def test_a_stop_that_is_none_is_refused() -> None:
    @dataclass
    class Wrong(Strategy):
        """No stop."""

        def on_close(self, now: AtClose) -> None:
            now.size(risk=0.01, stop=float("nan"))

    with pytest.raises(Exception, match="stop is nan") as caught:
        run_of(flat_market(4), Wrong())
    assert isinstance(caught.value.__cause__, OrderError)


# --- the example of the opening range ------------------------------------------------------------


@pytest.mark.parametrize("first", [(2024, 3, 7), (2024, 10, 31), (2024, 11, 27)])
def test_the_opening_range_keeps_the_hours_of_the_exchange(first: tuple[int, int, int]) -> None:
    """Minutes of ES over both clock changes, and over Thanksgiving with its half days."""
    whole = walk(6 * 24 * 60, 5, start=ns(*first), wild=2e-4)
    inside = calendars.is_open("CME_Equity", whole.time - MINUTE_NS)
    market = without_rows(whole, np.flatnonzero(~inside))
    es = Instrument("A", 0.01, 50.0, calendar="CME_Equity")
    setup = setup_of(market, opening_range(30), instruments=[es])
    result = finish(Run(setup))
    plain = result.orders.filter(pl.col("role") == "plain")
    asked = [datetime.fromtimestamp(int(market.time[b]) / 1e9, CHICAGO)
             for b in plain["submitted_bar"]]  # fmt: skip
    assert len({t.date() for t in asked}) >= 3
    assert {(t.hour, t.minute) for t in asked} == {(9, 0)}
    dates = calendars.trade_dates("CME_Equity", market.time - MINUTE_NS)
    ends = calendars.sessions("CME_Equity", int(dates[0]), int(dates[-1]))
    for campaign in result.campaigns.iter_rows(named=True):
        end = campaign["end_bar"]
        assert end is not None
        assert dates[campaign["start_bar"]] == dates[end]
        close = ends.close[ends.date == dates[end]][0]
        assert market.time[end] - MINUTE_NS < close
        local = datetime.fromtimestamp((int(market.time[end]) - MINUTE_NS) / 1e9, CHICAGO)
        assert local.hour < 15
