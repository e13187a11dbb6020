"""Walking forward: windows by bars as skfolio cuts them, by calendar as a calendar says."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.analysis.splits.labels import label_ends
from intrabar.analysis.splits.walk_forward import walk_forward
from intrabar.errors import UsageError

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas as pd
    from skfolio.model_selection import WalkForward

DAY = 86_400_000_000_000


def daily(first: str, last: str) -> np.ndarray:
    """Every day from one to the other, known at 21:00 UTC."""
    days = np.arange(np.datetime64(first), np.datetime64(last) + np.timedelta64(1, "D"))
    return days.astype("datetime64[ns]").astype(np.int64) + 21 * DAY // 24


def dates(time: np.ndarray, rows: np.ndarray) -> tuple[str, str]:
    found = [datetime.fromtimestamp(time[r] / 1e9, UTC) for r in (rows[0], rows[-1])]
    return f"{found[0]:%Y-%m-%d}", f"{found[1]:%Y-%m-%d}"


@settings(max_examples=50)
@given(
    rows=st.integers(20, 120),
    train=st.integers(5, 15),
    test=st.integers(1, 10),
    purged=st.integers(0, 4),
    anchored=st.booleans(),
)
def test_windows_by_bars_are_those_of_skfolio(
    rows: int, train: int, test: int, purged: int, anchored: bool
) -> None:
    if rows < train + test + purged:
        return
    # Theirs puts the purged rows behind the train, ours takes them from it.
    theirs = WalkForward(
        test_size=test, train_size=train, purged_size=purged, expand_train=anchored
    )
    expected = list(theirs.split(np.zeros((rows, 1))))
    time = DAY * np.arange(1, rows + 1)
    for ends, embargo in ((label_ends(rows, purged), 0), (None, purged)):
        ours = walk_forward(
            time, train + purged, test, anchored=anchored, ends=ends, embargo=embargo
        )
        assert len(ours) == len(expected)
        for split, (left, right) in zip(ours, expected, strict=True):
            assert split.train.tolist() == left.tolist()
            assert split.test.tolist() == right.tolist()


def test_windows_by_calendar_are_those_of_skfolio() -> None:
    time = daily("2015-01-01", "2019-12-31")
    index = pd.to_datetime(time // DAY * DAY)
    theirs = WalkForward(test_size=6, train_size=24, freq="MS").split(
        pd.DataFrame(np.zeros(len(time)), index=index)
    )
    expected = [(left.tolist(), right.tolist()) for left, right in theirs]
    ours = [(s.train.tolist(), s.test.tolist()) for s in walk_forward(time, "2y", "6m")]
    assert expected == ours[: len(expected)]
    assert len(ours) - len(expected) <= 1


def test_windows_by_calendar() -> None:
    time = daily("2018-01-01", "2021-03-15")
    splits = walk_forward(time, "2y", "6m")
    assert [(dates(time, s.train), dates(time, s.test)) for s in splits] == [
        (("2018-01-01", "2019-12-31"), ("2020-01-01", "2020-06-30")),
        (("2018-07-01", "2020-06-30"), ("2020-07-01", "2020-12-31")),
        (("2019-01-01", "2020-12-31"), ("2021-01-01", "2021-03-15")),  # the data end there
    ]
    anchored = walk_forward(time, "2y", "6m", anchored=True)
    assert all(s.train[0] == 0 for s in anchored)
    assert [s.test.tolist() for s in anchored] == [s.test.tolist() for s in splits]


def test_months_that_are_shorter_do_not_drift() -> None:
    time = daily("2019-12-31", "2020-12-31")
    splits = walk_forward(time, "1m", "1m")
    firsts = [dates(time, s.test)[0] for s in splits]
    assert firsts[:4] == ["2020-01-31", "2020-02-29", "2020-03-31", "2020-04-30"]


def test_weeks_days_and_a_step_of_its_own() -> None:
    time = daily("2020-01-01", "2020-03-31")
    splits = walk_forward(time, "4w", "10d", step="1w")
    assert [len(s.train) for s in splits] == [28] * len(splits)
    assert [s.test[0] for s in splits[:3]] == [28, 35, 42]
    assert len(splits[0].test) == 10


def test_a_bar_that_closes_at_midnight_belongs_to_the_day_before() -> None:
    hours = np.int64(DAY // 24) * np.arange(1, 24 * 40 + 1)  # 1970-01-01 01:00 and on
    first = walk_forward(hours, "10d", "5d")[0]
    assert first.train.tolist() == list(range(240))
    assert first.test.tolist() == list(range(240, 360))


def test_a_hole_in_the_data_makes_no_window() -> None:
    time = np.concatenate([daily("2020-01-01", "2020-03-31"), daily("2020-09-01", "2020-12-31")])
    for split in walk_forward(time, "1m", "1m"):
        assert split.train.shape[0] > 27
        assert split.test.shape[0] > 27


@settings(max_examples=50)
@given(
    horizon=st.integers(0, 30),
    embargo=st.integers(0, 5),
    seed=st.integers(0, 99),
    anchored=st.booleans(),
)
def test_no_label_of_a_train_reaches_its_test(
    horizon: int, embargo: int, seed: int, anchored: bool
) -> None:
    time = daily("2020-01-01", "2021-12-31")
    rows = np.arange(len(time))
    lengths = np.random.default_rng(seed).integers(0, horizon + 1, len(time))
    ends = np.minimum(rows + lengths, len(time) - 1)
    for split in walk_forward(time, "3m", "1m", anchored=anchored, ends=ends, embargo=embargo):
        assert ends[split.train].max() < split.test[0]
        assert split.train[-1] < split.test[0] - embargo
        gone = set(range(split.train[0], split.test[0] - embargo)) - set(split.train.tolist())
        assert all(ends[row] >= split.test[0] for row in gone)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((500, 100), "no window fits: a train of 500 and a test of 100 in a history of 366 bars"),
        (("2y", "6m"), "from 2020-01-01 to 2020-12-31"),
        (("2 years", "6m"), "train: '2 years' is no stretch of the calendar"),
        (("0m", "6m"), "'0m' is no stretch"),
        (("9999y", "6m"), "'9999y' is no stretch"),
        (("2y", 30), "all in bars, or all as stretches"),
        ((0, 30), "train: is 0 bars, must be 1 or more"),
        ((50, 30, -1), "step: is -1 bars, must be 1 or more"),
    ],
)
def test_bad_windows_are_named(arguments: tuple[str | int, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        walk_forward(daily("2020-01-01", "2020-12-31"), *arguments)  # type: ignore[arg-type]


def test_labels_longer_than_the_train_are_named() -> None:
    time = daily("2020-01-01", "2020-12-31")
    with pytest.raises(UsageError, match="nothing to train on before row 30"):
        walk_forward(time, 30, 10, ends=label_ends(len(time), 40))
    with pytest.raises(UsageError, match="without bars"):
        walk_forward(np.empty(0, dtype=np.int64), "1y", "1m")
