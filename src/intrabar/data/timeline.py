"""The master timeline: the bars of several instruments as one market (fill model, section 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from intrabar.data.periods import period_text
from intrabar.data.session_ends import ends_on
from intrabar.errors import DataError
from intrabar.model.bars import Bars, Floats, Market, Times


def market_from_bars(bars: Sequence[Bars], calendars: Sequence[str] | None = None) -> Market:
    """Put all instruments on the sorted union of their close times.

    Parameters
    ----------
    bars : sequence of Bars
        In the order of the configuration; one period, each symbol once.
    calendars : sequence of str, optional
        Of each instrument: its sessions end at the first row at or after their scheduled closes.
        None, and "" for one: with the last bar of each trade date.

    Returns
    -------
    Market
        Where an instrument has no bar its open, high and low are NaN, its close is carried
        forward (NaN before its first bar) and its volume is 0.

    Raises
    ------
    DataError
        No bars, a symbol twice, or different periods.

    Notes
    -----
    Without a calendar the last bar of the data counts as the last of its session: that there are
    more is not known.
    """
    if not bars:
        raise DataError("a market needs the bars of one instrument at least")
    symbols = tuple(b.symbol for b in bars)
    if len(set(symbols)) < len(symbols):
        twice = next(s for s in symbols if symbols.count(s) > 1)
        raise DataError(f"{twice} is there twice; each instrument has one series of bars")
    require_one_period(bars)
    time = union([b.close_time for b in bars])
    before = [Before()] * len(bars)
    return on_timeline(symbols, bars[0].period, time, bars, before, calendars)


def union(times: Sequence[Times]) -> Times:
    """All instants of several rising series, each once, in order."""
    if len(times) == 1:
        return times[0].copy()
    # A stable sort merges what is in order already; `np.unique` hashes every number.
    merged: Times = np.sort(np.concatenate(times), kind="stable")
    once: Times = merged[np.append(True, merged[1:] != merged[:-1])]
    return once


class HasPeriod(Protocol):
    """Bars, or a feed of them."""

    @property
    def symbol(self) -> str: ...  # noqa: D102
    @property
    def period(self) -> int: ...  # noqa: D102


def require_one_period(bars: Sequence[HasPeriod]) -> None:
    """Refuse instruments with bars of different lengths.

    Raises
    ------
    DataError
        The message has the period of each.
    """
    if len({b.period for b in bars}) > 1:
        told = ", ".join(f"{b.symbol} {period_text(b.period)}" for b in bars)
        raise DataError(f"all instruments of a run share one period, not {told}; resample them")


NO_SESSION = int(np.iinfo(np.int64).min)


class Before(NamedTuple):
    """What stands around the bars of one instrument that are put on a timeline.

    Parameters
    ----------
    session : days since 1970
        Of the bar before them; earlier than any for none, because what has not begun does not say
        which day it is for the others.
    close : price
        Of the bar before them, NaN for none.
    next_session : days since 1970
        Of the bar after them, -1 for none.
    """

    session: int = NO_SESSION
    close: float = np.nan
    next_session: int = -1


class Rows(Protocol):
    """Bars of one instrument, none among them too; `Bars` has it."""

    @property
    def close_time(self) -> Times: ...  # noqa: D102
    @property
    def open(self) -> Floats: ...  # noqa: D102
    @property
    def high(self) -> Floats: ...  # noqa: D102
    @property
    def low(self) -> Floats: ...  # noqa: D102
    @property
    def close(self) -> Floats: ...  # noqa: D102
    @property
    def volume(self) -> Floats: ...  # noqa: D102
    @property
    def open_time(self) -> Times: ...  # noqa: D102
    @property
    def session(self) -> Times: ...  # noqa: D102


def on_timeline(
    symbols: tuple[str, ...],
    period: int,
    time: Times,
    bars: Sequence[Rows],
    before: Sequence[Before],
    calendars: Sequence[str] | None = None,
    since: int | None = None,
) -> Market:
    """The bars of all instruments on a timeline that has all their close times.

    Parameters
    ----------
    symbols, period, time, bars, before
    calendars : sequence of str, optional
        As for `market_from_bars`.
    since : int, ns UTC, optional
        The row before them, None for none.
    """
    columns = [_column(b, time, at) for b, at in zip(bars, before, strict=True)]
    opened = min(int(column.open_time[0]) for column in columns)
    start = opened if since is None else since
    by_calendar = {
        calendar: ends_on(calendar, period, time, start)
        for calendar in set(calendars or ())
        if calendar
    }
    columns = [
        column._replace(session_end=by_calendar.get(calendar, column.session_end))
        for column, calendar in zip(columns, calendars or [""] * len(columns), strict=True)
    ]

    def stacked(field: str) -> Any:
        return np.ascontiguousarray(np.stack([getattr(c, field) for c in columns], axis=1))

    return Market(
        symbols,
        time,
        stacked("open"),
        stacked("high"),
        stacked("low"),
        stacked("close"),
        stacked("volume"),
        stacked("session_end"),
        stacked("open_time"),
        period,
        np.maximum.accumulate(stacked("session").max(axis=1)),
    )


class _Column(NamedTuple):
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    session_end: NDArray[np.uint8]
    open_time: Times
    session: Times


def _column(bars: Rows, time: Times, before: Before) -> _Column:
    row = np.searchsorted(time, bars.close_time)

    def placed(values: Floats) -> Floats:
        column = np.full(time.shape, np.nan)
        column[row] = values
        return column

    # Place of the latest bar at or before each time, behind the one before them all.
    latest = np.searchsorted(bars.close_time, time, "right")
    volume = np.zeros(time.shape)
    volume[row] = bars.volume
    session_end = np.zeros(time.shape, np.uint8)
    session_end[row] = np.append(bars.session[1:], before.next_session)[: len(row)] != bars.session
    open_time = time.copy()
    open_time[row] = bars.open_time
    return _Column(
        placed(bars.open),
        placed(bars.high),
        placed(bars.low),
        np.append(before.close, bars.close)[latest],
        volume,
        session_end,
        open_time,
        np.append(np.int64(before.session), bars.session)[latest],
    )
