"""JSON: records, arrays, columns and the answers of vendors, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from intrabar.data.reading.table import Table, counted
from intrabar.errors import DataError

_DEEP = 6


def json_table(content: bytes, symbol: str = "", columns: Sequence[str] = ()) -> Table:
    """The bars in a JSON text.

    Parameters
    ----------
    content : bytes
    symbol : str
        Which of several instruments is wanted; "": there must be one only.
    columns : sequence of str
        Names for arrays without names.

    Raises
    ------
    DataError
        It is damaged, holds no bars, or those of several instruments.
    """
    try:
        given = json.loads(content)
    except ValueError as error:
        given = _lines(content, error)
    groups = list(_groups(given, "", 0))
    if not groups:
        raise DataError("the JSON holds no bars: no list of records, arrays or columns")
    most = max(len(rows) for _, rows in groups)
    groups = [(name, rows) for name, rows in groups if 2 * len(rows) >= most]
    if len(groups) > 1:
        named = [group for group in groups if symbol and group[0].upper() == symbol.upper()]
        if len(named) != 1:
            listed = ", ".join(name for name, _ in groups[:12])
            raise DataError(
                f"the JSON holds bars of several instruments: {listed}; name one: --symbol "
                f"{groups[0][0]}, or cut the file"
            )
        groups = named
    rows = groups[0][1]
    meta = dict(_meta(given, 0))
    frame, headed = _frame(rows, columns)
    zone = next((v for k, v in meta.items() if k.endswith(("time zone", "timezone"))), "")
    ticker = str(meta.get("symbol", meta.get("ticker", "")))
    return counted(frame, headed=headed, zone=zone, symbol=ticker)


def _lines(content: bytes, error: ValueError) -> Any:
    rows = [line for line in content.split(b"\n") if line.strip()]
    try:
        return [json.loads(line) for line in rows]
    except ValueError:
        raise DataError(f"the JSON is damaged or cut short: {error}") from error


def _groups(value: Any, name: str, depth: int) -> Iterator[tuple[str, list[Any]]]:
    """Every list of rows in a value, with the key that it stands under."""
    if depth > _DEEP:
        return
    if isinstance(value, list):
        records = bool(value) and all(isinstance(v, Mapping) and not _nested(v) for v in value)
        arrays = bool(value) and all(isinstance(v, list) and len(v) >= 5 for v in value)
        if records or arrays:
            yield name, value
            return
        for one in value:
            yield from _groups(one, name, depth + 1)
    elif isinstance(value, Mapping):
        if (made := _by_date(value) or _of_columns(value)) is not None:
            yield name, made
            return
        for key, one in value.items():
            yield from _groups(one, str(key), depth + 1)


def _nested(row: Mapping[str, Any]) -> bool:
    return any(isinstance(v, list | Mapping) for v in row.values())


def _by_date(value: Mapping[str, Any]) -> list[Any] | None:
    # {"2024-03-12": {"open": ...}}: the key is the stamp
    rows = list(value.items())
    if not rows or not all(isinstance(v, Mapping) and len(v) >= 4 for _, v in rows):
        return None
    if not all(str(key)[:4].isdigit() for key, _ in rows) or any(_nested(v) for _, v in rows):
        return None
    if all(one >= other for (one, _), (other, _) in pairwise(rows)):
        rows.reverse()  # the order of keys means nothing
    return [{"time": key, **row} for key, row in rows]


def _of_columns(value: Mapping[str, Any]) -> list[Any] | None:
    if {"columns", "data"} <= set(value) and isinstance(value["columns"], list):
        index = value.get("index", [None] * len(value["data"]))
        rows = zip(index, value["data"], strict=False)
        names = [str(c) for c in value["columns"]]
        return [{"index": at, **dict(zip(names, row, strict=False))} for at, row in rows]
    lists = {k: v for k, v in value.items() if isinstance(v, list) and v and not _holds_rows(v)}
    if len(lists) >= 4 and len({len(v) for v in lists.values()}) == 1:
        return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
    maps = {k: v for k, v in value.items() if isinstance(v, Mapping) and v and not _nested(v)}
    if len(maps) >= 4 and len(maps) == len(value) and len({tuple(v) for v in maps.values()}) == 1:
        keys = list(next(iter(maps.values())))
        own = {"time", "date", "datetime", "timestamp"} & {str(k).lower() for k in maps}
        return [
            {**({} if own else {"time": key}), **{k: v[key] for k, v in maps.items()}}
            for key in keys
        ]
    quotes = value.get("indicators", {}) if isinstance(value.get("timestamp"), list) else {}
    if isinstance(quotes, Mapping) and quotes.get("quote"):  # Yahoo's chart
        return _of_columns({"timestamp": value["timestamp"], **quotes["quote"][0]})
    return None


def _holds_rows(values: list[Any]) -> bool:
    return isinstance(values[0], list | Mapping)


def _meta(value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and depth < 3:
        for key, one in value.items():
            if isinstance(one, str):
                yield str(key).lower().lstrip("0123456789. ").replace("_", " "), one
            else:
                yield from _meta(one, depth + 1)


def _frame(rows: list[Any], columns: Sequence[str]) -> tuple[pl.DataFrame, bool]:
    try:
        if isinstance(rows[0], Mapping):
            names = list(dict.fromkeys(str(k) for row in rows for k in row))
            cells = {n: pl.Series(n, [row.get(n) for row in rows], strict=False) for n in names}
            return pl.DataFrame(cells), True
        width = max(len(row) for row in rows)
        names = [f"column {i + 1}" for i in range(width)]
        names[: len(columns)] = columns[:width]
        padded = [[*row, *[None] * (width - len(row))] for row in rows]
        cells = {
            n: pl.Series(n, list(values), strict=False)
            for n, values in zip(names, zip(*padded, strict=True), strict=True)
        }
        return pl.DataFrame(cells), bool(columns)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        raise DataError(f"the rows of the JSON are no table: {error}") from error
