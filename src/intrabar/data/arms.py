"""A file of arms: which ATR multiple an exit takes at a close, whatever model said so."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.reading.sources import table_in
from intrabar.data.stamps import parse_stamps
from intrabar.errors import DataError, FileError
from intrabar.model.bars import Floats, Times
from intrabar.model.instant import instant_text

COLUMNS = ("time", "symbol", "side", "arm")
UNTIL = "trained_until"
SIDES = {"1": 1, "-1": -1, "long": 1, "short": -1}
UNKNOWN = np.iinfo(np.int64).min
MOST = 64


@dataclass(frozen=True, eq=False)
class ArmsFile:
    """The rows of a file of arms.

    Parameters
    ----------
    name, sha256 : str
        Of the file, and of its bytes.
    rows : (n,) int64
        Number of each row in the file.
    time : (n,) int64, ns UTC
        Closes at which each is known.
    symbol : (n,) str
    side : (n,) int8
    arm : (n,) float64, ATR multiple
    trained_until : (n,) int64, ns UTC
        `UNKNOWN` where the file does not say it.
    """

    name: str
    sha256: str
    rows: Times
    time: Times
    symbol: NDArray[np.str_]
    side: NDArray[np.int8]
    arm: Floats
    trained_until: Times

    @property
    def arms(self) -> tuple[float, ...]:
        """The different ones, rising."""
        return tuple(np.unique(self.arm).tolist())

    def text(self, k: int) -> str:
        """A row, as messages name it."""
        return f"row {self.rows[k]} ({instant_text(int(self.time[k]))}, {self.symbol[k]})"


def read_arms(path: Path | str) -> ArmsFile:
    """Read a file of arms, CSV or Parquet.

    Raises
    ------
    FileError
        It is missing or damaged, a column is missing, or a row cannot be used.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise FileError(f"{path}: arms cannot be read: {error.strerror}") from None
    if not path.is_file():
        raise FileError(f"{path}: arms cannot be read: it is no file")
    return _read(path.resolve(), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=16)  # many runs read the same file
def _read(path: Path, *_: int) -> ArmsFile:
    try:
        return arms_in(path.read_bytes(), path.name)
    except DataError as error:
        raise FileError(f"{path.name}: {error}") from error
    except OSError as error:
        raise FileError(f"{path}: arms cannot be read: {error.strerror}") from None


def arms_in(content: bytes, name: str) -> ArmsFile:
    """The arms in the bytes of a file; raises DataError as `read_arms`."""
    table = table_in(content)
    columns = {column.strip().lower(): column for column in table.frame.columns}
    missing = [x for x in COLUMNS if x not in columns]
    if missing:
        raise DataError(
            f"there is no column {missing[0]}; a file of arms has time, symbol, side, arm and "
            f"trained_until; it has {', '.join(table.frame.columns)}"
        )
    frame = table.frame.rename({columns[x]: x for x in (*COLUMNS, UNTIL) if x in columns})
    if not frame.height:
        raise DataError("there are no rows")
    rows = table.rows
    arm = frame["arm"].cast(pl.Float64, strict=False).fill_null(float("nan")).to_numpy()
    _refuse(~(np.isfinite(arm) & (arm > 0.0)), frame["arm"], rows, "an ATR multiple above 0")
    if len(np.unique(arm)) > MOST:
        raise DataError(f"there are {len(np.unique(arm))} different arms; at most {MOST}")
    words = frame["side"].cast(pl.String).str.strip_chars().str.to_lowercase()
    words = words.str.strip_suffix(".0")
    side = words.replace_strict(SIDES, default=0, return_dtype=pl.Int8).to_numpy()
    _refuse(side == 0, frame["side"], rows, "1 or -1, or long or short")
    symbol = frame["symbol"].cast(pl.String)
    _refuse(symbol.is_null().to_numpy(), frame["symbol"], rows, "a symbol")
    known = _times(frame[UNTIL], rows, True) if UNTIL in frame.columns else None
    made = ArmsFile(
        name,
        hashlib.sha256(content).hexdigest(),
        rows,
        _times(frame["time"], rows, False),
        np.array(symbol.str.strip_chars().to_list(), np.str_),
        np.array(side, np.int8),
        np.array(arm, np.float64),
        np.full(frame.height, UNKNOWN) if known is None else known,
    )
    order = np.lexsort((made.side, made.time, made.symbol))
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in (made.symbol, made.time, made.side):
        same &= column[order][1:] == column[order][:-1]
    if same.any():
        raise DataError(
            f"a symbol, time and side is there twice: {made.text(int(order[1:][same][0]))}"
        )
    return made


def _times(column: pl.Series, rows: Times, may_be_empty: bool) -> Times:
    stamps = parse_stamps(column)
    empty = column.is_null().to_numpy()
    if column.dtype == pl.String:
        empty |= (column.str.strip_chars() == "").fill_null(True).to_numpy()
    good = (stamps.readable & stamps.aware) | (empty & may_be_empty)
    _refuse(~good, column, rows, "a time with its zone, such as 2024-01-02T21:00:00Z")
    return np.where(empty, UNKNOWN, stamps.utc)


def _refuse(bad: NDArray[np.bool_], column: pl.Series, rows: Times, must: str) -> None:
    if bad.any():
        at = int(np.argmax(bad))
        raise DataError(f"{column.name} of row {rows[at]} is {column[at]!r}, must be {must}")
