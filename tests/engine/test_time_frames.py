"""Higher time frames show completed bars only, at the right instant, over both clock changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import intrabar as ib
from intrabar.data.frames import bars_from_frame
from intrabar.data.periods import parse_period
from intrabar.data.resample import resample
from intrabar.data.timeline import market_from_bars
from intrabar.engine.columns import compute_columns
from intrabar.engine.outcome.result import finish
from intrabar.engine.run import Run
from intrabar.engine.time_frames import TimeFrames
from intrabar.errors import ConfigError, StrategyError
from intrabar.indicators import Indicator, compute, cross, ema, lookback, price, sma
from intrabar.model.bars import Bars, Market
from intrabar.model.instrument import Instrument
from tests.strategy.markets import other_future, setup_of, walk, without_rows

M = 60_000_000_000


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def bars_at(at: Sequence[int], minutes: int, calendar: str, symbol: str = "A") -> Bars:
    """Bars that open at these instants; the close of each is its number."""
    number = np.arange(len(at), dtype=float)
    frame = pl.DataFrame(
        {
            "time": pl.Series(np.asarray(at, np.int64)).cast(pl.Datetime("ns", "UTC")),
            "open": number + 0.5,
            "high": number + 2,
            "low": number + 0.25,
            "close": number + 1,
            "volume": np.ones(len(at)),
        }
    )
    return bars_from_frame(frame, symbol, calendar=calendar, period=f"{minutes}m")


def spans(minutes: int, *given: tuple[str, int]) -> list[int]:
    """Openings: from each start so many bars in a row."""
    return [ns(start) + k * minutes * M for start, count in given for k in range(count)]


def completions(calendar: str) -> dict[str, tuple[int, str, list[tuple[str, int]], str]]:
    """By name: minutes of a bar, time frame, spans, "when it is seen: number of its last bar"."""
    return {
        "NYSE": {
            "spring": (
                30,
                "2h",
                [("2024-03-08T14:30", 13), ("2024-03-11T13:30", 13)],
                "03-08T16:30 4, 03-08T18:30 8, 03-08T20:30 12, 03-08T21:00 13, "
                "03-11T15:30 17, 03-11T17:30 21, 03-11T19:30 25, 03-11T20:00 26",
            ),
            "autumn": (
                30,
                "2h",
                [("2024-11-01T13:30", 13), ("2024-11-04T14:30", 13)],
                "11-01T15:30 4, 11-01T17:30 8, 11-01T19:30 12, 11-01T20:00 13, "
                "11-04T16:30 17, 11-04T18:30 21, 11-04T20:30 25, 11-04T21:00 26",
            ),
            "days": (
                30,
                "1d",
                [("2024-11-01T13:30", 13), ("2024-11-04T14:30", 13)],
                "11-01T20:00 13, 11-04T21:00 26",
            ),
        },
        "LSE": {
            "spring": (
                30,
                "4h",
                [("2024-03-28T08:00", 17), ("2024-04-02T07:00", 17)],
                "03-28T12:00 8, 03-28T16:00 16, 03-28T16:30 17, "
                "04-02T11:00 25, 04-02T15:00 33, 04-02T15:30 34",
            ),
            "autumn": (
                30,
                "4h",
                [("2024-10-25T07:00", 17), ("2024-10-28T08:00", 17)],
                "10-25T11:00 8, 10-25T15:00 16, 10-25T15:30 17, "
                "10-28T12:00 25, 10-28T16:00 33, 10-28T16:30 34",
            ),
        },
        "24/5": {  # 17:00 to 17:00 in New York
            "spring": (
                60,
                "12h",
                [("2024-03-07T22:00", 24), ("2024-03-10T21:00", 24)],
                "03-08T10:00 12, 03-08T22:00 24, 03-11T09:00 36, 03-11T21:00 48",
            ),
            "autumn": (
                60,
                "1d",
                [("2024-10-31T21:00", 24), ("2024-11-03T22:00", 24)],
                "11-01T21:00 24, 11-04T22:00 48",
            ),
        },
    }[calendar]  # type: ignore[return-value]


CASES = [(c, name) for c in ("NYSE", "LSE", "24/5") for name in completions(c)]


def case(calendar: str, name: str) -> tuple[Market, str, list[float]]:
    """A market, the time frame, and by hand the close that is seen at each bar."""
    minutes, timeframe, given, text = completions(calendar)[name]
    market = market_from_bars([bars_at(spans(minutes, *given), minutes, calendar)])
    seen = [part.split() for part in text.split(", ")]
    known = [(ns(f"2024-{at}"), float(number)) for at, number in seen]
    shown = [[c for at, c in known if at <= t] for t in market.time]
    return market, timeframe, [x[-1] if x else np.nan for x in shown]


class Watching(ib.Strategy):
    """Notes what it sees on a higher time frame, at the close and at the open."""

    def __init__(self, timeframe: str) -> None:
        self.timeframe = timeframe
        self.closes: dict[int, float] = {}
        self.opens: dict[int, float] = {}
        self.histories: dict[int, list[float]] = {}

    def indicators(self) -> dict[str, Indicator]:
        return {"long": price().on(self.timeframe)}

    def on_open(self, now: ib.AtOpen) -> None:
        self.opens[now.bar] = now["long"]
        of_it = now.history("close", 3, timeframe=self.timeframe)
        assert of_it.tolist() == now.history("long", 3, timeframe=self.timeframe).tolist()
        assert of_it[-1] == now["long"]

    def on_close(self, now: ib.AtClose) -> None:
        self.closes[now.bar] = now["long"]
        self.histories[now.bar] = now.history("close", 3, timeframe=self.timeframe).tolist()


def watched(market: Market, timeframe: str, calendar: str) -> Watching:
    run = Run(
        setup_of(
            market,
            Watching(timeframe),
            instruments=[Instrument(s, tick_size=0.01, calendar=calendar) for s in market.symbols],
        )
    )
    finish(run)
    strategy: Any = run.running["s"]
    seen: Watching = strategy.strategy
    return seen


@pytest.mark.parametrize(("calendar", "name"), CASES)
def test_a_python_strategy_sees_a_longer_bar_from_its_close_on(calendar: str, name: str) -> None:
    market, timeframe, by_hand = case(calendar, name)
    seen = watched(market, timeframe, calendar)
    first = next(i for i, x in enumerate(by_hand) if not np.isnan(x))
    assert seen.closes == dict(enumerate(by_hand[first:], first))
    assert seen.opens == dict(enumerate(by_hand[first:-1], first + 1))
    closes = list(dict.fromkeys(by_hand[first:]))
    for bar, found in seen.histories.items():
        known = closes[: closes.index(by_hand[bar]) + 1]
        assert found == known[-3:]


@dataclass(frozen=True)
class Above:
    """Long as soon as the longer bar's close reaches a number."""

    timeframe: str
    number: float
    wakes_on = ""

    def indicators(self) -> dict[str, Indicator]:
        return {"long": price().on(self.timeframe)}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        return 1 if now.long >= p.number else 0


@pytest.mark.parametrize(("calendar", "name"), CASES)
def test_a_compiled_bot_acts_on_it_at_the_next_open(calendar: str, name: str) -> None:
    market, timeframe, by_hand = case(calendar, name)
    number = sorted({x for x in by_hand if not np.isnan(x)})[-2]
    instruments = [Instrument("A", tick_size=0.01, calendar=calendar)]
    fills = []
    for interpreted in (False, True):
        bot = ib.Bot(Above(timeframe, number), Points(), 0.0, 1.0, interpreted=interpreted)
        run = Run(setup_of(market, bot, instruments=instruments))
        fills.append(finish(run).fills["bar"].to_list())
        assert run.running["s"].is_compiled is not interpreted  # type: ignore[union-attr]
    assert fills[0] == fills[1] == [by_hand.index(number) + 1]


@dataclass(frozen=True)
class Points:
    """A stop so far away that it is never met."""

    trails = False

    def indicators(self) -> dict[str, Indicator]:
        return {}

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        return 0.01, float("nan")


def test_a_bar_whose_last_part_is_missing_is_seen_at_the_next_bar_after_its_close() -> None:
    market, timeframe, _ = case("NYSE", "autumn")
    # 15:00, 15:30 (which completes the first two hours) and the Friday's last bar are not there.
    market = without_rows(market, [2, 3, 12])
    seen = watched(market, timeframe, "NYSE").closes
    hours = [str(np.datetime64(int(t), "ns"))[8:16] for t in market.time]
    assert seen[hours.index("01T16:00")] == 2.0  # known since 15:30, by the bar of 14:30
    assert hours.index("01T16:00") == min(seen)
    assert seen[hours.index("01T19:30")] == 12.0
    assert seen[hours.index("04T15:00")] == 12.0  # of a Friday's last half hour there is nothing


def test_a_bar_that_is_not_complete_is_never_seen() -> None:
    market, timeframe, by_hand = case("NYSE", "autumn")
    cut = without_rows(market, [24, 25])  # Monday ends at 20:00 UTC, half an hour too early
    assert watched(cut, timeframe, "NYSE").closes[23] == by_hand[23] == 21.0


def test_a_week_is_complete_at_the_close_of_its_last_session() -> None:
    days = ["2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28", "2024-04-01", "2024-04-02"]
    frame = pl.DataFrame({"date": days}).with_columns(
        **{name: pl.Series(np.arange(6.0) + 1) for name in ("open", "high", "low", "close")}
    )
    market = market_from_bars([bars_from_frame(frame, "A", calendar="NYSE")])
    # The Thursday is the last session before Good Friday; the week after it is not over.
    assert watched(market, "1w", "NYSE").closes == {3: 4.0, 4: 4.0, 5: 4.0}
    short = without_rows(market, [3])
    assert watched(short, "1w", "NYSE").closes == {3: 3.0, 4: 3.0}


def test_an_instrument_completes_nothing_while_it_has_no_bar() -> None:
    both = [
        bars_at(spans(30, ("2024-11-01T13:30", 13)), 30, "NYSE", "A"),
        bars_at(spans(30, ("2024-11-01T13:30", 3), ("2024-11-01T16:30", 2)), 30, "NYSE", "B"),
    ]
    market = market_from_bars(both)
    frames = TimeFrames(market, ["NYSE", "NYSE"])
    column = compute_columns({"": {"long": price().on("2h")}}, market, frames)[""]["long"][:, 1]
    assert column[:6].tolist() == pytest.approx([np.nan] * 6, nan_ok=True)
    # The first two hours by the bar of 16:30 to 17:00, the next two by that of 17:00 to 17:30.
    assert column[6:].tolist() == [3.0] + [5.0] * 6


PARTS = [
    price().on("2h"),
    sma(2).on("1d"),
    ib.bollinger(3).upper.on("1h"),
    cross(sma(1).on("1h"), ema(2).on("2h")),
    cross(price(), ema(2, seed="first").on("1h")),
]


@st.composite
def markets(draw: st.DrawFn) -> tuple[Market, str]:
    """Half hours with holes around the autumn's clock change, of one or two instruments."""
    calendar = draw(st.sampled_from(["NYSE", "24/5", "24/7", ""]))
    start = ns("2024-10-31T00:00")  # a Thursday; no share trades on Saturday and Sunday
    days = st.sampled_from([0, 1, 4, 5] if calendar == "NYSE" else range(6))
    slots = draw(st.sets(st.tuples(days, st.integers(0, 47)), min_size=40, max_size=150))
    at = [start + 30 * M * (48 * day + slot) for day, slot in sorted(slots)]
    market = market_from_bars([bars_at(at, 30, calendar)])
    return other_future(market, 0, draw(st.integers(0, 99))), calendar


@settings(max_examples=40)
@given(markets(), st.integers(0, 99))
def test_later_bars_change_nothing_that_was_seen(case: tuple[Market, str], seed: int) -> None:
    market, calendar = case
    last = seed % (len(market) - 1)
    cut = without_rows(market, range(last + 1, len(market)))
    other = other_future(market, last, seed + 100)
    for part in PARTS:
        try:
            whole, changed = (column_of(part, m, calendar) for m in (market, other))
            np.testing.assert_array_equal(whole[: last + 1], changed[: last + 1])
            np.testing.assert_array_equal(whole[: last + 1], column_of(part, cut, calendar))
        except (ConfigError, ib.DataError) as error:
            assert re.search("needs .* bars|no bar lies inside", str(error))  # noqa: PT017


def column_of(indicator: Indicator, market: Market, calendar: str) -> Any:
    return compute_columns({"": {"x": indicator}}, market, TimeFrames(market, [calendar]))[""]["x"][
        :, 0
    ]


@settings(max_examples=40)
@given(markets(), st.sampled_from(["1h", "2h", "4h", "1d", "1w"]))
def test_it_is_resampling_and_looking_up_by_hand(case: tuple[Market, str], frame: str) -> None:
    market, calendar = case
    bars = replace(
        bars_at(market.open_time[:, 0].tolist(), 30, calendar),
        **{k: getattr(market, k)[:, 0] for k in ("open", "high", "low", "close", "volume")},
    )
    try:
        longer = resample(bars, parse_period(frame), calendar)
    except ib.DataError:
        return
    average = sma(2)
    values = compute(average, longer)
    by_hand = []
    for t in market.time:
        complete = [k for k in range(len(longer)) if longer.close_time[k] <= t]
        by_hand.append(values[complete[-1]] if complete else np.nan)
    if not np.isnan(by_hand).all():
        np.testing.assert_array_equal(column_of(average.on(frame), market, calendar), by_hand)


def test_a_cross_of_two_time_frames_is_told_once() -> None:
    market = walk(96, 3, start=ns("2024-11-01"), period=30 * M)
    fast, slow = (column_of(x, market, "24/7") for x in (price(), sma(3).on("2h")))
    found = column_of(cross(price(), sma(3).on("2h")), market, "24/7")
    side = 0
    for a, b, told in zip(fast, slow, found, strict=True):
        if np.isnan(b):
            assert np.isnan(told)
            continue
        now = 1 if a > b else -1 if a < b else side
        assert told == (now if side and now != side else 0)
        side = now
    assert set(found[~np.isnan(found)]) == {-1.0, 0.0, 1.0}


def test_the_time_frame_of_the_run_itself_is_the_run() -> None:
    market, _, _ = case("NYSE", "autumn")
    assert column_of(sma(2).on("30m"), market, "NYSE")[1:].tolist() == [
        k + 0.5 for k in range(1, 26)
    ]


def test_too_short_a_history_is_told_in_longer_bars() -> None:
    market, _, _ = case("NYSE", "autumn")
    assert lookback(ema(20).on("2h").here) == 20
    with pytest.raises(ConfigError, match=r"ema\(20\).on\('2h'\) needs 20 complete bars of 2h, A"):
        column_of(ema(20).on("2h"), market, "NYSE")


class Asking(ib.Strategy):
    def __init__(self, name: str, timeframe: str) -> None:
        self.name_of_it, self.timeframe = name, timeframe

    def indicators(self) -> dict[str, Indicator]:
        return {"fast": ema(2)}

    def on_close(self, now: ib.AtClose) -> None:
        now.history(self.name_of_it, 2, timeframe=self.timeframe)


@pytest.mark.parametrize(
    ("name", "timeframe", "told"),
    [
        ("fast", "2h", r"fast is ema\(2\) and has no values on 2h; declare it as ema\(2\).on\('2h"),
        ("slow", "2h", "unknown series 'slow'"),
        ("close", "2x", "period is '2x'"),
        ("close", "45m", "45m bars cannot be made of 30m bars"),
    ],
)
def test_a_history_that_there_is_not(name: str, timeframe: str, told: str) -> None:
    market, _, _ = case("NYSE", "autumn")
    with pytest.raises(StrategyError, match=told):
        finish(Run(setup_of(market, Asking(name, timeframe))))
