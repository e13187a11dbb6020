"""How long a replay takes to jump to any bar of a million: a compiled bot and a Python strategy.

Each strategy is run to the end once; then the replay jumps to bars drawn at random, back and
forth. Every landing of a few is compared with the digest of a plain run that ended there.

Usage: replay_jump.py [BARS] [JUMPS]
"""

from __future__ import annotations

import platform
import sys
import time
from typing import Any

import bars
import numpy as np
import ours

from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Run, Setup, tell
from intrabar.exits import FixedRatio
from intrabar.indicators import ema
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose

COMPARED = 3
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Crosses(Strategy):
    """A cheap hook: two indicators on every bar, a bracket where they have crossed."""

    def __init__(self) -> None:
        self.was_above = False

    def indicators(self) -> dict[str, Any]:
        return {"fast": ema(12), "slow": ema(26)}

    def on_close(self, now: AtClose) -> None:
        above = now["fast"] > now["slow"]
        if above and not self.was_above and now.is_flat:
            now.buy(100, stop_loss=now.close * 0.998, take_profit=now.close * 1.003)
        self.was_above = above


def measure(name: str, strategy: Any, market: Market, jumps: int) -> None:
    """Print what running, then jumping, takes."""
    instrument = Instrument("A", tick_size=1e-6, slippage_pct=0.0001, commission_rate=0.0001)
    setup = Setup(market, (instrument,), {name: strategy}, Account(cash=1_000_000.0))
    Run(setup).machine.advance(2_000)  # compiled before the clock runs
    replay = Replay(setup)
    began = time.perf_counter()
    replay.seek(len(market))
    ran = time.perf_counter() - began
    draw = np.random.default_rng(7)
    bars = draw.integers(0, len(market) + 1, jumps)
    taken: dict[str, list[float]] = {clock: [] for clock in CLOCKS}
    for bar in bars:
        before = {clock: read() for clock, read in CLOCKS.items()}
        replay.seek(int(bar))
        for clock, read in CLOCKS.items():
            taken[clock].append(1e3 * (read() - before[clock]))
    for bar in bars[:COMPARED]:
        plain = Run(setup)
        tell(plain.running, "on_start")
        plain.machine.advance(int(bar))
        replay.seek(int(bar))
        assert replay.digest == plain.machine.digest(), bar
    kept = len(replay._track.checkpoints)
    fills = len(replay._track.machine.fills())
    print(
        f"{name}: {len(market):,} bars run in {ran:.2f} s, {kept} checkpoints, {fills} fills so far"
    )
    for clock, values in taken.items():
        low, median, high, most = np.quantile(values, (0.05, 0.5, 0.95, 1.0))
        print(
            f"  a jump, {clock:>4} ms: 5 % {low:.2f}, median {median:.2f}, "
            f"95 % {high:.2f}, max {most:.2f}"
        )


def main() -> None:
    length = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    jumps = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    market = ours.market_of(*bars.minutes(length), bars.MINUTE)
    print(f"Python {platform.python_version()}, {jumps} jumps over {length:,} bars")
    bot = Bot(MovingAverageCrossover(12, 26), FixedRatio(14, 1.0, 1.5), 0.0, qty=100.0)
    measure("compiled bot", bot, market, jumps)
    measure("Python strategy", Crosses(), market, jumps)


if __name__ == "__main__":
    main()
