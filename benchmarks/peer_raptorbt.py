"""raptorbt: a Rust engine over arrays of entries and exits.

W1, W3: a run knows one direction, so a run of the longs and one of the shorts are added up; sizes
are parts of an allotted capital, which makes 100 units at almost every bar. A flip counts as one
fill, as elsewhere.
W2: one Python hook per bar, its own matching; the time grows with the square of the bars.
W4: a position cannot be resized: instruments enter and leave, equal weights at the entry only.
"""

from __future__ import annotations

import bars
import numpy as np
import raptorbt as rb
import workloads as w
from engine_process import Outcome, Task, serve
from raptorbt.strategy import orders


def arrays(time: np.ndarray, columns: bars.Columns) -> tuple[np.ndarray, ...]:
    prices = [np.ascontiguousarray(columns[k]) for k in ("open", "high", "low", "close")]
    return (time, *prices, np.full(len(time), 1e9))


def settings(cash: float, slip: float = 0.0, **more: object) -> rb.BacktestConfig:
    return rb.BacktestConfig(
        initial_capital=cash, fees=w.FEE, slippage=slip, fill_timing="next_bar_open", **more
    )


def w1(size: int, rules: str) -> Task:
    data = arrays(*bars.minutes(size))
    sized = rb.InstrumentConfig(lot_size=w.UNITS, alloted_capital=150.0 * w.UNITS)

    def run() -> Outcome:
        change = w.crosses(rb.sma(data[4], w.FAST), rb.sma(data[4], w.SLOW))
        up, down = change > 0, change < 0
        fills, equity = 0, w.CASH
        for enter, leave, side in ((up, down, 1), (down, up, -1)):
            one = (enter, leave, side, 1.0, "A", settings(w.CASH), None, sized)
            got = rb.run_single_backtest(*data, *one).metrics
            fills += got.total_closed_trades + got.total_open_trades
            equity += got.end_value - got.start_value
        return Outcome(fills, equity)

    return run


class Bracket(rb.Strategy):
    """W2, its indicators made before the first bar."""

    def on_start(self, ctx: object) -> None:
        high, low, close = (np.asarray(getattr(ctx, k)) for k in ("high", "low", "close"))
        self.atr = w.wilder(w.true_range(high, low, close), 1 / w.ATR).tolist()
        fast, slow = (w.wilder(close, 2 / (n + 1)) for n in (w.EMA_FAST, w.EMA_SLOW))
        change = w.crosses(fast, slow)
        change[: w.WARM] = 0
        self.change, self.close, self.fills = change.tolist(), close.tolist(), 0

    def on_bar(self, ctx: object) -> None:
        i = ctx.idx
        side = self.change[i]
        if side and ctx.position is None:
            close, atr = self.close[i], self.atr[i]
            self.submit_bracket(
                orders.Market(side="buy" if side > 0 else "sell", units=w.UNITS),
                stop_trigger=close - side * w.STOP * atr,
                target_price=close + side * w.TARGET * atr,
            )

    def on_order_filled(self, ctx: object, event: object) -> None:
        self.fills += 1


def w2(size: int, rules: str) -> Task:
    data = arrays(*bars.minutes(size))

    def run() -> Outcome:
        strategy = Bracket()
        how = {"account_type": "margin", "leverage": 1.0}
        config = settings(w.CASH, w.SLIP, session_minutes=1440)
        result = rb.run_strategy_backtest(strategy, *data, symbol="A", config=config, **how)
        return Outcome(strategy.fills, result.metrics.end_value)

    return run


def w3(size: int, rules: str) -> Task:
    data = arrays(*bars.hours(w.HOURS))
    sized = rb.InstrumentConfig(lot_size=w.UNITS, alloted_capital=250.0 * w.UNITS)

    def run() -> Outcome:
        wanted = w.pairs(size)
        means = {period: rb.sma(data[4], period) for pair in wanted for period in pair}
        items = []
        for k, (fast, slow) in enumerate(wanted):
            change = w.crosses(means[fast], means[slow])
            up, down = change > 0, change < 0
            for enter, leave, side in ((up, down, 1), (down, up, -1)):
                one = (f"{k}:{side}", enter, leave, side, 1.0, "A", None, None, sized)
                items.append(rb.BatchSingleItem(*one))
        every = [r.metrics for _, r in rb.batch_single_backtest(*data, items, settings(w.CASH))]
        gained = sum(m.end_value - m.start_value for m in every)
        return Outcome(sum(m.total_trades for m in every), gained + size * w.CASH)

    return run


def w4(size: int, rules: str) -> Task:
    time, columns = bars.days(w.DAYS, size)
    prices = [np.ascontiguousarray(columns[k].T) for k in ("open", "high", "low", "close")]
    volume = np.full(w.DAYS, 1e9)

    def run() -> Outcome:
        rows, chosen = w.momentum_weights(columns["close"], bars.month_ends(time))
        held = chosen > 0
        before = np.vstack((np.zeros((1, size), bool), held[:-1]))
        enter, leave = np.zeros((2, size, w.DAYS), bool)
        enter[:, rows], leave[:, rows] = (held & ~before).T, (before & ~held).T
        instruments = [
            (time, *(p[j] for p in prices), volume, enter[j], leave[j], 1, 1.0, f"S{j}")
            for j in range(size)
        ]
        config = settings(w.PANEL_CASH, max_positions=w.BEST)
        got = rb.run_portfolio_backtest(instruments, config, "equal_weight").metrics
        return Outcome(2 * got.total_closed_trades + got.total_open_trades, got.end_value)

    return run


if __name__ == "__main__":
    serve("raptorbt", {"W1": w1, "W2 Python": w2, "W3": w3, "W4": w4})
