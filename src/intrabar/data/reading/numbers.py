"""Numbers as people and programs write them: thousands, decimal commas, $, K and M.

What the comma is, is told by all columns of a file together: "50,00" has decimals, "1,053.50"
thousands. Where nothing tells, the reader asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from intrabar.errors import DataError
from intrabar.model.bars import Floats

_THOUSANDS = r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?$"
_DECIMAL = r"^[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+),\d*$"
_DOTTED = r"^[-+]?\d{1,3}(?:\.\d{3}){2,}(?:,\d*)?$"
_COMMA_NUMBER = r"^[-+]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?(?:E[-+]?\d+)?$"
_POINTS = r"^\s*\d{1,3}(?:\.\d{3})+\s*$"
_UNIT = r"[KMBkmb万亿%]$"
_THIRTY_SECONDS = r"^\d+[-'^]\d{2,3}\+?$"
_BLANK = ("", "-", "--", "n/a", "na", "nan", "null", "none", "nil", "#n/a", ".")
_SCALES = {"K": 1e3, "M": 1e6, "B": 1e9, "万": 1e4, "亿": 1e8}


def numbers_of(
    frame: pl.DataFrame, prices: Sequence[str], volumes: Sequence[str], decimal: str | None
) -> Mapping[str, Floats]:
    """Columns as numbers; NaN where a cell is blank or no number.

    Parameters
    ----------
    frame : DataFrame
    prices, volumes : sequence of str
        Columns.
    decimal : {".", ","}, optional
        What parts the decimals; None: told by the cells.

    Raises
    ------
    DataError
        The cells do not tell what a comma means, or most of a column of prices is no number.
    """
    wanted = list(dict.fromkeys([*prices, *volumes]))
    made: dict[str, Floats] = {}
    odd: dict[str, pl.Series] = {}
    for name in wanted:
        column = frame[name]
        values = column.cast(pl.Float64, strict=False) if column.dtype != pl.Object else None
        if values is None or column.dtype == pl.Boolean:
            raise DataError(f"the column {name!r} holds no numbers")
        if column.dtype == pl.String:
            text = column.filter(values.is_null()).drop_nulls()
            if len(text):
                odd[name] = _cleaned(text)
        made[name] = np.asarray(values.fill_null(float("nan")).to_numpy(), np.float64)
    if not odd and decimal is None:
        _refuse_points(frame, prices, volumes)
    if not odd and decimal != ",":
        return made
    comma = decimal == "," or (decimal is None and _is_decimal(frame, odd, wanted, volumes))
    for name in wanted if comma else odd:
        if frame[name].dtype != pl.String:
            continue
        values = _parsed(frame[name], comma)
        _require_numbers(frame[name], values, name, name in prices)
        made[name] = np.asarray(values.fill_null(float("nan")).to_numpy(), np.float64)
    return made


def one_by_one(column: pl.Series, is_price: bool) -> pl.Series | None:
    """A column as numbers; None where what a comma means is told by other cells only."""
    values = column.cast(pl.Float64, strict=False)
    odd = values.is_null() & column.is_not_null()
    if column.dtype != pl.String or not odd.any():
        return values
    cells = _cleaned(column.filter(odd)).str.replace(_UNIT, "")
    decimals, thousands = cells.str.contains(_DECIMAL), cells.str.contains(_THOUSANDS)
    if (decimals & (~thousands | is_price)).any() or cells.str.contains(_DOTTED).any():
        return None
    return _parsed(column, False).zip_with(odd, values)


def _cleaned(text: pl.Series) -> pl.Series:
    """Without blanks, currency signs, quotes and the apostrophes of Swiss thousands."""
    bare = text.str.replace_all(r"[\s\x{a0}\x{202f}\x{2009}\"$€£¥₹]|(?:USD|EUR)$", "")
    return bare.str.replace_all(r"(\d)['’](\d{3})", "${1}${2}").str.replace_all(
        r"(\d)['’](\d{3})", "${1}${2}"
    )


def _is_decimal(
    frame: pl.DataFrame, odd: Mapping[str, pl.Series], wanted: Sequence[str], volumes: Sequence[str]
) -> bool:
    """Whether a comma parts decimals in this file."""
    cells = pl.concat([s.str.replace(_UNIT, "") for s in odd.values()])
    decimals = cells.str.contains(_DECIMAL) & ~cells.str.contains(_THOUSANDS)
    decimals |= cells.str.contains(_DOTTED)
    thousands = cells.str.contains(_THOUSANDS) & ~cells.str.contains(_DECIMAL)
    either = cells.str.contains(_THOUSANDS) & cells.str.contains(_DECIMAL)
    if decimals.any() and thousands.any():
        raise DataError(
            f"a comma has two meanings: {cells.filter(decimals)[0]!r} and "
            f"{cells.filter(thousands)[0]!r}; say which: --decimal , or --decimal ."
        )
    if decimals.any() or thousands.any() or not either.any():
        return bool(decimals.any())
    # "1,234" alone: a point with decimals in a price tells that the comma does not.
    points = any(
        bool(frame[c].str.contains(r"^\s*[-+]?\d+\.\d+\s*$").any())
        for c in wanted
        if c not in volumes and frame[c].dtype == pl.String
    )
    if points or all(c in volumes for c in odd):
        return False
    raise DataError(
        f"{cells.filter(either)[0]!r} may be thousands or decimals; say which: --decimal . for "
        "thousands with commas, --decimal , for decimals"
    )


def _refuse_points(frame: pl.DataFrame, prices: Sequence[str], volumes: Sequence[str]) -> None:
    """Ask where every price and volume has three digits behind each point: 18.250, 100.000."""
    names = [*prices, *volumes]
    if not volumes or not frame.height or any(frame[c].dtype != pl.String for c in names):
        return
    for part in (frame.head(100), frame):
        grouped = [part[c].drop_nulls().str.contains(_POINTS) for c in names]
        if not all(len(hits) and hits.all() for hits in grouped):
            return
    raise DataError(
        f"{frame[prices[0]][0]!r} and {frame[volumes[0]][0]!r} may have thousands or decimals "
        "behind the point; say which: --decimal , for thousands with points, --decimal . for "
        "decimals"
    )


def _parsed(column: pl.Series, comma: bool) -> pl.Series:
    text = _cleaned(column).str.to_uppercase()
    unit = text.str.extract(r"^[-+]?[\d.,]+([KMB万亿])$")
    text = text.str.replace(r"[KMB万亿]$", "")
    if comma:
        # A point that parts no thousands is no point of this file: such a cell is no number.
        grouped = text.str.contains(_COMMA_NUMBER).fill_null(False)
        bare = text.str.replace_all(r"\.", "").str.replace(",", ".")
        text = bare.set(~grouped, None)
    else:
        grouped = text.str.contains(_THOUSANDS)
        text = text.str.replace_all(",", "").zip_with(grouped.fill_null(False), text)
    values = text.cast(pl.Float64, strict=False)
    scale = unit.replace_strict(_SCALES, default=1.0, return_dtype=pl.Float64)
    return values * scale


def _require_numbers(column: pl.Series, values: pl.Series, name: str, is_price: bool) -> None:
    text = column.str.strip_chars().str.to_lowercase()
    bad = values.is_null() & text.is_not_null() & ~text.is_in(_BLANK)
    if 2 * bad.sum() <= len(column):
        return
    cell = column.filter(bad)[0]
    if not is_price:
        raise DataError(
            f"most of the column {name!r}, taken for the volume, is no number, the first is "
            f"{cell!r}; name another column: --map volume=..., or none: --map volume="
        )
    if re.match(_THIRTY_SECONDS, cell.strip()):
        raise DataError(
            f"the column {name!r} holds {cell!r}: prices in 32nds are not read; write them as "
            "decimals, 110.5 for 110-160"
        )
    raise DataError(
        f"most of the column {name!r} is no number, the first is {cell!r}; name another column: "
        "--map open=...,close=..."
    )
