"""vectorbt: whole portfolios from arrays, by its Numba or its Rust engine.

W2: its stops count from the bar after the entry on (one order per bar), which the floor plays too.
W4: fractions of shares, so the equity differs from that of whole ones.
"""

from __future__ import annotations

import os

import bars
import numpy as np
import pandas as pd
import vectorbt as vbt
import workloads as w
from engine_process import Outcome, Task, serve

vbt.settings["engine"] = os.environ["VECTORBT_ENGINE"]
vbt.settings.caching["enabled"] = False
COLUMNS_AT_ONCE = 200  # of W3: more do not fit the cache


def frame(time: np.ndarray, columns: bars.Columns) -> pd.DataFrame:
    return pd.DataFrame(columns, index=pd.DatetimeIndex(time.astype("datetime64[ns]")))


def flips(close: pd.Series, open_: pd.Series, change: np.ndarray) -> vbt.Portfolio:
    """Long at 1, short at -1, at the open after."""
    return vbt.Portfolio.from_signals(
        close,
        entries=w.later(change > 0),
        exits=False,
        short_entries=w.later(change < 0),
        short_exits=False,
        price=open_,
        size=w.UNITS,
        upon_opposite_entry="reverse",
        fees=w.FEE,
        init_cash=w.CASH,
        freq="1min",
    )


def outcome_of(portfolio: vbt.Portfolio) -> Outcome:
    return Outcome(int(portfolio.orders.count()), float(portfolio.value().iloc[-1]))


def w1(size: int, rules: str) -> Task:
    data = frame(*bars.minutes(size))

    def run() -> Outcome:
        close = data["close"]
        fast = vbt.MA.run(close, w.FAST).ma.to_numpy()
        slow = vbt.MA.run(close, w.SLOW).ma.to_numpy()
        return outcome_of(flips(close, data["open"], w.crosses(fast, slow)))

    return run


def w2(size: int, rules: str) -> Task:
    data = frame(*bars.minutes(size))

    def run() -> Outcome:
        open_, high, low, close = (data[k].to_numpy() for k in ("open", "high", "low", "close"))
        series = data["close"]
        fast = series.vbt.ewm_mean(w.EMA_FAST, adjust=False).to_numpy()
        slow = series.vbt.ewm_mean(w.EMA_SLOW, adjust=False).to_numpy()
        ranges = pd.Series(w.true_range(high, low, close), index=series.index)
        atr = ranges.vbt.ewm_mean(2 * w.ATR - 1, adjust=False).to_numpy()
        change = w.crosses(fast, slow).astype(float)
        change[: w.WARM] = 0.0
        # Levels fixed at the close of the signal, as fractions of the price of the entry.
        side = w.later(change)
        stop, target = (
            w.later(close - change * w.STOP * atr),
            w.later(close + change * w.TARGET * atr),
        )
        portfolio = vbt.Portfolio.from_signals(
            series,
            entries=side > 0,
            exits=False,
            short_entries=side < 0,
            short_exits=False,
            price=data["open"],
            open=data["open"],
            high=data["high"],
            low=data["low"],
            sl_stop=np.maximum(side * (open_ - stop) / open_, 0),
            tp_stop=np.maximum(side * (target - open_) / open_, 0),
            stop_entry_price="price",
            stop_exit_price="stopmarket",
            upon_opposite_entry="ignore",
            size=w.UNITS,
            fees=w.FEE,
            slippage=w.SLIP,
            init_cash=w.CASH,
            freq="1min",
        )
        return outcome_of(portfolio)

    return run


def w3(size: int, rules: str) -> Task:
    data = frame(*bars.hours(w.HOURS))
    wanted = w.pairs(size)
    periods = sorted({period for pair in wanted for period in pair})

    def run() -> Outcome:
        close = data["close"]
        means = vbt.MA.run(close, periods).ma.to_numpy().reshape(len(close), -1)
        place = {period: k for k, period in enumerate(periods)}
        fills, equity = 0, 0.0
        for first in range(0, size, COLUMNS_AT_ONCE):
            part = wanted[first : first + COLUMNS_AT_ONCE]
            fast = means[:, [place[f] for f, _ in part]]
            slow = means[:, [place[s] for _, s in part]]
            portfolio = flips(close, data["open"], w.crosses(fast, slow))
            fills += int(np.sum(portfolio.orders.count()))
            equity += float(np.sum(portfolio.final_value()))
        return Outcome(fills, equity)

    return run


def w4(size: int, rules: str) -> Task:
    time, columns = bars.days(w.DAYS, size)
    index = pd.DatetimeIndex(time.astype("datetime64[ns]"))
    close, open_ = (pd.DataFrame(columns[k], index=index) for k in ("close", "open"))

    def run() -> Outcome:
        rows, chosen = w.momentum_weights(columns["close"], bars.month_ends(time))
        targets = np.full(close.shape, np.nan)
        targets[rows + 1] = chosen
        portfolio = vbt.Portfolio.from_orders(
            close,
            size=targets,
            size_type="targetpercent",
            price=open_,
            val_price=-np.inf,  # valued at the close before
            fees=w.FEE,
            init_cash=w.PANEL_CASH,
            group_by=True,
            cash_sharing=True,
            call_seq="auto",
            freq="1D",
        )
        return outcome_of(portfolio)

    return run


if __name__ == "__main__":
    serve("vectorbt", {"W1": w1, "W2": w2, "W3": w3, "W4": w4})
