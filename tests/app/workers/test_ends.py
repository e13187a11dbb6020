"""How a session on live bars ends: by a signal, by its source, by another process, in order."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.folders.sessions import entries_of
from intrabar.app.workers.lived import Lived
from intrabar.app.workers.paper import Ways, live_through
from intrabar.errors import (
    AuthError,
    DataError,
    IntegrityError,
    IntrabarError,
    LinkError,
    NotFoundError,
)
from intrabar.journal.journal import open_journal
from intrabar.model.facts import Fact, LinkFact, SourceCan
from tests.app.workers.test_live_session import HOUR, bars_until, setup_of


class Ends:
    """A source that tells that it is up, and does something."""

    can = SourceCan("none", 1.0, corrects=False, quotes=False, periods=())

    def __init__(self, act: Callable[[], Awaitable[object]]) -> None:
        self.act = act

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        yield LinkFact("up")
        await self.act()

    async def quote(self, symbol: str) -> Any: ...

    async def history(self, symbol: str, period: int, start: int, end: int) -> Any:
        raise DataError("none")

    async def close(self) -> None: ...


def live(folder: Path, act: Callable[[], Awaitable[object]]) -> Lived:
    now = time.time_ns() // HOUR * HOUR
    return live_through(setup_of(folder, bars_until(now, 30)), Ways(), Ends(act))


def last_of(folder: Path) -> dict[str, Any]:
    """The body of the record with which it has stopped."""
    entries = entries_of("main", folder / "main")
    return next(e.body for e in reversed(entries) if e.kind == "session.stopped")


def signalled(*numbers: signal.Signals) -> Callable[[], Awaitable[object]]:
    async def act() -> None:
        for number in numbers:
            os.kill(os.getpid(), number)
        await asyncio.Event().wait()

    return act


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: signal.Signals) -> None:
    why = f"stopped by {number.name}"
    assert live(tmp_path, signalled(number)).why == why
    assert last_of(tmp_path) == {"reason": why, "cancels_entries": True}


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        live(tmp_path / "int", signalled(signal.SIGTERM, signal.SIGINT))
    with pytest.raises(SystemExit) as ended:
        live(tmp_path / "term", signalled(signal.SIGINT, signal.SIGTERM))
    assert ended.value.code == 143
    kinds = [e.kind for e in entries_of("main", tmp_path / "term" / "main")]
    assert "session.started" in kinds
    assert "session.stopped" not in kinds


def test_a_signal_before_it_listens_lets_go_of_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(*given: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr("intrabar.app.workers.paper.begun_in_time", begin)
        with pytest.raises(SystemExit) as ended:
            live(tmp_path, signalled())
    assert ended.value.code == 143
    assert signal.getsignal(signal.SIGTERM) is before
    assert live(tmp_path, signalled(signal.SIGTERM)).why == "stopped by SIGTERM"  # nobody has it


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (NotFoundError("symbol", "BTC-USD", []), NotFoundError),
        (AuthError("the key is not known"), AuthError),
        (KeyError("bars"), LinkError),
    ],
)
def test_a_source_that_raises_ends_it_with_its_error(
    tmp_path: Path, error: Exception, kind: type[IntrabarError]
) -> None:
    async def act() -> None:
        raise error

    with pytest.raises(kind) as ended:
        live(tmp_path, act)
    assert type(ended.value) is kind
    stopped = last_of(tmp_path)
    assert str(ended.value) in stopped["reason"]
    assert not stopped["cancels_entries"]
    links = [e.body for e in entries_of("main", tmp_path / "main") if e.kind == "link"]
    assert [link["state"] for link in links] == ["up", "down"]


def test_it_ends_when_another_process_has_taken_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intrabar.app.workers.driver.RENEW", 0.1)
    folder = tmp_path / "main"

    async def act() -> None:
        while all(entry.kind != "link" for entry in entries_of("main", folder)):
            await asyncio.sleep(0)  # no commit of its own is to find out
        url = f"sqlite:///{folder / 'journal.db'}"
        open_journal(url, "main", folder, time.time_ns(), take_over=True).close()
        await asyncio.Event().wait()

    with pytest.raises(IntegrityError):
        live(tmp_path, act)
