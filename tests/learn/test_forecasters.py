"""Forecasters: what they are given, what they learn, and what is refused of them."""

from __future__ import annotations

import json
import pickle
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from onnx import TensorProto, helper

import intrabar as ib
from intrabar.errors import ConfigError, FileError, IntrabarError, RunError, UsageError
from intrabar.learn.forecasters import forecaster_of, outputs_of
from intrabar.learn.forecasters.ridge import Ridge
from intrabar.learn.hyperparameters import hyperparameters_of
from intrabar.learn.registry import Registry
from intrabar.learn.settings import params_hash
from intrabar.links.forecaster import Output, Rows
from tests.learn.forecasts_of_it import write_bars, write_config

ONE = (Output(1),)


def rows(n: int = 300, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3, 2))
    y = x[:, -1, :1] * 0.5 - x[:, 0, 1:] * 0.2 + 0.1 + rng.normal(size=(n, 1))
    return Rows(x, y, rng.uniform(0.5, 1.0, n))


def test_ridge_is_the_closed_form_and_runs_on_the_dense_kernel() -> None:
    x, y, weights = rows()
    one = Ridge(3, ONE, l2=0.5)
    one.fit(x, y, weights, None, 0)
    flat = np.column_stack([x.reshape(len(x), -1), np.ones(len(x))])
    root = np.sqrt(weights / weights.sum() * len(x))[:, None]
    penalty = np.diag([0.5 * len(x)] * 6 + [0.0])
    a, b = flat * root, y * root
    slopes = np.linalg.solve(a.T @ a + penalty, a.T @ b)
    assert_allclose(one.predict(x), flat @ slopes, rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [40, 300])  # fewer rows than weights, and more
def test_of_several_penalties_the_validation_rows_choose(count: int) -> None:
    x, y, weights = rows(count)
    wide = np.concatenate([x, np.random.default_rng(1).normal(size=(count, 3, 30))], axis=2)
    valid = Rows(wide[-15:], y[-15:], weights[-15:])
    one = Ridge(3, ONE)
    one.fit(wide[:-15], y[:-15], weights[:-15], valid, 0)
    errors = []
    for k in range(-3, 3):
        each = Ridge(3, ONE, l2=10.0**k)
        each.fit(wide[:-15], y[:-15], weights[:-15], valid, 0)
        errors.append(float(np.mean((each.predict(valid.windows) - valid.targets) ** 2)))
    assert float(np.mean((one.predict(valid.windows) - valid.targets) ** 2)) == min(errors)


def test_a_window_with_what_is_no_number_has_no_prediction_and_asks_nobody(tmp_path: Path) -> None:
    ib.predict.train(write_config(tmp_path))
    model = Registry(tmp_path / "models/registry/acme").models()[0]
    windows = np.random.default_rng(0).normal(size=(3, 3, 13))
    windows[1, 0, 0] = np.nan
    said = model.returns(windows, np.full(3, 100.0), np.array([0.01, 0.01, np.nan]))
    assert_array_equal(np.isnan(said[:, 0]), [False, True, True])


def test_what_is_trained_is_normalised_by_its_own_train_and_purged_by_window_and_end(
    tmp_path: Path,
) -> None:
    config = write_config(tmp_path, horizons=[1, 5], window=4)
    X, y, told = ib.predict.windows(config)
    train = (told["split"] == "train").to_numpy()
    assert_allclose(X[train, -1].mean(axis=0)[:9], 0.0, atol=0.05)  # clipped at 5
    assert X.shape[1:] == (4, 13)
    assert y.shape == (len(told), 2)
    ends = told["end_time"].to_numpy()[train].max()
    begins = told["time"].to_numpy()[~train].min() - np.timedelta64(3, "D")
    assert ends < begins  # the first bar of the first window that validates
    assert told["end_time"].max() <= told["time"].max() + np.timedelta64(5, "D")
    first = ib.predict.windows(config, refit=0)
    assert not np.array_equal(first.X[0], X[0])
    with pytest.raises(ConfigError, match="refit: is 9"):
        ib.predict.windows(config, refit=9)


def test_bars_to_come_change_no_model_and_no_prediction(tmp_path: Path) -> None:
    here, there = tmp_path / "a", tmp_path / "b"
    for folder, until in ((here, 500), (there, 420)):
        folder.mkdir()
        write_bars(folder / "ACME.csv", until=until)
        ib.predict.run(Path(_trained(folder, quantiles=[])))
    whole, part = (ib.predict.run(x / "acme.yaml") for x in (here, there))
    import polars as pl

    more, less = pl.read_parquet(whole), pl.read_parquet(part)
    assert 0 < len(less) < len(more)
    assert more.head(len(less)).equals(less)
    late = more["trained_until"] + timedelta(days=1)
    assert (late < more["Time"]).all()  # refit_lag


def _trained(folder: Path, **predict: Any) -> Path:
    config = write_config(folder, **predict)
    ib.predict.train(config)
    return config


def test_a_second_train_trains_nothing_and_other_settings_are_refused(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    before = ib.predict.train(config).models
    assert ib.predict.train(config).models == before
    with pytest.raises(UsageError, match="other settings"):
        ib.predict.train(write_config(tmp_path, window=5))


def test_a_horizon_never_reaches_what_it_is_tested_on(tmp_path: Path) -> None:
    _trained(tmp_path, horizons=[1, 7])
    registry = Registry(tmp_path / "models/registry/acme")
    for one in registry.index()["models"]:
        told = json.loads((registry.folder / one["folder"] / "manifest.json").read_text())
        assert told["trained_until"] == told["spans"]["validation"]["until"]
        assert told["trained_until"] <= told["data"]["span"][1]


def test_a_pickle_that_is_not_the_one_of_the_index_is_not_executed(tmp_path: Path) -> None:
    config = _trained(tmp_path, forecaster="sklearn:linear_model.LinearRegression")
    registry = Registry(tmp_path / "models/registry/acme")
    path = registry.folder / registry.index()["models"][0]["folder"] / "model.pickle"

    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "executed",))

    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(RunError, match="is not the file that was made here"):
        ib.predict.run(config)
    assert not (tmp_path / "executed").exists()
    index = registry.folder / "index.json"
    index.write_text(index.read_text().replace('"rows"', '"Rows"', 1))
    with pytest.raises(RunError, match="was changed"):
        ib.predict.run(config)


def test_scikit_learn_has_a_clone_for_each_output_and_no_quantile_by_a_penalty() -> None:
    x, y, weights = rows()
    outputs = outputs_of([1], [0.1, 0.9])
    name = "sklearn:ensemble.GradientBoostingRegressor"
    one: Any = forecaster_of(name, 3, outputs, {"n_estimators": 20})
    one.fit(x, np.repeat(y, 3, axis=1), weights, None, 7)
    said = one.predict(x)
    assert 0.03 < (y[:, 0] < said[:, 1]).mean() < 0.25
    assert 0.75 < (y[:, 0] < said[:, 2]).mean() < 0.97
    with pytest.raises(ConfigError, match="quantiles: sklearn:linear_model"):
        forecaster_of("sklearn:linear_model.Ridge", 3, outputs, {})
    with pytest.raises(ConfigError, match="unexpected keyword"):
        forecaster_of("sklearn:linear_model.Ridge", 3, ONE, {"alfa": 1.0})
    with pytest.raises(ConfigError, match="there is no such class"):
        forecaster_of("sklearn:linear_model.Rigde", 3, ONE, {})
    for name in ("cluster.KMeans", "linear_model.LogisticRegression"):
        with pytest.raises(ConfigError, match=f"{name}: it is no regressor"):
            forecaster_of(f"sklearn:{name}", 3, ONE, {})
    heavy: Any = forecaster_of("sklearn:linear_model.LinearRegression", 3, ONE, {})
    heavy.fit(x, y, weights, None, 0)
    light: Any = forecaster_of("sklearn:linear_model.LinearRegression", 3, ONE, {})
    light.fit(x, y, np.ones(len(x)), None, 0)
    assert not np.array_equal(heavy.predict(x), light.predict(x))  # weights are taken


def test_an_lstm_runs_without_torch_and_learns_means_and_quantiles(tmp_path: Path) -> None:
    x, y, weights = rows(600)
    outputs = outputs_of([1], [0.1, 0.9])
    one: Any = forecaster_of("lstm", 3, outputs, {"units": 8, "rate": 0.01, "epochs": 15})
    target = np.repeat(y, 3, axis=1)
    valid = Rows(x[500:], target[500:], weights[500:])
    one.fit(x[:500], target[:500], weights[:500], valid, 1)
    said = one.predict(x[500:])
    assert 1.0 - np.var(y[500:, 0] - said[:, 0]) / np.var(y[500:, 0]) > 0.1
    assert (y[500:, 0] < said[:, 1]).mean() < 0.3
    assert (y[500:, 0] < said[:, 2]).mean() > 0.7
    again: Any = forecaster_of("lstm", 3, outputs, {"units": 8, "rate": 0.01, "epochs": 15})
    again.fit(x[:500], target[:500], weights[:500], valid, 1)
    one.save(tmp_path / "a.npz")
    again.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    with pytest.raises(ConfigError, match="units is 0"):
        forecaster_of("lstm", 3, outputs, {"units": 0})
    with pytest.raises(IntrabarError, match="unknown hyperparameter of lstm 'unit'"):
        forecaster_of("lstm", 3, outputs, {"unit": 8})


OWN = """
import numpy as np

class Echo:
    needs = "bars"

    def __init__(self, window, outputs, factor=1.0):
        self.factor = factor

    def fit(self, windows, targets, weights, valid, seed):
        self.mean = float(targets.mean())

    def predict(self, windows):
        assert windows.shape == (1, 3, 5)
        last = windows[:, -1, 3] / windows[:, -2, 3] - 1.0
        return self.factor * last[:, None] + self.mean

    def save(self, path):
        path.write_text(repr(self.mean))

    def load(self, path):
        self.mean = float(path.read_text())

class Half:
    def __init__(self, window, outputs): pass
    def fit(self, *_): pass
"""


def test_ones_own_forecaster_is_known_by_its_source(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN)
    config = _trained(tmp_path, forecaster="mine:Echo", hyperparameters={"factor": 0.5})
    import polars as pl

    made = pl.read_parquet(ib.predict.run(config))
    assert made["predicted_return"].is_not_null().all()
    assert made["ridge"].is_not_null().all()
    ahead = ib.predict.predict_future_prices(
        tmp_path / "ACME.csv", tmp_path / "models/registry/acme", 1, symbols="ACME", calendar="24/7"
    )
    assert ahead["predicted_return"][0] == made["predicted_return"][-1]
    (tmp_path / "mine.py").write_text(OWN + "# changed\n")
    with pytest.raises(RunError, match="has changed since this was trained"):
        ib.predict.run(config)
    with pytest.raises(ConfigError, match="has no predict, save, load"):
        ib.predict.train(write_config(tmp_path, "half", forecaster="mine:Half"))
    with pytest.raises(ConfigError, match="has no class 'None_'"):
        ib.predict.train(write_config(tmp_path, "none", forecaster="mine:None_"))
    with pytest.raises(IntrabarError, match="unknown forecaster 'rigde'"):
        ib.predict.train(write_config(tmp_path, "odd", forecaster="rigde"))


@pytest.mark.parametrize("method", ["fit", "predict", "save", "load"])
def test_what_ones_own_forecaster_raises_is_told_with_its_line(tmp_path: Path, method: str) -> None:
    raising = (
        f"\n\nclass Raising(Echo):\n    def {method}(self, *given):\n        return {{}}['no']"
    )
    (tmp_path / "mine.py").write_text(OWN + raising)
    where = rf"the forecaster's {method} raised: .*mine.py:\d+ .*KeyError: 'no'"
    with pytest.raises(RunError, match=where):
        ib.predict.run(_trained(tmp_path, forecaster="mine:Raising"))


def write_onnx(folder: Path, told: dict[str, Any], window: int = 3, width: int = 1) -> None:
    """The last close by a slope, plus a level."""
    weights = np.zeros((window * width, 1), np.float32)
    weights[-1] = 0.5
    graph = helper.make_graph(
        [
            helper.make_node("Reshape", ["x", "flat"], ["f"]),
            helper.make_node("Gemm", ["f", "w", "b"], ["y"]),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", window, width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [
            helper.make_tensor("flat", TensorProto.INT64, [2], [-1, window * width]),
            helper.make_tensor("w", TensorProto.FLOAT, weights.shape, weights.ravel()),
            helper.make_tensor("b", TensorProto.FLOAT, [1], [0.25]),
        ],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "k.onnx")
    (folder / "k.meta.json").write_text(json.dumps(told))


SCALED = {
    "trained_until": "2020-06-30",
    "output": "scaled_price",
    "output_mean": 100.0,
    "output_scale": 20.0,
    "features": ["c = close"],
    "seq_len": 3,
    "mean": [100.0],
    "std": [20.0],
}


def test_a_finished_model_of_scaled_prices_is_judged_by_returns(tmp_path: Path) -> None:
    import polars as pl

    write_onnx(tmp_path, SCALED)
    config = _trained(tmp_path, forecaster="onnx:k.onnx")
    made = pl.read_parquet(ib.predict.run(config))
    bars = pl.read_csv(tmp_path / "ACME.csv")
    close = bars["close"].to_numpy()[-len(made) :]
    price = ((close - 100.0) / 20.0 * 0.5 + 0.25) * 20.0 + 100.0
    assert_allclose(made["predicted_return"].to_numpy(), price / close - 1.0, atol=1e-6)
    assert made["Time"].min() > made["trained_until"].max()
    assert json.loads((tmp_path / "predictions/acme.json").read_text())["trained_until_is"] == (
        "declared"
    )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"trained_until": None}, "trained_until is missing"),
        ({"output": "log"}, "output is 'log'"),
        ({"output_scale": ...}, "output_scale is missing"),
        ({"output": "return"}, "output_mean is of scaled_price"),
        ({"mean": [1.0, 2.0]}, "mean must have 1 numbers"),
        ({"std": [0.0]}, "must be above 0"),
        ({"seq_len": 4}, "must read one array"),
        ({"trained_until": "last year"}, "trained_until is 'last year'"),
        ({"mood": 1}, "unknown mood"),
    ],
)
def test_notes_that_say_too_little_are_refused(
    tmp_path: Path, changed: dict[str, Any], told: str
) -> None:
    notes = {k: v for k, v in {**SCALED, **changed}.items() if v is not ...}
    write_onnx(tmp_path, notes)
    with pytest.raises((ConfigError, RunError), match=told):
        ib.predict.train(write_config(tmp_path, forecaster="onnx:k.onnx"))
    assert not (tmp_path / "models").exists()


def test_hyperparameters_of_a_file(tmp_path: Path) -> None:
    flat = tmp_path / "flat.json"
    flat.write_text('{"l2": 0.5}')
    assert hyperparameters_of("flat.json", tmp_path).told == "unknown search"
    flat.write_text("l2: 0.5")
    with pytest.raises(FileError, match=r"flat.json is no JSON .*; write names and values"):
        hyperparameters_of("flat.json", tmp_path)
    best = {
        "format": "hyperparameters/1",
        "params": {"l2": 0.5},
        "sha256": params_hash({"l2": 0.5}),
        "search_until": "2020-03-01T00:00:00Z",
        "trials": 3,
    }
    path = tmp_path / "best_hyperparameters.json"
    path.write_text(json.dumps(best))
    assert hyperparameters_of(".", tmp_path).params == {"l2": 0.5}
    path.write_text(json.dumps({**best, "params": {"l2": 1.0}}))
    with pytest.raises(FileError, match="was changed"):
        hyperparameters_of(".", tmp_path)
    path.write_text(json.dumps({**best, "search_until": "2021-03-01T00:00:00Z"}))
    with pytest.raises(ConfigError, match="their search has seen bars until 2021-03-01"):
        ib.predict.train(write_config(tmp_path, hyperparameters="."))


def test_prices_to_come_are_outputs_and_never_fed_back(tmp_path: Path) -> None:
    _trained(tmp_path, horizons=[1, 3])
    folder = tmp_path / "models/registry/acme"
    given: dict[str, Any] = {"symbols": "ACME", "calendar": "24/7"}
    made = ib.predict.predict_future_prices(tmp_path / "ACME.csv", folder, 3, **given)
    assert made["horizon"].to_list() == [1, 3]
    assert ib.predict.predict_future_prices(tmp_path / "ACME.csv", folder, 1, **given)[
        "horizon"
    ].to_list() == [1]
    with pytest.raises(ConfigError, match="steps is 4"):
        ib.predict.predict_future_prices(tmp_path / "ACME.csv", folder, 4, **given)


def test_too_few_rows_name_the_settings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has \d+ rows, of \d+ .* take a longer train:"):
        ib.predict.train(write_config(tmp_path, train=100))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"train": "1y", "refit": "0m"}, "refit: '0m' is no stretch of the calendar"),
        ({"train": 0}, "train: is 0 bars, must be 1 or more"),
        ({"train": "1y", "refit": 100}, "predict.train '1y', predict.refit 100: give all in bars"),
    ],
)
def test_spans_are_refused_by_their_places(tmp_path: Path, given: Any, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        ib.predict.train(write_config(tmp_path, **given))
