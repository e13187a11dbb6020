"""Rows of a session beside those that are stored, or that its source has put right later."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from intrabar.engine.session.row import ClosedRow, RowBar
from intrabar.model.entry import Entry

LATER = ("bar.late", "bar.corrected")
PRICES = ("open", "high", "low", "close", "volume")
_SAID = (*PRICES, "open_time", "ends_session")


@dataclass(frozen=True)
class RowApart:
    """Where two rows, or the bars of a symbol in them, differ.

    Parameters
    ----------
    time : int, ns UTC
    symbol : str
        Empty for what belongs to the row: day, rates, actions.
    what : str
        The field, "bar" or "row".
    session, stored : JSON value
        None where there is none.
    """

    time: int
    symbol: str
    what: str
    session: Any
    stored: Any


def apart(
    mine: Sequence[ClosedRow], stored: Sequence[ClosedRow], symbols: Sequence[str]
) -> list[RowApart]:
    """Every difference of two lists of rows, by time."""
    a, b = ({row.time: row for row in rows} for rows in (mine, stored))
    found: list[RowApart] = []
    for time in sorted(a.keys() | b.keys()):
        one, other = a.get(time), b.get(time)
        if one is None or other is None:
            told = [None if row is None else _named(row, symbols) for row in (one, other)]
            found.append(RowApart(time, "", "row", *told))
            continue
        for what in ("day", "fx", "actions", "ends"):
            pair = getattr(one, what, ()), getattr(other, what, ())
            if pair[0] != pair[1]:
                found.append(RowApart(time, "", what, *msgspec.to_builtins(pair)))
        found += _bars_apart(one, other, symbols)
    return found


def as_lived(mine: Sequence[ClosedRow], stored: Iterable[ClosedRow]) -> list[ClosedRow]:
    """Stored rows of a session's span: late, and open at the start, where the session's were."""
    own = {row.time: row for row in mine}
    made = []
    for row in stored:
        if mine[0].time <= row.time <= mine[-1].time:
            like = own.get(row.time, row)
            made.append(msgspec.structs.replace(row, late=like.late, opened=like.opened))
    return made


def put_right(
    rows: Sequence[ClosedRow], entries: Iterable[Entry], symbols: Sequence[str], period: int
) -> list[ClosedRow]:
    """Rows with the bars that came late or were corrected in their places.

    A bar that no row was there for makes one: it opens a period before, on the day of the row
    ahead of it, and ends no session.
    """
    made = {row.time: row for row in rows}
    times = sorted(made)
    for entry in entries:
        if entry.kind not in LATER or entry.body["symbol"] not in symbols:
            continue
        body = entry.body
        time, column = int(body["time"]), symbols.index(body["symbol"])
        if not times or not times[0] <= time <= times[-1]:
            continue
        open_, high, low, close, volume = (float(value) for value in body["bar"])
        row = made.get(time)
        if row is None:
            before = made[max(t for t in times if t <= time)]
            row = ClosedRow(time, (), before.day, before.fx)
        stood = next((bar for bar in row.bars if bar.column == column), None)
        opened = time - period if stood is None else stood.open_time
        ends = stood is not None and stood.ends_session
        bar = RowBar(column, open_, high, low, close, volume, opened, ends)
        others = [one for one in row.bars if one.column != column]
        bars = tuple(sorted((*others, bar), key=lambda one: one.column))
        made[time] = msgspec.structs.replace(row, bars=bars, closing=False)
    return [made[time] for time in sorted(made)]


def _bars_apart(one: ClosedRow, other: ClosedRow, symbols: Sequence[str]) -> list[RowApart]:
    a, b = ({bar.column: bar for bar in row.bars} for row in (one, other))
    found = []
    for column in sorted(a.keys() | b.keys()):
        pair = a.get(column), b.get(column)
        if pair[0] is None or pair[1] is None:
            told = [None if bar is None else [getattr(bar, n) for n in PRICES] for bar in pair]
            found.append(RowApart(one.time, symbols[column], "bar", *told))
            continue
        for name in _SAID:
            values = getattr(pair[0], name), getattr(pair[1], name)
            if values[0] != values[1]:
                found.append(RowApart(one.time, symbols[column], name, *values))
    return found


def _named(row: ClosedRow, symbols: Sequence[str]) -> dict[str, list[float]]:
    return {symbols[bar.column]: [getattr(bar, name) for name in PRICES] for bar in row.bars}
