"""Returns by calendar month, as a table."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.model.bars import Floats

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def month_of(day: NDArray[np.int64]) -> NDArray[np.int64]:
    """The month of each day (since January 1970) of days since 1970."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_table(month: NDArray[np.int64], returns: Floats) -> pl.DataFrame:
    """Years down, months across.

    Parameters
    ----------
    month : (m,) int64
        Months since January 1970 that have a value.
    returns : (m,) float64, fraction
        Of each on the last value before it: a month without a value leaves no gap, the next one
        is measured from the last value.

    Returns
    -------
    table
        `year`, `jan` to `dec` (fractions, null where there is no value), `total` (the year,
        compounded).
    """
    years = month // 12 + 1970
    rows = []
    for year in np.unique(years).tolist():
        own = years == year
        row: dict[str, float | int | None] = {"year": year, **dict.fromkeys(MONTHS)}
        for m, value in zip((month[own] % 12).tolist(), returns[own].tolist(), strict=True):
            row[MONTHS[m]] = None if np.isnan(value) else value
        total = float(np.prod(1.0 + returns[own]) - 1.0)
        row["total"] = None if np.isnan(total) else total
        rows.append(row)
    columns = (*MONTHS, "total")
    return pl.DataFrame(rows, schema={"year": pl.Int64, **dict.fromkeys(columns, pl.Float64)})
