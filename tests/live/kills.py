"""A session that is killed with -9 at a named place, and one that goes on until it ends."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from intrabar.app.workers import driver, paper, start
from intrabar.engine.session.session import Session
from intrabar.errors import StateError
from intrabar.journal import journal as journals
from intrabar.journal.journal import Journal, open_journal
from intrabar.journal.verifying import verify
from intrabar.model.entry import Entry
from tests.live.worlds import World

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.live.warmed"])

POINTS = (
    "at the start, before its commit",
    "at the start, after its commit",
    "before a commit",
    "in a commit, chain moved",
    "in a commit, at a random moment",
    "after a commit",
    "after an effect",
    "while rows are caught up",
    "behind the restart's commit",
    "before the last commit",
    "after the last commit",
)
TOLD = "told.jsonl"
FREE = ""  # no kill
WORDS = (
    "command",
    "refused",
    "order",
    "fill",
    "cash",
    "breaker",
    "row",
    "digest",
    "row.closed",
    "prediction",
)
"""Kinds that are the same with and without restarts."""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def live(world: World, folder: Path, url: str, point: str, place: int, shared: int) -> None:
    """Live through the session, or on; killed at the place-th time that a point is reached."""
    driver.SHARED = shared
    hit = Counter(place)
    ARMED[point](hit)
    setup = world.setup(str(folder), url)
    lived = paper.live_through(setup)
    (folder / "end.json").write_text(json.dumps({"digest": lived.digest, "why": lived.why}))


class Counter:
    """Kills the process at its n-th call."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self) -> None:
        self.left -= 1
        if self.left <= 0:
            die()


def is_last(entries: Sequence[Entry]) -> bool:
    return entries[0].kind == "session.stopped"


def is_start(entries: Sequence[Entry]) -> bool:
    return entries[0].kind in ("session.started", "session.resumed")


def around(hit: Counter, wanted: Any, before: bool) -> None:
    """Die inside the transaction of a wanted append when its work is done, or behind it."""
    append = Journal.append

    def dying(self: Journal, entries: Sequence[Entry]) -> int:
        if not wanted(entries):
            return append(self, entries)
        if before:
            commit = self._commit

            def until(connection: Any, batch: Any) -> None:
                commit(connection, batch)
                hit()

            self._commit = until  # type: ignore[method-assign]
        seq = append(self, entries)
        hit()
        return seq

    Journal.append = dying  # type: ignore[method-assign]


def inside(hit: Counter) -> None:
    """Die when the chain has moved and the tables have not."""
    write_rows = journals.write_rows

    def dying(connection: Any, rows: Any) -> None:
        hit()
        write_rows(connection, rows)

    journals.write_rows = dying


def at_random(hit: Counter) -> None:
    """Die some microseconds after a commit has begun, wherever it is then."""
    commit = Journal._commit

    def dying(self: Journal, connection: Any, batch: Any) -> None:
        hit.left -= 1
        if hit.left <= 0:
            threading.Timer(Random(os.getpid()).random() * 0.004, die).start()
        commit(self, connection, batch)

    Journal._commit = dying  # type: ignore[method-assign]


def after_effect(hit: Counter) -> None:
    show = driver.Driver._show

    def dying(self: Any, entries: list[Entry]) -> None:
        show(self, entries)
        with (Path(self.emergency._paths[0].parent) / TOLD).open("a") as told:
            told.writelines(json.dumps(one) + "\n" for one in of_the_market(entries))
        hit()

    driver.Driver._show = dying  # type: ignore[method-assign]


def catching_up(hit: Counter) -> None:
    """Die while a journal is worked out again, some turns behind its beginning."""
    rerun, handle = start.rerun, Session.handle

    def dying(plan: Any, entries: Any, *more: Any) -> Any:
        def handled(self: Session, event: Entry) -> Any:
            turn = handle(self, event)
            hit()
            return turn

        Session.handle = handled  # type: ignore[method-assign]
        try:
            return rerun(plan, entries, *more)
        finally:
            Session.handle = handle  # type: ignore[method-assign]

    start.rerun = dying


def usual(entries: Sequence[Entry]) -> bool:
    return not is_start(entries) and not is_last(entries)


ARMED: dict[str, Any] = {
    FREE: lambda hit: None,
    POINTS[0]: lambda hit: around(hit, is_start, before=True),
    POINTS[1]: lambda hit: around(hit, is_start, before=False),
    POINTS[2]: lambda hit: around(hit, usual, before=True),
    POINTS[3]: inside,
    POINTS[4]: at_random,
    POINTS[5]: lambda hit: around(hit, usual, before=False),
    POINTS[6]: after_effect,
    POINTS[7]: catching_up,
    POINTS[8]: lambda hit: around(hit, is_start, before=False),
    POINTS[9]: lambda hit: around(hit, is_last, before=True),
    POINTS[10]: lambda hit: around(hit, is_last, before=False),
}


def started(world: World, folder: Path, url: str, point: str, place: int, shared: int) -> int:
    """Run it in a process of its own; its exit code."""
    given = (world, folder, url, point, place, shared)
    process = CONTEXT.Process(target=live, args=given)
    process.start()
    process.join(300)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"{world}: it hangs, to be killed {point or 'nowhere'}")
    return process.exitcode


def chain(draw: Random, points: Sequence[str] = POINTS) -> list[tuple[str, int]]:
    """Where one process after the other is killed, and at the how-manieth time that it comes there.

    One of the points twice; the places stay near, as each start has fewer rows left.
    """
    between = [p for p in points if p in POINTS[2:9]]
    between += [draw.choice(between)] if between else []
    draw.shuffle(between)
    first, last = ([(p, 1) for p in points if p in some] for some in (POINTS[:2], POINTS[9:]))
    return [*first, *((p, 1 if p == POINTS[8] else draw.randint(1, 2)) for p in between), *last]


def expected(world: World) -> tuple[str, list[Any]]:
    """Digest and records of the uninterrupted session."""
    with tempfile.TemporaryDirectory() as folder:
        lived = paper.live_through(world.setup(folder))
        return lived.digest, records(f"sqlite:///{folder}/main/journal.db", Path(folder) / "main")


def free(url: str, folder: Path) -> Journal:
    """The journal, once a server has seen that the killed process is gone."""
    while True:
        try:
            return open_journal(url, "main", folder, 0, commit_within=60.0)
        except StateError:
            assert url.startswith("postgres")


def records(url: str, folder: Path) -> list[Any]:
    """What a journal says of the market, whatever starts there were; it verifies."""
    journal = free(url, folder)
    try:
        assert not verify(journal.store, deep=True)[0].why
        entries = [record.entry for record in journal.read()]
    finally:
        journal.close()
    return of_the_market(entries)


def of_the_market(entries: Sequence[Entry]) -> list[Any]:
    """As JSON gives them back."""
    found = [(e.bar, e.step, e.kind, e.body) for e in entries if e.kind in WORDS]
    return json.loads(msgspec.json.encode(found))


def told_of(folder: Path) -> list[Any]:
    """What observers have written down that they were told, before their process was killed."""
    lines = (folder / TOLD).read_text().splitlines() if (folder / TOLD).exists() else []
    return [json.loads(line) for line in lines]


def killed(world: World, folder: Path, url: str, draw: Random, points: Sequence[str]) -> list[str]:
    """Kill a session at one point after the other, and let it end: that of the uninterrupted one.

    Returns
    -------
    list of str
        The points at which it was killed.
    """
    digest, theirs = expected(world)
    shared, at = draw.choice((1, 1, 2)), []
    for point, place in chain(draw, points):
        code = started(world, folder, url, point, place, shared)
        assert code in (0, -signal.SIGKILL), (world, point, code)
        if code:
            at.append(point)
        mine = records(url, folder / "main")
        assert mine == theirs[: len(mine)], (world, point)
        assert all(one in mine for one in told_of(folder / "main")), (world, point)
    assert started(world, folder, url, FREE, 1, shared) == 0, world
    told = json.loads((folder / "end.json").read_text())
    assert told["digest"] == digest, (world, at)
    assert records(url, folder / "main") == theirs, (world, at)
    return at
