"""What learned exits cost in runs, beside the static exit of the arm that they name.

Both have the same campaigns, so the difference is the price of deciding. Runs are paired in one
process, CPU time; a difference is the median of the rounds.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import bars
import made_up
import numpy as np
import polars as pl
import workloads as w
from ours import market_of

from intrabar.app.calls.sweep import sweep
from intrabar.engine.run import Run, Setup
from intrabar.exits import TrailingATR
from intrabar.exits.learned import LONGEST, Hybrid, Learned
from intrabar.exits.policy_file import write_policy
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, TrendFollowing

ROUNDS, VARIANTS, PROCESSES = 5, 200, 3
WARM = 200  # bars, until all features are known
RARE = 0.033  # chance of an entry, so that 30 % of the bars are held
ARM = float(made_up.ARMS[made_up.NAMED])
TRADED = Instrument("A", tick_size=1e-6, commission_rate=0.0001, slippage_pct=0.0001)
HEAVY = ("torch", "stable_baselines3", "gymnasium", "sklearn", "onnx", "onnxruntime")

TRADING = """
import json, sys
from pathlib import Path
import bars, polars as pl
import intrabar as ib
folder, heavy = sys.argv[1:]
time_, columns = bars.hours(17_500)
stamps = pl.Series(time_).cast(pl.Datetime("ns", "UTC"))
frame = pl.DataFrame({"time": stamps, **columns, "volume": 1.0})
exit_ = ib.exits.Learned(folder) if folder else ib.exits.TrailingATR()
ib.backtest(ib.Bot(ib.TrendFollowing(), exit_), {"A": frame})
status = Path("/proc/self/status").read_text()
print(json.dumps({
    "heavy": [x for x in heavy.split() if x in sys.modules],
    "MB": int(status.partition("VmHWM:")[2].split()[0]) / 1024,
}))
"""
LOADING = """
import json, sys, time
import bars, polars as pl
from numba.core import event
import intrabar as ib
time_, columns = bars.hours(500)
stamps = pl.Series(time_).cast(pl.Datetime("ns", "UTC"))
frame = pl.DataFrame({"time": stamps, **columns, "volume": 1.0})
ib.backtest(ib.Bot(ib.TrendFollowing(), ib.exits.TrailingATR()), {"A": frame})
ib.policy
with event.install_recorder("numba:compile") as compiled:
    before = time.process_time()
    ib.policy(sys.argv[1])
    spent = time.process_time() - before
print(json.dumps({"ms": spent * 1e3, "compiled": len(compiled.buffer)}))
"""


class Mark(NamedTuple):
    """A mark, its bound, and what was measured in its unit."""

    name: str
    unit: str
    bound: float
    measured: float
    at_least: bool = False
    beside: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is within its bound."""
        return self.measured >= self.bound if self.at_least else self.measured <= self.bound

    def __str__(self) -> str:
        than = "at least" if self.at_least else "at most"
        told = f"{self.name}: {self.measured:,.2f} {self.unit}, bound {than} {self.bound:,g}"
        missed = "" if self.holds else " MISSED"
        return told + missed + (f" ({self.beside})" if self.beside else "")


def held(size: int) -> Mark:
    """A policy that decides at each close of a position, over bars of which 30 % are held."""
    exit_ = Learned(made_up.policy(made_up.AT_EACH_BAR, when="bar"), max_bars=LONGEST)
    above, static, _, share = paired(exit_, size)
    beside = f"{share:.0%} of the bars held, static {static:.2f} s"
    return Mark(
        f"{size:,} bars, PPO when: bar, above static", "s of CPU", 0.5, above, False, beside
    )


def campaigns(size: int) -> list[Mark]:
    """An LSTM, and a hybrid over it, by campaign."""
    recurrent = made_up.policy(made_up.RECURRENT, window=32)
    exits = {
        "LSTM": Learned(recurrent, max_bars=LONGEST),
        "hybrid over an LSTM": Hybrid(recurrent, n0=1e12, alpha=0.0, max_bars=LONGEST),
    }
    found = []
    for name, exit_ in exits.items():
        above, _, count, _ = paired(exit_, size)
        beside = f"{count:,} campaigns, feature table included"
        found.append(Mark(f"{name}, a campaign", "us", 60.0, above / count * 1e6, False, beside))
    return found


def paired(exit_: Any, size: int) -> tuple[float, float, int, float]:
    """Seconds above the static exit, seconds of that, campaigns, and the share of bars held."""
    market = market_of(*bars.minutes(size), bars.MINUTE)
    entry = CoinFlip(1, RARE)
    setups = [
        Setup(market, (TRADED,), {"bot": Bot(entry, x, qty=1.0, warm_up=WARM)})
        for x in (TrailingATR(atr_multiple=ARM), exit_)
    ]
    spent, fills = [], [Any, Any]
    for turn in range(ROUNDS + 1):  # the first compiles
        pair = []
        for k, setup in enumerate(setups):
            before = time.process_time()
            run = Run(setup, keeps_log=False)
            run.to_end()
            pair.append(time.process_time() - before)
            fills[k] = run.machine.fills()
        if turn:
            spent.append(pair)
    static, learned = (f[["bar", "position"]] for f in fills)
    assert (static == learned).all(), "the runs are to have the same campaigns"
    before = np.append(0.0, static["position"][:-1])
    kept = np.diff(static["bar"])[static["position"][:-1] != 0.0].sum() / size
    count = int(((before == 0.0) & (static["position"] != 0.0)).sum())
    above = statistics.median(b - a for a, b in spent)
    return above, statistics.median(a for a, _ in spent), count, float(kept)


def swept(size: int) -> Mark:
    """Runs per second of learned variants, of those of static ones."""
    policy = made_up.policy(made_up.MLP)
    stamps, columns = bars.hours(size)
    stamped = pl.Series(stamps).cast(pl.Datetime("ns", "UTC"))
    frame = pl.DataFrame({"time": stamped, **columns, "volume": 1.0})
    risks = np.linspace(0.002, 0.02, VARIANTS).tolist()

    def learned(risk: float) -> Bot:
        exit_ = Learned(policy, max_bars=LONGEST)
        return Bot(TrendFollowing(), exit_, risk_fraction=risk, warm_up=WARM)

    def static(risk: float) -> Bot:
        exit_ = TrailingATR(atr_multiple=ARM)
        return Bot(TrendFollowing(), exit_, risk_fraction=risk, warm_up=WARM)

    def seconds(make: Callable[[float], Bot]) -> tuple[float, int]:
        before = time.process_time()
        made = sweep(
            make,
            {"A": frame},
            parameters={"risk": risks},
            instruments={"A": TRADED},
            cash=w.CASH,
            workers=1,
            keep=False,
        )
        assert (made.table["status"] != "failed").all(), made.table["error"][0]
        return time.process_time() - before, int(made.table["campaigns"].sum())

    pairs = [(seconds(static), seconds(learned)) for _ in range(ROUNDS + 1)][1:]
    assert all(a[1] == b[1] for a, b in pairs), "the runs are to have the same campaigns"
    share = statistics.median(a[0] / b[0] for a, b in pairs)
    own, count = statistics.median(b[0] for _, b in pairs), pairs[0][0][1]
    beside = (
        f"of {size:,} bars and {count / VARIANTS:,.0f} campaigns each, "
        f"{VARIANTS / own:,.0f} runs a second"
    )
    name = f"sweep of {VARIANTS} learned variants, when: entry"
    return Mark(name, "% of static runs a second", 80.0, share * 100.0, True, beside)


def processes() -> list[Mark]:
    """What a process that trades a policy imports and holds, and how long one takes to load."""
    with TemporaryDirectory() as home:
        folder = Path(home) / "made"
        write_policy(made_up.policy(made_up.RECURRENT, window=32), folder, {})
        pairs = [[process(TRADING, x) for x in ("", str(folder))] for _ in range(PROCESSES)]
        loads = [process(LOADING, str(folder)) for _ in range(PROCESSES + 1)][1:]
    heavy = sorted({x for _, own in pairs for x in own["heavy"]})
    above = statistics.median(own["MB"] - static["MB"] for static, own in pairs)
    took, compiled = min(x["ms"] for x in loads), max(x["compiled"] for x in loads)
    beside = f"peak, static {pairs[0][0]['MB']:.0f} MB"
    return [
        Mark("trading process", "heavy modules", 0.0, len(heavy), False, " ".join(heavy)),
        Mark("trading process, above static", "MB", 10.0, above, False, beside),
        Mark(
            "loading a policy",
            "ms of CPU",
            20.0,
            took,
            False,
            "new process, warm cache, a static run made before",
        ),
        Mark("loading a policy", "functions compiled", 0.0, compiled),
    ]


def process(code: str, folder: str) -> dict[str, Any]:
    """What a process of its own says at its end."""
    here = str(Path(__file__).parent)
    code = f"import sys; sys.path.insert(0, {here!r})\n{code}"
    told = subprocess.run(
        [sys.executable, "-c", code, folder, " ".join(HEAVY)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    return found
