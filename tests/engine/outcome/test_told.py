"""What comes out of a call prints as some lines that a person reads, never as arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
from tests.app.rules import Clumsy
from tests.app.runs_of_it import write_bars
from tests.strategy.markets import DAY_NS, run_of, walk

SHARE = {"calendar": "none", "instruments": {"ASSET": {"kind": "share"}}}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("told")
    file = write_bars(folder / "AAA.csv")
    space = {"seed": [1, 2, 3]}
    result = ib.backtest(ib.Bot(ib.CoinFlip(1)), file, **SHARE)
    sweep = ib.sweep("CoinFlip", file, parameters=space, keep=False, **SHARE)
    chunked = ib.backtest(ib.Bot(ib.CoinFlip(1)), file, chunk=100, out=folder / "c", **SHARE)
    replay = ib.Replay(result.setup)
    replay.seek(60)
    return {
        "Result": result,
        "Validation": ib.validate(result, runs=10),
        "SweepResult": sweep,
        "WalkForward": ib.walk_forward(
            "CoinFlip", file, parameters=space, train=120, test=60, **SHARE
        ),
        "ChunkedResult": chunked,
        "one without tables": chunked.under(ib.PathPolicy.BEST),
        "Replay": replay,
        "Sheet": result.metrics,
        "Plot": result.plot(),
        "critique": ib.critique(result)[0],
        "band": result.band,
        "Expected": ib.expected(result, 0.6),
    }


KINDS = ["Result", "Validation", "SweepResult", "WalkForward", "ChunkedResult", "Replay"]


@pytest.mark.parametrize("kind", KINDS)
def test_some_lines_and_no_arrays(kind: str, outcomes: dict[str, Any]) -> None:
    told = repr(outcomes[kind])
    lines = told.splitlines()
    assert str(outcomes[kind]) == told
    assert 4 <= len(lines) <= 20, told
    assert max(map(len, lines)) <= 160
    assert "%" in told
    for word in ("array", "object at", "float64", "e-0", "nan", "dataclass", "{'"):
        assert word not in told, told
    html = outcomes[kind]._repr_html_()
    assert html.startswith("<div><strong>")
    assert "array" not in html
    for label in ("next: ", "report: "):
        if label in told:
            assert label in html


@pytest.mark.parametrize(
    "kind", ["one without tables", "Sheet", "Plot", "critique", "band", "Expected"]
)
def test_nothing_else_prints_arrays_either(kind: str, outcomes: dict[str, Any]) -> None:
    assert "array" not in repr(outcomes[kind])
    assert len(repr(outcomes[kind])) < 2_000


def test_a_verdict_says_what_each_test_came_to(outcomes: dict[str, Any]) -> None:
    found = outcomes["Validation"]
    told = repr(found)
    assert told.startswith(found.sentence[:60])
    for check in found.checks:
        assert f"{check.name}: {check.figure}" in told
    assert f"Assumes: {found.checks[0].assumption}" in str(found.checks[0])


def test_a_sweep_says_what_is_left_of_its_best_and_what_failed(tmp_path: Path) -> None:
    file = write_bars(tmp_path / "AAA.csv")
    good = ib.sweep("CoinFlip", file, parameters={"seed": [1, 2, 3]}, keep=False, **SHARE)
    assert "likely that its true Sharpe ratio is above 0, after 3 variants" in repr(good)
    space = {"seen": [0, 1]}
    bad = ib.sweep(Clumsy, file, parameters=space, keep=False, on="threads", **SHARE)
    assert "warning: 2 trials failed, the first at seen = 0: " in repr(bad)
    assert "none: no trial has a sharpe" in repr(bad)


def test_a_replay_says_where_it_stands(outcomes: dict[str, Any]) -> None:
    told = repr(outcomes["Replay"])
    assert "bar 60 of 400, 2020-03-01 23:59 UTC, before OPEN" in told
    assert f"{outcomes['Replay'].equity()[-1]:,.2f} USD" in told


def test_a_run_without_trades_has_the_reason_in_the_place_of_figures() -> None:
    still = run_of(walk(60, 3, period=DAY_NS), ib.Signals(np.zeros(60)))
    for told in (repr(still), still._repr_html_()):
        assert "no order was filled: there are no figures" in told
        assert "its sides are 0 or say nothing at every bar" in told
        assert "0.00%" not in told
        assert "band" not in told


class Short(ib.Strategy):
    def on_close(self, now: ib.AtClose) -> None:
        if now.bar == 1:
            now.sell(900)


def test_a_liquidated_account_says_so() -> None:
    rising = walk(60, 3, period=DAY_NS)
    for name in ("open", "high", "low", "close"):
        getattr(rising, name)[20:] *= 1.6
    margin = ib.Instrument("A", initial_margin_rate=0.5, maintenance_margin_rate=0.5)
    result = run_of(rising, Short(), instruments=[margin], cash=100_000.0)
    assert result.is_liquidated
    assert result.facts.endswith("60 bars, liquidated by margin calls")
    assert result.facts in repr(result)
    assert result.facts in result._repr_html_()
