"""A sealed row: what a session runs, and what its journal keeps of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from intrabar.model.bars import DAY_NS, Action, Market
from intrabar.model.enums import ActionKind

WHOLE = 2.0**53
"""Below it a float is any whole number there is."""


class RowBar(msgspec.Struct, frozen=True, array_like=True):
    """The real bar of one instrument in a row; `column` is the instrument's, `session` a date.

    Parameters
    ----------
    column : int
    open, high, low, close, volume : float
    open_time : int, ns UTC
    ends_session : bool
        DAY orders expire at its close.
    """

    column: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    open_time: int = 0
    ends_session: bool = False

    @property
    def prices(self) -> tuple[float, float, float, float, float]:
        """Open, high, low, close, and the volume."""
        return self.open, self.high, self.low, self.close, self.volume


class RowAction(msgspec.Struct, frozen=True, array_like=True):
    """A split, dividend, margin or roll that takes effect in a row; as `model.bars.Action`."""

    column: int
    kind: int
    value: float | None = None
    initial_margin: float | None = None
    maintenance_margin: float | None = None
    initial_margin_rate: float | None = None
    maintenance_margin_rate: float | None = None


class ClosedRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One timestamp of the master timeline, final.

    Parameters
    ----------
    time : int, ns UTC
        The close time.
    bars : tuple of RowBar
        The real ones; an instrument that is not there has none.
    day : int
        Days since 1970 of the trade date, the latest of the instruments.
    fx : tuple of float
        Worth of one unit of each instrument's currency in the account's; empty where all are one.
    actions : tuple of RowAction
    late : bool
        Sealed so long after its close that its entries are refused.
    closing : bool
        All of it is synthetic; it ends a session and wakes no hook.
    opened : bool
        It was open when the session started, and wakes no `on_open`.
    ends : tuple of int
        Columns without a bar in it whose session ends here all the same.
    """

    time: int
    bars: tuple[RowBar, ...]
    day: int
    fx: tuple[float, ...] = ()
    actions: tuple[RowAction, ...] = ()
    late: bool = False
    closing: bool = False
    opened: bool = False
    ends: tuple[int, ...] = ()

    @property
    def first_open(self) -> int:
        """When the first of its bars opened, ns UTC; its close where it has none."""
        return min((bar.open_time for bar in self.bars), default=self.time)


def body_of(row: ClosedRow) -> dict[str, Any]:
    """A row as a journal has it.

    What most bars share is said once: `open_time`; a bar has its own, behind its volume, only
    where it is another. `ends` names every column whose session ends there.
    """
    body: dict[str, Any] = msgspec.to_builtins(row)
    ends = [*row.ends, *(bar.column for bar in row.bars if bar.ends_session)]
    if ends:
        body["ends"] = sorted(ends)
    if row.bars:
        opens = [bar.open_time for bar in row.bars]
        shared = body["open_time"] = Counter(opens).most_common(1)[0][0]
        body["bars"] = [
            [*bar[:5], _short(bar[5]), *(() if opened == shared else (opened,))]
            for bar, opened in zip(body["bars"], opens, strict=True)
        ]
    return body


def _short(volume: float) -> float:
    """A volume without its `.0`, as most are whole; a float holds it exactly."""
    return int(volume) if 0.0 < volume < WHOLE and volume % 1.0 == 0.0 else volume


def row_of(body: Mapping[str, Any]) -> ClosedRow:
    """The row of a journal's `row.closed`, or of a `history`.

    Before a bar left out what it shares, each had its open time and whether its session ends.
    """
    opened, ends = body.get("open_time", 0), set(body.get("ends", ()))
    bars = [bar if len(bar) > 6 else [*bar, opened] for bar in body["bars"]]
    if ends:
        bars = [[*bar, True] if bar[0] in ends else bar for bar in bars]
        ends -= {bar[0] for bar in bars}
    return msgspec.convert({**body, "bars": bars, "ends": sorted(ends)}, ClosedRow)


def market_of(
    rows: Sequence[ClosedRow],
    symbols: tuple[str, ...],
    period: int,
    before: Sequence[float],
    first: int = 0,
) -> Market:
    """Rows as the compiled market reads them.

    Parameters
    ----------
    rows : sequence of ClosedRow, at least one
    symbols : tuple of str
    period : int, ns
    before : sequence of float
        The last close of each instrument before them; NaN for none.
    first : bar
        The number of the first row, under which actions stand.
    """
    t, n = len(rows), len(symbols)
    time = np.array([row.time for row in rows], np.int64)
    open_, high, low, close, volume = grids = np.full((5, t, n), np.nan)
    volume[:] = 0.0
    session_end = np.zeros((t, n), np.uint8)
    open_time = np.repeat(time[:, None], n, axis=1)
    carried = np.array(before, np.float64)
    actions: list[Action] = []
    for i, row in enumerate(rows):
        if row.bars:
            own = [bar.column for bar in row.bars]
            grids[:, i, own] = np.array([bar.prices for bar in row.bars]).T
            open_time[i, own] = [bar.open_time for bar in row.bars]
            session_end[i, own] = [bar.ends_session for bar in row.bars]
            carried[own] = close[i, own]
        close[i] = carried
        if row.ends:
            session_end[i, list(row.ends)] = 1
        actions += [action_of(action, first + i) for action in row.actions]
    fx = np.array([row.fx for row in rows]) if rows[0].fx else None
    day = np.array([row.day for row in rows], np.int64)
    return Market(
        symbols, time, open_, high, low, close, volume, session_end, open_time, period, day, fx,
        None, tuple(actions),
    )  # fmt: skip


def action_of(action: RowAction, bar: int) -> Action:
    """The action as the market has it, in a bar."""
    values = (
        action.value,
        action.initial_margin,
        action.maintenance_margin,
        action.initial_margin_rate,
        action.maintenance_margin_rate,
    )
    unsaid = (np.nan if value is None else value for value in values)
    return Action(bar, action.column, ActionKind(action.kind), *unsaid)


def rows_of(market: Market, end: int | None = None) -> list[ClosedRow]:
    """A market as rows, up to a bar: what a session would have sealed of these bars."""
    actions: dict[int, list[RowAction]] = {}
    for a in market.actions:
        values = (
            a.value,
            a.initial_margin,
            a.maintenance_margin,
            a.initial_margin_rate,
            a.maintenance_margin_rate,
        )
        said = (None if np.isnan(value) else float(value) for value in values)
        actions.setdefault(a.bar, []).append(RowAction(a.instrument, int(a.kind), *said))
    days = market.time // DAY_NS if market.day is None else market.day
    rows = []
    for i in range(len(market) if end is None else end):
        is_real = ~np.isnan(market.open[i])
        bars = tuple(_bar(market, i, int(j)) for j in np.flatnonzero(is_real))
        ends = tuple(np.flatnonzero(~is_real & (market.session_end[i] != 0)).tolist())
        fx = () if market.fx is None else tuple(market.fx[i].tolist())
        time, day = int(market.time[i]), int(days[i])
        rows.append(ClosedRow(time, bars, day, fx, tuple(actions.get(i, ())), ends=ends))
    return rows


def _bar(market: Market, i: int, j: int) -> RowBar:
    return RowBar(
        j,
        float(market.open[i, j]),
        float(market.high[i, j]),
        float(market.low[i, j]),
        float(market.close[i, j]),
        float(market.volume[i, j]),
        int(market.open_time[i, j]),
        bool(market.session_end[i, j]),
    )
