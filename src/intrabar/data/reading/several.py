"""Files that hold several instruments: one of them is read, and it is the one that was asked for.

Long files have a column that says what a row is of; wide files have columns for each ticker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.reading.table import Table
from intrabar.data.reading.words import LOOSE, PRICES, TICKERS, plain
from intrabar.errors import DataError
from intrabar.model.bars import Times

_FIELDS = (
    "adj close", "adj open", "adj high", "adj low", "open", "high", "low", "close", "volume",
    "dividends", "stock splits", "capital gains", "repaired?", "vwap", "trade count",
)  # fmt: skip
_WORD = "|".join(sorted(map(re.escape, _FIELDS), key=len, reverse=True))
_SHOWN = 12
_CALENDAR_WORDS = ("month", "quarter", "year", "week", "day", "season", "date", "time", "hour")


def one_ticker(table: Table, symbol: str, only: Mapping[str, str]) -> Table:
    """A wide table cut to the columns of one ticker; any other table as it is.

    Parameters
    ----------
    table : Table
    symbol : str
        What the bars will be called; "" where that says nothing.
    only : mapping
        Column to value: what the user picks; here "ticker" to a ticker.

    Raises
    ------
    DataError
        Several tickers, and none of them is the symbol; the message lists them.
    """
    wide = _tickers(table.frame.columns)
    if not wide:
        return table
    wish = next((v for k, v in only.items() if plain(k) in ("ticker", "symbol", "*")), "")
    names = list(wide)
    chosen = [t for t in names if t == wish] or [t for t in names if not wish and _same(t, symbol)]
    if len(chosen) != 1 and len(names) == 1 and not wish:
        if symbol and not _related(names[0], symbol):
            raise DataError(
                f"the columns are those of {names[0]}, not of {symbol}; --only ticker={names[0]} "
                "if that is meant"
            )
        chosen = names
    if len(chosen) != 1:
        raise DataError(
            f"the columns are those of several tickers: {_listed(names)}; pick one: --only "
            f"ticker={names[-1] if not wish else names[0]}"
        )
    mine = wide[chosen[0]]
    theirs = {c for columns in wide.values() for c in columns.values()}
    kept = [c for c in table.frame.columns if c not in theirs]
    frame = table.frame.select(
        *kept, *(pl.col(column).alias(field) for field, column in mine.items())
    )
    notes = table.notes
    if len(names) > 1:
        notes += (f"of the tickers {_listed(names)} the columns of {chosen[0]} were read",)
    frame, rows, late = _without_ends(frame, table, list(mine))
    return replace(table, frame=frame, rows=rows[0], long=rows[1], notes=notes + late, repeated=())


def one_instrument(
    table: Table, taken: Sequence[str], symbol: str, only: Mapping[str, str]
) -> Table:
    """A long table cut to the rows of one instrument.

    Parameters
    ----------
    table : Table
    taken : sequence of str
        Columns that are read as fields of a bar.
    symbol, only
        As `one_ticker`; the value "*" takes all rows for one instrument.

    Raises
    ------
    DataError
        A column names several instruments, or another one than the symbol.
    """
    said = table.symbol and not any(plain(column) in ("ticker", "symbol") for column in only)
    if said and symbol and not _related(table.symbol, symbol):
        raise DataError(
            f"the file says that it is of {table.symbol}, not of {symbol}; --only "
            f"ticker={table.symbol} if that is meant"
        )
    settled = set()
    for column, value in only.items():
        near = [c for c in table.frame.columns if c == column or plain(c) == plain(column)]
        if not near:
            if plain(column) in ("ticker", "symbol"):
                continue  # of a wide table, which is cut already
            listed = ", ".join(repr(c) for c in table.frame.columns)
            raise DataError(f"--only: no column {column!r}; the columns are {listed}")
        settled.add(near[0])
        table = _rows_of(table, near[0], value) if value != "*" else table
    for column in table.frame.columns:
        if column in taken or column in settled or column.startswith("column "):
            continue
        table = _one_value(table, column, symbol)
    return table


def _one_value(table: Table, column: str, symbol: str) -> Table:
    name = plain(column)
    cells = table.frame[column]
    if cells.dtype not in (pl.String, pl.Categorical, pl.Enum) and name not in TICKERS:
        return table
    text = cells.cast(pl.String).str.strip_chars()
    values = [v for v in text.unique(maintain_order=True) if v and plain(v) != name]
    if name in TICKERS:
        if name in LOOSE and len(values) == len(text):
            return table  # a number for each row
        if len(values) > 1:
            if (mine := [v for v in values if _same(v, symbol)]) and len(mine) == 1:
                told = (
                    f"of the column {column!r}, {_listed(values)}, the rows of {mine[0]} were read"
                )
                return replace(_rows_of(table, column, mine[0]), notes=(*table.notes, told))
            raise DataError(_ask(column, values, "holds several instruments"))
        if values and symbol and name not in LOOSE and not _related(values[0], symbol):
            raise DataError(
                f"the column {column!r} says {values[0]} in every row, not {symbol}; --only "
                f"{_option(column, values[0])} if that is meant"
            )
        return table
    if not 1 < len(values) <= 100 or any(word in name for word in _CALENDAR_WORDS):
        return table
    if not all(re.search(r"[^\W\d]", v) and len(v) < 40 for v in values):
        return table
    blocks = int((text != text.shift(1)).fill_null(True).sum())
    if blocks == len(values) and text.null_count() == 0 and len(text) >= 2 * blocks:
        raise DataError(
            _ask(column, values, "changes once and for all, as if it named several instruments")
            + f', or --only "{column}=*" if all rows are of one'
        )
    return table


def has_one_meaning(column: str, text: pl.Series, values: Sequence[str]) -> bool:
    """Whether the first cells of a column show that it names no instruments, whatever follows."""
    if any(word in plain(column) for word in _CALENDAR_WORDS):
        return True
    if any(not re.search(r"[^\W\d]", v) or len(v) >= 40 for v in values):
        return True
    blocks = int((text != text.shift(1)).fill_null(True).sum())
    return blocks > len(values) and text.null_count() == 0


def _ask(column: str, values: Sequence[str], what: str) -> str:
    return (
        f"the column {column!r} {what}: {_listed(values)}; pick one: --only "
        f"{_option(column, values[0])}"
    )


def _option(column: str, value: str) -> str:
    text = f"{column}={value}"
    return f'"{text}"' if re.search(r"[^\w=.\-/:^]", text) else text


def _rows_of(table: Table, column: str, value: str) -> Table:
    mine = (table.frame[column].cast(pl.String).str.strip_chars() == value).fill_null(False)
    if not mine.any():
        values = table.frame[column].cast(pl.String).str.strip_chars().unique().drop_nulls()
        raise DataError(
            f"--only: the column {column!r} has no {value!r}; it has {_listed(values.to_list())}"
        )
    keep = mine.to_numpy()
    long = None if table.long is None else table.long[keep]
    return replace(table, frame=table.frame.filter(mine), rows=table.rows[keep], long=long)


def _without_ends(
    frame: pl.DataFrame, table: Table, fields: Sequence[str]
) -> tuple[pl.DataFrame, tuple[Times, NDArray[np.bool_] | None], tuple[str, ...]]:
    """Without the blank rows before a late listing and after a delisting, and a word about it."""
    prices = [f for f in fields if f in PRICES]
    there = [
        pl.col(p).cast(pl.String).str.strip_chars().is_in(["", "NaN", "nan", "null"])
        for p in prices
    ]
    blank = frame.select(
        pl.all_horizontal([pl.col(p).is_null() | b for p, b in zip(prices, there, strict=True)])
    ).to_series()
    full = (~blank.fill_null(True)).arg_true()
    if not len(full):
        raise DataError("the ticker has no bar: all its prices are blank")
    first, last = int(full[0]), int(full[-1]) + 1
    notes: tuple[str, ...] = ()
    if first or last < frame.height:
        notes = (
            f"{first} blank rows before the first bar and {frame.height - last} after the last "
            "were left out",
        )
    long = None if table.long is None else table.long[first:last]
    return frame[first:last], (table.rows[first:last], long), notes


def _tickers(columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Columns of each ticker by field, where a ticker has all four prices; {} if none has."""
    names = {plain(c) for c in columns}
    if all(p in names for p in PRICES) or any("bid" in n or "ask" in n.split() for n in names):
        return {}
    found: dict[str, dict[str, str]] = {}
    for column in columns:
        parts = _parts(column)
        if parts is not None:
            found.setdefault(parts[0], {}).setdefault(parts[1], column)
    return {t: f for t, f in found.items() if all(p in f for p in PRICES)}


def _parts(column: str) -> tuple[str, str] | None:
    """Ticker and field of "('Close', 'AAA')", "Close AAA", "AAA_Close", "AAA.Close"."""
    pair = re.fullmatch(r"\(\s*['\"](.*?)['\"]\s*,\s*['\"](.*?)['\"]\s*\)", column)
    if pair:
        first, second = pair[1].strip(), pair[2].strip()
        if plain(first) in _FIELDS:
            return second, plain(first)
        return (first, plain(second)) if plain(second) in _FIELDS else None
    if found := re.fullmatch(rf"(?i)({_WORD})[ _.\-:/|]+(\S.*)", column):
        return found[2].strip(), plain(found[1])
    if found := re.fullmatch(rf"(?i)(.*\S)[ _.\-:/|]+({_WORD})", column):
        return found[1].strip(" _.-:/|"), plain(found[2])
    return None


def _same(value: str, symbol: str) -> bool:
    return bool(symbol) and _letters(value) == _letters(symbol)


def _related(value: str, symbol: str) -> bool:
    one, other = _letters(value), _letters(symbol)
    return not one or not other or one in other or other in one


def _letters(text: str) -> str:
    return re.sub(r"\W|_", "", text.upper()).replace("XBT", "BTC")


def _listed(values: Sequence[str]) -> str:
    more = f", ... ({len(values)} in all)" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more
