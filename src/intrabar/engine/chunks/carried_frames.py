"""Higher time frames of a market that comes piece by piece, as `time_frames` has them of the whole.

Of the bars so far those are kept of which no complete longer bar has been made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from intrabar.data.alongside import joined, rows_from
from intrabar.data.calendars import trade_dates, whole_day
from intrabar.data.periods import parse_period
from intrabar.data.resample import grouped
from intrabar.errors import RunError
from intrabar.indicators import Columns, Indicator, cross, price
from intrabar.indicators.carried import Carried, carried
from intrabar.indicators.indicator import COLUMNS, BarColumns
from intrabar.model.bars import Bars, Floats, Market, Times


class NewBars(NamedTuple):
    """The longer bars that were completed in a piece.

    Parameters
    ----------
    bars : Bars or None
        None where none was.
    seen : (k,) int64
        How many of them are complete at each real bar of the piece.
    """

    bars: Bars | None
    seen: Times


class CarriedFrames:
    """The longer bars of a market that comes piece by piece.

    Parameters
    ----------
    calendars : sequence of str
        Exchange calendar of each instrument; "" where none is known.
    phases : sequence of int
        What the opens of each are usually past a multiple of the period, ns (`resample.usual`).
    """

    def __init__(self, calendars: Sequence[str], phases: Sequence[int]) -> None:
        self._calendars, self._phases = calendars, phases
        self._frames: dict[tuple[int, str], _Frame] = {}
        self._new: dict[tuple[int, str], NewBars] = {}
        self.complete: dict[tuple[int, str], int] = {}  # bars so far

    def show(self, market: Market) -> None:
        """Go on to the next piece."""
        self._market = market
        self._new = {}

    def of(self, column: int, timeframe: str) -> NewBars:
        """What the piece completes on a time frame that is asked for of every piece."""
        key = column, timeframe
        if key not in self._frames:
            self._frames[key] = _Frame(
                parse_period(timeframe), self._calendars[column], self._phases[column]
            )
        if key not in self._new:
            self._new[key] = new = self._frames[key].take(self._bars(column))
            self.complete[key] = self.complete.get(key, 0) + (len(new.bars) if new.bars else 0)
        return self._new[key]

    def _bars(self, column: int) -> Bars | None:
        market = self._market
        rows = np.flatnonzero(~np.isnan(market.open[:, column]))
        if not rows.size:
            return None
        open_time = market.open_time[rows, column]
        return Bars(
            symbol=market.symbols[column],
            close_time=market.time[rows],
            period=market.period,
            open_time=open_time,
            session=trade_dates(self._calendars[column], open_time),
            **{name: getattr(market, name)[rows, column] for name in COLUMNS},
        )

    def carried(self, indicator: Indicator, symbol: str, column: int) -> Carried:
        """An indicator with no bar seen, with or without time frames in it."""
        if indicator.timeframe:
            return _OnFrame(indicator, symbol, column, self)
        if any(operand.timeframe for operand in indicator.operands):
            return _Crossing(*(self.carried(x, symbol, column) for x in indicator.operands))
        return carried(indicator, symbol)


class _Frame:
    def __init__(self, period: int, calendar: str, phase: int) -> None:
        self._period, self._calendar, self._phase = period, calendar, phase
        self._rest: Bars | None = None
        self._last = np.iinfo(np.int64).min  # open time of the last complete one

    def take(self, bars: Bars | None) -> NewBars:
        if bars is None:
            return NewBars(None, np.zeros(0, np.int64))
        if self._period == bars.period:
            return NewBars(bars, np.arange(1, len(bars) + 1))
        whole = bars if self._rest is None else joined([self._rest, bars])
        made = grouped(whole, self._period, self._calendar, self._phase)
        if made is None:
            self._rest = whole
            return NewBars(None, np.zeros(len(bars), np.int64))
        if made.open_time[0] <= self._last:
            raise RunError(
                f"{bars.symbol}: a bar reaches into one of a longer period that is complete "
                "already; run without chunks"
            )
        seen = np.searchsorted(made.close_time, bars.close_time, "right")
        count = int(seen[-1])
        if not count:
            self._rest = whole
            return NewBars(None, seen)
        self._last = int(made.open_time[count - 1])
        until = whole_day(made.close_time[count - 1 : count])
        left = int(np.searchsorted(whole.close_time, until[0], "right"))
        self._rest = rows_from(whole, left) if left < len(whole) else None
        ended = made if count == len(made) else made.between(None, int(made.close_time[count - 1]))
        return NewBars(ended, seen)


class _OnFrame:
    """An indicator over longer bars, at the bars of the run."""

    def __init__(
        self, indicator: Indicator, symbol: str, column: int, frames: CarriedFrames
    ) -> None:
        self._timeframe, self._column, self._frames = indicator.timeframe, column, frames
        self._going = carried(indicator.here, symbol)
        self._last = np.full(1, np.nan)

    def advance(self, _: BarColumns) -> Floats:
        """The values at the bars of the piece that the frames are shown."""
        new = self._frames.of(self._column, self._timeframe)
        values = self._last
        if new.bars is not None:
            values = np.append(values, self._going.advance(new.bars))
        self._last = values[-1:].copy()
        return values[new.seen]


class _Crossing:
    """A cross of two, one at least of which is over longer bars: they cross at those of the run."""

    def __init__(self, a: Carried, b: Carried) -> None:
        self._a, self._b = a, b
        self._cross = carried(cross(price("open"), price("close")))

    def advance(self, bars: BarColumns) -> Floats:
        """The values at the bars of the piece."""
        a, b = self._a.advance(bars), self._b.advance(bars)
        return self._cross.advance(Columns(bars.symbol, bars.close_time, a, a, b, b, bars.volume))
