"""By what the features of a model are normalised: figures of its training rows alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from intrabar.errors import DataError
from intrabar.indicators.elementwise import moments
from intrabar.indicators.features import Features
from intrabar.indicators.indicator import Floats
from intrabar.model.remark import Remark


class Normalisation(NamedTuple):
    """Mean and scale of each feature over the training rows.

    Parameters
    ----------
    mean, scale : (F,) float64
    remarks : tuple of Remark
        What is to be known about them.
    """

    mean: Floats
    scale: Floats
    remarks: tuple[Remark, ...]


def normalisation_of(features: Features, rows: Floats) -> Normalisation:
    """Mean and standard deviation of training rows, sums in the order of the rows.

    Parameters
    ----------
    features : Features
    rows : (k, F) float64
        Of all symbols together, none of the validation or the test; those with a sign already
        multiplied with the side.

    Raises
    ------
    DataError
        No rows; or NaN or infinity in one, which no model may learn from.
    """
    rows = np.ascontiguousarray(rows, np.float64)
    if rows.ndim != 2 or not len(rows) or rows.shape[1] != len(features.features):
        raise DataError(
            f"training rows have the shape {rows.shape}, must be (k, {len(features.features)}), "
            "k above 0"
        )
    if not np.isfinite(rows).all():
        row, column = (int(x[0]) for x in np.nonzero(~np.isfinite(rows)))
        raise DataError(
            f"training row {row}: {features.names[column]} is {rows[row, column]}; leave out rows "
            "whose window is not known"
        )
    mean, scale = np.empty(rows.shape[1]), np.empty(rows.shape[1])
    moments(rows, mean, scale)
    if not (np.isfinite(mean) & np.isfinite(scale)).all():
        column = int(np.argmin(np.isfinite(mean) & np.isfinite(scale)))
        raise DataError(f"{features.names[column]}: its training rows are too large to be squared")
    remarks = tuple(
        Remark(
            f"The feature {one} is {rows[0, k]:g} in every training row: it has scale 1 and tells "
            "the model nothing."
        )
        for k, one in enumerate(features.features)
        if (rows[:, k] == rows[0, k]).all()
    )
    return Normalisation(mean, scale, remarks)
