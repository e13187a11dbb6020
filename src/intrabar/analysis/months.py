"""Returns by calendar month."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.returns import Floats, last_of_day, returns_of

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def monthly_returns(
    day: NDArray[np.int64], equity: Floats, initial: float
) -> tuple[NDArray[np.int64], Floats]:
    """Months that have a value, and the return of each on the last value before it.

    Parameters
    ----------
    day : (n,) int64, days since 1970, rising
    equity : (n,) float64, account currency

    Returns
    -------
    month : (m,) int64
        Months since January 1970.
    returns : (m,) float64, fraction
        A month without a value leaves no gap: the next one is measured from the last value.
    """
    month = day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    months, last = last_of_day(month, equity)
    return months, returns_of(last, initial)


def month_table(month: NDArray[np.int64], returns: Floats) -> pl.DataFrame:
    """Years down, months across.

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
