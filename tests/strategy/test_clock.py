"""The clock: local time and sessions as a plain reading of the exchanges' own rules has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.data.calendars import hours_of, local_dates, trade_dates
from intrabar.data.clock import ExchangeClock
from intrabar.errors import ConfigError
from intrabar.model.instrument import Instrument
from intrabar.model.session import Session
from intrabar.strategy.bot import Bot
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose, AtOpen
from tests.strategy.markets import (
    DAY_NS,
    MINUTE_NS,
    Points,
    flat_market,
    ns,
    run_of,
    walk,
    with_gaps,
)

CHICAGO, NEW_YORK = ZoneInfo("America/Chicago"), ZoneInfo("America/New_York")


@dataclass
class Reads(Strategy):
    """Writes down the clock at every phase."""

    seen: list[tuple[str, str, datetime, Session]] = field(default_factory=list)

    def on_open(self, now: AtOpen) -> None:
        """Of every instrument."""
        self.seen += [("open", v.symbol, v.local, v.session) for v in now]

    def on_close(self, now: AtClose) -> None:
        """Of every instrument."""
        self.seen += [("close", v.symbol, v.local, v.session) for v in now]


def read(market: Any, *calendars: str) -> list[tuple[str, str, datetime, Session]]:
    strategy = Reads()
    instruments = [
        Instrument(s, calendar=c) for s, c in zip(market.symbols, calendars, strict=True)
    ]
    run_of(market, strategy, instruments=instruments)
    return strategy.seen


def by_cme(instant: datetime, opened: datetime) -> Session:
    """17:00 to 16:00 Chicago on ordinary days, of the bar's open; the date is the later one."""
    local = opened.astimezone(CHICAGO)
    day = local.date() + timedelta(days=1 if local.hour >= 16 else 0)
    day += timedelta(days={5: 2, 6: 1}.get(day.weekday(), 0))
    before = day - timedelta(days=1)
    opening = datetime(before.year, before.month, before.day, 17, tzinfo=CHICAGO)
    close = datetime(day.year, day.month, day.day, 16, tzinfo=CHICAGO)
    since = (instant - opening.astimezone(UTC)) / timedelta(minutes=1)
    return Session(day, since, (close.astimezone(UTC) - instant) / timedelta(minutes=1))


def test_evening_sessions_over_a_clock_change() -> None:
    """From Friday to Tuesday over the second Sunday of March 2024."""
    market = flat_market(4 * 24 * 12, start=ns(2024, 3, 8), period=5 * MINUTE_NS)
    seen = read(market, "CME_Equity")
    assert len(seen) == 2 * len(market)
    for k, (phase, _, local, session) in enumerate(seen):
        close = datetime.fromtimestamp(int(market.time[k // 2]) / 1e9, UTC)
        opened = close - timedelta(minutes=5)
        instant = close if phase == "close" else opened
        assert local == instant
        assert local.utcoffset() == instant.astimezone(CHICAGO).utcoffset()
        assert session == by_cme(instant, opened)


def test_a_half_day_closes_early() -> None:
    """2024-11-29 in New York: 09:30 to 13:00; the bar of 13:00 still counts in its session."""
    market = flat_market(6, start=ns(2024, 11, 29, 17, 50), period=5 * MINUTE_NS)
    at_close = [(local, s) for phase, _, local, s in read(market, "NYSE") if phase == "close"]
    assert [s.minutes_to_close for _, s in at_close] == [5.0, 0.0, -5.0, -10.0, -15.0, -20.0]
    assert at_close[1] == (
        datetime(2024, 11, 29, 13, 0, tzinfo=NEW_YORK),
        Session(date(2024, 11, 29), 210.0, 0.0),
    )


def test_a_holiday_has_the_hours_that_it_would_have() -> None:
    market = flat_market(1, start=ns(2024, 12, 25, 15, 0))
    assert read(market, "NYSE")[0][3] == Session(date(2024, 12, 25), 30.0, 360.0)


@pytest.mark.parametrize("calendar", ["", "24/7"])
def test_without_sessions_it_is_the_day_of_utc(calendar: str) -> None:
    market = flat_market(2, start=ns(2024, 3, 9, 23, 58))
    seen = read(market, calendar)
    assert [s for _, _, _, s in seen] == [
        Session(date(2024, 3, 9), 1438.0, 2.0),
        Session(date(2024, 3, 9), 1439.0, 1.0),
        Session(date(2024, 3, 9), 1439.0, 1.0),
        Session(date(2024, 3, 9), 1440.0, 0.0),
    ]
    assert seen[0][2] == datetime(2024, 3, 9, 23, 58, tzinfo=UTC)


def test_daily_bars_open_and_close_with_their_session() -> None:
    market = flat_market(1, start=ns(2024, 11, 29, 14, 30), period=DAY_NS)
    market.time[:] = ns(2024, 11, 29, 18)
    market.open_time[:] = ns(2024, 11, 29, 14, 30)
    seen = read(market, "NYSE")
    assert [s for _, _, _, s in seen] == [
        Session(date(2024, 11, 29), 0.0, 210.0),
        Session(date(2024, 11, 29), 210.0, 0.0),
    ]


def test_a_missing_bar_has_the_clock_of_the_timeline() -> None:
    market = walk(4, 1, ("A", "B"), start=ns(2024, 3, 11, 13, 30))
    gone = np.zeros((4, 2), bool)
    gone[1:3, 1] = True
    seen = read(with_gaps(market, gone), "NYSE", "NYSE")
    own = {s: [x[2:] for x in seen if x[1] == s] for s in ("A", "B")}
    assert own["A"] == own["B"]


def test_each_instrument_has_the_clock_of_its_exchange() -> None:
    market = walk(2, 1, ("A", "B"), start=ns(2024, 3, 11, 13, 30))
    (_, _, one, day), (_, _, other, evening) = read(market, "NYSE", "CME_Equity")[:2]
    assert (one.hour, other.hour) == (9, 8)
    assert (day.minutes_since_open, evening.minutes_since_open) == (0.0, 15.5 * 60)


@settings(max_examples=60)
@given(
    st.sampled_from(["NYSE", "CME_Equity", "24/5", "24/7", "", "LSE", "JPX", "CME_Grains", "ASX"]),
    st.lists(st.integers(ns(1999, 6, 1), ns(2026, 6, 1)), min_size=1, max_size=40),
)
def test_bars_belong_to_their_trade_dates_one_by_one_and_at_once(
    calendar: str, instants: list[int]
) -> None:
    """In any order, of any years: as the calendars themselves say."""
    opened = np.array([x // MINUTE_NS * MINUTE_NS for x in instants], np.int64)
    clock = ExchangeClock([calendar])
    zone = clock.zone(0).key
    for each in opened:
        one = np.array([each])
        day = trade_dates(calendar, one)
        opening, close = (int(x[0]) for x in hours_of(calendar, day))
        got = clock.session(0, int(each), int(each) + MINUTE_NS)
        assert (got.date - date(1970, 1, 1)).days == day[0]
        at = int(each) + MINUTE_NS
        # A day of UTC closes a millisecond before the next.
        wanted = ((at - opening) / MINUTE_NS, (close - at) / MINUTE_NS)
        assert got[1:] == pytest.approx(wanted, abs=1e-4)
    rising = np.unique(opened)
    market = flat_market(len(rising))
    market.time[:] = rising + MINUTE_NS
    market.open_time[:, 0] = rising
    columns = ExchangeClock([calendar]).columns(
        ("minutes_since_open", "minutes_to_close", "hour", "minute", "weekday"), market
    )
    for i, each in enumerate(rising):
        got = clock.session(0, int(each), int(each) + MINUTE_NS)
        local = datetime.fromtimestamp((int(each) + MINUTE_NS) / 1e9, ZoneInfo(zone))
        row = [float(columns[name][i, 0]) for name in columns]
        assert row == [*got[1:], local.hour, local.minute, got.date.weekday()]
    assert local_dates(zone, rising + MINUTE_NS)[-1] == (local.date() - date(1970, 1, 1)).days


# --- compiled rules ----------------------------------------------------------------------------


@dataclass(frozen=True)
class OfTheHour:
    """Long at one local time, on one day of the week, so long after the open."""

    hour: int = 10
    minute: int = 30
    weekday: int = 0
    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """All five fields."""
        is_time = now.hour == p.hour and now.minute == p.minute and now.weekday == p.weekday
        inside = now.minutes_since_open > 0.0 and now.minutes_to_close > 0.0
        return 1 if is_time and inside else 0


@pytest.mark.parametrize("interpreted", [False, True])
def test_a_rule_reads_the_local_time_over_a_clock_change(interpreted: bool) -> None:
    market = flat_market(15 * 24 * 12, start=ns(2024, 3, 4), period=5 * MINUTE_NS)
    bot = Bot(OfTheHour(), Points(1.0, 1.0), 0.0, 1.0, interpreted=interpreted)
    result = run_of(market, bot, instruments=[Instrument("A", calendar="NYSE")])
    decided = result.orders.filter(result.orders["role"] == "plain")["submitted_bar"]
    first = datetime.fromtimestamp(int(market.time[decided[0]]) / 1e9, NEW_YORK)
    assert (first.date(), first.hour, first.minute) == (date(2024, 3, 4), 10, 30)


@pytest.mark.parametrize("day", [4, 11])  # before and after the clock change
def test_a_rule_reads_the_day_of_the_session(day: int) -> None:
    """Sunday 18:00 Chicago is Monday's session, an hour after its open."""

    @dataclass(frozen=True)
    class Evening(OfTheHour):
        """On Sunday evening."""

    start = ns(2024, 3, day - 1, 20)
    market = flat_market(8 * 60, start=start)
    bot = Bot(Evening(18, 0), Points(1.0, 1.0), 0.0, 1.0)
    result = run_of(market, bot, instruments=[Instrument("A", calendar="CME_Equity")])
    at = int(market.time[result.orders["submitted_bar"][0]])
    local = datetime.fromtimestamp(at / 1e9, CHICAGO)
    assert (local.day, local.hour, local.minute) == (day - 1, 18, 0)


def test_the_clock_is_worked_out_only_where_a_rule_reads_it() -> None:
    from intrabar.engine.run import Run
    from tests.strategy.markets import Told, setup_of

    market = flat_market(5)
    assert Run(setup_of(market, Bot(Told(), Points()))).running["s"].names == ["close"]
    read_of_it = Run(setup_of(market, Bot(OfTheHour(), Points()))).running["s"].names
    assert sorted(read_of_it) == sorted(
        ["close", "minutes_since_open", "minutes_to_close", "hour", "minute", "weekday"]
    )


@dataclass(frozen=True)
class Misread(OfTheHour):
    """Reads what the clock does not have."""

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """No such hour."""
        return 1 if now.hours > p.hour else 0


def test_an_unknown_name_is_answered_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match=r"'hours'.*on the clock .minutes_since_open, minutes_to"):
        run_of(flat_market(5), Bot(Misread(), Points()))
