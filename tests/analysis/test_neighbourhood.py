"""The neighbourhood of the best: against loops over all pairs, by hand, on noise and on a hill."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.neighbourhood import (
    MOST_BINS,
    Axis,
    Value,
    axes_of,
    neighbourhood,
    neighbours,
)


def columns(points: list[tuple[Value, ...]]) -> dict[str, list[Value]]:
    return {f"p{i}": list(values) for i, values in enumerate(zip(*points, strict=True))}


def full(*levels: list[Value]) -> dict[str, list[Value]]:
    return columns(list(itertools.product(*levels)))


def slow_neighbours(parameters: dict[str, list[Value]], row: int) -> list[int]:
    """Trials whose numbers are the same, next lower or next higher on the grid, one by one."""
    found = []
    for other in range(len(next(iter(parameters.values())))):
        if other == row or not all(is_near(v, v[row], v[other]) for v in parameters.values()):
            continue
        found.append(other)
    return found


def is_near(column: list[Value], own: Value, other: Value) -> bool:
    if not all(type(v) in (int, float) for v in column):
        return type(own) is type(other) and own == other
    low, high = sorted((float(own), float(other)))  # type: ignore[arg-type]
    return not any(low < float(v) < high for v in column)  # type: ignore[arg-type]


points = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 5, 20]),
        st.sampled_from([0.5, 1.0, 1.5]),
        st.sampled_from(["worst", "best", None, True]),
    ),
    min_size=2,
    max_size=40,
)


@given(points, st.data())
def test_neighbours_are_those_that_loops_find(
    given_points: list[tuple[Value, ...]], data: st.DataObject
) -> None:
    parameters = columns(given_points)
    axes = axes_of(parameters, is_grid=True)
    row = data.draw(st.integers(0, len(given_points) - 1))
    if not axes:
        with pytest.raises(ValueError, match="no neighbours"):
            neighbours(axes, row)
        return
    assert neighbours(axes, row).tolist() == slow_neighbours(parameters, row)


def test_axes() -> None:
    fast, policy, flag = axes_of(
        {
            "fast": [20, 5, 20, 10],
            "policy": ["worst", "best", "best", "worst"],
            "flag": [True, 1, False, True],
            "same": [3, 3, 3, 3],
        },
        is_grid=True,
    )
    assert (fast.values, fast.codes.tolist()) == ([5, 10, 20], [2, 0, 2, 1])
    assert (policy.values, policy.is_number) == (["worst", "best"], False)
    assert (flag.values, flag.is_number) == ([True, 1, False], False)
    assert fast.edges is None


def test_a_sample_is_put_into_bins_of_about_equal_counts() -> None:
    rng = np.random.default_rng(1)
    n = 400
    given_values = {
        "risk": (10 ** rng.uniform(-4, -1, n)).tolist(),
        "slow": rng.integers(10, 300, n).tolist(),
        "kind": rng.choice(["a", "b"], n).tolist(),
    }
    risk, slow, kind = axes_of(given_values, is_grid=False)
    for axis in (risk, slow):
        assert axis.edges is not None
        assert len(axis.edges) == MOST_BINS + 1
        counts = np.bincount(axis.steps)
        assert counts.min() > 15
        assert counts.max() < 40
        values = np.array(axis.values, dtype=float)[axis.codes]
        low, high = axis.edges[axis.steps], axis.edges[axis.steps + 1]
        assert ((values >= low) & (values <= high)).all()
    assert kind.edges is None
    six = axes_of({c: rng.uniform(size=36).tolist() for c in "xy"}, is_grid=False)
    assert [axis.steps.max() for axis in six] == [5, 5]  # a cell for about each trial
    few = axes_of({"n": [1, 2, 3] * 20, "x": rng.uniform(size=60).tolist()}, is_grid=False)
    assert few[0].edges is None


def test_figures_by_hand() -> None:
    axes = axes_of(full([1, 2, 3, 4], [10, 20, 30, 40]), is_grid=True)
    metric = np.zeros(16)
    metric[5] = 3.0  # (2, 20), the best; its eight neighbours are around
    metric[[0, 1, 2, 4, 6, 8, 9]] = [2, 2, 2, 2.5, -1, 2, 2]
    metric[10] = np.nan
    profit = np.where(np.isnan(metric), np.nan, metric - 1.0)
    found = neighbourhood(axes, metric, profit, 5)
    assert found.rows.tolist() == [0, 1, 2, 4, 6, 8, 9, 10]
    assert (found.without, found.median, found.worst) == (1, 2.0, -1.0)
    assert found.profitable == 6 / 7
    assert found.kept == pytest.approx(1 - (3 - 2) / (3 - 0))  # the median of all is 0
    assert found.shape == "plateau"
    assert found.at_edge == []
    turned = neighbourhood(axes, -metric, profit, 5, maximize=False)
    assert (turned.median, turned.worst, turned.kept) == (-2.0, 1.0, found.kept)


@pytest.mark.parametrize(
    ("near", "shape"), [(0.9, "plateau"), (0.5, "slope"), (0.2, "spike"), (-1.0, "spike")]
)
def test_shape_is_the_part_of_the_lead_that_neighbours_keep(near: float, shape: str) -> None:
    axes = axes_of(full(list(range(9))), is_grid=True)
    metric = np.zeros(9)
    metric[4], metric[3], metric[5] = 1.0, near, near
    found = neighbourhood(axes, metric, metric, 4)
    assert (found.kept, found.shape) == (pytest.approx(near), shape)


def test_the_edge_and_no_neighbour() -> None:
    axes = axes_of(full([1, 2, 3], [0.1, 0.2]), is_grid=True)
    metric = np.arange(6.0)
    assert neighbourhood(axes, metric, metric, 5).at_edge == ["p0"]  # p1 has no inside
    metric[:5] = np.nan
    alone = neighbourhood(axes, metric, metric, 5)
    assert (alone.shape, alone.without) == ("alone", 3)
    assert np.isnan([alone.median, alone.worst, alone.profitable]).all()


def test_noise_is_a_spike_and_a_hill_is_a_plateau() -> None:
    axes = axes_of(full(list(range(20)), list(range(20))), is_grid=True)
    i, j = (axis.codes for axis in axes)
    hill = np.exp(-((i - 10) ** 2 + (j - 8) ** 2) / 60)
    shapes = {"noise": [], "hill": []}
    for seed in range(50):
        noise = np.random.default_rng(seed).normal(0, 1, 400)
        for name, metric in (("noise", noise), ("hill", hill + noise / 20)):
            best = int(metric.argmax())
            shapes[name].append(neighbourhood(axes, metric, metric, best).shape)
    assert shapes["noise"].count("spike") >= 48
    assert shapes["hill"].count("plateau") >= 48


@given(st.permutations(range(24)))
def test_the_order_of_the_trials_has_no_part_in_it(order: list[int]) -> None:
    parameters = full([1, 2, 3], [10.0, 20.0], ["x", "y"], [False, True])
    metric = np.random.default_rng(4).normal(size=24)
    first = neighbourhood(axes_of(parameters, is_grid=True), metric, metric, int(metric.argmax()))
    mixed = {name: [values[k] for k in order] for name, values in parameters.items()}
    other = metric[order]
    second = neighbourhood(axes_of(mixed, is_grid=True), other, other, int(other.argmax()))
    assert sorted(order[k] for k in second.rows) == first.rows.tolist()
    assert (second.median, second.worst, second.shape) == (first.median, first.worst, first.shape)


def test_an_axis_keeps_what_it_was_given() -> None:
    [axis] = axes_of({"x": [3, 1, 2, 1]}, is_grid=True)
    assert isinstance(axis, Axis)
    assert [axis.values[code] for code in axis.codes] == [3, 1, 2, 1]
