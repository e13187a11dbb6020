"""`data fetch | refresh | quote`, and the same in Python, of a vendor on this machine."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.app.compose.vendors import vendor_in
from intrabar.app.config.file import read_config
from intrabar.data.catalogue import Catalogue
from intrabar.data.live.vendors import SOURCES
from intrabar.errors import AuthError, ConfigError, LinkError
from intrabar.links.vendor import Row
from tests.app.vendors_of_it import MINUTES, scripted
from tests.data.live.samples import Scripted

FETCH = ["data", "fetch", "IBM", "--source", "scripted", "--period", "1m", "--start", "2026-03-02"]


@pytest.fixture(autouse=True)
def vendor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the vendor answers instead, under "change"; those that were asked, under "made"."""
    answers: dict[str, Any] = {"change": None, "made": []}

    def make(credentials: Any, clock: Any) -> Scripted:
        answers["made"].append(scripted(answers["change"]))
        return answers["made"][-1]

    monkeypatch.setitem(SOURCES._own, "scripted", make)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INTRABAR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("INTRABAR_CATALOGUE", str(tmp_path / "catalogue"))
    return answers


def told(arguments: list[str], capsys: Any) -> tuple[int, str, str]:
    capsys.readouterr()
    code = run(arguments)
    out, err = capsys.readouterr()
    return code, out, err


def test_fetched_bars_are_in_the_catalogue(capsys: Any) -> None:
    code, out, _ = told(FETCH, capsys)
    assert code == 0
    assert "IBM 1m: 390 bars of scripted, 2026-03-02T14:31:00Z to 2026-03-02T21:00:00Z" in out
    assert "390 new, 0 changed; raw, calendar NYSE, 1 splits and 1 dividends" in out
    assert told(["data", "show", "IBM", "--json"], capsys)[0] == 0
    assert len(Catalogue().read("IBM")) == 390
    code, out, _ = told([*FETCH, "--json"], capsys)
    again = json.loads(out)
    assert (again["is_new"], again["added"], again["manifest"]["rows"]) == (False, 0, 390)


def test_a_refresh_says_which_bars_changed(
    capsys: Any, vendor: dict[str, Any], tmp_path: Path
) -> None:
    told(FETCH, capsys)

    def change(symbol: str, now: int, rows: tuple[Row, ...]) -> Iterable[Row]:
        return [msgspec.structs.replace(rows[0], close=101.5), *rows[1:]]

    vendor["change"] = change
    (tmp_path / "config.yaml").write_text("data: {provider: scripted, cache_enabled: false}\n")
    code, out, err = told(["data", "refresh", "--all", "--config", "config.yaml"], capsys)
    assert (code, err) == (0, "")
    assert "0 new, 1 changed" in out
    assert "changed: 2026-03-02T14:30:00Z: close 101 is now 101.5" in out


def test_a_dataset_that_fails_does_not_keep_the_others(
    capsys: Any, vendor: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({"data": {"provider": "scripted"}, "symbols": ["NOSUCH", "IBM"]})
    )
    arguments = ["data", "fetch", "--period", "1m", "--start", "2026-03-02", "--calendar", "NYSE"]
    code, out, err = told([*arguments, "--config", "config.yaml"], capsys)
    assert code == 2
    assert "error: NOSUCH: unknown symbol 'NOSUCH'" in err
    assert "IBM 1m: 390 bars" in out


def test_several_symbols_are_asked_of_one_vendor_which_is_closed_at_the_end(
    capsys: Any, vendor: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump(
            {"data": {"provider": "scripted", "cache_enabled": False}, "symbols": ["IBM", "MSFT"]}
        )
    )
    how = ["--config", "config.yaml", "--json"]
    fetch = ["data", "fetch", "--period", "1m", "--start", "2026-03-02", *how]
    for arguments in (fetch, ["data", "refresh", "--all", *how]):
        vendor["made"].clear()
        code, out, _ = told(arguments, capsys)
        assert code == 0
        assert [one["manifest"]["symbol"] for one in json.loads(out)] == ["IBM", "MSFT"]
        (asked,) = vendor["made"]
        assert asked.is_closed
    told(["data", "quote", "IBM", *how], capsys)
    assert vendor["made"][-1].is_closed


def test_a_quote_has_null_where_the_vendor_has_none(capsys: Any) -> None:
    code, out, _ = told(["data", "quote", "IBM", "--source", "scripted", "--json"], capsys)
    found = json.loads(out)
    assert code == 0
    assert (found["bid"], found["ask"], found["volume"]) == (488.5, None, None)
    assert found["price"] == MINUTES[-1].close
    assert found["time"] == "2026-03-02T20:59:00+00:00"
    assert found["age"] > 0.0
    assert found["stale"] == ""
    code, out, _ = told(["data", "quote", "IBM", "--source", "scripted"], capsys)
    assert "ask" in out
    assert "none" in out
    assert "ago" in out


def test_a_quote_that_was_kept_is_shown_and_told_to_be_old(
    capsys: Any, vendor: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    told(["data", "quote", "IBM", "--source", "scripted"], capsys)
    monkeypatch.setattr("intrabar.data.live.answers.QUOTES", 0.0)

    async def down(symbol: str) -> Any:
        raise LinkError("scripted: not reached")

    def away(credentials: Any, clock: Any) -> Any:
        made = scripted()
        made.quote = down  # type: ignore[method-assign]
        return made

    monkeypatch.setitem(SOURCES._own, "scripted", away)
    code, out, err = told(["data", "quote", "IBM", "--source", "scripted", "--json"], capsys)
    assert code == 5
    assert json.loads(out)["stale"] == "scripted: not reached"
    assert "scripted is down" in err
    found = ib.quote("IBM", "scripted")
    assert found.stale == "scripted: not reached"
    assert found.price == MINUTES[-1].close


def test_a_source_that_is_down_has_its_exit_code(capsys: Any, vendor: dict[str, Any]) -> None:
    def down(symbol: str, now: int, rows: tuple[Row, ...]) -> Iterable[Row]:
        raise LinkError("scripted: not reached")

    def refused(symbol: str, now: int, rows: tuple[Row, ...]) -> Iterable[Row]:
        raise AuthError("scripted: the key was refused")

    vendor["change"] = down
    assert told(FETCH, capsys) == (5, "", "error: scripted: not reached\n")
    vendor["change"] = refused
    assert told(FETCH, capsys)[0] == 4


def test_python_fetches_the_same_also_where_a_loop_runs() -> None:
    done = ib.fetch("IBM", "scripted", period="1m", start="2026-03-02")
    assert (done.added, done.manifest.rows) == (390, 390)

    async def in_a_notebook() -> Any:
        return ib.quote("IBM", "scripted")

    assert asyncio.run(in_a_notebook()).price == MINUTES[-1].close
    result = ib.backtest("CoinFlip", symbols=["IBM"], period="1m")
    assert len(result.setup.market) == 390


def test_an_older_file_names_its_vendor_its_folder_and_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "trading: {mode: simulation, symbols: [IBM]}\n"
        "data:\n  provider: alphaavantage\n  cache_enabled: true\n  cache_dir: ./data/cache\n"
        "  credentials: {api_key: '${MY_KEY_OF_IT}'}\n"
        "strategies: [{name: CoinFlip}]\n"
    )
    monkeypatch.setenv("MY_KEY_OF_IT", "PLANTED-KEY-77")
    answers, symbols = vendor_in(file)
    assert (answers.vendor.name, symbols) == ("alpha_vantage", ["IBM"])
    assert answers._folder == tmp_path / "data/cache"
    # A backtest needs no key, and says where its bars come from.
    monkeypatch.delenv("MY_KEY_OF_IT")
    _, remarks = read_config(file)
    assert any("intrabar data fetch --config" in remark for remark in remarks)
    with pytest.raises(ConfigError, match="MY_KEY_OF_IT"):
        vendor_in(file)


def test_a_file_without_a_vendor_is_asked_for_one(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("symbols: [IBM]\n")
    with pytest.raises(ConfigError, match=r"data: \{provider"):
        vendor_in(file)
    assert vendor_in(file, "scripted")[1] == ["IBM"]
    file.write_text("data: {provider: scripted, cache_dri: x}\n")
    with pytest.raises(
        ConfigError, match=r"data\.cache_dri: unknown key; did you mean 'cache_dir'"
    ):
        vendor_in(file)
