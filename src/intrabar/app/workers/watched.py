"""What watches a session while it lives: its port on this machine, and the heartbeat."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from intrabar.app.workers.health import Health, Readiness
from intrabar.app.workers.metrics import Metrics
from intrabar.app.workers.standing import Standing
from intrabar.engine.session.plan import Plan
from intrabar.links.clock import Clock
from intrabar.links.notify import Log, Notifier


@asynccontextmanager
async def watched(
    plan: Plan,
    standing: Standing,
    clock: Clock,
    is_away: Callable[[], bool],
    notifier: Notifier,
    log: Log,
    metrics: Metrics | None = None,
    port: int | None = None,
) -> AsyncIterator[None]:
    """Open a session's port and let its heart beat; not for recorded bars, whose time jumps.

    Parameters
    ----------
    plan : Plan
    standing : Standing
        Of its `Signs`.
    clock : Clock
    is_away : callable
        Whether the journal is away.
    notifier : Notifier
    log : callable
        Is told the port.
    metrics : Metrics, optional
    port : int, optional
        `live.metrics`; None: there is none.

    Raises
    ------
    ConfigError
        The port is taken.
    """
    ready = Readiness(plan, standing, clock, is_away)
    health = None
    if port is not None:
        render, lagged = (None, None) if metrics is None else (metrics.render, metrics.lagged)
        health = Health(clock, ready, render, lagged, port)
        log("health.opened", port=health.port)
    tasks = [asyncio.create_task(notifier.heartbeats(ready.is_well))]
    if health is not None:
        tasks.append(asyncio.create_task(health.beating()))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if health is not None:
            health.close()
