"""EMA crossover with bracket exits over a million minutes: ours, the C floor and vectorbt in turn.

Each engine runs the same bars in the same process in turn; the trades are compared before the
times. vectorbt is measured where it is installed (`make bench` puts it into an environment of its
own, `.venv-bench`). CPU seconds of the whole process: read the ratios.

Usage: bracket.py [BARS] [ROUNDS]
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from bars import market_of, walk

from intrabar.engine.backtest import Run, Setup
from intrabar.exits import FixedRatio
from intrabar.indicators import ema
from intrabar.model.instrument import Instrument
from intrabar.sim.machine import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose

FAST, SLOW, ATR, STOP, TARGET, WARM = 12, 26, 14, 1.0, 1.5, 100
CASH, UNITS, FEE, SLIP = 1_000_000.0, 100.0, 0.0001, 0.0001
Measured = tuple[int, float]  # fills, end equity


def ours(columns: dict[str, np.ndarray]) -> Callable[[], Measured]:
    """The compiled bot: order book, brackets, OCO, costs and margin on."""
    market = market_of(columns)
    instrument = Instrument(
        "A",
        tick_size=1e-6,
        slippage_pct=SLIP,
        commission_rate=FEE,
        initial_margin_rate=0.1,
        maintenance_margin_rate=0.05,
    )
    bot = Bot(
        MovingAverageCrossover(FAST, SLOW, seed="first"),
        FixedRatio(ATR, STOP, TARGET / STOP, seed="first"),
        risk_fraction=0.0,
        qty=UNITS,
        warm_up=WARM,
    )

    def run() -> Measured:
        running = Run(Setup(market, (instrument,), {"cross": bot}, Account(cash=CASH)))
        running.to_end()
        return len(running.machine.fills()), float(running.machine.tape.equity[-1])

    return run


class TwoReads(Strategy):
    """A Python strategy that reads two values on every bar."""

    def indicators(self) -> dict[str, object]:  # type: ignore[override]
        return {"fast": ema(FAST), "slow": ema(SLOW)}

    def on_close(self, now: AtClose) -> None:
        if now["fast"] > now["slow"]:
            pass


def python_strategy(columns: dict[str, np.ndarray]) -> Callable[[], Measured]:
    """A hook in Python on every bar; only the loop counts, not the indicators."""
    market = market_of(columns)

    def run() -> Measured:
        running = Run(Setup(market, (Instrument("A"),), {"two": TwoReads()}, Account(cash=CASH)))
        running.to_end()
        return 0, CASH

    return run


def floor(columns: dict[str, np.ndarray]) -> Callable[[], Measured]:
    """The hand-written C loop of floor.c."""
    library = Path(mkdtemp()) / "floor.so"
    source = Path(__file__).with_name("floor.c")
    flags = ["-O3", "-march=native", "-shared", "-fPIC"]
    subprocess.run(["gcc", *flags, "-o", library, source, "-lm"], check=True)

    class Outcome(ctypes.Structure):
        _fields_ = [("equity", ctypes.c_double), ("fills", ctypes.c_int64)]

    bracket = ctypes.CDLL(str(library)).bracket
    arrays = [np.ascontiguousarray(columns[n]) for n in ("open", "high", "low", "close")]

    def run() -> Measured:
        equity, outcome = np.empty(len(arrays[0])), Outcome()
        pointers = [a.ctypes.data_as(ctypes.c_void_p) for a in [*arrays, equity]]
        numbers = [ctypes.c_double(x) for x in (STOP, TARGET)]
        money = [ctypes.c_double(x) for x in (CASH, UNITS, FEE, SLIP)]
        bars = ctypes.c_int64(len(equity))
        bracket(
            *pointers[:4], bars, FAST, SLOW, ATR, *numbers, ctypes.c_int64(WARM), *money,
            pointers[4], ctypes.byref(outcome),
        )  # fmt: skip
        return outcome.fills, outcome.equity

    return run


def vectorbt(columns: dict[str, np.ndarray]) -> Callable[[], Measured]:
    """Vectorbt's from_signals, its own stops: checked from the bar after the entry on."""
    import pandas as pd
    import vectorbt as vbt

    vbt.settings.caching["enabled"] = False
    frame = pd.DataFrame(columns)

    def later(values: np.ndarray) -> np.ndarray:
        shifted = np.zeros_like(values)
        shifted[1:] = values[:-1]
        return shifted

    def run() -> Measured:
        close = frame["close"]
        before = np.concatenate((close[:1], close[:-1]))
        fast = close.vbt.ewm_mean(FAST, adjust=False).to_numpy()
        slow = close.vbt.ewm_mean(SLOW, adjust=False).to_numpy()
        ranges = np.maximum(frame["high"], before) - np.minimum(frame["low"], before)
        atr = ranges.vbt.ewm_mean(2 * ATR - 1, adjust=False).to_numpy()
        side = np.sign(fast - slow)
        change = np.zeros_like(side)
        change[1:] = np.where(side[1:] != side[:-1], side[1:], 0.0)
        change[:WARM] = 0.0
        open_ = frame["open"].to_numpy()
        levels = (
            later(change),
            later(close - change * STOP * atr),
            later(close + change * TARGET * atr),
        )
        entry, stop, target = levels
        portfolio = vbt.Portfolio.from_signals(
            close,
            entries=entry > 0,
            exits=False,
            short_entries=entry < 0,
            short_exits=False,
            price=frame["open"],
            open=frame["open"],
            high=frame["high"],
            low=frame["low"],
            sl_stop=np.maximum(entry * (open_ - stop) / open_, 0),
            tp_stop=np.maximum(entry * (target - open_) / open_, 0),
            stop_entry_price="price",
            stop_exit_price="stopmarket",
            upon_opposite_entry="ignore",
            size=UNITS,
            fees=FEE,
            slippage=SLIP,
            init_cash=CASH,
            freq="1min",
        )
        return int(portfolio.orders.count()), float(portfolio.value().iloc[-1])

    return run


def main(bars: int, rounds: int) -> int:
    columns = walk(bars)
    engines = {"intrabar": ours(columns), "floor (C)": floor(columns)}
    if find_spec("vectorbt"):
        engines["vectorbt"] = vectorbt(columns)
    engines["python hook"] = python_strategy(columns)
    results = {name: run() for name, run in engines.items()}  # compiles what must be compiled
    fills, equity = results["intrabar"]
    floor_fills, floor_equity = results["floor (C)"]
    print(f"intrabar  {fills} fills, end equity {equity:.2f}")
    print(f"floor (C) {floor_fills} fills, end equity {floor_equity:.2f} (no tick grid)")
    if "vectorbt" in results:
        print(f"vectorbt  {results['vectorbt'][0]} fills (stops from the bar after the entry on)")
    if fills != floor_fills or abs(equity - floor_equity) > 1e-4 * CASH:
        print("the trades differ: no times", file=sys.stderr)
        return 1
    times: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(rounds):
        for name, run in engines.items():
            started = time.process_time()
            run()
            times[name].append(time.process_time() - started)
    medians = {name: statistics.median(values) for name, values in times.items()}
    least = medians["floor (C)"]
    for name, seconds in medians.items():
        rate = bars / seconds / 1e6
        print(
            f"{name:12} {1e3 * seconds:9.1f} ms {rate:8.2f} M bars/s {seconds / least:7.1f} x floor"
        )
    facts = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    print(json.dumps({"bars": bars, "rounds": rounds, "median_s": medians, "machine": facts}))
    return 0


if __name__ == "__main__":
    arguments = [int(a) for a in sys.argv[1:]] + [1_000_000, 7][len(sys.argv) - 1 :]
    sys.exit(main(*arguments[:2]))
