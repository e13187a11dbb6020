"""A hook that does not return: warned of, told, and at last left behind."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import recorded_session
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.workers import driver as of_driver
from intrabar.app.workers import hook_watch, start
from intrabar.app.workers.lived import Lived as Once
from intrabar.app.workers.paper import Ways, live_through
from intrabar.engine.session.calling import Calling
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.errors import RunError, StrategyError
from intrabar.links.simulated_time import run
from intrabar.model.bars import Bars
from intrabar.model.entry import Entry
from tests.app.workers.test_driver import Lived
from tests.engine.chunks.test_chunks import walk
from tests.engine.session.sessions import events_of, plan_of

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


def setup(
    folder: Path, limit: float, strategies: Any = None, bars: Bars | None = None
) -> SessionSetup:
    strategies = strategies or {"first": Trades(), "waits": Waits(), "last": Trades()}
    recipe = Recipe.of_call(strategies, bars or walk("A", 1, 120), {})
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


class Begins(ib.Strategy):
    """Buys now and then, and at some places waits for what never comes when a test says so."""

    waits_at: tuple[str, Any] = ("", None)

    def __init__(self, label: str) -> None:
        self.label = label

    def on_start(self) -> None:
        self.may_wait("start")

    def on_close(self, now: Any) -> None:
        self.may_wait(now.bar)
        if now.bar % 9 == 0:
            now.buy(1, stop_loss=0.5 * now.close)

    def may_wait(self, place: Any) -> None:
        if (self.label, place) == Begins.waits_at:
            EVENTS["never"].wait()


def begun(folder: Path, limit: float = 0.2, bars: int = 120, pages: Any = None) -> Once:
    strategies = {name: Begins(name) for name in ("first", "second", "third")}
    market = walk("A", 1, 120)
    made = setup(folder, limit, strategies, market.between(None, int(market.close_time[bars - 1])))
    return live_through(made, Ways(pages=pages))


def test_a_start_whose_first_hook_hangs_ends_and_the_next_goes_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Begins, "waits_at", ("second", "start"))
    pages = StringIO()
    with pytest.raises(StrategyError, match=r"^second: its hook at bar 0 has not .*hook_limit"):
        begun(tmp_path, pages=pages)
    assert "second: its hook at bar 0" in pages.getvalue()
    first = kinds(tmp_path)
    assert [kind for kind, _ in first] == ["session.started", "history", "hook.hung"]
    lived = begun(tmp_path)  # it would hang again
    entries = kinds(tmp_path)
    assert entries[:3] == first
    assert [kind for kind, _ in entries[3:6]] == ["session.resumed", "hook.hung", "hook"]
    assert {b["strategy"] for kind, b in entries if kind == "fill"} == {"first", "third"}
    again = begun(tmp_path)
    assert again.digest == lived.digest
    assert [kind for kind, _ in kinds(tmp_path)].count("hook.hung") == 2
    assert "not_repeatable" not in {kind for kind, _ in kinds(tmp_path)}
    assert again.parity().is_identical


def test_a_rerun_that_hangs_leaves_what_was_done_and_the_next_start_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(tmp_path, bars=100)
    before = kinds(tmp_path)
    hung = [("second", 54), ("first", "start")]  # the next hangs where the one before did not come
    for label, place in hung:
        monkeypatch.setattr(Begins, "waits_at", (label, place))
        with pytest.raises(StrategyError, match=f"^{label}: its hook .*hook_limit"):
            begun(tmp_path)
    after = kinds(tmp_path)
    assert after[: len(before)] == before
    told = [(kind, b["strategy"], b["bar"], b["at_start"]) for kind, b in after[len(before) :]]
    assert told == [("hook.hung", "second", 54, True), ("hook.hung", "first", 0, True)]
    lived = begun(tmp_path)
    entries = kinds(tmp_path)
    assert entries[: len(after)] == after
    assert "not_repeatable" not in {kind for kind, _ in entries}
    held = {one["strategy"]: one["qty"] for one in lived.session.positions}
    assert held == {"first": 7.0, "second": 7.0, "third": 9.0}  # what they hold is kept
    moved = [b for kind, b in entries if kind == "breaker"]
    assert [(b["scope"], b["level"]) for b in moved] == [
        ("second", "reducing"), ("first", "reducing"),
    ]  # fmt: skip
    assert begun(tmp_path).digest == lived.digest
    assert lived.parity().is_identical
    with pytest.raises(RunError, match="calls a strategy no more"):
        _ = lived.result  # its hooks would hang again


class Takes(ib.Strategy):
    """Takes longer than what is warned of, each time."""

    def on_close(self, now: Any) -> None:
        EVENTS["never"].wait(0.03)


def test_the_lease_is_kept_while_slow_hooks_leave_no_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_watch, "WARNED", 0.01)
    monkeypatch.setattr(start, "RENEW", 0.1)
    lived = Lived(tmp_path)
    plan = plan_of(replace(lived.setup, strategies={"takes": Takes()}), lived.bars)
    session = Session(plan)
    entries: list[Entry] = []
    for event in events_of(lived.setup.market, 30)[:25]:
        entries += [event, *session.handle(event).records]
    renewals: list[int] = []

    def begin(shown: Any) -> Any:
        return rerun(plan, entries, shown).session, []

    made = start.begun_in_time(begin, 5.0, lambda hook, seconds: None, lambda: renewals.append(1))
    assert not isinstance(made, Calling)
    assert len(renewals) >= 2


def test_a_hook_that_takes_long_is_warned_of_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook_watch, "WARNED", 0.05)
    monkeypatch.setattr(hook_watch, "PAGED", 0.1)
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
