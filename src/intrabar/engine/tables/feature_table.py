"""Feature tables: what models read, a row for each real bar of an instrument.

A window is a slice of the table, and what a synthetic bar carries is never counted twice. The one
way from bars to rows is `InstrumentRows.advance`, for a whole history, a piece and a bar.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.data.clock import ExchangeClock, local_minutes, local_weekdays
from intrabar.engine.adjusted import Adjusted, sample
from intrabar.engine.columns import RealBars, real_rows
from intrabar.engine.time_frames import TimeFrames
from intrabar.errors import ConfigError
from intrabar.indicators import Columns, Indicator, compute, cross
from intrabar.indicators.expressions import CarriedTerm, Leaf, Term
from intrabar.indicators.features import CarriedFeatures, Features, features_from_text
from intrabar.indicators.indicator import COLUMNS
from intrabar.indicators.turns import clock_value
from intrabar.model.bars import Floats, Market, Times

Power = tuple[Fraction, Fraction]
"""Of price and of volume."""

SCALES = (2.0, 2.0**-10, 2.0**10)  # of the units in which an expression is tried
FINEST = 16  # part of a power: four square roots


@dataclass(frozen=True, eq=False)
class FeatureTables:
    """The features of a market, or of some rows of it, for a long.

    Parameters
    ----------
    features : Features
    tables : tuple of (m, F) float64, contiguous
        Of each instrument: a row for each real bar, in order.
    row_of : (t, n) int32
        Number of the last real bar at each row of the timeline, counted from the first of the
        whole history; -1 before it.
    first : tuple of int
        The number of each table's first row; 0 for a whole history.
    """

    features: Features
    tables: tuple[Floats, ...]
    row_of: NDArray[np.int32]
    first: tuple[int, ...]

    def __post_init__(self) -> None:
        self.row_of.flags.writeable = False  # runs share them
        for table in self.tables:
            table.flags.writeable = False

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return self.row_of.nbytes + sum(table.nbytes for table in self.tables)

    def window(self, instrument: int, bar: int) -> Floats | None:
        """The last `window` rows at the close of a row of the timeline, oldest first.

        Returns
        -------
        (window, F) float64 or None
            A view. None before there are so many real bars; NaN while an indicator warms up.
        """
        end = int(self.row_of[bar, instrument]) + 1 - self.first[instrument]
        begin = end - self.features.window
        return self.tables[instrument][begin:end] if begin >= 0 else None


def feature_tables(
    features: Features, adjusted: Adjusted, frames: TimeFrames, clock: ExchangeClock
) -> FeatureTables:
    """The feature tables of a whole market.

    Parameters
    ----------
    features : Features
    adjusted : Adjusted
        The market as indicators read it.
    frames : TimeFrames
        The longer bars of the adjusted market.
    clock : ExchangeClock
        Of its instruments.
    """
    market = adjusted.market
    real = real_rows(market)
    turned: dict[str, Floats] = {}
    tables = []
    for j, is_real in enumerate(real):
        rows = np.flatnonzero(is_real)
        bars = RealBars(market, j, rows, turned)
        going = InstrumentRows(features, clock.zone(j).key)
        tables.append(going.advance(adjusted, j, rows, partial(_over, frames, j, bars)))
    zeros = np.zeros(len(tables), np.int64)
    return FeatureTables(features, tuple(tables), rows_of(real, zeros), (0,) * len(tables))


def _over(frames: TimeFrames, j: int, bars: RealBars, indicator: Indicator) -> Floats:
    return frames.values(indicator, j, bars)


def rows_of(real: NDArray[np.bool_], before: NDArray[np.int64]) -> NDArray[np.int32]:
    """Number of the last real bar at each row: (t, n), of (n, t) and what came before."""
    counted = np.cumsum(real, axis=1) + before[:, None] - 1
    return np.ascontiguousarray(counted.T, np.int32)


class InstrumentRows:
    """The feature rows of one instrument, with what the bars so far have left behind.

    Parameters
    ----------
    features : Features
    zone : str
        IANA name of its exchange's time zone.
    """

    def __init__(self, features: Features, zone: str) -> None:
        self._features, self._zone = features, zone
        self._going = CarriedFeatures(features)

    def advance(
        self,
        adjusted: Adjusted,
        j: int,
        rows: NDArray[np.int64],
        values_of: Callable[[Indicator], Floats],
    ) -> Floats:
        """The rows of the next real bars.

        Parameters
        ----------
        adjusted : Adjusted
            The market, or the next piece of it.
        j : int
            Column.
        rows : (k,) int64
            Where in it the instrument has bars.
        values_of : callable
            The values of an indicator at those bars.

        Returns
        -------
        (k, F) float64
            In the prices of each bar.
        """
        if not rows.size:
            return np.empty((0, len(self._features.features)))
        read: dict[Leaf, Floats] = {}
        clock = LocalClock(self._zone, adjusted.market.time[rows])
        for leaf in self._features.leaves:
            values = values_of(leaf) if isinstance(leaf, Indicator) else clock.value(leaf)
            read[leaf] = np.require(values, np.float64, ["C", "W"])
        made = self._going.advance(read, len(rows))
        if adjusted.price is not None:
            price, shares = adjusted.price[rows, j], adjusted.shares[rows, j]
            for k, feature in enumerate(self._features.features):
                power = power_of(feature.expression)
                if power is not None and any(power):
                    made[:, k] /= raised(price, power[0]) / raised(shares, power[1])
        return made


class LocalClock:
    """The clock of an exchange at some instants; its minutes and weekdays are looked up once."""

    def __init__(self, zone: str, time: Times) -> None:
        self._zone, self._time = zone, time

    def value(self, name: str) -> Floats:
        """A field of the clock at each instant."""
        return clock_value(name, self._minutes if name.startswith("hour") else self._weekdays)

    @cached_property
    def _minutes(self) -> Times:
        return local_minutes(self._zone, self._time)

    @cached_property
    def _weekdays(self) -> Times:
        return local_weekdays(self._zone, self._time)


def require_rows(features: Features, market: Market, frames: TimeFrames) -> None:
    """Refuse bars of which even the longest instrument has too few for one window.

    Raises
    ------
    ConfigError
        "a window of 32 of the features exit/1 needs 81 bars, A has 60".
    """
    counts = real_rows(market).sum(axis=1)
    longest = int(np.argmax(counts))
    for leaf in features.leaves:
        if isinstance(leaf, Indicator):
            frames.require_length(leaf, longest)
    if counts[longest] < features.rows:
        slowest = max(features.features, key=lambda f: f.expression.rows())
        raise ConfigError(
            f"a window of {features.window} of the features {features.set} needs {features.rows} "
            f"bars ({slowest}), {market.symbols[longest]} has {counts[longest]}"
        )


def probe_features(text: str, bars: NDArray[Any]) -> Floats:
    """Features of some bars by themselves, by which a model knows its features again.

    Parameters
    ----------
    text : str
        The canonical text of features.
    bars : (n,) structured
        `time` (ns UTC), `open`, `high`, `low`, `close`, `volume`: prices as they are, without a
        calendar; their period is the shortest time between two.

    Returns
    -------
    (n, F) float64
        For a long; NaN while warming up, throughout where they are too few.
    """
    features = features_from_text(text)
    time = np.ascontiguousarray(bars["time"])
    period = int(np.diff(time).min())
    open_, high, low, close, volume = (
        np.ascontiguousarray(bars[name][:, None], np.float64) for name in COLUMNS
    )
    ends, opened = np.zeros(close.shape, np.uint8), (time - period)[:, None]
    market = Market(("PROBE",), time, open_, high, low, close, volume, ends, opened, period)
    frames = TimeFrames(market, [""])
    return feature_tables(features, Adjusted(market), frames, ExchangeClock([""])).tables[0]


def raised(x: Floats, power: Fraction) -> Floats:
    """`x` to a power, by square roots, products and a quotient: the same bits on every machine."""
    for _ in range(power.denominator.bit_length() - 1):
        x = np.sqrt(x)
    made = np.ones_like(x)
    for _ in range(abs(power.numerator)):
        made = made * x
    return made if power >= 0 else 1.0 / made


@cache
def power_of(term: Term) -> Power | None:
    """The powers of price and volume in which an expression stands: (1, 0) for `close - ema(20)`.

    Found by trying it on sample bars in other units. None where it stands in none, as `log(close)`
    or `close - 50` do: such a value is left as it is read.
    """
    size = 2 * term.rows() + 300
    plain = _tried(term, size)
    told = np.isfinite(plain)
    if not plain[told].any():
        return Fraction(0), Fraction(0)
    by_price = _power(plain, [(k, _tried(term, size, price=k)) for k in SCALES])
    by_volume = _power(plain, [(k, _tried(term, size, volume=k)) for k in SCALES])
    return None if by_price is None or by_volume is None else (by_price, by_volume)


def _power(plain: Floats, others: Sequence[tuple[float, Floats]]) -> Fraction | None:
    top = int(np.nanargmax(np.where(np.isfinite(plain), np.abs(plain), -1.0)))
    k, first = others[0]
    if not first[top] / plain[top] > 0.0:
        return None
    power = Fraction(round(float(np.log2(first[top] / plain[top]) / np.log2(k)) * FINEST), FINEST)
    for k, other in others:
        scale = k ** float(power)
        told = np.isfinite(plain) & np.isfinite(other)
        near = 1e-9 * abs(plain[top]) * scale
        if not np.allclose(other[told], plain[told] * scale, rtol=1e-6, atol=near):
            return None
    return power


def _tried(term: Term, size: int, price: float = 1.0, volume: float = 1.0) -> Floats:
    bars = sample(size, price, volume)
    read: dict[Leaf, Floats] = {}
    for k, leaf in enumerate(term.leaves()):
        # Of the clock anything that is no power of the price, and no two alike.
        values = _here(leaf, bars) if isinstance(leaf, Indicator) else np.cos(np.arange(size) + k)
        read[leaf] = np.require(values, np.float64, ["C", "W"])
    return CarriedTerm(term).advance(read, size)


def _here(indicator: Indicator, bars: Columns) -> Floats:
    """An indicator over these bars, whatever time frames are in it."""
    if indicator.operands:
        return compute(cross(*(x.here for x in indicator.operands)), bars)
    return compute(indicator.here, bars)
