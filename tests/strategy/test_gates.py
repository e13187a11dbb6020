"""What keeps a bot from entering: each gate blocks where it should, and is counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest

from intrabar.engine.columns import compute_columns
from intrabar.errors import ConfigError
from intrabar.indicators import atr
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.gates import Gates
from tests.strategy.markets import (
    DAY_NS,
    MINUTE_NS,
    Points,
    Told,
    flat_market,
    market_from,
    ns,
    run_of,
    walk,
    with_gaps,
    without_rows,
)

NEW_YORK = ZoneInfo("America/New_York")
ALWAYS = Told(long_below=1e9)
FAR = Points(50.0, 50.0)


def counted(result: Any) -> dict[str, int]:
    """Gate -> how often it blocked, over all symbols."""
    return {gate: count for _, _, gate, count in result.gates.rows()}


def new_york(result: Any, table: Any = None) -> list[tuple[int, int, int]]:
    """Day, hour and minute in New York of the opens at which fills happened (minute bars)."""
    fills = result.fills if table is None else table
    period = result.market.period
    stamps = [t - period for t in fills["time"].dt.epoch("ns")]
    local = [datetime.fromtimestamp(t / 1e9, UTC).astimezone(NEW_YORK) for t in stamps]
    return [(t.day, t.hour, t.minute) for t in local]


# --- session ---------------------------------------------------------------------------------


def morning_of_a_half_day(calendar: str, time: Any) -> Any:
    """A session from 14:30 to 18:00 UTC: New York's half day."""
    assert calendar == "NYSE"
    minute = (time % DAY_NS) // MINUTE_NS
    return (minute >= 14 * 60 + 30) & (minute < 18 * 60)


def test_no_entry_outside_the_session_of_a_half_day() -> None:
    start = ns(2024, 11, 29, 14, 0)
    market = walk(8 * 60, 3, start=start)
    instruments = [Instrument("A", calendar="NYSE")]
    bot = Bot(CoinFlip(1, 1.0), Points(0.3, 0.3), 0.0, 1.0, Gates(session=True))
    result = run_of(market, bot, instruments=instruments, is_open=morning_of_a_half_day)
    entries = result.fills.filter(pl.col("reason") == "entry")
    opens = [(t - MINUTE_NS) % DAY_NS // MINUTE_NS for t in entries["time"].dt.epoch("ns")]
    assert entries.height > 20
    # The first close in the session is 14:30, whose order fills at the open of 14:30. The last is
    # 17:59.
    assert min(opens) == 14 * 60 + 30
    assert max(opens) <= 17 * 60 + 59
    # CoinFlip(chance=1) asks on every bar on which it is flat with no entry on the way.
    assert counted(result)["session"] >= 29 + 4 * 60 - 5


def test_the_session_gate_counts_every_blocked_decision() -> None:
    market = flat_market(60, start=ns(2024, 11, 29, 14, 0))
    bot = Bot(ALWAYS, FAR, 0.0, 1.0, Gates(session=True))
    result = run_of(
        market,
        bot,
        instruments=[Instrument("A", calendar="NYSE")],
        is_open=morning_of_a_half_day,
    )
    assert counted(result) == {"session": 29}  # closes 14:01 to 14:29
    assert result.fills["bar"].to_list() == [30]  # decided at the close of 14:30, bar 29


def test_the_session_gate_needs_a_calendar() -> None:
    bot = Bot(ALWAYS, FAR, 0.0, 1.0, Gates(session=True))
    with pytest.raises(ConfigError, match="session needs a calendar for A"):
        run_of(flat_market(5), bot)


def test_daily_bars_are_sessions_themselves() -> None:
    bot = Bot(ALWAYS, FAR, 0.0, 1.0, Gates(session=True))
    assert run_of(flat_market(5, period=DAY_NS), bot).fills.height == 1


# --- ATR -------------------------------------------------------------------------------------


def test_no_entry_while_the_atr_is_below_its_threshold() -> None:
    market = walk(400, 8)
    least = 0.75
    bot = Bot(CoinFlip(1, 1.0), Points(0.5, 0.5), 0.0, 1.0, Gates(min_atr=least, atr_period=5))
    result = run_of(market, bot)
    values = compute_columns({"bot": {"atr": atr(5)}}, market)["bot"]["atr"][:, 0]
    decided = result.orders.filter(pl.col("role") == "plain")["submitted_bar"].to_numpy()
    assert len(decided) > 10
    assert (values[decided] >= least).all()
    assert counted(result)["atr"] > 0
    assert set(counted(result)) == {"atr"}


# --- flatten ---------------------------------------------------------------------------------

# The Friday before and the Monday after each clock change in New York, 2024.
CLOCK_CHANGES = [(2024, 3, 8), (2024, 3, 11), (2024, 11, 1), (2024, 11, 4)]
OFFSETS = {(2024, 3, 8): 5, (2024, 3, 11): 4, (2024, 11, 1): 4, (2024, 11, 4): 5}


@pytest.mark.parametrize("day", CLOCK_CHANGES)
def test_positions_close_at_the_last_open_before_17_00_in_new_york(
    day: tuple[int, int, int],
) -> None:
    """17:00 in New York is 22:00 UTC in winter, 21:00 in summer."""
    market = flat_market(180, start=ns(*day, 15 + OFFSETS[day]))  # from 15:00 local
    bot = Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00"))
    result = run_of(market, bot)
    assert new_york(result) == [(day[2], 15, 1), (day[2], 16, 59)]
    assert result.fills["reason"].to_list() == ["entry", "session"]
    assert result.fills["phase"].to_list() == ["open", "open"]
    # An order of the closes 17:00 to 17:59 would fill inside the break (at 16:59 the position is
    # still open). That of the last close, 18:00, comes after the data.
    assert counted(result) == {"flatten": 60}


@pytest.mark.parametrize("month", [3, 11])
def test_every_day_is_flattened_over_a_clock_change(month: int) -> None:
    first = 6 if month == 3 else 30
    start = ns(2024, month, 6) if month == 3 else ns(2024, 10, first)
    market = flat_market(9 * 24 * 12, start=start, period=5 * MINUTE_NS)
    result = run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00")))
    closing = result.fills.filter(pl.col("reason") == "session")
    places = new_york(result, closing)
    assert {(hour, minute) for _, hour, minute in places} == {(16, 55)}
    assert len({day for day, _, _ in places}) == 9 == len(places)
    entering = new_york(result, result.fills.filter(pl.col("reason") == "entry"))[1:]
    assert {(hour, minute) for _, hour, minute in entering} == {(18, 0)}


def test_a_missing_last_bar_is_made_up_for_at_the_next_open() -> None:
    """No bar opens from 16:50 to 17:19: the first chance to close is the open of 17:20."""
    market = flat_market(180, start=ns(2024, 3, 11, 19))
    market = without_rows(market, range(110, 140))
    result = run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00")))
    assert new_york(result)[:2] == [(11, 15, 1), (11, 17, 20)]
    assert result.fills["reason"].to_list()[:2] == ["entry", "session"]


def test_a_whole_missing_break_is_made_up_for_at_the_first_open_after_it() -> None:
    """No bar opens from 16:50 to 18:29: the position is closed at 18:30."""
    market = flat_market(300, start=ns(2024, 3, 11, 19))
    market = without_rows(market, range(110, 210))
    result = run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00")))
    assert new_york(result)[:2] == [(11, 15, 1), (11, 18, 30)]
    assert result.fills["reason"].to_list()[:2] == ["entry", "session"]


def test_an_instrument_without_bars_before_the_break_is_closed_at_its_next_open() -> None:
    """The other instrument keeps the timeline going; one closing order is enough."""
    market = walk(180, 4, ("A", "B"), start=ns(2024, 3, 11, 19), wild=1e-5)
    gone = np.zeros((180, 2), bool)
    gone[110:125, 1] = True  # B has no bar from 16:50 to 17:04
    market = with_gaps(market, gone)
    result = run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00")))
    own = result.fills.filter(pl.col("symbol") == "B")
    assert new_york(result, own)[:2] == [(11, 15, 1), (11, 17, 5)]
    closing = result.orders.filter((pl.col("symbol") == "B") & (pl.col("role") == "session"))
    assert closing.height == 1


def test_an_instrument_without_bars_over_the_whole_break_is_closed_at_its_next_open() -> None:
    market = walk(300, 4, ("A", "B"), start=ns(2024, 3, 11, 19), wild=1e-5)
    gone = np.zeros((300, 2), bool)
    gone[110:210, 1] = True  # B has no bar from 16:50 to 18:29
    market = with_gaps(market, gone)
    result = run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00")))
    own = result.fills.filter(pl.col("symbol") == "B")
    assert new_york(result, own)[:2] == [(11, 15, 1), (11, 18, 30)]
    assert own["reason"].to_list()[:2] == ["entry", "session"]


def test_the_break_may_be_longer() -> None:
    market = flat_market(300, start=ns(2024, 3, 11, 19))
    gates = Gates(flatten="16:30", break_minutes=90.0)
    places = new_york(run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, gates)))
    assert places == [(11, 15, 1), (11, 16, 29), (11, 18, 0)]


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ({"flatten": "five"}, "flatten is 'five', must be a time of day in New York, like '17:00'"),
        ({"daily_loss": 1.0}, "daily_loss is 1.0"),
        ({"min_atr": -1.0}, "min_atr is -1.0"),
        ({"break_minutes": 0.0}, "break_minutes is 0.0"),
    ],
)
def test_impossible_gates_are_refused(gates: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Gates(**gates)


def test_flatten_needs_bars_shorter_than_a_day() -> None:
    with pytest.raises(ConfigError, match="shorter than a day"):
        run_of(flat_market(5, period=DAY_NS), Bot(ALWAYS, FAR, 0.0, 1.0, Gates(flatten="17:00")))


# --- daily loss ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Losing(Points):
    """One point away on both sides."""

    stop: float = 1.0
    target: float = 30.0


def test_nothing_is_entered_for_the_rest_of_a_day_that_lost_too_much() -> None:
    """Each bar falls by 2: a long of 100 loses its 1 point of stop, 100.00, on each.

    The day begins with 10 000; 2.5 % of it, 250.00, are gone after the third loss.
    """
    rows = [[200.0 - 2 * k, 200.0 - 2 * k, 198.0 - 2 * k, 198.0 - 2 * k] for k in range(30)]
    market = market_from(rows, start=ns(2024, 3, 12, 14))
    bot = Bot(ALWAYS, Losing(), 0.0, 100.0, Gates(daily_loss=0.025))
    result = run_of(market, bot, cash=10_000.0)
    assert result.campaigns["net"].to_list() == [-100.0] * 3
    assert counted(result) == {"daily_loss": 30 - 3}  # the closes of bars 0, 1, 2 enter


def test_the_next_day_in_new_york_begins_anew() -> None:
    rows = [[200.0 - 2 * k, 200.0 - 2 * k, 198.0 - 2 * k, 198.0 - 2 * k] for k in range(30)]
    market = market_from(rows, start=ns(2024, 3, 13, 3, 50))  # midnight in New York: 04:00 UTC
    bot = Bot(ALWAYS, Losing(), 0.0, 100.0, Gates(daily_loss=0.025))
    result = run_of(market, bot, cash=10_000.0)
    # Bar 9 closes at 04:00, the new day; it began with 9 700, of which 242.50 may be lost.
    assert result.campaigns["start_bar"].to_list() == [1, 2, 3, 10, 11, 12]


def test_warm_up_bars_are_counted() -> None:
    market = flat_market(10)
    assert counted(run_of(market, Bot(ALWAYS, FAR, 0.0, 1.0, warm_up=4))) == {"warm_up": 4}
