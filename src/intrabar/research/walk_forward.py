"""Windows that walk forward: train on the past, test on what follows, move on."""

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


def label_ends(rows: int, horizon: int) -> Rows:
    """The row on which what was decided at each row is over, `horizon` bars later at the latest.

    Returns
    -------
    (rows,) int64
        Never beyond the last row.
    """
    ...


def rows_at(time: Times, ends: Times) -> Rows:
    """Label ends as rows, from times: the last row that is not after each.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC, rising
    ends : (t,) int64, ns since 1970 UTC
        When a position opened at a row is closed at the latest.
    """
    ...


def walk_forward(
    time: Times,
    train: str | int,
    test: str | int,
    step: str | int | None = None,
    anchored: bool = False,
    ends: Rows | None = None,
    embargo: int = 0,
) -> list[Split]:
    """Windows in order of time.

    Parameters
    ----------
    time : (t,) int64, ns since 1970 UTC, rising
    train, test, step : int, bars, or str
        A calendar span such as "2y", "6m", "4w", "10d". All three of one kind. `step` None is the
        length of the test, so that the tests follow each other.
    anchored : bool
        Every train starts at the first row instead of moving along.
    ends : (t,) int64 or None
        Row on which the label of each row ends. A train row whose label reaches its test is
        purged. None: each ends on its own row.
    embargo : int, bars
        Rows that are left out between the train and the test on top of that.

    Returns
    -------
    list of Split
        The last test may be shorter by calendar (the data end there), never by bars.

    Raises
    ------
    UsageError
        A span that cannot be read, or too short a history: says how much there is.
    """
    ...
