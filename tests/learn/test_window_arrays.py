"""Windows as they are trained on: cut, normalised and parted as a slow version does it."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from intrabar.analysis.splits.by_time import PURGED, TRAIN, VALIDATION, part_by_time
from intrabar.engine.prepared import Prepared
from intrabar.errors import RunError, UsageError
from intrabar.indicators.features import features_of
from intrabar.learn.window_arrays import Decisions, Windows, decisions_of, windows_of
from tests.learn.planted import ARMS, SMALL, dataset_of, setup_of, windows_in


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Windows:
    return windows_in(tmp_path_factory.mktemp("w") / "d")


def test_each_window_is_the_last_real_bars_with_its_side_and_the_train_s_moments(
    made: Windows,
) -> None:
    setup = setup_of()
    tables = Prepared(setup.market, ("", "")).feature_tables(SMALL.features)
    d, window = made.of, SMALL.features.window
    signs = np.array([[0, 1, 1]])
    for row in range(0, len(d), 97):
        table = tables.tables[d.symbol[row]]
        last = tables.row_of[d.bar[row], d.symbol[row]]
        raw = table[last - window + 1 : last + 1] * np.where(signs == 1, d.side[row], 1)
        expected = np.clip((raw - made.normal.mean) / made.normal.scale, -5, 5)
        assert_array_equal(made.cut(np.array([row]))[0], expected.astype(np.float32))
    train = d.last_rows[made.parted.part == TRAIN]
    assert_allclose(made.normal.mean, train.mean(axis=0), rtol=1e-9, atol=1e-12)
    assert_allclose(made.normal.scale, train.std(axis=0), rtol=1e-9)


def test_targets_are_scores_within_five_less_the_mean_of_their_row(made: Windows) -> None:
    for row in range(0, len(made.of), 131):
        scores = [min(max(x, -5.0), 5.0) for x in made.of.scores[row].tolist()]
        known = [x for x in scores if not math.isnan(x)]
        expected = [x - sum(known) / len(known) for x in scores]
        assert_allclose(made.targets[row], expected, atol=1e-12)


def test_no_label_and_no_window_of_the_validation_reaches_into_the_train(made: Windows) -> None:
    d, part = made.of, made.parted.part
    assert set(np.unique(part)) == {TRAIN, VALIDATION, PURGED}
    assert (d.time[part == VALIDATION] >= made.parted.cut).all()
    assert abs((part == VALIDATION).mean() - 0.2) < 0.01
    assert d.end_time[part == TRAIN].max() < made.parted.cut
    for j in range(2):
        own = d.symbol == j
        first = d.begins[own & (part == VALIDATION)].min()
        assert d.end_time[own & (part == TRAIN)].max() < first


def test_symbols_of_other_calendars_are_parted_at_one_instant() -> None:
    """B has a bar a day: its labels are long, and go by time all the same."""
    time = np.concatenate([np.arange(100), np.arange(0, 100, 10)])
    symbol = np.repeat([0, 1], [100, 10])
    end = np.where(symbol == 0, time + 2, time + 25)
    order = np.argsort(time, kind="stable")
    given = [x[order] for x in (time, end, time, symbol)]
    found = part_by_time(*given)
    train = found.part == TRAIN
    assert given[1][train].max() < found.cut
    assert {int(x) for x in given[3][train]} == {0, 1}


def test_a_constant_feature_has_scale_1_and_is_told(tmp_path: Path) -> None:
    features = features_of(["one = close / close", "up = rsi(5) / 50 - 1"], 2)
    w = windows_in(tmp_path / "d", setup_of(700, ("A",)), features=features)
    assert w.normal.scale[0] == 1.0
    assert "feature one is 1 on every training row: it has scale 1" in w.normal.remarks


def test_other_bars_than_the_dataset_s_are_refused(tmp_path: Path) -> None:
    setup = setup_of(700, ("A",))
    data = dataset_of(tmp_path / "d", setup)
    close = setup.market.close.copy()
    close[300] *= 1.0001
    other = replace(setup, market=replace(setup.market, close=close))
    with pytest.raises(RunError, match=r"feature trend of row .* the bars are others"):
        decisions_of(data, other)
    with pytest.raises(RunError, match="stand at no bar of these"):
        decisions_of(data, replace(setup, market=setup.market.rows(slice(0, 400))))


def some(d: Decisions, **changed: object) -> Decisions:
    return replace(d, **changed)


def test_what_cannot_be_learned_from_is_refused_with_the_counts(made: Windows) -> None:
    d = made.of
    with pytest.raises(UsageError, match=r"999 rows to learn from, it takes 1,000.*max_bars"):
        windows_of(d.part(np.arange(999)))
    one = some(d, label=np.full(len(d), 2))
    with pytest.raises(UsageError, match=r"arm 4 is the best of all .* training rows .*learn.arms"):
        windows_of(one)
    late = some(d, end_time=np.full(len(d), d.time[-1] + 1))
    with pytest.raises(UsageError, match=r"no row is left to train on \(train 0, validation"):
        windows_of(late)
    scores = d.scores.copy()
    scores[:, 1] = np.nan
    with pytest.raises(UsageError, match=f"no campaign of arm {ARMS[1]:g} among the training rows"):
        windows_of(some(d, scores=scores))
