"""A session that lives, and the persons who ask something of it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.workers.backups import Backups, after_closes
from intrabar.app.workers.beside import beside
from intrabar.app.workers.control import Control
from intrabar.app.workers.driver import Driver
from intrabar.app.workers.intake import End
from intrabar.app.workers.kill import on_kill_signal, watch_kill
from intrabar.app.workers.stop_signals import StopSignals
from intrabar.app.workers.watched import SignsOfLife, watched
from intrabar.errors import GateError, StateError
from intrabar.links.clock import Clock
from intrabar.risk.gates import check_typed, daily_loss

GATED = ("resume", "adopt", "transfer")
"""What a person asks of a session with real money through the third gate."""


async def suppressed(work: Coroutine[Any, Any, Any]) -> None:
    """Do it, where the session has not ended meanwhile."""
    with suppress(StateError):
        await work


def require_typed(setup: SessionSetup, kind: str, typed: Any) -> None:
    """The third gate again, for what lets a session with real money do more than before.

    Raises
    ------
    GateError
        Account and daily loss were not typed, or otherwise.
    """
    if kind not in GATED or setup.answered is None:
        return
    account, loss = setup.answered.facts.id, daily_loss(setup.plan.limits, setup.plan.account.cash)
    if not (isinstance(typed, list) and len(typed) == 2):
        raise GateError(f"{kind}: account {account} is real money; a person types it again")
    check_typed(account, loss, str(typed[0]), str(typed[1]))


async def live_and_hear(
    driver: Driver,
    setup: SessionSetup,
    folder: Path,
    clock: Clock,
    signs: SignsOfLife,
    backups: Backups,
) -> End:
    """Live, and hear what persons ask for meanwhile."""

    async def handle(request: dict[str, Any]) -> dict[str, Any]:
        if request["kind"] == "status":
            return driver.status()
        if request["kind"] == "stop":
            driver.stop(str(request.get("reason", "a person stops it")))
            return {"stopping": True}
        if symbols := driver.leave(request):
            later = suppressed(driver.ask(request))  # when the journal is back
            tasks.append(asyncio.create_task(later))
            told = f"the journal is away; {', '.join(symbols)} is left without it"
            return {"records": [], "refused": [], "told": told}
        typed = request.pop("typed", None)
        if setup.answered is not None and setup.answered.kind == "live":
            require_typed(setup, request["kind"], typed)
        records = await driver.ask(request)
        refused = [e.body["text"] for e in records if e.kind == "refused"]
        return {"records": [msgspec.to_builtins(e) for e in records], "refused": refused}

    async def kill(text: str = "a signal") -> None:
        request = {"id": "kill", "kind": "kill", "reason": text}
        driver.leave(request)
        await driver.ask(request)

    control = Control(folder, handle)
    await control.open()
    work = {"nobody looks for the file KILL": watch_kill(folder, clock, kill, driver.is_recorded)}
    if not driver.is_recorded:
        copies = after_closes(driver.session.plan.exchanges, clock, backups.make)
        work["the journal is not backed up after closes"] = copies
    tasks = [asyncio.create_task(beside(what, x, driver.notify)) for what, x in work.items()]
    undo = on_kill_signal(lambda: asyncio.ensure_future(suppressed(kill())))
    signals = StopSignals(driver.stop)
    try:
        async with watched(signs, clock, lambda: driver.is_away, driver.is_recorded):
            return await driver.run()
    except asyncio.CancelledError:
        signals.require_order()
        raise
    finally:
        signals.close()
        undo()
        for task in tasks:
            task.cancel()
        await control.close()
