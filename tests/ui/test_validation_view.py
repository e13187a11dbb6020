from __future__ import annotations

import json

import numpy as np
import pytest

from intrabar.errors import RunError
from intrabar.ui.validation_input import Bars, Check, Histogram, Pointer, Series
from intrabar.ui.validation_view import SERIES_POINTS, picture_view, validation_view
from tests.ui.synthetic_validation import START, validation


def test_all_parts_are_there() -> None:
    given = validation()
    shown = validation_view(given)
    json.dumps(shown, allow_nan=False)
    assert shown["verdict"] == {"sentence": given.verdict.sentence, "mark": "fail"}
    assert [c["mark"] for c in shown["checks"]] == ["fail", "doubt", "pass", "pass", "unknown"]
    kinds = [c["picture"] and c["picture"]["kind"] for c in shown["checks"]]
    assert kinds == ["histogram", "histogram", "series", "series", None]
    assert shown["findings"][0]["picture"] == {
        "kind": "bars",
        "labels": ["no costs", "as they are", "twice", "three times"],
        "values": [0.31, 0.12, -0.07, None],
        "unit": "fraction",
    }
    assert [(i["low"], i["high"]) for i in shown["intervals"]][2] == (None, None)
    assert [i["label"] for i in shown["intervals"]] == ["Sharpe", "Annual return", "SQN"]
    assert (shown["start"], shown["subject"]) == (START // 10**9, "sweep")


@pytest.mark.parametrize("n", [1, 2, 40, 5_000])
def test_every_value_is_in_one_bin(n: int) -> None:
    values = np.append(np.random.default_rng(n).normal(size=n), [np.nan, np.inf])
    picture = picture_view(Histogram(values=values, unit="ratio", counted="trials"), "x")
    assert picture is not None
    assert picture["kind"] == "histogram"
    assert sum(picture["counts"]) == n
    assert picture["low"] <= values[:n].min()
    assert picture["high"] >= values[:n].max()
    assert 12 <= len(picture["counts"]) <= 60


def test_long_lines_keep_their_extremes_and_gaps_are_null() -> None:
    n = 20_000
    line = np.cumsum(np.random.default_rng(1).normal(size=n))
    gap = line.copy()
    gap[: n // 2] = np.nan
    x = START + np.arange(n) * 1_000_000_000
    given = Series(
        x=x, lines={"a": line, "b": gap}, unit="R", pointers=[Pointer(value=x[7], label="w")]
    )
    picture = picture_view(given, "x")
    assert picture is not None
    assert picture["kind"] == "series"
    assert len(picture["x"]) <= SERIES_POINTS
    assert (picture["x"][0], picture["x"][-1]) == (x[0] // 10**9, x[-1] // 10**9)
    assert picture["pointers"] == [{"value": x[7] // 10**9, "label": "w"}]
    a, b = (one["value"] for one in picture["lines"])
    assert max(a) == pytest.approx(line.max())
    assert b[0] is None


@pytest.mark.parametrize(
    "picture",
    [
        Histogram(values=np.array([np.nan]), unit="", counted=""),
        Series(x=np.array([]), lines={"a": np.array([])}, unit=""),
        Series(x=np.array([1.0]), lines={}, unit=""),
        Bars(labels=[], values=[], unit=""),
        None,
    ],
)
def test_a_picture_of_nothing_is_none(picture: Histogram | Series | Bars | None) -> None:
    assert picture_view(picture, "x") is None


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (
            Series(x=np.arange(3.0), lines={"out": np.arange(2.0)}, unit=""),
            "Walk-forward: the line out has 2 values on 3",
        ),
        (Bars(labels=["a"], values=[1.0, 2.0], unit=""), "Walk-forward: 2 bars for 1 labels"),
    ],
)
def test_parts_of_different_lengths_are_named(picture: Series | Bars, message: str) -> None:
    check = Check(
        name="Walk-forward", mark="pass", figure="", meaning="", assumption="", picture=picture
    )
    with pytest.raises(RunError, match=message):
        validation_view(validation(checks=[check]))
