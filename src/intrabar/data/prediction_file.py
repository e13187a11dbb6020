"""A file of predictions: returns that a model expects, one row per instrument, bar and horizon.

What is wrong inside the file is refused here, with the first rows; on which bars its rows were
made is told in `predictions`, by the prices.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.data.reading.sources import table_in
from intrabar.data.stamps import Stamps, parse_stamps
from intrabar.errors import DataError, FileError
from intrabar.model.bars import Floats, Times

TIME = ("time", "date", "datetime", "timestamp")
QUANTILE = re.compile(r"q(\d{2,4})")
NUMBERS = ("predicted_price", "predicted_return", "confidence", "horizon", "ridge", "drift")
OTHERS = ("symbol", "model", "trained_until", "made_at")
BLANK = ("", "nan", "null", "none", "na", "n/a")
SHOWN = 3  # rows of a message


@dataclass(frozen=True, eq=False)
class PredictionFile:
    """The rows of a file of predictions, in its order.

    Parameters
    ----------
    name, sha256 : str
        Of the file, and of its bytes.
    rows : (n,) int64
        Number of each row in the file: the first one below the header of a CSV is 2.
    time : Stamps
        `Time`, as it is written.
    symbol : (n,) str, or None
        None: the file names none.
    horizon : (n,) int64, bars
    predicted_return : (n,) float64
        NaN where the model said nothing.
    predicted_price : (n,) float64, price, or None
    quantiles : mapping of name to (n,) float64, return
        By rising probability: "q05".
    confidence : (n,) float64, probability, or None
    model : tuple of str
        The models that it names.
    trained_until, made_at : Stamps or None
    is_single : bool
        Its numbers have 24 bits.
    remarks : tuple of str
    ridge, drift : (n,) float64, return, or None
        What the ridge regression beside the model expects, and the mean return of its train.
    is_witnessed : bool
        Its `trained_until` is that of models that were trained here.
    hyperparameters : str
        SHA-256 of those of its models; "" where its manifest does not tell.
    """

    name: str
    sha256: str
    rows: Times
    time: Stamps
    symbol: NDArray[np.str_] | None
    horizon: Times
    predicted_return: Floats
    predicted_price: Floats | None
    quantiles: Mapping[str, Floats]
    confidence: Floats | None
    model: tuple[str, ...]
    trained_until: Stamps | None
    made_at: Stamps | None
    is_single: bool
    remarks: tuple[str, ...]
    ridge: Floats | None = None
    drift: Floats | None = None
    is_witnessed: bool = False
    hyperparameters: str = ""

    @property
    def horizons(self) -> list[int]:
        """Those of its rows, rising."""
        return sorted({int(x) for x in np.unique(self.horizon)})

    @property
    def symbols(self) -> list[str]:
        """Those that it names."""
        return [] if self.symbol is None else sorted({str(x) for x in np.unique(self.symbol)})

    def chosen(self, symbol: str, horizon: int) -> Times:
        """The rows of an instrument and a horizon."""
        own = self.horizon == horizon
        return np.flatnonzero(own if self.symbol is None else own & (self.symbol == symbol))

    def text(self, row: int) -> str:
        """A row, as messages name it."""
        symbol = "" if self.symbol is None else f" {self.symbol[row]}"
        return f"row {self.rows[row]} ({stamp_text(self.time, row)}{symbol})"

    def first(self, rows: Times) -> str:
        """The first of some rows."""
        more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
        return ", ".join(self.text(int(row)) for row in rows[:SHOWN]) + more


def probability(name: str) -> float:
    """0.05 of "q05", 0.025 of "q025"."""
    return int(name[1:]) / 10.0 ** (len(name) - 1)


def stamp_text(stamps: Stamps, row: int) -> str:
    """A stamp, as it is written."""
    text = str(np.datetime64(int(stamps.wall[row]), "ns"))[:19].replace("T", " ")
    return text.removesuffix(" 00:00:00") if stamps.dates_only else text


def read_predictions(path: Path | str) -> PredictionFile:
    """Read a file of predictions, CSV or Parquet.

    Raises
    ------
    FileError
        It is missing, damaged or changed, a column is missing, or a row cannot be used.
    """
    path = Path(path)
    try:
        status = path.stat()
    except OSError as error:
        raise FileError(f"{path}: predictions cannot be read: {error.strerror}") from None
    if not path.is_file():
        raise FileError(f"{path}: predictions cannot be read: it is no file")
    manifest = path.with_suffix(".json")
    known = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    return _read(path.resolve(), status.st_mtime_ns, status.st_size, known)


@lru_cache(maxsize=16)  # many runs read the same file
def _read(path: Path, *_: int) -> PredictionFile:
    try:
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        manifest = _manifest(path, sha256)
        read = predictions_in(content, path.name)
        return replace(
            read,
            is_witnessed=manifest.get("trained_until_is") == "witnessed",
            hyperparameters=str(manifest.get("hyperparameters_sha256", "")),
        )
    except FileError:
        raise
    except DataError as error:
        raise FileError(f"{path.name}: {str(error).removeprefix(f'{path.name}: ')}") from error
    except OSError as error:
        raise FileError(f"{path}: predictions cannot be read: {error.strerror}") from None


def _manifest(path: Path, sha256: str) -> dict[str, Any]:
    """What is told beside a file, {} where nothing is; one that is not that file is refused."""
    manifest = path.with_suffix(".json")
    if manifest == path or not manifest.is_file():
        return {}
    try:
        told = json.loads(manifest.read_text(encoding="utf-8"))
        known = told["files"][path.name]
    except (OSError, ValueError, KeyError, TypeError):
        raise FileError(
            f"{path.name}: {manifest.name} beside it does not tell its hash; write both again, or "
            "take that file away"
        ) from None
    if known != sha256:
        raise FileError(
            f"{path.name} has changed since {manifest.name} was written: its hash is "
            f"{sha256[:12]}, that of the manifest {str(known)[:12]}; make the predictions again"
        )
    return dict(told)


def predictions_in(content: bytes, name: str) -> PredictionFile:
    """The predictions in the bytes of a file; raises DataError as `read_predictions`."""
    table = table_in(content)
    frame = table.frame
    columns: dict[str, str] = {}
    for column in frame.columns:
        key = column.strip().lower()
        key = "time" if key in TIME and "time" not in columns else key
        if key in columns:
            raise DataError(f"the columns {columns[key]!r} and {column!r} are both {key}")
        columns[key] = column
    for key in ("time", "predicted_return"):
        if key not in columns:
            raise DataError(
                f"there is no column {'Time' if key == 'time' else key}; a file of predictions has "
                "Time, predicted_return and mostly predicted_price, and may have symbol, horizon, "
                f"q05 ... q95, confidence, model, trained_until, made_at; it has "
                f"{', '.join(frame.columns)}"
            )
    if not frame.height:
        raise DataError("there are no rows")
    quantiles = sorted((k for k in columns if QUANTILE.fullmatch(k)), key=probability)
    numbers = {
        key: _numbers(frame[columns[key]], table.rows)
        for key in (*NUMBERS, *quantiles)
        if key in columns
    }
    known = {"time", *NUMBERS, *OTHERS, *quantiles}
    unread = [column for key, column in columns.items() if key not in known]
    stamps = {
        key: _stamps(frame[columns[key]], table.rows, key != "time")
        for key in ("time", "trained_until", "made_at")
        if key in columns
    }
    texts = {
        key: frame[columns[key]].cast(pl.String) for key in ("symbol", "model") if key in columns
    }
    single = frame[columns["predicted_return"]].dtype == pl.Float32
    horizon = numbers.get("horizon")
    made = PredictionFile(
        name,
        hashlib.sha256(content).hexdigest(),
        table.rows,
        stamps["time"],
        _symbols(texts.get("symbol"), table.rows),
        np.ones(frame.height, np.int64) if horizon is None else _whole(horizon, table.rows),
        numbers["predicted_return"],
        numbers.get("predicted_price"),
        {key: numbers[key] for key in quantiles},
        numbers.get("confidence"),
        tuple(texts["model"].drop_nulls().unique(maintain_order=True)) if "model" in texts else (),
        stamps.get("trained_until"),
        stamps.get("made_at"),
        single,
        (*table.notes, *((f"columns that are not read: {', '.join(unread)}",) if unread else ())),
        numbers.get("ridge"),
        numbers.get("drift"),
    )
    _require_sound(made)
    return made


def _require_sound(file: PredictionFile) -> None:
    """Refuse rows that no model could have meant, a time twice, and rows out of order."""
    limits: list[tuple[str, Floats | None, Callable[[Floats], NDArray[np.bool_]], str]] = [
        ("predicted_return", file.predicted_return, lambda x: x > -1.0, "above -1"),
        ("predicted_price", file.predicted_price, lambda x: x > 0.0, "above 0"),
        ("confidence", file.confidence, lambda x: (x >= 0.0) & (x <= 1.0), "from 0 to 1"),
        ("ridge", file.ridge, lambda x: x > -1.0, "above -1"),
        ("drift", file.drift, lambda x: x > -1.0, "above -1"),
        *((q, x, lambda x: x > -1.0, "above -1") for q, x in file.quantiles.items()),
    ]
    for name, values, holds, must in limits:
        if values is None:
            continue
        bad = np.flatnonzero(~np.isnan(values) & ~(holds(values) & np.isfinite(values)))
        if bad.size:
            raise DataError(
                f"{name} is {values[bad[0]]:g} in {file.first(bad)}; must be {must}, or empty "
                "where the model said nothing"
            )
    if np.isnan(file.predicted_return).all():
        raise DataError("no row has a predicted_return")
    for symbol in file.symbols or [""]:
        for horizon in file.horizons:
            rows = file.chosen(symbol, horizon)
            late = np.flatnonzero(np.diff(instants(file.time)[rows]) <= 0) + 1
            if late.size:
                same = instants(file.time)[rows[late[0]]] == instants(file.time)[rows[late[0] - 1]]
                what = "a time is there twice" if same else "the rows are out of order"
                raise DataError(
                    f"{what}: {file.first(rows[late])} after {file.text(int(rows[late[0] - 1]))}; "
                    "every instrument and horizon has its rows by rising Time, each once"
                )


def instants(stamps: Stamps) -> Times:
    """Stamps as numbers that rise with time; those without a zone as if they were of UTC."""
    return np.where(stamps.aware, stamps.utc, stamps.wall)


def _numbers(column: pl.Series, rows: Times) -> Floats:
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        column = text.set(text.str.to_lowercase().is_in(BLANK), None)
    try:
        values = column.cast(pl.Float64, strict=False)
    except pl.exceptions.PolarsError:
        raise DataError(f"the column {column.name!r} holds no numbers") from None
    odd = (values.is_null() & column.is_not_null()).to_numpy()
    if odd.any():
        at = int(np.argmax(odd))
        raise DataError(f"{column.name} of row {rows[at]} is {column[at]!r}, must be a number")
    return np.array(values.fill_null(float("nan")).to_numpy(), np.float64)


def _whole(values: Floats, rows: Times) -> Times:
    odd = ~((values >= 1.0) & (values < 1e6) & (values % 1.0 == 0.0))
    if odd.any():
        at = int(np.argmax(odd))
        raise DataError(
            f"horizon of row {rows[at]} is {values[at]:g}, must be a whole number of bars from 1 on"
        )
    return values.astype(np.int64)


def _symbols(column: pl.Series | None, rows: Times) -> NDArray[np.str_] | None:
    if column is None:
        return None
    if column.null_count():
        at = int(np.argmax(column.is_null().to_numpy()))
        raise DataError(f"symbol of row {rows[at]} is empty")
    return np.array(column.str.strip_chars().to_list(), np.str_)


def _stamps(column: pl.Series, rows: Times, may_be_empty: bool) -> Stamps:
    stamps = parse_stamps(column)
    given: Any = column.is_not_null()
    if column.dtype == pl.String:
        given = given & ~column.str.strip_chars().str.to_lowercase().is_in(BLANK).fill_null(True)
    odd = ~stamps.readable & (given.to_numpy() | (not may_be_empty))
    if odd.any():
        at = int(np.argmax(odd))
        raise DataError(
            f"{column.name} of row {rows[at]} is {column[at]!r}, must be a date or time"
        )
    return stamps
