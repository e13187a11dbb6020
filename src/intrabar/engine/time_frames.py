"""Higher time frames: longer bars of the instruments of a run, seen only when they are complete.

The bars are those that `data.resample` makes. One is seen from the first bar of its instrument
on that closes at or after its own close, never before; the last one, if it is not complete, never.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from intrabar.data.calendars import trade_dates
from intrabar.data.periods import parse_period
from intrabar.data.resample import resample
from intrabar.errors import ConfigError, NotFoundError
from intrabar.indicators import Columns, Indicator, compute, cross, lookback, price
from intrabar.indicators.indicator import COLUMNS, BarColumns
from intrabar.model.bars import Bars, Floats, Market, Times


class HigherBars(NamedTuple):
    """The bars of a time frame, and how many of them are complete at each row of the timeline."""

    bars: Bars
    seen: Times


class TimeFrames:
    """The higher bars of a market, made when they are first asked for.

    Parameters
    ----------
    market : Market
    calendars : sequence of str
        Exchange calendar of each instrument; "" where none is known.
    """

    def __init__(self, market: Market, calendars: Sequence[str]) -> None:
        self._market = market
        self._calendars = calendars
        self._made: dict[tuple[int, str], HigherBars] = {}

    def of(self, column: int, timeframe: str) -> HigherBars:
        """The bars of an instrument on a time frame, the one that is not complete included.

        Raises
        ------
        ConfigError, DataError
            No time frame, or none that the bars of the run can make.
        """
        key = column, timeframe
        if key not in self._made:
            self._made[key] = self._make(column, parse_period(timeframe))
        return self._made[key]

    def values(self, indicator: Indicator, column: int, bars: BarColumns) -> Floats:
        """An indicator at the real bars of an instrument, with or without time frames in it.

        Parameters
        ----------
        indicator : Indicator
        column : int
        bars : BarColumns
            The real bars of that column.

        Returns
        -------
        (n,) float64
            NaN while warming up, and before the first longer bar is complete.
        """
        if indicator.timeframe:
            higher, seen = self.of(column, indicator.timeframe)
            values = compute(indicator.here, higher)
            shown = seen[self._rows(column)] - 1
            return np.asarray(np.where(shown >= 0, values[np.maximum(shown, 0)], np.nan))
        if not any(operand.timeframe for operand in indicator.operands):
            return compute(indicator, bars)
        # What crosses is on the bars of the run by now: it crosses there, as two columns do.
        a, b = (self.values(operand, column, bars) for operand in indicator.operands)
        columns = Columns(bars.symbol, bars.close_time, a, a, b, b, bars.volume)
        return compute(cross(price("open"), price("close")), columns)

    def require_length(self, indicator: Indicator, column: int) -> None:
        """Refuse bars that end before an indicator with a time frame has its first value.

        Raises
        ------
        ConfigError
            "ema(20).on('1h') needs 20 complete bars of 1h, A has 7".
        """
        for part in on_frames(indicator):
            complete = int(self.of(column, part.timeframe).seen[-1])
            require_complete(part, complete, self._market.symbols[column])

    def history(
        self, indicators: Mapping[str, Indicator]
    ) -> Callable[[int, str, str], tuple[Floats, Times]]:
        """What a strategy with these indicators is given for `history(..., timeframe=...)`."""

        def series(column: int, name: str, timeframe: str) -> tuple[Floats, Times]:
            """Values over the longer bars, and how many are seen at each row."""
            higher, seen = self.of(column, timeframe)
            if name in COLUMNS:
                values: Floats = getattr(higher, name)
                return values, seen
            if name not in indicators:
                raise NotFoundError("series", name, [*COLUMNS, *indicators])
            indicator = indicators[name]
            if indicator.timeframe != timeframe:
                raise ConfigError(
                    f"{name} is {indicator} and has no values on {timeframe}; "
                    f"declare it as {indicator.here.on(timeframe)}"
                )
            return compute(indicator.here, higher), seen

        return series

    def _rows(self, column: int) -> Times:
        return np.flatnonzero(~np.isnan(self._market.open[:, column]))

    def _make(self, column: int, period: int) -> HigherBars:
        market, rows = self._market, self._rows(column)
        open_time = market.open_time[rows, column]
        calendar = self._calendars[column]
        bars = Bars(
            symbol=market.symbols[column],
            close_time=market.time[rows],
            period=market.period,
            open_time=open_time,
            session=trade_dates(calendar, open_time),
            **{name: getattr(market, name)[rows, column] for name in COLUMNS},
        )
        if period != market.period:
            bars = resample(bars, period, calendar)
        # By the instrument's own bars: a time at which it has none completes nothing.
        complete = np.searchsorted(bars.close_time, market.time[rows], "right")
        last = np.searchsorted(rows, np.arange(len(market)), "right")
        return HigherBars(bars, np.append(0, complete)[last])


def on_frames(indicator: Indicator) -> list[Indicator]:
    """What of an indicator reads longer bars: itself, or operands of it."""
    return [part for part in (indicator, *indicator.operands) if part.timeframe]


def require_complete(part: Indicator, complete: int, symbol: str) -> None:
    """Refuse too few complete longer bars for the first value of an indicator."""
    if complete < lookback(part.here):
        raise ConfigError(
            f"{part} needs {lookback(part.here)} complete bars of {part.timeframe}, "
            f"{symbol} has {complete}"
        )
