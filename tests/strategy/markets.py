"""Markets, changes made to them, and short ways to run a strategy on one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.indicators import ema
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.gates import IsOpen
from intrabar.strategy.strategy import RunningStrategy

MINUTE_NS = 60_000_000_000
DAY_NS = 1440 * MINUTE_NS
START_NS = 1_700_000_000_000_000_000
NAN = float("nan")
OPEN, HIGH, LOW, CLOSE = range(4)


def ns(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    """An instant of UTC as ns since 1970."""
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp()) * 1_000_000_000


def walk(
    bars: int,
    seed: int = 1,
    symbols: Sequence[str] = ("A",),
    *,
    missing: float = 0.0,
    wild: float = 0.004,
    start: int = START_NS,
    period: int = MINUTE_NS,
) -> Market:
    """Random walks on the tick; a share `missing` of the bars is not there."""
    draw = np.random.default_rng(seed)
    shape = (bars, len(symbols))
    close = 100.0 * np.exp(np.cumsum(draw.normal(0, wild, shape), axis=0))
    open_ = np.vstack([close[:1], close[:-1]]) * np.exp(draw.normal(0, wild / 4, shape))
    reach = np.abs(draw.normal(0, wild, (2, *shape)))
    high = np.maximum(open_, close) * (1 + reach[0])
    low = np.minimum(open_, close) * (1 - reach[1])
    prices = [np.round(x, 2) for x in (open_, high, low, close)]
    volume = draw.integers(1, 5000, shape).astype(float)
    gone = draw.random(shape) < missing
    gone[:, 0] &= gone.all(axis=1) == 0  # a row of the timeline has a bar
    time = start + period * np.arange(1, bars + 1, dtype=np.int64)
    return with_gaps(market_of(prices, volume, time, symbols, period), gone)


def market_of(
    prices: Sequence[NDArray[np.float64]],
    volume: NDArray[np.float64],
    time: NDArray[np.int64],
    symbols: Sequence[str],
    period: int,
) -> Market:
    """A market of (t, n) columns in which every instrument has every bar."""
    n = len(symbols)
    return Market(
        tuple(symbols),
        time,
        *(np.ascontiguousarray(x) for x in prices),
        volume,
        np.zeros(volume.shape, np.uint8),
        np.column_stack([time - period] * n),
        period,
    )


def market_from(
    rows: Sequence[Sequence[float]],
    symbol: str = "A",
    *,
    start: int = START_NS,
    period: int = MINUTE_NS,
) -> Market:
    """One instrument from rows of open, high, low, close."""
    table = np.array(rows, dtype=float)
    time = start + period * np.arange(1, len(table) + 1, dtype=np.int64)
    columns = [table[:, k : k + 1] for k in range(4)]
    return market_of(columns, np.full((len(table), 1), 1000.0), time, (symbol,), period)


def flat_market(bars: int, price: float = 100.0, **how: Any) -> Market:
    """Bars that do not move."""
    return market_from([[price] * 4] * bars, **how)


def with_gaps(market: Market, gone: NDArray[np.bool_]) -> Market:
    """The same market without some bars: NaN prices, a carried close, no volume."""
    columns = {k: getattr(market, k).copy() for k in ("open", "high", "low", "close", "volume")}
    for name in ("open", "high", "low", "close"):
        columns[name][gone] = NAN
    columns["volume"][gone] = 0.0
    close = columns["close"]
    for i in range(1, len(close)):
        close[i] = np.where(np.isnan(close[i]), close[i - 1], close[i])
    open_time = np.where(gone, market.time[:, None], market.open_time)
    return replace(market, **columns, open_time=open_time)


def without_rows(market: Market, rows: Sequence[int]) -> Market:
    """The same market without some rows of the timeline."""
    kept = np.setdiff1d(np.arange(len(market)), np.asarray(rows))
    names = ("time", "open", "high", "low", "close", "volume", "session_end", "open_time")
    return replace(market, **{k: np.ascontiguousarray(getattr(market, k)[kept]) for k in names})


def other_future(market: Market, last: int, seed: int = 99) -> Market:
    """The same bars up to and including row `last`, others after it."""
    draw = np.random.default_rng(seed)
    columns = {k: getattr(market, k).copy() for k in ("open", "high", "low", "close", "volume")}
    after = slice(last + 1, None)
    factor = np.exp(draw.normal(0, 0.02, columns["close"][after].shape))
    body = [np.round(columns[k][after] * factor, 2) for k in ("open", "close")]
    spread = np.round(np.abs(draw.normal(0, 1.0, factor.shape)), 2)
    columns["open"][after], columns["close"][after] = body
    columns["high"][after] = np.maximum(*body) + spread
    columns["low"][after] = np.minimum(*body) - spread
    columns["volume"][after] = draw.integers(1, 9000, factor.shape)
    return replace(market, **columns)


@dataclass(frozen=True)
class Told:
    """An entry that does as an indicator of the close tells it: long below, short above a price."""

    long_below: float = 0.0
    short_above: float = 1e9
    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """Long at or below one price, short at or above another."""
        if now.close <= p.long_below:
            return 1
        return -1 if now.close >= p.short_above else 0


@dataclass(frozen=True)
class Points:
    """An exit so many points away."""

    stop: float = 2.0
    target: float = 4.0
    trails = False

    def indicators(self) -> dict[str, Any]:
        """None."""
        return {}

    @staticmethod
    def initial_levels(now: Any, p: Any, side: int, price: float) -> tuple[float, float]:
        """Stop and target at their distances."""
        return price - side * p.stop, price + side * p.target


def setup_of(
    market: Market,
    *strategies: Any,
    instruments: Sequence[Instrument] | None = None,
    is_open: IsOpen | None = None,
    names: Sequence[str] = (),
    **account: Any,
) -> Setup:
    """A setup with sensible instruments."""
    chosen = instruments or [Instrument(s, tick_size=0.01) for s in market.symbols]
    named = names or [f"s{k}" if k else "s" for k in range(len(strategies))]
    pairs = dict(zip(named, strategies, strict=True))
    account.setdefault("path_trust", 0.7)  # the calibrated path needs one
    return Setup(market, tuple(chosen), pairs, Account(**account), is_open)


def run_of(market: Market, *strategies: Any, **how: Any) -> Result:
    """Run strategies to the end; what they remember, a run keeps in copies, comes back to them."""
    run = Run(setup_of(market, *strategies, **how))
    try:
        return finish(run)
    finally:
        for strategy, running in zip(strategies, run.running.values(), strict=True):
            if isinstance(running, RunningStrategy):
                vars(strategy).update(vars(running.strategy))


@dataclass(frozen=True)
class Pullback:
    """Waits below an average with a limit order, above it with a stop, and leaves by a signal."""

    period: int = 5
    away: float = 0.2

    wakes_on = ""

    def indicators(self) -> dict[str, Any]:
        """An average."""
        return {"average": ema(self.period)}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """With the trend."""
        return 1 if now.close > now.average else -1

    @staticmethod
    def wants_out(now: Any, p: Any, side: int) -> bool:
        """Out when the trend has turned."""
        return side * (now.close - now.average) < 0.0


@dataclass(frozen=True)
class AtALimit(Pullback):
    """At a better price than the close."""

    @staticmethod
    def limit_entry(now: Any, p: Any, side: int) -> float:
        """Away from it, against the side."""
        return now.close - side * p.away


@dataclass(frozen=True)
class AtAStop(Pullback):
    """At a worse price than the close."""

    @staticmethod
    def stop_entry(now: Any, p: Any, side: int) -> float:
        """Away from it, with the side."""
        return now.close + side * p.away
