"""A session on live bars: its port answers while it lives, and its sources are those it names."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import live_session, source_of
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.config.live import SourceOfBars
from intrabar.app.workers.logs import NAME as LOG
from intrabar.app.workers.paper import Ways, live_through
from intrabar.data.live.in_turn import InTurn
from intrabar.data.live.polling import Polled
from intrabar.errors import DataError
from intrabar.journal.backup import BACKUPS, verify_backup
from intrabar.links.clock import WallClock
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import BarClosed, Fact, LinkFact, SourceCan

HOUR = 3_600_000_000_000


class Idle(ib.Strategy):
    """Does nothing."""

    def on_close(self, now: Any) -> None: ...


class Told:
    """A source that tells three bars of just now, and looks at the session's port in between."""

    can = SourceCan("none", 1.0, corrects=False, quotes=False, periods=())

    def __init__(self, bars: list[BarClosed], folder: Path) -> None:
        self.bars, self.folder = bars, folder
        self.answers: list[tuple[int, str]] = []

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        yield LinkFact("up")
        for bar in self.bars:
            yield bar
        await self.look(rows=len(self.bars))
        yield LinkFact("down", "no answer")
        await self.look(rows=len(self.bars), is_up=False)

    async def look(self, rows: int, is_up: bool = True) -> None:
        """Ask until what was told has been taken in, which another thread does."""
        while True:
            port = opened(self.folder)
            _, text = await asyncio.to_thread(got, port, "metrics")
            up = f'intrabar_link_up{{link="source",session="main"}} {float(is_up)}'
            done = f'intrabar_turns_total{{kind="row.closed",session="main"}} {float(rows)}'
            if up in text and done in text:
                break
        for path in ("healthz", "readyz"):
            self.answers.append(await asyncio.to_thread(got, port, path))
        self.answers.append((0, text))

    async def quote(self, symbol: str) -> Any: ...

    async def history(self, symbol: str, period: int, start: int, end: int) -> Any:
        raise DataError("none")

    async def close(self) -> None: ...


def opened(folder: Path) -> int:
    """The port, as the log says it."""
    lines = (folder / "main" / LOG).read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return next(int(line["port"]) for line in found if line["event"] == "health.opened")


def got(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def bars_until(end: int, count: int) -> Bars:
    close_time = end - np.arange(count - 1, -1, -1, dtype=np.int64) * HOUR
    price = 100.0 + np.arange(count) * 0.1
    return Bars(
        "BTC-USD", close_time, price, price + 1, price - 1, price, np.full(count, 5.0), HOUR,
        close_time - HOUR, (close_time - HOUR) // DAY_NS,
    )  # fmt: skip


def setup_of(folder: Path, history: Bars, **live: Any) -> SessionSetup:
    recipe = Recipe.of_call(
        {"idle": Idle()}, history, {"instruments": {"BTC-USD": {"calendar": "24/7"}}}
    )
    said = {"folder": str(folder), "warm_up": 10, **live}
    config = recipe.config.model_copy(update={"live": recipe.config.live.model_copy(update=said)})
    recipe = replace(recipe, config=config, series=None)
    return live_session(recipe, [history], int(history.close_time[-1]), "main")


def test_a_session_on_live_bars_has_its_port_while_it_lives(tmp_path: Path) -> None:
    now = time.time_ns() // HOUR * HOUR
    history = bars_until(now - 3 * HOUR, 30)
    bars = [BarClosed("BTC-USD", now - k * HOUR, 100.0, 101.0, 99.0, 100.5, 5.0) for k in (2, 1, 0)]
    source = Told(bars, tmp_path)
    lived = live_through(setup_of(tmp_path, history, metrics=0), Ways(), source)
    assert lived.why == "the bars have ended"
    alive, ready, figures, still, not_ready, _ = source.answers
    assert json.loads(ready[1]) == {"ready": True, "why": []}
    assert alive[0] == ready[0] == still[0] == 200
    assert not_ready[0] == 503
    assert json.loads(not_ready[1])["why"] == ["link source: down: no answer"]
    (manifest,) = (tmp_path / "main" / BACKUPS).rglob("*.json")
    assert list(verify_backup(manifest, deep=True).sessions) == ["main"]
    assert 'intrabar_store_up{session="main"} 1.0' in figures[1]
    assert 'intrabar_bar_to_intent_seconds_count{session="main"} 3.0' in figures[1]


def test_all_sources_that_are_named_are_listened_to_one_after_the_other(tmp_path: Path) -> None:
    config = setup_of(tmp_path, bars_until(30 * HOUR, 30)).config
    names = [
        SourceOfBars(name="yfinance"),
        SourceOfBars(name="alpha_vantage", credentials={"api_key": "${HOME}"}),
    ]

    def of(count: int) -> Any:
        live = config.live.model_copy(update={"sources": names[:count]})
        return source_of(config.model_copy(update={"live": live}), WallClock(), {})

    assert isinstance(of(1), Polled)
    both = of(2)
    assert isinstance(both, InTurn)
    assert [name for name, _ in both._sources] == ["yfinance", "alpha_vantage"]
