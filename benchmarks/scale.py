"""How large a run may be: memory over the length of a history, many instruments, many runs.

Usage: scale.py memory [MILLIONS OF BARS ...]   peak memory of a run in chunks, each in a process
       scale.py wide [INSTRUMENTS] [YEARS]      daily bars of many shares, several strategies
       scale.py runs [RUNS]                     memory after each tenth of so many runs

`memory` makes its minute bars part by part in a catalogue in the system's temporary folder (about
35 bytes a bar, TMPDIR says where) and removes it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np

import intrabar as ib
from intrabar.data.catalogue import Catalogue
from intrabar.data.timeline import market_from_bars
from intrabar.engine.run import Run, Setup
from intrabar.model.bars import Bars
from intrabar.sim.account import Account

MINUTE, DAY = 60_000_000_000, 86_400_000_000_000
MILLION = 1_000_000
BYTES_A_BAR = 60  # on disk, with room to spare
RECORD = {
    "source": "made", "source_sha256": "", "format": "made", "zone": "UTC", "label": "end",
    "adjustment": "raw", "calendar": "24/7",
}  # fmt: skip


def part(seed: int, first: int, bars: int, last: float, symbol: str, period: int) -> Bars:
    """The next bars of a seeded random walk from a price on, on a grid of 0.01."""
    rng = np.random.default_rng([seed, first])
    scale = 0.0005 * np.sqrt(period / MINUTE)
    steps = rng.standard_normal(bars) * scale
    steps += (np.log(100.0) - np.log(last) - steps.sum()) / bars  # back to 100 with every part
    close = np.round(last * np.exp(np.cumsum(steps)), 2)
    open_ = np.append(last, close[:-1])
    reach = np.abs(rng.standard_normal((2, bars))) * scale * close
    high = np.round(np.maximum(open_, close) + reach[0], 2)
    low = np.round(np.minimum(open_, close) - reach[1], 2)
    times = np.arange(first + 1, first + bars + 1, dtype=np.int64) * period
    opens = times - period
    volume = np.full(bars, 1000.0)
    return Bars(symbol, times, open_, high, low, close, volume, period, opens, opens // DAY)


def parts(bars: int, seed: int, symbol: str, period: int) -> Iterator[Bars]:
    """A long walk, half a million bars at a time."""
    last = 100.0
    for first in range(0, bars, 500_000):
        made = part(seed, first, min(500_000, bars - first), last, symbol, period)
        last = float(made.close[-1])
        yield made


def peak() -> float:
    """Largest resident memory of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def resident() -> float:
    """Resident memory of this process now, MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def two_bots() -> dict[str, ib.Bot]:
    """They trade the same quantity throughout, so that a long run is as busy as a short one."""
    return {
        "cross": ib.Bot(
            ib.MovingAverageCrossover(50, 200), ib.FixedRatio(), risk_fraction=0.0, qty=1.0
        ),
        "trend": ib.Bot(
            ib.MovingAverageCrossover(240, 1440),
            ib.TrailingATR(60, 8.0),
            risk_fraction=0.0,
            qty=10.0,
        ),
    }


def memory_of(catalogue: str, chunk: int) -> None:
    """One run in this process; prints what it took."""
    ib.backtest(  # compiles, and loads what is loaded once
        two_bots(), next(parts(20_000, 1, "A", MINUTE)), chunk=5000, out=mkdtemp()
    )
    before = peak()
    started = time.perf_counter()
    with TemporaryDirectory() as out:
        config = {"data": [{"symbol": "A", "catalogue": catalogue}]}
        result = ib.backtest(two_bots(), config=config, cash=1e8, chunk=chunk, out=out)
        disk = sum(f.stat().st_size for f in Path(out).rglob("*.parquet")) / 2**20
    told = {
        "bars": result.bars,
        "fills": result.recorded.fills,
        "digest": result.digest[:16],
        "start_mb": round(before),
        "peak_mb": round(peak()),
        "seconds": round(time.perf_counter() - started, 1),
        "tables_mb": round(disk),
    }
    print(json.dumps(told))


def memory(millions: list[int], chunk: int = 250_000) -> None:
    """Peak memory of runs of growing length."""
    home = Path(mkdtemp(prefix="intrabar-scale-"))
    try:
        for count in millions:
            bars = count * MILLION
            free = shutil.disk_usage(home).free
            if bars * BYTES_A_BAR > free // 2:
                print(f"{count} M bars: {bars * BYTES_A_BAR >> 30} GB of disk needed; left out")
                continue
            started = time.perf_counter()
            Catalogue(home).write_parts(parts(bars, 7, "A", MINUTE), RECORD)
            size = sum(f.stat().st_size for f in home.rglob("*.parquet")) / 2**20
            print(
                f"{count} M bars: {size:,.0f} MB in the catalogue, made in "
                f"{time.perf_counter() - started:.0f} s",
                flush=True,
            )
            command = [sys.executable, __file__, "one", str(home), str(chunk)]
            subprocess.run(command, check=True)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def wide(instruments: int, years: int) -> None:
    """Daily bars of many shares with three strategies, at one go."""
    bars = [next(parts(252 * years, k, f"S{k}", DAY)) for k in range(instruments)]
    strategies = {
        **two_bots(),
        "flip": ib.Bot(ib.CoinFlip(1, 0.02), ib.FixedRatio(), risk_fraction=0.0005),
    }
    xs = tuple(ib.Instrument(b.symbol, initial_margin_rate=0.1) for b in bars)
    market = market_from_bars(bars)
    for name in ("cold", "warm"):
        started = time.perf_counter()
        run = Run(Setup(market, xs, strategies, Account(cash=1e9)))
        ready = time.perf_counter()
        run.to_end()
        done = time.perf_counter()
        print(
            f"{instruments} shares, {len(market)} days, {len(strategies)} strategies ({name}): "
            f"ready in {ready - started:.2f} s, run in {done - ready:.2f} s, "
            f"{len(run.machine.fills()):,} fills, peak {peak():,.0f} MB"
        )


class Counting(ib.Strategy):
    """A strategy in Python, with indicators and orders."""

    def indicators(self) -> dict[str, object]:  # type: ignore[override]
        return {"slow": ib.sma(20), "their": ib.talib("WMA", timeperiod=10)}

    def on_close(self, now: ib.AtClose) -> None:
        if now.bar % 20 == 0:
            now.buy(1, stop_loss=now.close * 0.95)
        elif now.bar % 20 == 10:
            now.close_position()


def runs(count: int) -> list[float]:
    """Resident memory (MB) after each tenth of so many runs in one process, of all kinds."""
    bars = next(parts(2_000, 3, "A", DAY))
    after = []
    for k in range(count):
        strategy = {**two_bots(), "python": Counting()}
        strategy["plain"] = ib.Bot(ib.CoinFlip(k, 0.1), interpreted=True)
        result = ib.backtest(strategy, bars, params=None)
        _ = result.metrics.values, result.orders.height
        if (k + 1) % max(count // 10, 1) == 0:
            after.append(resident())
            print(f"{k + 1:>6} runs: {after[-1]:,.1f} MB", flush=True)
    return after


def main(arguments: list[str]) -> int:
    what, numbers = (arguments or ["memory"])[0], arguments[1:]
    if what == "one":
        memory_of(numbers[0], int(numbers[1]))
    elif what == "wide":
        wide(*[int(n) for n in numbers or ["500", "20"]])
    elif what == "runs":
        runs(int(numbers[0]) if numbers else 1000)
    elif what == "memory":
        memory([int(n) for n in numbers] or [10, 50, 250])
    else:
        print(__doc__)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
