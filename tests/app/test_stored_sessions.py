"""A session on live bars, read from its journal alone: no vendor and no file is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import live_session
from intrabar.app.config.file import read_config
from intrabar.engine.session.row import ClosedRow, RowBar, body_of
from intrabar.engine.session.session import Session
from intrabar.journal.journal import open_journal
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.entry import Entry
from tests.engine.session.sessions import run_through

HOUR = 3_600_000_000_000
START = 1_704_067_200_000_000_000


def hourly(n: int) -> Bars:
    close = np.round(100.0 + 5.0 * np.sin(np.arange(n) / 6.0), 2)
    open_ = np.append(100.0, close[:-1])
    high, low = np.maximum(open_, close) + 0.5, np.minimum(open_, close) - 0.5
    time = START + HOUR * np.arange(1, n + 1, dtype=np.int64)
    opened = time - HOUR
    volume = np.full(n, 100.0)
    return Bars("X", time, open_, high, low, close, volume, HOUR, opened, opened // DAY_NS)


def row_of(bars: Bars, i: int) -> ClosedRow:
    prices = (float(getattr(bars, x)[i]) for x in ("open", "high", "low", "close", "volume"))
    bar = RowBar(0, *prices, int(bars.open_time[i]), bool((i + 1) % 24 == 0))
    return ClosedRow(int(bars.close_time[i]), (bar,), int(bars.session[i]))


@pytest.fixture
def journalled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session of 120 hours behind a history of 100, in a folder."""
    monkeypatch.chdir(tmp_path)
    values = {
        "name": "Live",
        "symbols": ["X"],
        "instruments": {"X": {"tick_size": 0.01, "calendar": "24/7", "slippage_ticks": 1}},
        "strategies": [{"name": "MovingAverageCrossover", "params": {"fast": 3, "slow": 9}}],
        "live": {"period": "1h", "warm_up": 60},
    }
    Path("config.yaml").write_text(yaml.safe_dump(values))
    config, remarks = read_config(Path("config.yaml"), "paper")
    recipe = replace(Recipe.of_config(config, remarks), series=None)
    whole = hourly(220)
    past = Bars("X", *(getattr(whole, x)[:100] for x in (
        "close_time", "open", "high", "low", "close", "volume",
    )), HOUR, whole.open_time[:100], whole.session[:100])  # fmt: skip
    setup = live_session(recipe, [past], int(past.close_time[-1]) + 1)
    now = int(past.close_time[-1]) + 1
    history = [body_of(row) for row in setup.history]
    events = [
        Entry(now, 0, 0, "session.started", setup.started(0)),
        Entry(now, 0, 0, "history", {"rows": history}),
    ]
    for i in range(100, 220):
        row = row_of(whole, i)
        at = row.time + 2_000_000_000
        events.append(Entry(at, 0, 0, "row.closed", body_of(row)))
    events = msgspec.json.decode(msgspec.json.encode(events), type=list[Entry])
    folder = Path("sessions/Live")
    folder.mkdir(parents=True)
    journal = open_journal(f"sqlite:///{folder / 'journal.db'}", "Live", folder, now)
    entries = run_through(Session(setup.plan), events)
    journal.append(entries)
    journal.close()
    return {"rows": 120, "entries": len(entries)}


def test_its_plan_comes_from_the_journal(journalled: dict[str, Any]) -> None:
    made = ib.parity("Live")
    told = made.as_json()
    assert made.is_identical, made.headline
    assert (told["rows"], told["records"]) == (120, journalled["entries"])
    assert told["latency"] == {"rows": 120, "median": 2.0, "p90": 2.0, "longest": 2.0, "late": 0}
    assert told["data"] == {"compared": False, "rows": []}
    assert any(x["session"]["fills"] for x in told["orders"])
    (paid,) = told["slippage"]
    assert paid["modelled"] == paid["paid"] == pytest.approx(1.0)
