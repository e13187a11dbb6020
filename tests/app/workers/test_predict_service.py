"""The prediction service: the bits of the file, a refusal of each kind, a hundred at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import intrabar as ib
from intrabar.app.workers.predict_service import Answers, PredictService
from intrabar.errors import ConfigError, FileError
from tests.learn.forecasts_of_it import write_config

Asked = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    name = "sklearn:ensemble.HistGradientBoostingRegressor"
    params = {"max_iter": 10}
    config = write_config(folder, forecaster=name, quantiles=[0.1, 0.9], hyperparameters=params)
    ib.predict.train(config)
    ib.predict.run(config)
    return folder


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[PredictService]:
    made = PredictService(Answers(folder / "models/registry/acme"), port=0)
    thread = threading.Thread(target=made.serve, daemon=True)
    thread.start()
    yield made
    made.close()
    thread.join()


def ask(service: PredictService, body: Any, path: str = "/predict", **headers: str) -> Any:
    link = HTTPConnection("127.0.0.1", service.port, timeout=60)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    link.request("POST", path, content, headers)
    answer = link.getresponse()
    return answer.status, json.loads(answer.read())


def bars(folder: Path, count: int) -> Asked:
    rows = pl.read_csv(folder / "ACME.csv").head(count).to_dicts()
    return {"symbol": "ACME", "bars": rows, "calendar": "24/7"}


def test_a_hundred_at_once_have_the_bits_of_the_file(folder: Path, service: PredictService) -> None:
    file = pl.read_parquet(folder / "predictions" / "acme.parquet")
    counts = list(range(400, 500))
    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda n: ask(service, bars(folder, n)), counts))
    for n, (status, content) in zip(counts, answers, strict=True):
        assert status == 200, content
        (row,) = content["predictions"]
        there = file.row(n - 501, named=True)  # its last one is that of bar 500
        for name in ("predicted_return", "predicted_price", "q10", "q90", "model"):
            assert row[name] == there[name]


def test_windows_have_the_same_bits(folder: Path, service: PredictService) -> None:
    from intrabar.app.calls.forecast_settings import asked

    given = asked(folder / "acme.yaml")
    samples = given.samples(given.settings.features, (1,))
    import numpy as np

    rows = np.arange(len(samples) - 3, len(samples))
    body = {
        "symbol": "ACME",
        "windows": samples.windows(rows).tolist(),
        "close": samples.closes(rows).tolist(),
        "unit": samples.units(rows).tolist(),
        "time": [f"{np.datetime64(int(t), 'ns')}Z" for t in samples.time[rows]],
    }
    status, content = ask(service, body)
    assert status == 200, content
    file = pl.read_parquet(folder / "predictions" / "acme.parquet").tail(3)
    for name in ("predicted_return", "q10", "model"):
        assert [x[name] for x in content["predictions"]] == file[name].to_list()
    early = {**body, "time": ["2020-03-01T00:00:00Z"] * 3}
    assert "before the first model may predict" in ask(service, early)[1]["why"][0]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{", "no JSON"),
        (b'{"symbol": "A", "bars": [{"close": NaN}]}', "NaN is no number"),
        (b"[]", "must be {symbol, bars}"),
        ({"symbol": "A"}, "must be {symbol, bars}"),
        ({"symbol": "A", "bars": []}, "bars: must be a list"),
        ({"symbol": 3, "bars": [{"close": 1}]}, "symbol"),
        ({"symbol": "A", "bars": [{"close": 1}], "mood": 1}, "unknown mood"),
        ({"symbol": "A", "bars": [{"close": 1}]}, "open"),
        ({"symbol": "A", "windows": [[[1.0]]], "close": [1.0]}, "must be (n, 3, 13)"),
        ({"symbol": "A", "windows": "x"}, "windows: is 'x'"),
        ({"symbol": "A", "windows": [[[0.0] * 13] * 3], "close": [1.0], "unit": [0.01],
          "time": ["2021-01-01"]}, "must be a time with a zone"),
        ({"symbol": "A", "windows": [[[0.0] * 13] * 3], "close": [1.0, 2.0], "unit": [0.01],
          "time": ["2021-01-01T00:00:00Z"]}, "must be one of each"),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_422_and_why(
    service: PredictService, body: Any, told: str
) -> None:
    status, content = ask(service, body)
    assert status == 422, content
    assert told in " ".join(content["why"])


def test_too_few_bars_and_other_paths(folder: Path, service: PredictService) -> None:
    status, content = ask(service, bars(folder, 20))
    assert (status, "at least are needed" in content["why"][0] or "needs" in content["why"][0]) == (
        422,
        True,
    )
    assert ask(service, {}, "/other")[0] == 404
    assert ask(service, {}, Host="evil.example")[0] == 403
    assert ask(service, {}, Host="[")[0] == 403  # no host at all
    link = HTTPConnection("127.0.0.1", service.port, timeout=60)
    link.request("GET", "/readyz")
    assert json.loads(link.getresponse().read())["ready"] is True


def test_a_service_without_models_port_or_host_is_refused(
    tmp_path: Path, folder: Path, service: PredictService
) -> None:
    with pytest.raises(FileError, match="holds no model"):
        Answers(tmp_path)
    answers = Answers(folder / "models/registry/acme")
    with pytest.raises(ConfigError, match=r"--port: .* cannot be had"):
        PredictService(answers, port=service.port)
    for host in ("nope..invalid", "192.0.2.1"):  # no name at all; an address that nobody has
        with pytest.raises(ConfigError, match=f"--host: {host} is no IPv4 address of this machine"):
            PredictService(answers, host, 0)
