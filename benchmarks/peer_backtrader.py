"""backtrader: a Python class that is called on every bar.

W2: its stops and targets count from the bar after the entry on.
"""

from __future__ import annotations

import backtrader as bt
import bars
import pandas as pd
import workloads as w
from engine_process import Outcome, Task, serve


class Counting(bt.Strategy):
    """Counts its fills."""

    def __init__(self) -> None:
        self.fills = 0

    def notify_order(self, order: bt.Order) -> None:
        self.fills += order.status == order.Completed


class Cross(Counting):
    """W1."""

    def __init__(self) -> None:
        super().__init__()
        self.cross = bt.ind.CrossOver(bt.ind.SMA(period=w.FAST), bt.ind.SMA(period=w.SLOW))

    def next(self) -> None:
        if self.cross[0] > 0:
            self.buy(size=w.UNITS - self.position.size)
        elif self.cross[0] < 0:
            self.sell(size=w.UNITS + self.position.size)


class Bracket(Counting):
    """W2."""

    def __init__(self) -> None:
        super().__init__()
        fast, slow = bt.ind.EMA(period=w.EMA_FAST), bt.ind.EMA(period=w.EMA_SLOW)
        self.cross, self.atr = bt.ind.CrossOver(fast, slow), bt.ind.ATR(period=w.ATR)

    def next(self) -> None:
        side = self.cross[0]
        if not side or len(self) <= w.WARM or self.position:
            return
        close, atr = self.data.close[0], self.atr[0]
        order = self.buy_bracket if side > 0 else self.sell_bracket
        order(
            size=w.UNITS,
            exectype=bt.Order.Market,
            stopprice=close - side * w.STOP * atr,
            limitprice=close + side * w.TARGET * atr,
        )


def task(strategy: type[bt.Strategy], slip: float, size: int) -> Task:
    time, columns = bars.minutes(size)
    index = pd.DatetimeIndex(time.astype("datetime64[ns]"))
    frame = pd.DataFrame({**columns, "volume": 1e9}, index=index)

    def run() -> Outcome:
        cerebro = bt.Cerebro(stdstats=False)
        cerebro.broker.setcash(w.CASH)
        cerebro.broker.setcommission(commission=w.FEE)
        if slip:
            cerebro.broker.set_slippage_perc(slip, slip_open=True, slip_limit=False, slip_out=True)
        cerebro.adddata(bt.feeds.PandasData(dataname=frame, openinterest=None))
        cerebro.addstrategy(strategy)
        return Outcome(cerebro.run()[0].fills, cerebro.broker.getvalue())

    return run


if __name__ == "__main__":
    made = {
        "W1 Python": lambda size, rules: task(Cross, 0.0, size),
        "W2 Python": lambda size, rules: task(Bracket, w.SLIP, size),
    }
    serve("backtrader", made)
