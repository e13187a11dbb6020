"""pybroker: a Python function that is called on every bar, over indicators made before.

W2: the distances of stop and target count from the fill, and from the bar after it on.
"""

from __future__ import annotations

from typing import Any

import bars
import numpy as np
import pandas as pd
import pybroker as pb
import workloads as w
from engine_process import Outcome, Task, serve
from pybroker.slippage import FixedSlippageModel

pb.disable_logging()
pb.disable_progress_bar()
OPEN = pb.PriceType.OPEN


def crossed(ctx: Any, kind: str) -> int:
    fast, slow = ctx.indicator(f"fast {kind}"), ctx.indicator(f"slow {kind}")
    if len(slow) < 2 or np.isnan(slow[-2]):
        return 0
    above, below = fast[-1] > slow[-1], fast[-1] < slow[-1]
    return int(above and fast[-2] <= slow[-2]) - int(below and fast[-2] >= slow[-2])


def trade(ctx: Any, side: int, shares: float) -> None:
    if side > 0:
        ctx.buy_shares, ctx.buy_fill_price = shares, OPEN
    else:
        ctx.sell_shares, ctx.sell_fill_price = shares, OPEN


def cross(ctx: Any) -> None:
    side = crossed(ctx, "sma")
    if side:
        held = ctx.short_pos() if side > 0 else ctx.long_pos()
        trade(ctx, side, 2 * w.UNITS if held else w.UNITS)


def bracket(ctx: Any) -> None:
    side = crossed(ctx, "ema")
    if side and not ctx.long_pos() and not ctx.short_pos():
        trade(ctx, side, w.UNITS)
        atr = ctx.indicator("atr")[-1]
        ctx.stop_loss, ctx.stop_profit = w.STOP * atr, w.TARGET * atr


def mean(values: np.ndarray, period: int) -> np.ndarray:
    return pd.Series(values).rolling(period).mean().to_numpy()


def true_range_mean(data: Any) -> np.ndarray:
    return w.wilder(w.true_range(data.high, data.low, data.close), 1 / w.ATR)


SIMPLE = (
    pb.indicator("fast sma", lambda data: mean(data.close, w.FAST)),
    pb.indicator("slow sma", lambda data: mean(data.close, w.SLOW)),
)
EXPONENTIAL = (
    pb.indicator("fast ema", lambda data: w.wilder(data.close, 2 / (w.EMA_FAST + 1))),
    pb.indicator("slow ema", lambda data: w.wilder(data.close, 2 / (w.EMA_SLOW + 1))),
    pb.indicator("atr", true_range_mean),
)


def task(rule: Any, size: int, warm: int, slip: float) -> Task:
    time, columns = bars.minutes(size)
    frame = pd.DataFrame({**columns, "volume": 1e9, "symbol": "A"})
    frame["date"] = time.astype("datetime64[ns]")
    config = pb.StrategyConfig(
        initial_cash=w.CASH,
        fee_mode=pb.FeeMode.ORDER_PERCENT,
        fee_amount=100 * w.FEE,
        round_fill_price=False,
        round_test_result=False,
        enable_fractional_shares=True,
    )

    def run() -> Outcome:
        made = pb.Strategy(frame, frame["date"].iloc[0], frame["date"].iloc[-1], config)
        if slip:
            made.set_slippage_model(FixedSlippageModel(bps=1e4 * slip))
        made.add_execution(rule, ["A"], indicators=list(EXPONENTIAL if slip else SIMPLE))
        result = made.backtest(warmup=warm, calc_bootstrap=False)
        return Outcome(len(result.orders), float(result.portfolio["market_value"].iloc[-1]))

    return run


if __name__ == "__main__":
    made = {
        "W1 Python": lambda size, rules: task(cross, size, w.SLOW, 0.0),
        "W2 Python": lambda size, rules: task(bracket, size, w.WARM + 1, w.SLIP),
    }
    serve("lib-pybroker", made)
