"""`make fuzz-live`: random sessions of every bot, rerun, paused, restarted and killed, for a while.

INTRABAR_FUZZ_SECONDS says for how long (300), INTRABAR_FUZZ_SEED from which seed on. Every bot is
killed at every point on both databases once, however long that takes; what time is left goes to
more seeds. Ends with the counts; with exit code 1 and what failed where something did.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.databases import Server
from tests.live.bots import BOTS
from tests.live.folds import again, live
from tests.live.kills import POINTS, killed
from tests.live.worlds import World

DATABASES = ("SQLite", "PostgreSQL")


class Fuzz:
    """What was done so far, and what went wrong."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.kills: Counter[tuple[str, str, str]] = Counter()
        self.rows: Counter[str] = Counter()  # under G1, by bot
        self.reruns: Counter[str] = Counter()  # under G2
        self.worlds: Counter[str] = Counter()
        self.failed: list[str] = []

    def round(self, seed: int, is_late: Callable[[], bool]) -> None:
        """Each bot once on a seed."""
        for bot in BOTS:
            if is_late():
                return
            self.attempt(lambda bot=bot: self.fold(bot, seed))  # type: ignore[misc]
            for database in DATABASES:
                self.attempt(lambda bot=bot, on=database: self.kill(bot, seed, on))  # type: ignore[misc]
            kills = sum(n for (one, _, _), n in self.kills.items() if one == bot)
            told = f"{self.rows[bot]} rows, {self.reruns[bot]} reruns, {kills} kills so far"
            print(f"seed {seed}, {bot}: {told}", flush=True)

    def attempt(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            told = traceback.format_exception(error, limit=-4)
            self.failed.append("".join(told)[-2_000:])
            print(self.failed[-1], flush=True)

    def fold(self, bot: str, seed: int) -> None:
        """G1 and G2."""
        world, draw = World(bot, seed, 60), Random(f"fold {seed} {bot}")
        journal = live(world, draw.choice((0, 1, 30, 40)), draw)
        limits = "limits" if world.limits else "no limits"
        self.worlds[f"{world.befalls}, {limits}"] += 1
        self.rows[bot] += sum(entry.kind == "row.closed" for entry in journal)
        self.reruns[bot] += again(world, journal, draw)

    def kill(self, bot: str, seed: int, database: str) -> None:
        """A session killed at every point, in an order drawn at random."""
        draw = Random(f"{bot} {seed} {database}")
        folder = Path(tempfile.mkdtemp(prefix="intrabar-fuzz-"))
        (folder / "main").mkdir()
        if database == "SQLite":
            url, name = f"sqlite:///{folder / 'main' / 'journal.db'}", ""
        else:
            name = f"fuzz_{os.getpid()}_{seed}_{list(BOTS).index(bot)}"
            self.server.run(f"CREATE DATABASE {name} TEMPLATE template0")
            url = self.server.url(name)
        for point in killed(World(bot, seed), folder, url, draw, POINTS):
            self.kills[bot, point, database] += 1
        if name:
            self.server.run(f"DROP DATABASE {name} WITH (FORCE)")
        shutil.rmtree(folder)

    def told(self) -> list[str]:
        """The counts, as lines."""
        lines = [f"{'bot':40}{'rows (G1)':>10}{'reruns (G2)':>12}"]
        lines += [f"{bot:40}{self.rows[bot]:>10}{self.reruns[bot]:>12}" for bot in BOTS]
        lines += [f"{count:>6} sessions with {what}" for what, count in self.worlds.items()]
        lines.append("kills by point, SQLite and PostgreSQL, in the order of the bots above")
        for point in POINTS:
            for database in DATABASES:
                counts = " ".join(f"{self.kills[bot, point, database]:>2}" for bot in BOTS)
                lines.append(f"{point:40}{database:>11} {counts}")
        return lines

    def missing(self) -> list[tuple[str, str, str]]:
        """What was not killed at all."""
        wanted = ((b, p, d) for b in BOTS for p in POINTS for d in DATABASES)
        return [one for one in wanted if not self.kills[one]]


def main() -> int:
    seconds = float(os.environ.get("INTRABAR_FUZZ_SECONDS", "300"))
    seed = first = int(os.environ.get("INTRABAR_FUZZ_SEED", time.time_ns() % 10**6))
    print(f"seed {seed}, {seconds:g} s", flush=True)
    began, server = time.monotonic(), Server()
    fuzz = Fuzz(server)
    try:
        while seed == first or time.monotonic() - began < seconds:
            is_first = seed == first
            fuzz.round(seed, lambda: not is_first and time.monotonic() - began >= seconds)  # noqa: B023
            seed += 1
    except KeyboardInterrupt:
        print("interrupted")
    finally:
        server.end()
    print("\n".join(fuzz.told()))
    print(f"seeds {first} to {seed - 1}, {time.monotonic() - began:,.0f} s")
    print(f"failed: {len(fuzz.failed)}; not reached: {fuzz.missing() or 'nothing'}")
    return 1 if fuzz.failed or fuzz.missing() else 0


if __name__ == "__main__":
    sys.exit(main())
