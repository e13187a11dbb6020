"""`--chunk` from the command line and from Python, out of a catalogue of several years."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.data.actions import actions_of, keep_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.continuous import continuous, keep
from intrabar.errors import ConfigError
from intrabar.model.bars import Bars

DAY = 86_400_000_000_000
RECORD = {
    "source": "made", "source_sha256": "", "format": "made", "zone": "UTC", "label": "end",
    "adjustment": "raw", "calendar": "",
}  # fmt: skip


def daily(symbol: str, seed: int, n: int = 1200) -> Bars:
    draw = np.random.default_rng(seed)
    close = np.round(50.0 * np.exp(np.cumsum(draw.normal(0.0, 0.01, n))), 2)
    open_ = np.round(close * np.exp(draw.normal(0.0, 0.003, n)), 2)
    high, low = np.maximum(open_, close) + 0.2, np.minimum(open_, close) - 0.2
    days = 18_000 + np.arange(n, dtype=np.int64)
    ones = np.full(n, 1000.0)
    return Bars(symbol, (days + 1) * DAY, open_, high, low, close, ones, DAY, days * DAY, days)


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.chdir(tmp_path)
    made = Catalogue(tmp_path / "catalogue")
    made.write(daily("A", 1), RECORD)
    whole = daily("B", 2)
    edges = whole.close_time[[0, 100, 101, 700]].tolist()
    parts = [
        whole.between(a, None if b is None else b - 1)
        for a, b in zip(edges, [*edges[1:], None], strict=True)
    ]
    made.write_parts(parts, RECORD)
    return made


COMMAND = ["backtest", "--symbol", "A", "--symbol", "B", "--strategy", "TrendFollowing",
           "--start", "2020-01-01", "--no-report", "--json"]  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> dict[str, object]:
    assert run(arguments) == 0
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def test_parts_and_a_whole_are_the_same_dataset(catalogue: Catalogue, tmp_path: Path) -> None:
    again = Catalogue(tmp_path / "again")
    whole = again.write(daily("B", 2), RECORD)
    (parts,) = catalogue.show("B")
    assert (parts.content_sha256, parts.rows) == (whole.content_sha256, whole.rows)
    assert catalogue.verify("B")[0][1] == ""
    np.testing.assert_array_equal(catalogue.read("B").close, again.read("B").close)


def test_a_run_in_chunks_is_stored_listed_and_repeated(
    catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = said(capsys, COMMAND)
    chunked = said(capsys, [*COMMAND, "--chunk", "250"])
    assert chunked["digest"] == whole["digest"]
    fills = [pl.read_parquet(f"{told['folder']}/fills.parquet") for told in (whole, chunked)]
    assert fills[0].height > 10
    assert fills[0].equals(fills[1])
    assert run(["runs", "show", "last"]) == 0
    assert run(["runs", "rerun", str(chunked["id"])]) == 0
    assert "identical" in capsys.readouterr().out


def test_from_python(catalogue: Catalogue, tmp_path: Path) -> None:
    how = {"symbols": ["A", "B"], "params": {"fast": 5}}
    whole = ib.backtest("TrendFollowing", **how)
    result = ib.backtest("TrendFollowing", chunk=400, out=tmp_path / "tables", **how)
    assert result.digest == whole.digest
    assert result.table("equity").collect().equals(whole.equity)
    frames = {"A": daily("A", 1), "B": daily("B", 2)}
    from_bars = ib.backtest(
        "TrendFollowing", frames, chunk=77, out=tmp_path / "more", params={"fast": 5}
    )
    assert from_bars.digest == whole.digest
    with pytest.raises(ConfigError, match="not empty"):
        ib.backtest("TrendFollowing", chunk=400, out=tmp_path / "tables", **how)


@pytest.fixture
def rich(catalogue: Catalogue, tmp_path: Path) -> Path:
    """A configuration with a split, a dividend, rolls, margins, another currency, lower bars."""
    days = [f"2020-{month:02}-06" for month in range(3, 12)]
    keep_actions(catalogue, actions_of([(day, 1.5, 0.1) for day in days], "A"))
    old, new = daily("OLD", 3), daily("NEW", 4)
    made = continuous("F", [old.between(None, int(old.close_time[700])), new], 5)
    keep(catalogue, made, "", 5)
    rate = daily("EURUSD", 5)
    prices = {n: getattr(rate, n) / 50.0 for n in ("open", "high", "low", "close")}
    catalogue.write(replace(rate, **prices), RECORD)
    catalogue.write(halves(daily("A", 1)), RECORD)
    (tmp_path / "margins.csv").write_text("date,initial,maintenance\n2019-09-02,30,20\n")
    config = tmp_path / "rich.yaml"
    config.write_text(f"""
        data:
          - {{symbol: A, catalogue: {catalogue.root}, period: 1d}}
          - {{symbol: F, catalogue: {catalogue.root}, margins: margins.csv}}
        account: {{path_policy: detail}}
        instruments: {{A: {{currency: EUR}}, F: {{initial_margin: 10, slippage_volatility: 0.1}}}}
        strategies: [{{name: TrendFollowing, params: {{fast: 5}}}}]
        start: 2019-05-01
    """)
    return config


def halves(bars: Bars) -> Bars:
    """Two bars of twelve hours for each."""
    turn = np.stack([bars.low, bars.high], axis=1).ravel()  # the low comes first
    open_, close = turn.copy(), turn.copy()
    open_[::2], close[1::2] = bars.open, bars.close
    time = np.repeat(bars.close_time, 2)
    time[::2] -= DAY // 2
    every = np.stack([open_, turn, close])
    high, low = every.max(axis=0), every.min(axis=0)
    opens = time - DAY // 2
    return Bars(
        bars.symbol, time, open_, high, low, close, np.ones(len(time)), DAY // 2, opens,
        np.repeat(bars.session, 2),
    )  # fmt: skip


def test_a_rich_configuration_has_the_digest_the_figures_and_a_report(
    rich: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = said(capsys, ["backtest", str(rich), "--json"])
    chunked = said(capsys, ["backtest", str(rich), "--json", "--chunk", "90"])
    require_near(chunked["metrics"], whole["metrics"])
    for name in ("digest", "undefined", "band"):
        assert chunked[name] == whole[name], name
    folders = [Path(str(told["folder"])) for told in (whole, chunked)]
    assert {"dividend"} == set(pl.read_parquet(folders[1] / "ledger.parquet")["kind"])
    reasons = pl.read_parquet(folders[1] / "fills.parquet")["reason"].unique()
    assert {"split", "roll"} <= set(reasons)
    views = [view_in(folder / "report.html") for folder in folders]
    for key in ("figures", "costs", "orders", "gates", "accruals", "monthly", "metrics"):
        assert views[1][key] == views[0][key], key
    assert views[1]["band"]["rows"] == views[0]["band"]["rows"]
    assert views[1]["equity"] == views[0]["equity"]
    assert sorted(views[1]["campaigns"]["campaign"]) == views[0]["campaigns"]["campaign"]
    assert views[1]["bars"] == []
    data = [json.loads((folder / "manifest.json").read_text())["data"] for folder in folders]
    assert [d["symbol"] for d in data[1]] == [d["symbol"] for d in data[0]] == ["A", "F", "EURUSD"]
    assert run(["runs", "rerun", str(chunked["id"])]) == 0
    text = capsys.readouterr().out
    assert "identical" in text
    assert run(["backtest", str(rich), "--chunk", "300"]) == 0
    assert "bars had none" in capsys.readouterr().out


def require_near(found: Any, wanted: Any) -> None:
    """Equal figures, but for the last digits of sums."""
    assert list(found) == list(wanted)
    for name, value in wanted.items():
        assert found[name] == (None if value is None else pytest.approx(value, rel=1e-12)), name


def view_in(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script id="view"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found is not None
    view: dict[str, Any] = json.loads(found[1])
    return view


def test_what_is_around_bars_of_a_program(tmp_path: Path) -> None:
    bars = {"A": daily("A", 1), "EURUSD": daily("EURUSD", 2)}
    around: dict[str, Any] = {
        "actions": {"A": [("2020-03-02", 2, 0.4)]},
        "detail": {"A": halves(bars["A"])},
        "instruments": {"A": {"currency": "EUR"}},
        "path_policy": "detail",
    }
    whole = ib.backtest("TrendFollowing", bars, **around)
    chunked = ib.backtest("TrendFollowing", bars, chunk=100, out=tmp_path / "out", **around)
    assert chunked.digest == whole.digest
    require_near(chunked.metrics.values, whole.metrics.values)
    band = {edge.policy: edge.total_return for edge in whole.band}
    assert chunked.band_returns == band
    del around["detail"]
    with pytest.raises(ConfigError, match="there are no lower bars of A, EURUSD"):
        ib.backtest("TrendFollowing", bars, chunk=100, out=tmp_path / "more", **around)


def test_rates_that_are_missing_are_named(tmp_path: Path) -> None:
    how: dict[str, Any] = {"instruments": {"A": {"currency": "CHF"}}}
    how["account"] = {"currency": "USD"}
    with pytest.raises(ConfigError, match="no rate of exchange from CHF to USD"):
        ib.backtest("CoinFlip", {"A": daily("A", 1)}, chunk=100, out=tmp_path / "out", **how)


def test_an_expected_result_is_not_in_chunks(
    rich: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rich.write_text(rich.read_text().rstrip() + "\n        calibrated: truth.json\n")
    assert run(["backtest", str(rich), "--chunk", "90"]) == 2
    assert "run without chunk" in capsys.readouterr().err


def test_what_ends_with_its_bars_is_not_in_chunks(tmp_path: Path) -> None:
    how: dict[str, Any] = {"account": {"close_delisted": True}}
    with pytest.raises(ib.ConfigError, match=r"close_delisted .* run it at one go"):
        ib.backtest("CoinFlip", daily("A", 1), chunk=100, out=tmp_path / "out", **how)


def test_a_chunk_of_no_bars_is_refused(
    catalogue: Catalogue, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*COMMAND, "--chunk", "0"]) == 2
    assert "chunk" in capsys.readouterr().err
