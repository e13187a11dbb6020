"""Combinatorial purged cross-validation: many paths through one history.

The rows are cut into N groups. Each choice of k groups is once the test and the rest the train,
from which every label is purged that overlaps the test. Each group is tested C(N-1, k-1) times,
so the tests make up as many whole histories: the paths.

Source: Lopez de Prado, Advances in Financial Machine Learning (2018), chapters 7 and 12.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.returns import Floats
from intrabar.research.walk_forward import Rows, Split


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Splits, and how their tests make up paths.

    Parameters
    ----------
    splits : list of Split
        One per choice of test groups, in the order of `itertools.combinations`.
    groups : list of (n,) int64
        Rows of each group.
    path : (p, N) int64
        The split that tests each group of each path.
    """

    splits: list[Split]
    groups: list[Rows]
    path: NDArray[np.int64]

    def stitch(self, values: list[Floats]) -> Floats:
        """Whole histories from what each split gave on its test rows.

        Parameters
        ----------
        values : one (rows of test,) float64 per split

        Returns
        -------
        (p, t) float64
        """
        ...


def combinatorial_purged(
    rows: int, groups: int, tested: int, ends: Rows | None = None, embargo: int = 0
) -> Paths:
    """Splits and paths.

    Parameters
    ----------
    rows : int
    groups, tested : int
        N and k.
    ends : (rows,) int64 or None
        Row on which the label of each row ends; None: its own.
    embargo : int, bars
        Rows left out after the labels of each test are over.

    Raises
    ------
    UsageError
        Fewer rows than groups, or a k outside 1 to N - 1.
    """
    ...


def purge(train: Rows, test: Rows, ends: Rows, embargo: int = 0) -> Rows:
    """The train rows whose labels touch no label of the test.

    Parameters
    ----------
    train, test : (n,) int64
        Rows, rising; the test in one or several stretches.
    ends : (t,) int64
    embargo : int, bars
        Rows after the labels of a stretch are over that are left out as well.
    """
    ...
