"""The points of a sweep: every one of a grid, samples by seed, strata of a Latin hypercube."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.errors import ConfigError, NotFoundError
from intrabar.research.sweep.space import axis, space


def points(**how: object) -> list[dict]:
    return [dict(trial.parameters) for trial in space(**how)]


def test_a_grid_has_every_point_once_in_order() -> None:
    given_ = {"a": [1, 2, 3], "b": ["x", "y"], "c": [True, None]}
    found = points(parameters=given_)
    assert [tuple(p.values()) for p in found] == list(product([1, 2, 3], "xy", [True, None]))
    assert [t.number for t in space(given_)] == list(range(12))


def test_constraints_leave_out_points_and_numbers_stay_dense() -> None:
    made = space({"a": [1, 2, 3], "b": [1, 2, 3]}, ["a < b", lambda p: p["b"] != 3])
    assert [(t.number, *t.parameters.values()) for t in made] == [(0, 1, 2)]


@pytest.mark.parametrize(
    ("written", "values"),
    [
        ({"from": 5, "to": 20, "step": 5}, (5, 10, 15, 20)),
        ({"from": 5, "to": 21, "step": 5}, (5, 10, 15, 20)),
        ({"from": 0.1, "to": 0.5, "step": 0.1}, (0.1, 0.2, 0.3, 0.4, 0.5)),
        ({"from": 1, "to": 1000, "count": 4, "log": True}, (1, 10, 100, 1000)),
        ({"from": 0.0, "to": 1.0, "count": 3}, (0.0, 0.5, 1.0)),
        ({"from": 1, "to": 3, "count": 9}, (1, 2, 3)),
        (range(3), (0, 1, 2)),
        (np.array([1.5, 2.5]), (1.5, 2.5)),
        ([date(2024, 1, 5)], ("2024-01-05",)),
        ([["IBM", "MSFT"], ["ES"]], ("IBM,MSFT", "ES")),
    ],
)
def test_values_as_people_write_them(written: object, values: tuple) -> None:
    made = axis("p", written).values
    assert made == values
    assert [type(x) for x in made] == [type(x) for x in values]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([], "has no values"),
        ([1, 1], "there twice"),
        (3, "must be a list"),
        ("abc", "must be a list"),
        ([float("nan")], "no value that can be tried"),
        ([object()], "is no value"),
        # microseconds begin anew after 584,542 years: this one would be 2015
        ([np.datetime64(584_600, "Y")], "Python has no such date"),
        ([np.datetime64("12024-01-01")], "Python has no such date"),
        ({"from": 1}, "p.to: is None"),
        ({"from": 3, "to": 1, "step": 1}, "must be below"),
        ({"from": 1, "to": 3, "step": 0}, "must be above 0"),
        ({"from": 1, "to": 3, "step": 1, "count": 3}, "step or count"),
        ({"from": 0, "to": 3, "count": 3, "log": True}, "above 0 for a log"),
        ({"from": 1, "to": 3, "count": 1}, "must be 2 or more"),
        ({"from": 1, "to": 3, "stp": 1}, "did you mean 'step'"),
    ],
)
def test_values_that_are_none_are_refused(written: object, said: str) -> None:
    with pytest.raises((ConfigError, NotFoundError), match=said):
        axis("p", written)


def test_what_makes_no_space() -> None:
    between = {"a": {"from": 0.0, "to": 1.0}}
    for parameters, how, said in [
        ({}, {}, "nothing to sweep"),
        ([1], {}, r"must be \{place: values\}"),
        (between, {}, "a grid needs step or count"),
        ({"a": [1]}, {"count": 3}, "belongs to a random"),
        (between, {"sample": "random"}, "count: is None, must be a whole number"),
        (between, {"sample": "latn", "count": 3}, "is 'latn', must be one of"),
    ]:
        with pytest.raises((ConfigError, NotFoundError), match=said):
            space(parameters, **how)


def test_constraints_that_exclude_everything_are_told() -> None:
    grid = space({"a": [1, 2]}, ["a > 2"])
    drawn = space({"a": {"from": 0.0, "to": 1.0}}, ["a > 2"], sample="random", count=5)
    for made in (grid, drawn):
        with pytest.raises(ConfigError, match="exclude every point"):
            list(made)


AXES = {
    "real": {"from": -1.0, "to": 3.0},
    "ratio": {"from": 0.001, "to": 10.0, "log": True},
    "whole": {"from": 2, "to": 200},
    "word": ["a", "b", "c"],
}


@given(st.sampled_from(["random", "latin"]), st.integers(1, 60), st.integers(0, 2**32))
def test_a_sample_is_seeded_distinct_and_in_bounds(sample: str, count: int, seed: int) -> None:
    found = points(parameters=AXES, sample=sample, count=count, seed=seed)
    assert found == points(parameters=AXES, sample=sample, count=count, seed=seed)
    assert len({tuple(p.values()) for p in found}) == len(found) == count
    for p in found:
        assert -1.0 <= p["real"] <= 3.0
        assert 0.001 <= p["ratio"] <= 10.0
        assert 2 <= p["whole"] <= 200
        assert isinstance(p["whole"], int)
        assert p["word"] in "abc"


@given(st.integers(2, 80), st.integers(0, 2**32))
def test_a_latin_hypercube_has_one_point_in_each_part_of_each_axis(count: int, seed: int) -> None:
    found = points(parameters=AXES, sample="latin", count=count, seed=seed)
    real = sorted(int((p["real"] + 1.0) / 4.0 * count) for p in found)
    ratio = sorted(int(np.log(p["ratio"] / 0.001) / np.log(10_000.0) * count) for p in found)
    assert np.abs(np.array(real) - np.arange(count)).max() <= 1e-9
    # A value at the very edge of its part may round to the neighbour's.
    assert np.abs(np.array(ratio) - np.arange(count)).max() <= 1


def test_another_seed_is_another_sample() -> None:
    a, b = (points(parameters=AXES, sample="random", count=9, seed=s) for s in (1, 2))
    assert a != b


def test_random_points_spread_evenly() -> None:
    found = points(parameters={"w": [1, 2, 3, 4], "x": AXES["real"]}, sample="random", count=4000)
    counts = Counter(p["w"] for p in found)
    assert all(abs(n - 1000) < 120 for n in counts.values())  # 4 deviations
    assert abs(np.mean([p["x"] for p in found]) - 1.0) < 4 * 4.0 / np.sqrt(12 * 4000)


def test_a_sample_larger_than_the_space_ends_with_every_point() -> None:
    found = points(parameters={"a": [1, 2], "b": [1, 2]}, sample="random", count=50)
    assert sorted(tuple(p.values()) for p in found) == [(1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"parameters": {"n": {"from": 0, "to": 1e9, "step": 1}}}, "1,000,000,001 of them"),
        ({"parameters": {"n": {"from": 0, "to": 1, "count": 10**9}}}, "1,000,000,000 of them"),
        ({"parameters": {"n": range(10**9)}}, "1,000,000,000 of them"),
        ({"parameters": {"n": itertools.count()}}, "1,000,001 of them"),
        ({"parameters": dict.fromkeys("abcd", range(1000))}, "parameters: 1,000,000,000,000 of"),
        ({"parameters": {"n": [1]}, "sample": "random", "count": 10**9}, "count: is 1000000000"),
    ],
)
def test_points_are_counted_before_they_are_laid_out(how: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        space(**how)


def test_a_constraint_is_asked_of_points_that_are_laid_out_only() -> None:
    found = points(
        parameters={"a": range(1000), "b": range(1000)}, constraints=["a < 3", "b == 2 * a"]
    )
    assert found == [{"a": 0, "b": 0}, {"a": 1, "b": 2}, {"a": 2, "b": 4}]


def test_a_function_that_fails_as_a_constraint_is_told_how_points_are_read() -> None:
    with pytest.raises(ConfigError, match=r"constraints\[1\]: failed where n = 1.*p\['n'\]"):
        points(parameters={"n": [1, 2]}, constraints=["n > 0", lambda p: p.n > 1])


def test_numbers_of_every_kind_are_values() -> None:
    found = points(parameters={"n": np.arange(5, 8), "x": [np.float32(0.5), Decimal("0.25")]})
    assert [type(p["n"]) for p in found] == [int] * 6
    assert [p["x"] for p in found] == [0.5, 0.25] * 3
