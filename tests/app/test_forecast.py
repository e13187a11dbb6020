"""`intrabar predict train` and `run`: from a configuration to a file with its verdict."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.app.compose.recipe import Recipe
from intrabar.app.provenance import sources_of
from intrabar.data.prediction_file import read_predictions
from intrabar.indicators.given import Request
from intrabar.learn.settings import params_hash
from intrabar.research.honesty import judge
from tests.learn.forecasts_of_it import write_config


def test_from_a_configuration_to_a_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = {"max_iter": 10}
    name = "sklearn:ensemble.HistGradientBoostingRegressor"
    config = str(
        write_config(
            tmp_path, forecaster=name, quantiles=[0.05, 0.95], hyperparameters=params, horizons=[2]
        )
    )
    assert run(["predict", "train", config]) == 0
    assert "skill of ridge" in capsys.readouterr().out
    assert run(["predict", "run", config, "--name", "p.csv"]) == 0
    assert "p.csv: 249 rows, 0 without a prediction" in capsys.readouterr().out
    file = tmp_path / "predictions" / "p.csv"
    told = json.loads(file.with_suffix(".json").read_text())
    assert told["trained_until_is"] == "witnessed"
    assert told["hyperparameters"] == params
    assert len(told["hyperparameters_sha256"]) == 64
    assert len(told["registry"]["models"]) == 3
    assert read_predictions(file).is_witnessed
    assert {"q05", "q95", "ridge", "drift", "model"} <= set(pl.read_csv(file).columns)
    assert run(["predict", "check", str(file), config, "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)["judged"][0]
    assert judged["drift_of"] == "the train of each model"
    assert judged["in_atrs"]["against_ridge"]["value"] is not None
    assert run(["predict", "show", str(file)]) == 0
    assert "(witnessed)" in capsys.readouterr().out


def test_both_figures_are_those_of_the_columns(tmp_path: Path) -> None:
    """By hand: 1 - MSE / MSE of the column."""
    config = write_config(tmp_path, forecaster="sklearn:linear_model.LinearRegression")
    ib.predict.train(config)
    file = ib.predict.run(config)
    base = Recipe.of_call({}, None, {"config": config}).traded_market()
    found = judge(Request(str(file)), base.market, base.instruments).judged[0].raw
    rows = pl.read_parquet(file)
    close = base.market.close[:, 0]
    came = (close[1:] / close[:-1] - 1.0)[-len(rows) + 1 :]
    said, ridge, drift = (rows[x].to_numpy()[:-1] for x in ("predicted_return", "ridge", "drift"))
    for figure, rival in ((found.against_ridge, ridge), (found.against_drift, drift)):
        expected = 1.0 - np.sum((came - said) ** 2) / np.sum((came - rival) ** 2)
        assert abs(figure.value - expected) < 1e-12  # type: ignore[union-attr]


def test_who_is_predicted_by_the_models_of_others_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config(tmp_path)
    ib.predict.train(config)
    config.write_text(
        config.read_text().replace("symbol: ACME", "symbol: ZZZ").replace("  ACME:", "  ZZZ:")
    )
    assert run(["predict", "run", str(config)]) == 0
    assert "ZZZ: predicted by models that were trained on ACME alone" in capsys.readouterr().out


def test_each_refit_has_its_skill_and_a_run_knows_its_models(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    models = ib.predict.train(config).models
    file = ib.predict.run(config)
    base = Recipe.of_call({}, None, {"config": config}).traded_market()
    judged = judge(Request(str(file)), base.market, base.instruments).judged[0]
    assert [x.trained_until for x in judged.refits] == [x["trained_until"] for x in models]
    assert sum(x.rows for x in judged.refits) == judged.in_atrs.rows
    rows = pl.read_parquet(file)
    bot = ib.Bot(ib.PredictionThreshold(str(file)), qty=1.0)
    told = sources_of({"bot": bot})["bot"]["predicted by"][str(file.absolute())]
    assert told["models"] == rows["model"].unique(maintain_order=True).to_list()
    manifest = json.loads(file.with_suffix(".json").read_text())
    assert told["hyperparameters_sha256"] == manifest["hyperparameters_sha256"]


def test_a_file_is_told_of_what_its_models_were_made_by(tmp_path: Path) -> None:
    made_by = write_config(tmp_path, hyperparameters={"l2": 0.5})
    ib.predict.train(made_by, seed=7)
    other = write_config(tmp_path, "other", hyperparameters={"l2": 2.0})
    told = json.loads(
        ib.predict.run(other, model="acme").with_suffix(".json").read_text(encoding="utf-8")
    )
    assert (told["hyperparameters"], told["seeds"]) == ({"l2": 0.5}, [7])
    assert told["hyperparameters_sha256"] == params_hash({"l2": 0.5})
