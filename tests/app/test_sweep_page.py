"""The page of a sweep that was run, against its own table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import intrabar as ib
from tests.app.runs_of_it import config_in, said

SWEEP = {
    "parameters": {"fast": [3, 5, 8, 50], "slow": [20, 30, 40], "exit.reward": [1.0, 2.0]},
    "constraints": ["fast < 60"],
}


def view_in(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    inside = text.split('<script id="view" type="application/json">')[1].split("</script>")[0]
    view: dict[str, Any] = json.loads(inside)
    return view


def test_the_command_writes_a_page_of_the_table(tmp_path: Path, capsys: Any) -> None:
    file = config_in(tmp_path, sweep=SWEEP, report=True, name="Crossovers")
    code, out, err = said(capsys, "sweep", file, "--json", "--workers", "1")
    assert code == 0, err
    told = json.loads(out)
    page = Path(told["page"])
    assert page == Path(told["folder"]) / "sweep.html"
    view = view_in(page)
    table = pl.read_parquet(page.parent / "trials.parquet")
    assert (view["name"], view["trials"], view["failed"]) == (
        "Crossovers",
        table.height,
        told["failed"],
    )
    assert view["symbols"] == ["AAA"]
    best = view["best"]
    assert view["number"][best["row"]] == told["best"]["number"]
    assert best["sharpe"] == pytest.approx(told["best"]["metrics"]["sharpe"])
    assert best["deflated"] == pytest.approx(told["best"]["deflated_sharpe"])
    assert view["tried"] == told["best"]["deflated"]["tried"]
    # What luck gives is to the best's Sharpe ratio a year as the threshold is to it a day.
    deflated = told["best"]["deflated"]
    days = (best["by_luck"] / deflated["threshold"]) ** 2
    assert days == pytest.approx(252, abs=1) or days == pytest.approx(365, abs=1)
    assert [axis["name"] for axis in view["axes"]] == ["fast", "slow", "exit.reward"]
    again = ib.sweep_report(page.parent, tmp_path / "again.html")
    assert again.read_bytes() == page.read_bytes()


def test_no_report_is_no_page(tmp_path: Path, capsys: Any) -> None:
    file = config_in(tmp_path, sweep=SWEEP)
    code, out, _ = said(capsys, "sweep", file, "--json", "--workers", "1")
    assert code == 0
    assert json.loads(out)["page"] is None


def test_a_sweep_that_was_not_kept_has_no_page(tmp_path: Path) -> None:
    config = config_in(tmp_path, sweep={"parameters": {"fast": [3, 5]}})
    found = ib.sweep(config=config, keep=False, workers=1)
    with pytest.raises(ib.RunError, match="keep=True"):
        ib.sweep_report(found)
    with pytest.raises(ib.RunError, match="cannot be read"):
        ib.sweep_report(tmp_path)
