"""Bars of one instrument, and the market: all instruments on one timeline."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import DataError
from intrabar.model.enums import ActionKind
from intrabar.model.prices import near_each
from intrabar.model.values import as_float, named, shown

Floats = NDArray[np.float64]
Times = NDArray[np.int64]

DAY_NS = 86_400_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """Bars of one instrument, labelled by the instant at which each is known.

    Parameters
    ----------
    symbol : str
    close_time : (n,) int64, ns since 1970 UTC
        Strictly rising.
    open, high, low, close : (n,) float64, price
    volume : (n,) float64, contracts
    period : int, ns
        Length of a bar; a day or more for daily bars.
    open_time : (n,) int64, ns since 1970 UTC
        `close_time - period` for intraday bars, the session's open for daily ones.
    session : (n,) int64
        Days since 1970 of the exchange session (trade date) that the bar belongs to.

    Raises
    ------
    DataError
        Lengths differ, times do not rise, a price or volume is missing or not finite, a high or
        low lies inside open and close, or times are not in ns.
    """

    symbol: str
    close_time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    period: int
    open_time: Times
    session: Times

    def __post_init__(self) -> None:
        named("symbol", self.symbol)
        for name in ("close_time", "open_time", "session"):
            object.__setattr__(self, name, self._column(name, np.dtype(np.int64)))
        for name in ("open", "high", "low", "close", "volume"):
            object.__setattr__(self, name, self._column(name, np.dtype(np.float64)))
        n = self.close_time.shape[0]
        if n == 0:
            raise DataError(f"{self.symbol}: no bars")
        for name in ("open", "high", "low", "close", "volume", "open_time", "session"):
            column = getattr(self, name)
            if column.shape != (n,):
                raise DataError(
                    f"{self.symbol}: {name} has shape {column.shape}, close_time ({n},)"
                )
            if name in ("open", "high", "low", "close", "volume"):
                self._refuse(~np.isfinite(column), name, "")
        self._refuse(self.volume < 0.0, "volume", ", below 0")
        self._refuse(self.high < np.maximum(self.open, self.close), "high", ", below open or close")
        self._refuse(self.low > np.minimum(self.open, self.close), "low", ", above open or close")
        period = length_ns(self.period)
        if period is None or not 0 < period < 2**63:
            raise DataError(
                f"{self.symbol}: period is {shown(self.period)}, must be a whole number of ns "
                "above 0, or a timedelta"
            )
        object.__setattr__(self, "period", period)
        steps = np.diff(self.close_time)
        if n > 1 and 0 < np.median(steps) * 1000 < period:
            raise DataError(
                f"{self.symbol}: bars of a period of {period:g} ns are {int(np.median(steps))} "
                "apart; close_time and open_time are ns since 1970 UTC"
            )
        if n > 1 and steps.min() <= 0:
            bad = int(np.argmin(steps > 0)) + 1
            raise DataError(
                f"{self.symbol}: bar {bad} is not after bar {bad - 1} "
                f"({_utc(self.close_time[bad])} after {_utc(self.close_time[bad - 1])}); "
                "sort the bars and remove repeated ones"
            )

    def _column(self, name: str, kind: np.dtype[Any]) -> NDArray[Any]:
        """A column as an array of numbers of a kind.

        Raises
        ------
        DataError
            It is none, and cannot be read as one without loss.
        """
        given = getattr(self, name)
        column = np.asarray(given)
        if column.dtype.kind == "M":
            column = column.astype("datetime64[D]" if name == "session" else "datetime64[ns]")
            column = column.astype(np.int64)
        if column.ndim != 1 or column.dtype.kind not in ("iu" if kind.kind == "i" else "iuf"):
            raise DataError(
                f"{self.symbol}: {name} must be an array of {kind}, not {_shape(given, column)}"
            )
        return np.ascontiguousarray(column, kind)

    def _refuse(self, bad: NDArray[np.bool_], name: str, why: str) -> None:
        if bad.any():
            at = int(np.argmax(bad))
            raise DataError(f"{self.symbol}: {name} of bar {at} is {getattr(self, name)[at]}{why}")

    def __len__(self) -> int:
        return int(self.close_time.shape[0])

    def between(self, start: int | None, end: int | None) -> Bars:
        """The bars with `start <= close_time <= end` (ns UTC, either may be None).

        Raises
        ------
        DataError
            There is none, the message says what there is; or the start is after the end.
        """
        if start is not None and end is not None and start > end:
            raise DataError(f"{self.symbol}: the start {_utc(start)} is after the end {_utc(end)}")
        first = 0 if start is None else int(np.searchsorted(self.close_time, start, "left"))
        last = len(self) if end is None else int(np.searchsorted(self.close_time, end, "right"))
        if first >= last:
            raise DataError(
                f"{self.symbol}: no bars between {'the start' if start is None else _utc(start)} "
                f"and {'the end' if end is None else _utc(end)}; the bars run from "
                f"{_utc(self.close_time[0])} to {_utc(self.close_time[-1])}"
            )
        s = slice(first, last)
        return Bars(
            self.symbol,
            self.close_time[s],
            self.open[s],
            self.high[s],
            self.low[s],
            self.close[s],
            self.volume[s],
            self.period,
            self.open_time[s],
            self.session[s],
        )


@dataclass(frozen=True, slots=True)
class Action:
    """What changes for an instrument before an OPEN, without an order.

    Parameters
    ----------
    bar : int
        Row of the timeline; the instrument has a bar there.
    instrument : int
        Column.
    kind : ActionKind
    value : float
        New shares for an old one (split), instrument's currency per contract (dividend), price at
        which the old contract stands at this open (roll).
    initial_margin, maintenance_margin, initial_margin_rate, maintenance_margin_rate : float
        Of a change of margins; NaN leaves one as it is.
    """

    bar: int
    instrument: int
    kind: ActionKind
    value: float = math.nan
    initial_margin: float = math.nan
    maintenance_margin: float = math.nan
    initial_margin_rate: float = math.nan
    maintenance_margin_rate: float = math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Detail:
    """Lower bars inside the bars of a market, for the path policy `detail`.

    Parameters
    ----------
    first : (t, n) int64
        Row of `bars` at which the lower bars of a bar start.
    count : (t, n) int64
        How many there are; 0 where there are none.
    bars : (m, 4) float64, price
        Open, high, low, close.
    """

    first: NDArray[np.int64]
    count: NDArray[np.int64]
    bars: Floats


def agrees(bar: Floats, lower: Floats, tick: float) -> bool:
    """Whether lower bars have the open, high, low and close of the bar that they make up.

    Parameters
    ----------
    bar : (4,) float64, price
        Open, high, low, close.
    lower : (m, 4) float64, price
    tick : price
        0 where there is no grid.
    """
    whole = (lower[0, 0], lower.max(), lower.min(), lower[-1, 3])
    return bool(np.all(np.abs(bar - whole) <= near_each(bar, whole, tick)))


@dataclass(frozen=True, slots=True, eq=False)
class Market:
    """All instruments on the master timeline, as the compiled market reads them.

    Arrays are row-major, a row per timestamp, a column per instrument. Where an instrument has
    no bar at a timestamp its open, high and low are NaN, its close is carried forward and its
    volume is 0; before its first bar its close is NaN too (fill model, section 1).

    Parameters
    ----------
    symbols : tuple of str
        In the order of the configuration, which is the order of the columns.
    time : (t,) int64, ns since 1970 UTC
        Sorted union of all close times.
    open, high, low, close, volume : (t, n) float64
    session_end : (t, n) uint8
        1 on the last bar of the instrument's session; DAY orders expire there.
    open_time : (t, n) int64, ns since 1970 UTC
        Equal to `time` where there is no bar.
    period : int, ns
    day : (t,) int64 or None
        Days since 1970 of the trade date, the latest of the instruments; None: the UTC date.
    fx : (t, n) float64 or None
        Worth of one unit of each instrument's currency in the account's, at the close.
    detail : Detail or None
    actions : tuple of Action
        By bar; in this order within one bar.
    """

    symbols: tuple[str, ...]
    time: Times
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    session_end: NDArray[np.uint8]
    open_time: Times
    period: int
    day: Times | None = None
    fx: Floats | None = None
    detail: Detail | None = None
    actions: tuple[Action, ...] = ()

    def __len__(self) -> int:
        return int(self.time.shape[0])

    def rows(self, part: slice) -> Market:
        """Some rows of the timeline, every array cut alike, actions with them."""
        rows = len(self)
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        cut: dict[str, Any] = {
            name: np.ascontiguousarray(value[part])
            for name, value in values.items()
            if isinstance(value, np.ndarray) and value.shape[:1] == (rows,)
        }
        first, end, _ = part.indices(rows)
        kept = (replace(a, bar=a.bar - first) for a in self.actions if first <= a.bar < end)
        if self.detail is not None:
            detail = self.detail
            cut["detail"] = replace(detail, first=detail.first[part], count=detail.count[part])
        return replace(self, **cut, actions=tuple(kept))

    def alone(self, column: int) -> Market:
        """One instrument on the timeline of all."""
        if len(self.symbols) == 1:
            return self

        def own(of: NDArray[Any]) -> NDArray[Any]:
            return np.ascontiguousarray(of[:, column : column + 1])

        values = {f.name: getattr(self, f.name) for f in fields(self)}
        cut: dict[str, Any] = {
            name: own(value)
            for name, value in values.items()
            if isinstance(value, np.ndarray) and value.ndim == 2
        }
        if self.detail is not None:
            detail = self.detail
            cut["detail"] = Detail(own(detail.first), own(detail.count), detail.bars)
        cut["actions"] = tuple(
            replace(a, instrument=0) for a in self.actions if a.instrument == column
        )
        return replace(self, **cut, symbols=(self.symbols[column],))


class Timeline(Protocol):
    """The rows and the columns of a market, without what is in them."""

    @property
    def symbols(self) -> tuple[str, ...]: ...  # noqa: D102
    def __len__(self) -> int: ...


class DatedTimeline(Timeline, Protocol):
    """A timeline that knows when its bars are; `Market` has it."""

    @property
    def time(self) -> Times: ...  # noqa: D102
    @property
    def open(self) -> Floats: ...  # noqa: D102
    @property
    def open_time(self) -> Times: ...  # noqa: D102
    @property
    def period(self) -> int: ...  # noqa: D102
    @property
    def day(self) -> Times | None: ...  # noqa: D102


def length_ns(given: Any) -> int | None:
    """A length of time as whole ns; None where it is none."""
    if isinstance(given, timedelta):  # those of pandas too
        return (given // timedelta(microseconds=1)) * 1000
    if isinstance(given, np.timedelta64) and not np.isnat(given):
        return int(given // np.timedelta64(1, "ns"))
    if isinstance(given, np.timedelta64) or as_float(given) % 1.0 != 0.0:
        return None
    return int(given)


def _shape(given: object, column: NDArray[Any]) -> str:
    what = type(given).__name__
    return f"{what} of {column.dtype}, shape {column.shape}"


def _utc(ns: int | np.int64) -> str:
    return str(np.datetime64(int(ns), "ns"))[:19] + "Z"
