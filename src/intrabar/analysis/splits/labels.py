"""Labels: what was decided at a row, and when it is over.

A row of the train may not share a bar with what the test is judged by. What is decided at a row
is judged by all bars up to the one on which the position that it opened is closed at the latest:
the label's end. Purging goes by these ends, not by a number of rows.

Source: Lopez de Prado, Advances in Financial Machine Learning (2018), section 7.4.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Times

Rows = NDArray[np.int64]


class Split(NamedTuple):
    """Rows to choose on, and rows to prove it on.

    Parameters
    ----------
    train, test : (n,) int64
        Rows, rising.
    """

    train: Rows
    test: Rows


def label_ends(rows: int, horizon: int = 0) -> Rows:
    """The row on which what was decided at each row is over, `horizon` bars later at the latest.

    Returns
    -------
    (rows,) int64
        Never beyond the last row.
    """
    return np.asarray(np.minimum(np.arange(rows, dtype=np.int64) + horizon, rows - 1))


def rows_at(time: Times, ends: Times) -> Rows:
    """Label ends as rows, from times: the first row that is not before each.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC, rising
    ends : (t,) int64, ns since 1970 UTC
        When a position opened at a row is closed at the latest.

    Returns
    -------
    (t,) int64
        Never beyond the last row.
    """
    return np.asarray(np.minimum(np.searchsorted(time, ends), time.shape[0] - 1), dtype=np.int64)


def stretches(rows: Rows) -> list[Rows]:
    """Rows, cut where they do not follow each other."""
    if not rows.shape[0]:
        return []
    return np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)


def purge(train: Rows, test: Rows, ends: Rows, embargo: int = 0) -> Rows:
    """The train rows whose labels touch no label of the test.

    Parameters
    ----------
    train, test : (n,) int64
        Rows, rising; the test in one or several stretches.
    ends : (t,) int64
        Row on which the label of each row ends, that row or a later one.
    embargo : int, bars
        Rows left out after the labels of a stretch are over, whatever their own.
    """
    kept = np.ones(train.shape[0], dtype=np.bool_)
    for stretch in stretches(test):
        last = int(ends[stretch].max()) + embargo
        kept &= (ends[train] < stretch[0]) | (train > last)
    return train[kept]
