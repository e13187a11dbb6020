"""bt: a tree of portfolios that follow weights, at the one price series it is given.

It is given the opens, and the weights one bar later. W1: 1 % of the equity is about 100 units.
"""

from __future__ import annotations

import bars
import bt
import numpy as np
import pandas as pd
import workloads as w
from engine_process import Outcome, Task, serve


def outcome_of(weights: pd.DataFrame, prices: pd.DataFrame, cash: float, fills: int) -> Outcome:
    """Its engine alone: `bt.run` would add statistics that take several times as long."""
    steps = [bt.algos.WeighTarget(weights), bt.algos.Rebalance()]
    test = bt.Backtest(
        bt.Strategy("s", steps),
        prices,
        initial_capital=cash,
        commissions=lambda qty, price: abs(qty) * price * w.FEE,
        integer_positions=False,
        progress_bar=False,
    )
    test.run()
    counted = fills or len(test.strategy.get_transactions())
    return Outcome(counted, float(test.strategy.values.iloc[-1]))


def w1(size: int, rules: str) -> Task:
    time, columns = bars.minutes(size)
    index = pd.DatetimeIndex(time.astype("datetime64[ns]"))
    opens = pd.DataFrame({"A": columns["open"]}, index=index)

    def run() -> Outcome:
        close = pd.Series(columns["close"])
        means = [close.rolling(n).mean().to_numpy() for n in (w.FAST, w.SLOW)]
        change = w.later(w.crosses(*means).astype(float))
        rows = np.flatnonzero(change)
        weights = pd.DataFrame({"A": 0.01 * change[rows]}, index=index[rows])
        return outcome_of(weights, opens, w.CASH, len(rows))

    return run


def w4(size: int, rules: str) -> Task:
    time, columns = bars.days(w.DAYS, size)
    index = pd.DatetimeIndex(time.astype("datetime64[ns]"))
    names = [f"S{j:03d}" for j in range(size)]
    opens = pd.DataFrame(columns["open"], index=index, columns=names)

    def run() -> Outcome:
        rows, chosen = w.momentum_weights(columns["close"], bars.month_ends(time))
        weights = pd.DataFrame(chosen, index=index[rows + 1], columns=names)
        return outcome_of(weights, opens, w.PANEL_CASH, 0)

    return run


if __name__ == "__main__":
    serve("bt", {"W1 Python": w1, "W4": w4})
