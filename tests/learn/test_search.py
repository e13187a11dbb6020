"""A search for hyperparameters: what it reads, that it goes on, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar as ib
import intrabar.learn.search as searching
from intrabar.app.calls.forecast_settings import asked
from intrabar.app.cli.main import run
from intrabar.errors import ConfigError, RunError, UsageError
from intrabar.learn.search import folds_of
from intrabar.learn.settings import params_hash
from intrabar.links.optuna import choices
from intrabar.research.sweep.ledger import LEDGER, Ledger
from tests.learn.forecasts_of_it import write_bars, write_config


def config_in(folder: Path, **predict: Any) -> Path:
    write_bars(folder / "ACME.csv", 620)
    return write_config(folder, train=550, refit=60, **predict)


def test_folds_expand_and_share_nothing(tmp_path: Path) -> None:
    given = asked(config_in(tmp_path, horizons=[1, 4], window=5))
    samples = given.samples(given.settings.features, given.settings.horizons)
    folds = folds_of(samples, given.base.market.time, given.settings)
    first_test = given.base.market.time[550]
    lengths = []
    for train, valid, test in folds.rows:
        for earlier, later in ((train, valid), (valid, test)):
            begins = samples.series[0].time[samples.row[later].min() + 1 - 5]
            assert samples.end_time[earlier].max() < begins
        lengths.append(len(train))
        assert samples.end_time[test].max() < first_test
    assert lengths == sorted(lengths)
    assert folds.until < first_test
    tests = np.concatenate([test for _, _, test in folds.rows])
    assert len(tests) == len(set(tests.tolist()))


def test_a_search_that_was_broken_off_goes_on_as_if_it_had_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = tmp_path / "a", tmp_path / "b"
    for folder in (whole, part):
        folder.mkdir()
    straight = ib.predict.search(config_in(whole), trials=6).best
    config, count = config_in(part), 0
    real = searching.score_of

    def breaks(*given: Any) -> float:
        nonlocal count
        count += 1
        if count == 4:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(searching, "score_of", breaks)
    with pytest.raises(KeyboardInterrupt):
        ib.predict.search(config, trials=6)
    file = part / "models/registry/acme/best_hyperparameters.json"
    assert json.loads(file.read_text())["trials"] == 3  # the best so far is kept
    again = ib.predict.search(config, trials=6).best
    assert count == 4 + 3
    assert again == straight
    assert again["sha256"] == params_hash(again["params"])
    with Ledger(part / "runs" / LEDGER) as ledger:
        rows = list(ledger.trials())
    assert [row["strategy"] for row in rows] == ["predict search"] * 6


def test_what_was_found_is_trained_and_stands_in_manifests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = config_in(tmp_path, hyperparameters="models/registry/acme")
    assert run(["predict", "train", str(config)]) == 2
    assert "make it: intrabar predict search" in capsys.readouterr().err
    assert run(["predict", "search", str(config), "--trials", "2", "--json"]) == 0
    best = json.loads(capsys.readouterr().out)
    made = ib.predict.train(config)
    told = json.loads((made.folder / made.models[0]["folder"] / "manifest.json").read_text())
    assert told["hyperparameters"] == best["params"]
    assert told["hyperparameters_sha256"] == best["sha256"]
    assert told["search_until"] == best["search_until"]
    assert told["trained_until"] >= best["search_until"]
    # A search over more bars has seen what is to be predicted.
    late = write_config(tmp_path, "late", train=300, refit=60, hyperparameters=best["file"])
    with pytest.raises(ConfigError, match="their search has seen bars until"):
        ib.predict.train(late)


def test_listed_numbers_are_proposed_by_size() -> None:
    assert choices([64, 8, 16.5]) == (8, 16.5, 64)
    assert choices(["b", "a"]) == ("b", "a")
    assert choices([True, 1, 0]) == (True, 1, 0)  # truths have no size


def test_bad_searches_are_refused(tmp_path: Path) -> None:
    for search, told in (
        ({"l2": 3}, r"search.l2 is 3, must be a list"),
        ({"l2": {"low": 0, "high": 1, "log": True}}, "above 0 for log"),
        ({"l2": {"low": 2, "high": 1}}, "search.l2.high is 1"),
        ({"l2": {"low": 0.5, "high": 3, "whole": True}}, "search.l2.low is 0.5, must be a whole"),
    ):
        with pytest.raises(ConfigError, match=told):
            ib.predict.search(config_in(tmp_path, search=search), trials=1)
    with pytest.raises(UsageError, match="each of 2 trials failed, the last because"):
        ib.predict.search(config_in(tmp_path, search={"l2": [-1.0, -2.0]}), trials=2)
    with pytest.raises(RunError, match="is of another search"):
        ib.predict.search(config_in(tmp_path, search={"l2": [1.0]}), trials=2)
    own = "sklearn:linear_model.Lasso"
    with pytest.raises(ConfigError, match="nothing is known to search"):
        ib.predict.search(write_config(tmp_path, "other", forecaster=own), trials=1)
