"""Combinatorial purged cross-validation: the splits of skfolio, the paths of the book."""

from __future__ import annotations

import warnings
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.analysis.splits.labels import label_ends, stretches
from intrabar.analysis.splits.purged import combinatorial_purged
from intrabar.errors import UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from skfolio.model_selection import CombinatorialPurgedCV


def test_the_example_of_the_book() -> None:
    # Lopez de Prado (2018), figure 12.1: six groups, two of them tested: 15 splits, 5 paths.
    found = combinatorial_purged(60, 6, 2)
    assert len(found.splits) == 15
    assert found.path.shape == (5, 6)
    # Figure 12.2: the first path takes group 1 from split 1, and so on (counted from 1 there).
    assert (found.path[0] + 1).tolist() == [1, 1, 2, 3, 4, 5]


@settings(max_examples=40)
@given(data=st.data())
def test_splits_and_paths_are_those_of_skfolio(data: st.DataObject) -> None:
    groups = data.draw(st.integers(3, 7))
    tested = data.draw(st.integers(2, groups - 1))
    length = data.draw(st.integers(12, 16))
    purged, embargo = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 3))
    rows = groups * length
    theirs = CombinatorialPurgedCV(groups, tested, purged, embargo)
    ours = combinatorial_purged(rows, groups, tested, label_ends(rows, purged), embargo)
    expected = list(theirs.split(np.zeros((rows, 1))))
    assert len(ours.splits) == len(expected) == comb(groups, tested)
    for split, (train, tests) in zip(ours.splits, expected, strict=True):
        assert split.train.tolist() == train.tolist()
        assert split.test.tolist() == np.concatenate(tests).tolist()
    assert ours.path.T.tolist() == theirs.recombined_paths.tolist()
    assert ours.path.shape[0] == tested * comb(groups, tested) // groups


@settings(max_examples=40)
@given(
    rows=st.integers(30, 90),
    groups=st.integers(2, 6),
    longest=st.integers(0, 6),
    embargo=st.integers(0, 2),
    seed=st.integers(0, 99),
)
def test_no_label_of_a_train_meets_a_test(
    rows: int, groups: int, longest: int, embargo: int, seed: int
) -> None:
    lengths = np.random.default_rng(seed).integers(0, longest + 1, rows)
    ends = np.minimum(np.arange(rows) + lengths, rows - 1)
    try:
        found = combinatorial_purged(rows, groups, max(1, groups // 2), ends, embargo)
    except UsageError:
        return
    for split in found.splits:
        for stretch in stretches(split.test):
            over = ends[stretch].max()
            before, after = split.train[split.train < stretch[0]], split.train[split.train > over]
            assert (ends[before] < stretch[0]).all()
            assert (after > over + embargo).all()
            assert before.shape[0] + after.shape[0] == split.train.shape[0]


def test_paths_put_every_tested_row_in_its_place_once() -> None:
    found = combinatorial_purged(47, 6, 3)  # groups of 8 and 7 rows
    values = [1000.0 * s + split.test for s, split in enumerate(found.splits)]
    whole = found.stitch(values)
    assert whole.shape == (comb(5, 2), 47)
    assert (whole % 1000 == np.arange(47)).all()
    used = [(int(split), g) for path in found.path.tolist() for g, split in enumerate(path)]
    assert len(set(used)) == len(used) == 3 * len(found.splits)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((10, 11, 2), "2 groups to 10"),
        ((10, 1, 1), "2 groups to 10"),
        ((10, 5, 5), "takes 1 to 4"),
        ((10, 5, 0), "takes 1 to 4"),
        ((10, 2, 1, label_ends(10, 9)), "nothing is left to train on"),
    ],
)
def test_bad_groups_are_named(arguments: tuple[int, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        combinatorial_purged(*arguments)
