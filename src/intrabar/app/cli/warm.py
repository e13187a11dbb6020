"""`intrabar warm`: compile ahead what the first runs need."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from intrabar.app.calls.api import backtest
from intrabar.app.calls.sweep import sweep
from intrabar.exits import LinUCB
from intrabar.indicators import Indicator, atr, ema, rsi, sma
from intrabar.kernel import CACHE
from intrabar.model.bars import DAY_NS, Bars
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from intrabar.strategy.weights import Weights

ROWS = 120
DONE = CACHE / "warm"
"""Written when these kernels have been through `warm_up`."""


class _Hold(Strategy):
    """Buys once, with a stop and a target."""

    def indicators(self) -> dict[str, Indicator]:
        return {"rsi": rsi(5), "trend": sma(20), "fast": ema(5), "range": atr(14)}

    def on_close(self, now: AtClose) -> None:
        if now.is_flat and now.bar == 5:
            now.buy(1, stop_loss=0.9 * now.close, take_profit=1.1 * now.close)


def warm() -> int:
    """Compile ahead what backtests and sweeps need, in a minute or two; for images and first days.

    A run of one strategy in one instrument has kernels of its own, so both kinds are compiled.
    """
    warm_up()
    print(f"compiled: {CACHE}")
    return 0


def warm_up_once() -> None:
    """`warm_up`, where these kernels have not been through it yet."""
    if not DONE.exists():
        warm_up()


def warm_up() -> None:
    """Run every kind of strategy once, in one instrument and in two."""
    one, two = [_bars("ONE")], [_bars("ONE"), _bars("TWO")]
    side = np.where(np.arange(ROWS) % 20 < 10, 1.0, 0.0)
    for bars in (one, two):
        strategies: dict[str, Any] = {
            "class": _Hold(),
            "bot": Bot(CoinFlip()),
            "learns": Bot(CoinFlip(), LinUCB([1.0, 2.0])),
            "signals": Signals({one.symbol: side for one in bars}, qty=1),
            "weights": Weights(np.column_stack([side / 2] * len(bars))),
        }
        for strategy in strategies.values():
            result = backtest(strategy, bars, instruments=_costs(bars))
            _ = result.metrics, result.band, result.campaigns
    sweep(
        Bot(MovingAverageCrossover(5, 20)),
        one,
        parameters={"qty": [1, 2]},
        instruments=_costs(one),
        keep=False,  # the folder of runs is the user's
    )
    with suppress(OSError):  # at worst all of it is run again
        DONE.touch()


def _costs(bars: list[Bars]) -> dict[str, dict[str, Any]]:
    costs = {"tick_size": 0.01, "point_value": 1.0, "calendar": "", "commission_rate": 0.001}
    return {one.symbol: costs for one in bars}


def _bars(symbol: str) -> Bars:
    close = 100.0 + 10.0 * np.sin(np.arange(ROWS) / 7.0)
    time = (np.arange(ROWS) + 10_000) * DAY_NS
    columns = (close, close + 1.0, close - 1.0, close, np.full(ROWS, 1000.0))
    return Bars(symbol, time, *columns, DAY_NS, time - DAY_NS, time // DAY_NS - 1)
