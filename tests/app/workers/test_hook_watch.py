"""A hook that does not return: warned of, told, and at last left behind."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import SessionSetup, recorded_session
from intrabar.app.workers import driver as of_driver
from intrabar.app.workers import hook_watch
from intrabar.app.workers.paper import Ways, live_through
from intrabar.engine.session.turn import Notice
from intrabar.errors import StrategyError
from intrabar.links.simulated_time import run
from tests.app.workers.test_driver import Lived
from tests.engine.chunks.test_chunks import walk
from tests.engine.session.sessions import plan_of

EVENTS = {"never": threading.Event()}
"""Apart from the strategies, which are copied."""


class Waits(ib.Strategy):
    """Buys, and twenty bars later waits for what comes when a test says so."""

    def __init__(self, until: str = "never") -> None:
        self.until = until

    def on_close(self, now: Any) -> None:
        if now.bar == 45:
            now.buy(1)
        if now.bar == 65:
            EVENTS[self.until].wait()


class Trades(ib.Strategy):
    """In and out."""

    def on_close(self, now: Any) -> None:
        if now.is_flat:
            now.buy(1)
        elif now.bar % 5 == 0:
            now.close_position()


def setup(folder: Path, limit: float) -> SessionSetup:
    strategies = {"first": Trades(), "waits": Waits(), "last": Trades()}
    recipe = Recipe.of_call(strategies, walk("A", 1, 120), {})
    live = recipe.config.live.model_copy(
        update={"folder": str(folder), "warm_up": 40, "hook_limit": limit}
    )
    return recorded_session(
        replace(recipe, config=recipe.config.model_copy(update={"live": live})), "main"
    )


def kinds(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    with sqlite3.connect(folder / "main" / "journal.db") as journal:
        rows = journal.execute("select kind, body from journal order by seq").fetchall()
    return [(kind, msgspec.json.decode(body)) for kind, body in rows]


def test_a_hook_that_hangs_ends_the_session_and_is_called_no_more(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match=r"waits: its hook at bar 65 .*hook_limit"):
        live_through(setup(tmp_path, 0.2), Ways())
    entries = kinds(tmp_path)
    assert entries[-1][0] == "hook.hung"
    assert entries[-1][1]["strategy"] == "waits"
    assert entries[-1][1]["bar"] == 65
    lived = live_through(setup(tmp_path, 60.0), Ways())
    assert lived.why == "the bars have ended"
    entries = kinds(tmp_path)
    at = [kind for kind, _ in entries].index("hook.hung")
    assert [kind for kind, _ in entries[at : at + 4]] == [
        "hook.hung", "hook", "breaker", "session.resumed",
    ]  # fmt: skip
    assert "not_repeatable" not in {kind for kind, _ in entries}
    assert entries[at + 2][1]["set"]
    held = {one["strategy"]: one["qty"] for one in lived.session.positions}
    assert held["waits"] == 1.0  # what it holds is kept
    again = live_through(setup(tmp_path, 60.0), Ways())
    assert again.digest == lived.digest
    assert again.parity().is_identical
    assert "not_repeatable" not in {kind for kind, _ in kinds(tmp_path)}


def test_a_hook_that_takes_long_is_warned_of_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (hook_watch, of_driver):
        monkeypatch.setattr(module, "WARNED", 0.05)
        monkeypatch.setattr(module, "PAGED", 0.1)
    told: list[Notice] = []
    logged: list[tuple[str, dict[str, Any]]] = []
    until = EVENTS["told"] = threading.Event()

    def notify(notice: Notice) -> None:
        told.append(notice)
        until.set()

    lived = Lived(tmp_path)
    market = replace(lived.setup, strategies={"waits": Waits("told")})
    lived.plan = plan_of(market, lived.bars)
    session = of_driver.Session(lived.plan)
    journal = lived.journal()
    journal.append(lived.start(session))
    driver = lived.driver(session, journal, lived)
    driver.notify = notify
    driver.log = lambda event, **fields: logged.append((event, fields))
    assert run(driver.run()).why == "the bars have ended"
    journal.close()
    assert [name for name, _ in logged] == ["hook.slow"]
    assert logged[0][1]["strategy"] == "waits"
    assert [(n.severity, n.key) for n in told] == [("page", "hook waits")]
