"""backtesting.py: a Python class that is called on every bar. One instrument per run."""

from __future__ import annotations

import backtesting
import bars
import numpy as np
import pandas as pd
import workloads as w
from backtesting import Backtest, Strategy
from backtesting.lib import crossover
from engine_process import Outcome, Task, serve

backtesting._tqdm = lambda steps, **_: steps  # its progress bar would be measured too


def sma(values: np.ndarray, period: int) -> np.ndarray:
    return pd.Series(np.asarray(values)).rolling(period).mean().to_numpy()


def ema(values: np.ndarray, period: int) -> np.ndarray:
    return w.wilder(np.asarray(values), 2 / (period + 1))


def atr(high: np.ndarray, low: np.ndarray, close: np.ndarray, period: int) -> np.ndarray:
    columns = (np.asarray(x) for x in (high, low, close))
    return w.wilder(w.true_range(*columns), 1 / period)


class Cross(Strategy):
    """W1."""

    def init(self) -> None:
        self.quick = self.I(sma, self.data.Close, w.FAST)
        self.calm = self.I(sma, self.data.Close, w.SLOW)

    def next(self) -> None:
        if crossover(self.quick, self.calm):
            self.buy(size=w.UNITS - self.position.size)
        elif crossover(self.calm, self.quick):
            self.sell(size=w.UNITS + self.position.size)


class Bracket(Strategy):
    """W2."""

    def init(self) -> None:
        data = self.data
        self.quick = self.I(ema, data.Close, w.EMA_FAST)
        self.calm = self.I(ema, data.Close, w.EMA_SLOW)
        self.atr = self.I(atr, data.High, data.Low, data.Close, w.ATR)

    def next(self) -> None:
        if len(self.data) <= w.WARM or self.position:
            return
        close, atr = self.data.Close[-1], self.atr[-1]
        if crossover(self.quick, self.calm):
            self.buy(size=w.UNITS, sl=close - w.STOP * atr, tp=close + w.TARGET * atr)
        elif crossover(self.calm, self.quick):
            self.sell(size=w.UNITS, sl=close + w.STOP * atr, tp=close - w.TARGET * atr)


def prepared(
    made: tuple[np.ndarray, bars.Columns], strategy: type[Strategy], spread: float = 0.0
) -> Backtest:
    time, columns = made
    frame = pd.DataFrame({k.capitalize(): v for k, v in columns.items()})
    frame.index = pd.DatetimeIndex(time.astype("datetime64[ns]"))
    return Backtest(frame, strategy, cash=w.CASH, commission=w.FEE, spread=spread)


def outcome_of(stats: pd.Series, fills_per_trade: int) -> Outcome:
    still_open = len(stats["_strategy"].trades)
    fills = fills_per_trade * len(stats["_trades"]) + still_open
    return Outcome(fills, float(stats["Equity Final [$]"]))


def w1(size: int, rules: str) -> Task:
    test = prepared(bars.minutes(size), Cross)
    return lambda: outcome_of(test.run(), 1)  # a flip closes one trade and opens the next


def w2(size: int, rules: str) -> Task:
    test = prepared(bars.minutes(size), Bracket, w.SLIP)
    return lambda: outcome_of(test.run(), 2)


if __name__ == "__main__":
    serve("backtesting", {"W1 Python": w1, "W2 Python": w2})
