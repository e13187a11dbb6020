"""Import of minute bars from a CSV, beside Polars reading it with dates and writing Parquet.

Usage: import_speed.py [BARS] [ROUNDS] [text|ms]

Both run in processes of their own, in turn, on the same file in the system's temporary folder (50
bytes a bar). The bars are compared first: every stamp and every value of the catalogue with those
that Polars reads, and with those of the file read whole, which takes 2 GB for 5 million bars.
"""

from __future__ import annotations

import os
import statistics
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

BARS, ROUNDS = 5_000_000, 3
MINUTE = 60_000_000_000
FIRST = 1_262_304_000_000_000_000  # 2010-01-01
STAMP = "%Y-%m-%d %H:%M:%S"

POLARS = """
import sys, polars as pl
source, target = sys.argv[1:]
bars = pl.read_csv(source, try_parse_dates=True)
if bars["time"].dtype == pl.Int64:
    bars = bars.with_columns(pl.from_epoch("time", "ms"))
bars.write_parquet(target)
"""
OURS = """
import sys
from intrabar.app.cli.main import run
sys.exit(run(["data", "import", sys.argv[1], "--symbol", "BTCUSD"]))
"""
WHOLE = """
import sys
from intrabar.data import streamed
from intrabar.data.catalogue import Catalogue
streamed.LARGE = 1 << 62
Catalogue(sys.argv[2]).import_file(sys.argv[1], "BTCUSD")
"""


def write(path: Path, bars: int, form: str) -> None:
    """A seeded random walk on a grid of 0.01, some at a time."""
    rng, last = np.random.default_rng(1), 100.0
    with path.open("w") as file:
        for first in range(0, bars, 500_000):
            count = min(500_000, bars - first)
            steps = rng.standard_normal(count) * 0.01
            close = np.round(100.0 + np.cumsum(steps - steps.mean()), 2)
            opened, last = np.append(last, close[:-1]), close[-1]
            reach = np.abs(rng.standard_normal((2, count))) * 0.02
            times = pl.Series(FIRST + np.arange(first, first + count) * MINUTE)
            part = pl.DataFrame(
                {
                    "time": times // 1_000_000
                    if form == "ms"
                    else times.cast(pl.Datetime("ns")).dt.strftime(STAMP),
                    "open": opened,
                    "high": np.round(np.maximum(opened, close) + reach[0], 2),
                    "low": np.round(np.minimum(opened, close) - reach[1], 2),
                    "close": close,
                    "volume": rng.integers(1, 5000, count),
                }
            )
            file.write(part.write_csv(include_header=first == 0))


def measured(program: str, *arguments: object, catalogue: Path) -> tuple[float, float]:
    """CPU seconds and peak MB of a process."""
    child = os.fork()
    if not child:
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.environ["INTRABAR_CATALOGUE"] = str(catalogue)
        os.execv(sys.executable, [sys.executable, "-c", program, *map(str, arguments)])
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"a process ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def require_same(source: Path, folder: Path) -> None:
    """Every stamp and value of three ways to read the file."""
    measured(POLARS, source, folder / "polars.parquet", catalogue=folder)
    measured(OURS, source, catalogue=folder / "pieces")
    measured(WHOLE, source, folder / "whole", catalogue=folder)
    plain = pl.read_parquet(folder / "polars.parquet")
    stamps = plain["time"].dt.cast_time_unit("ns").to_physical()
    for name in ("pieces", "whole"):
        files = sorted((folder / name).rglob("bars*.parquet"))
        bars = pl.concat([pl.read_parquet(f, hive_partitioning=False) for f in files])
        same = stamps.equals(bars["open_time"].to_physical().alias("time"))
        for column in ("open", "high", "low", "close", "volume"):
            same &= plain[column].cast(pl.Float64).equals(bars[column])
        if not same:
            raise SystemExit(f"{name}: the bars are not those that Polars reads")
        print(f"{name}: {bars.height:,} bars, every stamp and value as Polars reads them")


def main(bars: int = BARS, rounds: int = ROUNDS, form: str = "text") -> None:
    """Compare, then measure."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = folder / "bars.csv"
        write(source, bars, form)
        require_same(source, folder)
        theirs, ours = [], []
        for _ in range(rounds):
            theirs.append(measured(POLARS, source, folder / "p.parquet", catalogue=folder))
            ours.append(measured(OURS, source, catalogue=folder / "pieces"))
            print(
                f"polars {theirs[-1][0]:.2f} s CPU, {theirs[-1][1]:.0f} MB; intrabar "
                f"{ours[-1][0]:.2f} s, {ours[-1][1]:.0f} MB; {ours[-1][0] / theirs[-1][0]:.2f} x"
            )
        ratio = statistics.median(o[0] for o in ours) / statistics.median(t[0] for t in theirs)
        print(f"median {ratio:.2f} x the CPU, peak {max(o[1] for o in ours):.0f} MB")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(*(int(float(x)) for x in given[:2]), *given[2:])  # type: ignore[arg-type]
