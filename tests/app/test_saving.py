"""A run of Python, stored: listed, shown and made again like one of the command line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import intrabar as ib
from intrabar.app.folders.runs import read_run, rerun
from intrabar.engine.run import Setup
from tests.app.rules import EveryFew
from tests.app.runs_of_it import said, write_bars
from tests.strategy.markets import run_of, walk

SHARE = {"calendar": "none", "instruments": {"AAA": {"kind": "share"}}}


@pytest.fixture
def frame(tmp_path: Path) -> pd.DataFrame:
    return pd.read_csv(write_bars(tmp_path / "AAA.csv"), index_col=0, parse_dates=True)


def wave(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(np.sign(np.sin(np.arange(len(frame)) / 5)), index=frame.index)


@pytest.mark.parametrize("name", ["bot", "class", "signals", "weights", "two"])
def test_strategies_that_are_objects_are_made_again_bit_for_bit(
    name: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    strategies: dict[str, Any] = {
        "bot": ib.Bot(ib.CoinFlip(3), ib.TrailingATR(7), gates=ib.Gates(daily_loss=0.1)),
        "class": EveryFew(7),
        "signals": ib.Signals(wave(frame), stop=2.0),
        "weights": ib.Weights({"AAA": 0.5 * wave(frame)}),
        "two": {"a": ib.Bot(ib.CoinFlip(1)), "b": ib.Signals(wave(frame), qty=3, zero="hold")},
    }
    result = ib.backtest(strategies[name], {"AAA": frame}, **SHARE)
    folder = result.save(tmp_path / "runs", report=False)
    assert result.fills.height
    assert rerun(read_run(folder)) == (result.digest, [])


def given(frame: pd.DataFrame, folder: Path) -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """What bars, and what is around them, may be given as."""
    margins = folder / "margins.csv"
    margins.write_text("date,initial,maintenance\n2020-03-01,20,10\n2020-06-01,30,15\n")
    rate = frame / 100.0
    account = ib.Account(cash=5e4, path_policy=ib.PathPolicy.BEST, seed=3)
    euro = ib.Instrument("AAA", 0.01, 2.0, commission_rate=0.001, currency="EUR")
    minutes = pd.date_range("2020-01-01", periods=len(frame) * 4, freq="15min", tz="UTC")
    fine = pd.DataFrame(frame.to_numpy().repeat(4, axis=0), minutes, frame.columns)
    hours = fine.iloc[::4].set_axis(minutes[::4])
    return {
        "a file": ({"AAA": str(folder / "AAA.csv")}, SHARE),
        "a nameless frame": (frame, {"start": "2020-03-01"}),
        "actions": (
            {"AAA": frame},
            {**SHARE, "actions": {"AAA": [("2020-06-01", 2.0, 0.0), ("2020-07-01", 1.0, 0.5)]}},
        ),
        "margins": ({"AAA": frame}, {**SHARE, "margins": {"AAA": margins}}),
        "objects and rates": (
            {"AAA": frame},
            {
                "calendar": "none",
                "instruments": {"AAA": euro},
                "account": account,
                "rates": {"EURUSD": rate},
            },
        ),
        "lower bars": (
            {"AAA": hours},
            {
                "calendar": "24/7",
                "instruments": {"AAA": {"kind": "crypto"}},
                "path_policy": "detail",
                "detail": {"AAA": fine},
            },
        ),
    }


@pytest.mark.parametrize(
    "name",
    ["a file", "a nameless frame", "actions", "margins", "objects and rates", "lower bars"],
)
def test_bars_that_were_given_are_kept_with_the_run(
    name: str, frame: pd.DataFrame, tmp_path: Path
) -> None:
    data, how = given(frame, tmp_path)[name]
    result = ib.backtest(EveryFew(7), data, **how)
    folder = result.save(tmp_path / "runs", report=False)
    assert read_run(folder).manifest["lost"] == ""
    moved = folder.rename(folder.with_name("moved"))
    assert result.fills.height
    assert rerun(read_run(moved)) == (result.digest, [])


def test_a_stored_run_of_python_is_one_for_the_command_line(
    frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "runs"
    result = ib.backtest(ib.Signals(wave(frame)), {"AAA": frame}, **SHARE)
    folder = result.save(home, name="mine")
    assert result.pages == [folder / "report.html"]
    code, out, _ = said(capsys, "runs", "list", "--out", home)
    assert code == 0
    assert folder.name in out
    assert said(capsys, "runs", "show", "--out", home)[0] == 0
    code, out, _ = said(capsys, "runs", "rerun", "--out", home)
    assert (code, "identical" in out) == (0, True)
    code, out, _ = said(capsys, "validate", "last", "--out", home, "--runs", "20", "--json")
    assert (code, json.loads(out)["id"]) == (0, folder.name)
    code, out, _ = said(capsys, "backtest", folder / "config.yaml", "--out", home, "--json")
    assert (code, json.loads(out)["digest"]) == (0, result.digest)


class Inside:
    """Makes a class that no other process can find."""

    @staticmethod
    def strategy() -> ib.Strategy:
        class Local(ib.Strategy):
            def on_close(self, now: ib.AtClose) -> None:
                if now.is_flat:
                    now.buy(1)

        return Local()


def test_what_cannot_be_made_again_is_said(
    frame: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "runs"
    Inside.strategy()
    ib.backtest(Inside.strategy(), {"AAA": frame}, **SHARE).save(home, report=False)
    why = "Local cannot be made again from the stored run: the class Local is inside a function"
    assert capsys.readouterr().err == f"note: {why}\n"
    assert why in said(capsys, "runs", "show", "--out", home)[1]
    for command in ("rerun", "validate", "critique"):
        arguments = ["runs", "rerun"] if command == "rerun" else [command]
        code, _, err = said(capsys, *arguments, "last", "--out", home)
        assert (code, why in err, err.count("\n")) == (1, True, 1)


def test_a_name_is_the_label_and_what_was_given_later_is_lost(
    frame: pd.DataFrame, tmp_path: Path
) -> None:
    named, changed = EveryFew(7), EveryFew(7)
    named.name = "mine"
    changed.extra = 3  # type: ignore[attr-defined]
    manifests = [
        read_run(ib.backtest(one, {"AAA": frame}, **SHARE).save(tmp_path, report=False)).manifest
        for one in (named, changed)
    ]
    assert (manifests[0]["lost"], list(manifests[0]["strategies"])) == ("", ["mine"])
    assert "extra of it is none of its parameters" in manifests[1]["lost"]


def test_a_trial_of_a_sweep_can_be_stored(frame: pd.DataFrame, tmp_path: Path) -> None:
    space = {"seed": [1, 2], "account.cash": [5e4, 1e5]}
    found = ib.sweep("CoinFlip", {"AAA": frame}, parameters=space, keep=False, **SHARE)
    result = found.run(3)
    folder = result.save(tmp_path / "runs", report=False)
    assert rerun(read_run(folder)) == (found.outcomes[3].digest, [])


def test_a_setup_that_was_made_by_hand_has_nothing_to_be_made_again_from() -> None:
    result = run_of(walk(30, 1), ib.Signals(np.ones(30)))
    assert isinstance(result.setup, Setup)
    with pytest.raises(ib.RunError, match="set up by hand"):
        result.save()
