"""Text: where the table begins, what parts its cells, and which rows do not fit its header."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.reading.table import Table
from intrabar.data.reading.words import plain, price_count
from intrabar.errors import DataError
from intrabar.model.bars import Times

_HEAD = 1 << 16
_LINES = 60
MORE = "\x00more"
_NUMBER = re.compile(r"[-+(]?\s*[$€£¥]?\s*[-+]?\d[\d.,'’ ]*(?:[eE][-+]?\d+)?\s*[KMBkmb%)]?")
_ZONE = re.compile(r"(?i)\btime ?zone\b\W+([\w+/\-]+)|\bzone\b\s*[:=]\s*([\w+/\-]+)")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the table of a text begins and what parts it, told by its first lines.

    Parameters
    ----------
    separator : str
        "" where blanks part the cells.
    names : tuple of str
        Of the columns; those that several columns have are told apart.
    repeated : tuple of str
    skip : int
        Lines above the first row of data.
    headed : bool
    zone : str
        What the lines above say of the stamps; "" where they say nothing.
    notes : tuple of str
    """

    separator: str
    names: tuple[str, ...]
    repeated: tuple[str, ...]
    skip: int
    headed: bool
    zone: str
    notes: tuple[str, ...]


def text_table(content: bytes, columns: Sequence[str] = ()) -> Table:
    """The table in a text.

    Parameters
    ----------
    content : bytes
        UTF-8 with plain line ends.
    columns : sequence of str
        Names for the columns of a text without a header; none: its header's.

    Raises
    ------
    DataError
        No table, an open quote, or most rows have more cells than the header.
    """
    layout = layout_of(content, columns)
    if not layout.separator:
        content = re.sub(rb"(?m)^[ \t]+|[ \t]+$", b"", content)
        content = re.sub(rb"[ \t]+", b"\t", content)
    table = _read(content, layout.separator or "\t", layout.names, layout.skip)
    return Table(
        table.frame,
        table.rows,
        layout.headed,
        table.long,
        layout.zone,
        "",
        layout.notes,
        layout.repeated,
    )


def layout_of(content: bytes, columns: Sequence[str] = ()) -> Layout:
    """Where the table of a text begins and what parts it, as `text_table`."""
    head = content[:_HEAD].decode(errors="ignore").split("\n")
    lines = head[: _LINES if len(content) <= _HEAD else min(_LINES, len(head) - 1)]
    separator = _separator(lines)
    if not separator:
        spaced = [re.split(r"[ \t]+", line.strip()) for line in lines]
        if sum(len(cells) >= 5 for cells in spaced) * 2 <= len([c for c in spaced if c[0]]):
            raise DataError(f"the first line is no header of columns: {lines[0].strip()[:60]!r}")
        lines = ["\t".join(cells) for cells in spaced]
    cells = [_cells(line, separator or "\t") for line in lines]
    header, data = _places(cells)
    if columns:
        header, data = None, next((i for i, row in enumerate(cells) if is_data(row)), 0)
    if header is None:
        width = max(len(row) for row in cells[data:])
        names = [f"column {i + 1}" for i in range(width)]
        if columns and len(columns) > width:
            raise DataError(f"--columns names {len(columns)} columns, the file has {width}")
        names[: len(columns)] = columns
        above = lines[:data]
    else:
        names = _names(cells[header], cells[:header], cells[header + 1 : data])
        above = lines[:header]
    different, repeated = unique(names)
    return Layout(
        separator,
        tuple(different),
        repeated,
        data,
        header is not None or bool(columns),
        next((m[1] or m[2] for line in above if (m := _ZONE.search(line))), ""),
        tuple([_note(above)] if any(line.strip() for line in above) else []),
    )


def is_data(row: Sequence[str]) -> bool:
    """Whether the cells of a row are those of a bar: four numbers at least."""
    numbers = sum(bool(_NUMBER.fullmatch(cell.strip().strip('"'))) for cell in row)
    return numbers >= 4


def unique(names: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Names that differ, and those that several columns had."""
    made: list[str] = []
    twice: list[str] = []
    for name in names:
        one, again = name, 2
        while one in made:
            one, again = f"{name} #{again}", again + 1
        if one != name and name not in twice:
            twice.append(name)
        made.append(one)
    return made, tuple(twice)


def _separator(lines: Sequence[str]) -> str:
    full = [line for line in lines if line.strip()]
    for separator in "\t;|,":
        wide = sum(len(_cells(line, separator)) >= 5 for line in full)
        if wide * 2 >= len(full) and wide:
            return separator
    best = max("\t;|,", key=lambda s: sum(s in line for line in full))
    return best if sum(best in line for line in full) * 2 > len(full) else ""


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _places(cells: Sequence[Sequence[str]]) -> tuple[int | None, int]:
    """Row of the header, None where there is none, and the first row of data."""
    first = next((i for i, row in enumerate(cells) if is_data(row)), None)
    end = len(cells) if first is None else first
    known = next((i for i in range(end) if price_count(list(cells[i])) >= 3), None)
    if known is None and first != 0:
        # Names that nobody knows: the row above the data, if it is all words.
        above = [i for i in range(end) if sum(bool(c.strip()) for c in cells[i]) >= 4]
        if first is not None:
            above = [i for i in above if len(cells[i]) + 1 >= len(cells[first])]
        wordy = [i for i in above if not any(_NUMBER.fullmatch(c.strip()) for c in cells[i])]
        known = wordy[-1 if first is not None else 0] if wordy else None
    if known is None:
        return (None, first) if first is not None else (0, 1)
    data = known + 1
    while data < len(cells) and _is_level(cells[data], len(cells[known])):
        data += 1
    return known, data


def _is_level(row: Sequence[str], width: int) -> bool:
    # yfinance writes a row of tickers and one with the name of the index under the header.
    if len(row) < 2 or len(row) != width:
        return False
    alone = bool(row[0].strip()) and not any(cell.strip() for cell in row[1:])
    return plain(row[0]) in ("ticker", "tickers", "symbol", "symbols") or (
        alone and plain(row[0]) in ("date", "datetime", "time", "timestamp", "index")
    )


def _names(
    header: Sequence[str], above: Sequence[Sequence[str]], below: Sequence[Sequence[str]]
) -> list[str]:
    names = [re.sub(r"[\s\xa0]+", " ", name).strip("\ufeff\u200b ") for name in header]
    for row in (*above[-1:], *below):
        if len(row) != len(names):
            continue
        if plain(row[0]) in ("ticker", "tickers", "symbol", "symbols") and row[-1].strip():
            names = [
                f"{name} {ticker.strip()}" if i else name
                for i, (name, ticker) in enumerate(zip(names, row, strict=True))
            ]
            names[0] = "Date"
        elif row[0].strip() and not any(cell.strip() for cell in row[1:]) and row in below:
            names[0] = row[0].strip()
    return names


def cells_of(
    content: bytes,
    separator: str,
    names: Sequence[str],
    skip: int,
    numbers: Sequence[str] = (),
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """The cells of a text as text, those of some columns as numbers; too many go to `MORE`.

    Parameters
    ----------
    content : bytes
    separator : str
    names : sequence of str
        Of the columns.
    skip : int
        Lines above.
    numbers : sequence of str
        Columns.
    columns : sequence of str, optional
        The ones to read; None: all.

    Raises
    ------
    polars.exceptions.PolarsError
        It is no table, or a cell of `numbers` is none.
    """
    schema = {n: pl.Float64 if n in numbers else pl.String for n in (*names, MORE)}
    places = None if columns is None else [i for i, n in enumerate(schema) if n in columns]
    return pl.read_csv(
        io.BytesIO(content),
        separator=separator,
        has_header=False,
        skip_lines=skip,
        infer_schema=False,
        schema=schema,
        columns=places,
        truncate_ragged_lines=True,
        missing_columns="insert",
        extra_columns="ignore",
    )


def _read(content: bytes, separator: str, names: Sequence[str], skip: int) -> Table:
    try:
        frame = cells_of(content, separator, names, skip)
    except pl.exceptions.NoDataError:
        frame = pl.DataFrame(schema=dict.fromkeys([*names, MORE], pl.String))
    except pl.exceptions.PolarsError as error:
        raise DataError(_open_quote(content) or f"the file is no table: {error}") from error
    rows = np.arange(frame.height, dtype=np.int64) + skip + 1
    lines = content.count(b"\n") + (not content.endswith(b"\n")) - skip
    if frame.height < lines and b'"' in content:
        over = frame.select(pl.any_horizontal(pl.all().str.contains("\n"))).to_series()
        if over.any():
            raise DataError(
                _open_quote(content) or f"a cell of row {skip + 1 + over.arg_true()[0]} has lines"
            )
    full = frame.select(~pl.all_horizontal(pl.all().is_null())).to_series()
    if not full.all():
        frame, rows = frame.filter(full), rows[full.to_numpy()]
    more = frame[MORE].str.strip_chars()
    long = (more.is_not_null() & (more != "")).to_numpy()
    _require_fit(long, rows, names, frame.height)
    return Table(frame.drop(MORE), rows, long=long)


def _require_fit(long: NDArray[np.bool_], rows: Times, names: Sequence[str], height: int) -> None:
    if height and 2 * np.count_nonzero(long) > height:
        raise DataError(
            f"row {rows[np.argmax(long)]} has more fields than the header, which has "
            f"{len(names)} ({', '.join(names)}), and so has most of the file; write a header with "
            "a name for every column, or quote numbers that have commas in them"
        )


def _open_quote(content: bytes) -> str:
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.count(b'"') % 2:
            text = line.decode(errors="replace")[:60]
            return f"line {number} has a quote that is never closed: {text!r}; mend that line"
    return ""


def _note(above: Sequence[str]) -> str:
    first = next(line.strip() for line in above if line.strip())
    count = sum(bool(line.strip()) for line in above)
    return f"{count} lines above the table were left out: {first[:60]!r}"
