"""Combinatorial purged cross-validation: many paths through one history.

The rows are cut into N groups. Each choice of k groups is once the test and the rest the train,
from which every label is purged that overlaps the test. Each group is tested C(N-1, k-1) times,
so the tests make up as many whole histories: the paths.

Source: Lopez de Prado, Advances in Financial Machine Learning (2018), chapter 12.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.returns import Floats
from intrabar.analysis.splits.labels import Rows, Split, label_ends, purge
from intrabar.errors import UsageError


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

    def stitch(self, values: Sequence[Floats]) -> Floats:
        """Whole histories from what each split gave on its test rows.

        Parameters
        ----------
        values : one (rows of the test,) float64 per split

        Returns
        -------
        (p, t) float64
        """
        whole = np.empty((self.path.shape[0], sum(g.shape[0] for g in self.groups)))
        for p, of in enumerate(self.path.tolist()):
            for rows, split in zip(self.groups, of, strict=True):
                at = np.searchsorted(self.splits[split].test, rows)
                whole[p, rows] = values[split][at]
        return whole


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
        Rows left out once the labels of each stretch of the test are over.

    Raises
    ------
    UsageError
        A number of groups or tested groups that does not fit; nothing is left of a train.
    """
    if not 2 <= groups <= rows:
        raise UsageError(f"{groups} groups of {rows} rows: it takes 2 groups to {rows}")
    if not 1 <= tested < groups:
        raise UsageError(f"{tested} of {groups} groups tested: it takes 1 to {groups - 1}")
    ends = label_ends(rows) if ends is None else ends
    parts = np.array_split(np.arange(rows, dtype=np.int64), groups)
    choices = list(combinations(range(groups), tested))
    splits = []
    for choice in choices:
        test = np.concatenate([parts[g] for g in choice])
        train = np.concatenate([parts[g] for g in range(groups) if g not in choice])
        left = purge(train, test, ends, embargo)
        if not left.shape[0]:
            raise UsageError(
                f"nothing is left to train on where groups {choice} are tested: "
                "take fewer groups, shorter labels or a smaller embargo"
            )
        splits.append(Split(left, test))
    path = [[s for s, choice in enumerate(choices) if g in choice] for g in range(groups)]
    return Paths(splits, parts, np.array(path, dtype=np.int64).T)
