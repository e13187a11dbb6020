"""Who is told of a session: its folder, its log, its figures, persons, and a watch outside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import NamedTuple, TextIO

from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.provenance import commit
from intrabar.app.workers.beside import beside
from intrabar.app.workers.health import Health, Readiness
from intrabar.app.workers.logs import Log
from intrabar.app.workers.metrics import Metrics
from intrabar.app.workers.observers import Observer
from intrabar.app.workers.signs import Signs
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.turn import Notice
from intrabar.links.clock import Clock, WallClock
from intrabar.links.notify import Notifier, Target
from intrabar.model.secret import resolve


class SignsOfLife(NamedTuple):
    """What tells of a session.

    Parameters
    ----------
    plan : Plan
    folder : Signs
    log : Log
    notifier : Notifier
    observers : tuple of Observer
        In the order in which they are told.
    metrics : Metrics or None
    port : int or None
        `live.metrics`; None: there is none.
    """

    plan: Plan
    folder: Signs
    log: Log
    notifier: Notifier
    observers: tuple[Observer, ...]
    metrics: Metrics | None = None
    port: int | None = None

    def turned(self, kind: str, seconds: float) -> None:
        """How long a turn took."""
        self.folder.turned(kind, seconds)
        if self.metrics is not None:
            self.metrics.turned(kind, seconds)


@contextmanager
def signs_of_life(
    setup: SessionSetup,
    folder: Path,
    stream: TextIO | None,
    commit_seconds: Callable[[], float],
) -> Iterator[SignsOfLife]:
    """The folder, the log, and the persons that the configuration names.

    Recorded bars have neither port nor heartbeat: their time jumps.

    Raises
    ------
    SecretError, ConfigError
        An address of `live` that does not resolve, or is none.
    """
    live, is_live = setup.config.live, setup.recorded is None
    targets = [
        Target(f"live.notify[{k}]", resolve(url, f"live.notify[{k}]"))
        for k, url in enumerate(live.notify)
    ]
    beat = live.heartbeat_url
    heartbeat = None if beat is None else resolve(beat, "live.heartbeat_url")
    clock = WallClock()
    with (
        closing(Log(folder, {"session": setup.name, "mode": "paper"}, stream)) as log,
        closing(Notifier(setup.name, targets, clock, log, heartbeat)) as notifier,
    ):
        signs = Signs(
            folder, lambda text: notifier(Notice("alarm", "folder", text)), commit_seconds
        )
        parts = setup.plan, signs, log, notifier
        if is_live and live.metrics is not None:
            of_it = str(commit().get("commit", ""))
            metrics = Metrics(
                setup.plan, signs.standing, setup.name, folder, clock, commit_seconds, of_it
            )
            yield SignsOfLife(*parts, (signs, log, metrics), metrics, live.metrics)
        else:
            for name, given in (("metrics", live.metrics), ("heartbeat_url", beat)):
                if given is not None and not is_live:
                    log("watch.left_out", key=f"live.{name}", why="recorded bars: their time jumps")
            yield SignsOfLife(*parts, (signs, log))


@asynccontextmanager
async def watched(
    signs: SignsOfLife, clock: Clock, is_away: Callable[[], bool], is_recorded: bool = False
) -> AsyncIterator[None]:
    """Open a session's port and let its heart beat, but for recorded bars.

    Parameters
    ----------
    signs : SignsOfLife
    clock : Clock
    is_away : callable
        Whether the journal is away.
    is_recorded : bool

    Raises
    ------
    ConfigError
        The port is taken.
    """
    if is_recorded:
        yield
        return
    ready = Readiness(signs.plan, signs.folder.standing, clock, is_away)
    health = None
    if signs.port is not None and signs.metrics is not None:
        signs.metrics.store_is_up(lambda: not is_away())
        health = Health(clock, ready, signs.metrics.render, signs.metrics.lagged, signs.port)
        signs.log("health.opened", port=health.port)
    beats = signs.notifier.heartbeats(ready.is_well)
    tasks = [asyncio.create_task(beside("no heartbeat is sent", beats, signs.notifier))]
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
