"""How exactly the prices of a file of predictions tell the closes that they were made on."""

from __future__ import annotations

import numpy as np

from intrabar.data.prediction_file import PredictionFile
from intrabar.model.bars import Floats, Times

STRETCH = 3  # rows from which a factor between splits may be told
DECIMALS = 12
SINGLE = 2.0**-24  # relative, of numbers of 24 bits


def moved(file: PredictionFile, price: Floats, growth: Floats) -> Floats:
    """By how much the decimals of the file may have moved the close of a row."""
    assert file.predicted_price is not None
    of_price = _rounding(file.predicted_price, price, file.is_single)
    of_return = _rounding(file.predicted_return, growth - 1.0, file.is_single)
    return of_price / growth + price * of_return / growth**2


def _rounding(column: Floats, values: Floats, is_single: bool) -> Floats:
    """Half of the last decimal that a column has; 0 tells none, and is taken as it stands."""
    known = column[np.isfinite(column) & (column != 0.0)]
    single = np.abs(values) * (2.0 * SINGLE if is_single else 0.0)
    for decimals in range(DECIMALS + 1) if len(known) else ():
        scaled = known * 10.0**decimals
        slack = 1e-9 * np.maximum(1.0, np.abs(scaled)) * (1e3 if is_single else 1.0)
        if (np.abs(scaled - np.round(scaled)) <= slack).all():
            return np.asarray(0.5 * 10.0**-decimals + single)
    return np.asarray(single)


def factors(ratio: Floats, at: Times, splits: tuple[int, ...]) -> Floats:
    """The factor of each row: the median of its stretch between splits; NaN in a short one."""
    stretch = np.searchsorted(np.array(sorted(splits), np.int64), at, "right")
    factor = np.full(len(ratio), np.nan)
    for k in np.unique(stretch):
        own = stretch == k
        if own.sum() >= STRETCH:
            factor[own] = np.median(ratio[own])
    return factor
