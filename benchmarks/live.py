"""What a session on paper takes: `python -m benchmarks.live [--days N] [--symbols N] [--rows N]`.

Minute bars around the clock, lived through as recorded ones: wall and processor time, memory and
its slope, the journal's size, a start over it; and how long a row takes from its last bar to the
commands. The marks are those of a month (43,200 rows) of 50 symbols.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import intrabar as ib
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import SessionSetup, recorded_session
from intrabar.app.workers.paper import Ways, live_through
from intrabar.data.timeline import market_from_bars
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.row import body_of, rows_of
from intrabar.engine.session.session import Session
from intrabar.journal.journal import open_journal
from intrabar.journal.record import text_of
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.entry import Entry

MINUTE, DAY = 60_000_000_000, 1_440
WARM_UP = 500
MONTH = 30  # days
SEEN: list[int] = []
"""Resident bytes at each end of a day; apart from the strategy, which is copied."""


class Meter(ib.Strategy):
    """Does nothing but look at the memory once a day."""

    wakes_on = "close"

    def on_close(self, now: Any) -> None:
        if now.bar % DAY == 0:
            SEEN.append(resident())


def resident() -> int:
    """Bytes in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def bars(symbol: str, seed: int, count: int) -> Bars:
    draw = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0, 5e-4, count))).round(2)
    open_ = np.r_[close[0], close[:-1]]
    top = np.maximum(open_, close) + 0.05
    closes = 1_704_067_200_000_000_000 + np.arange(1, count + 1, dtype=np.int64) * MINUTE
    return Bars(
        symbol, closes, open_, top, np.minimum(open_, close) - 0.05, close,
        draw.integers(100, 10_000, count).astype(float), MINUTE, closes - MINUTE,
        (closes - MINUTE) // DAY_NS,
    )  # fmt: skip


def setup(folder: Path, symbols: int, rows: int, metered: bool = True) -> SessionSetup:
    bot = ib.Bot(ib.MovingAverageCrossover(20, 50), ib.TrailingATR(14, 3.0))
    strategies: dict[str, Any] = {"bot": bot, **({"meter": Meter()} if metered else {})}
    names = [f"S{k:02}" for k in range(symbols)]
    data = [bars(name, k, rows) for k, name in enumerate(names)]
    said = {"cash": 1e7, "instruments": {name: {"calendar": "24/7"} for name in names}}
    recipe = Recipe.of_call(strategies, data, said)
    live = {"folder": str(folder), "warm_up": WARM_UP, "look_back": WARM_UP}
    config = recipe.config
    config = config.model_copy(update={"live": config.live.model_copy(update=live)})
    return recorded_session(replace(recipe, config=config), "main")


def lived(folder: Path, symbols: int, days: int) -> dict[str, Any]:
    """A session through so many days, then its start over what it left."""
    made = setup(folder, symbols, WARM_UP + days * DAY)
    before, busy, wall = resident(), time.process_time(), time.perf_counter()
    live_through(made, Ways())
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    top = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    seen = list(SEEN)  # the start over it looks too
    journal = folder / "main" / "journal.db"
    again, begun = time.perf_counter(), time.process_time()
    with open_journal(f"sqlite:///{journal}", "main", folder / "main", 0, take_over=True) as opened:
        entries = [record.entry for record in opened.read()]
    assert rerun(made.plan, entries).difference is None
    again, begun = time.perf_counter() - again, time.process_time() - begun
    history = sum(len(text_of(e.body)) for e in entries if e.kind == "history")
    return {
        "rows": days * DAY, "wall": wall, "busy": busy, "before": before, "top": top,
        "slope": (seen[-1] - seen[-2]) if len(seen) > 1 else float("nan"),
        "records": len(entries), "journal": journal.stat().st_size, "history": history,
        "start": again, "start busy": begun,
    }  # fmt: skip


def decided(symbols: int, rows: int) -> tuple[float, float, float]:
    """Of a row, from its last bar to its commands, seconds: median, 99th percentile, processor."""
    with tempfile.TemporaryDirectory() as folder:
        made = setup(Path(folder), symbols, WARM_UP + rows, metered=False)
    assert made.recorded is not None
    market = market_from_bars(list(made.recorded.values()))
    session = Session(made.plan)
    session.handle(Entry(made.trade_from, 0, 0, "session.started", made.started(0)))
    history = [body_of(row) for row in made.history]
    session.handle(Entry(made.trade_from, 0, 0, "history", {"rows": history}))
    took, busy = [], time.process_time()
    for row in rows_of(market)[WARM_UP:]:
        event = Entry(row.time, 0, 0, "row.closed", body_of(row))
        since = time.perf_counter()
        session.handle(event)
        took.append(time.perf_counter() - since)
    busy = (time.process_time() - busy) / rows
    return float(np.median(took)), float(np.quantile(took, 0.99)), busy


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--days", type=int, default=2)
    options.add_argument("--symbols", type=int, default=50)
    options.add_argument("--rows", type=int, default=1_000, help="timed one by one")
    given = options.parse_args()
    print(f"{'last bar -> commands':<28}{'p50':>10}{'p99':>10}{'busy':>10}")
    for symbols in sorted({1, given.symbols}):
        told = "".join(f"{x * 1e3:7.2f} ms" for x in decided(symbols, given.rows))
        print(f"{symbols:>3} symbols{'':<17}{told}")
    with tempfile.TemporaryDirectory() as folder:
        found = lived(Path(folder), given.symbols, given.days)
    rows, month = found["rows"], MONTH * DAY / found["rows"]
    grown = found["journal"] - found["history"]  # which is there once
    each = 1e5 / found["records"]
    print(f"\n{given.symbols} symbols, {rows:,} rows of a minute; x {month:.0f}: a month")
    for what, value, unit in (
        ("wall", found["wall"], "s"),
        ("busy", found["busy"], "s"),
        ("wall of a month", found["wall"] * month, "s"),
        ("busy of a month", found["busy"] * month, "s"),
        ("memory before", found["before"] / 1e6, "MB"),
        ("memory at most", found["top"] / 1e6, "MB"),
        ("memory of the last day", found["slope"] / 1e6, "MB"),
        ("journal", found["journal"] / 1e6, "MB"),
        ("journal of a month", (found["history"] + grown * month) / 1e6, "MB"),
        ("records", found["records"], ""),
        ("bytes a record", grown / found["records"], ""),
        ("start over it", found["start"], "s"),
        ("start over 100,000 records", found["start"] * each, "s"),
        ("the same, busy", found["start busy"] * each, "s"),
    ):
        print(f"{what:<28}{value:12,.1f} {unit}")


if __name__ == "__main__":
    main()
