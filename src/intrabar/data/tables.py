"""Small tables of dates and numbers: actions, margins; a mistake is named with its line."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from intrabar.errors import DataError, FileError


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file as text: header, cells, the file's name and hash, the line of the first row."""

    header: list[str]
    cells: list[list[str]]
    source: str
    sha256: str
    first_line: int = 2

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Line number and cells by lower-case name of the column; empty lines are left out."""
        names = [name.strip().lower() for name in self.header]
        for line, cells in enumerate(self.cells, self.first_line):
            if any(cell.strip() for cell in cells):
                yield line, {n: c.strip() for n, c in zip(names, cells, strict=False)}


def read_table(path: Path | str) -> Table:
    """Read a CSV file, plain or gzipped.

    Raises
    ------
    DataError
        It is missing, empty or no text.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode(
            "utf-8-sig"
        )
    except FileNotFoundError:
        raise FileError(f"{path}: there is no such file") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None
    lines = list(csv.reader(io.StringIO(text)))
    if not lines:
        raise DataError(f"{path}: the file is empty")
    return Table(lines[0], lines[1:], path.name, hashlib.sha256(content).hexdigest())


def day_of(table: Table, line: int, row: dict[str, str], column: str) -> int:
    """A date of a row, as 2020-01-31 or 20200131, in days since 1970."""
    text = row.get(column, "")
    bare = text[:10] if "-" in text else f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    try:
        return int(np.datetime64(bare, "D").astype(np.int64))
    except ValueError:
        raise DataError(
            f"{table.source}:{line}: {column} is {text!r}, must be a date such as 2020-01-31"
        ) from None


def number_of(
    table: Table,
    line: int,
    row: dict[str, str],
    column: str,
    *,
    least: float,
    default: float | None = None,
) -> float:
    """A number of a row; an empty cell is the default, where there is one."""
    text = row.get(column, "")
    if not text and default is not None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= least):
        raise DataError(
            f"{table.source}:{line}: {column} is {text!r}, must be a number of {least:g} or more"
        )
    return value
