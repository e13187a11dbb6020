"""Intrabar's side: the compiled forms, and the same rules as Python strategies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bars
import numpy as np
import polars as pl
import workloads as w
from engine_process import Outcome, Task, serve

from intrabar.app.calls.sweep import sweep
from intrabar.engine.columns import compute_columns
from intrabar.engine.run import Run, Setup
from intrabar.exits import FixedRatio
from intrabar.indicators import Indicator, atr, cross, ema, sma
from intrabar.model.bars import Market
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import MovingAverageCrossover
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from intrabar.strategy.weights import Weights

MARGINS = {"initial_margin_rate": 0.1, "maintenance_margin_rate": 0.05}
TRADED = Instrument("A", tick_size=1e-6, commission_rate=w.FEE, **MARGINS)
SLIPPED = Instrument("A", tick_size=1e-6, commission_rate=w.FEE, slippage_pct=w.SLIP, **MARGINS)

BRACKET = Bot(  # W2
    MovingAverageCrossover(w.EMA_FAST, w.EMA_SLOW, seed="first"),
    FixedRatio(w.ATR, w.STOP, w.TARGET / w.STOP, seed="first"),
    risk_fraction=0.0,
    qty=w.UNITS,
    warm_up=w.WARM,
)


def market_of(time: np.ndarray, columns: bars.Columns, period: int) -> Market:
    """The bars as a market; one column is called A."""
    shape = (len(time), columns["close"].size // len(time))
    names = ("A",) if shape[1] == 1 else tuple(f"S{j:03d}" for j in range(shape[1]))
    grid = {k: np.ascontiguousarray(v.reshape(shape)) for k, v in columns.items()}
    return Market(
        symbols=names,
        time=time,
        volume=np.ones(shape),
        session_end=np.zeros(shape, np.uint8),
        open_time=np.repeat((time - period)[:, None], shape[1], axis=1),
        period=period,
        **grid,
    )


def outcome_of(
    market: Market, strategy: Any, instruments: tuple[Instrument, ...], cash: float = w.CASH
) -> Outcome:
    run = Run(Setup(market, instruments, {"s": strategy}, Account(cash=cash)))
    run.to_end()
    return Outcome(len(run.machine.fills()), float(run.machine.tape.equity[-1]))


def w1(size: int, rules: str) -> Task:
    market = market_of(*bars.minutes(size), bars.MINUTE)
    indicators = {"cross": cross(sma(w.FAST), sma(w.SLOW))}

    def run() -> Outcome:
        crossed = compute_columns({"": indicators}, market)[""]["cross"]
        return outcome_of(market, Signals(crossed[:, 0], qty=w.UNITS, zero="hold"), (TRADED,))

    return run


def w2(size: int, rules: str) -> Task:
    market = market_of(*bars.minutes(size), bars.MINUTE)
    return lambda: outcome_of(market, BRACKET, (SLIPPED,))


def crossing(indicator: Callable[[Indicator], np.ndarray], fast: int, slow: int) -> Signals:
    return Signals(indicator(cross(sma(fast), sma(slow))), qty=w.UNITS, zero="hold")


def w3(size: int, rules: str) -> Task:
    """The sweep as users have it: figures, daily returns and digest of each run included."""
    time, columns = bars.hours(w.HOURS)
    frame = pl.DataFrame(
        {"time": pl.Series(time).cast(pl.Datetime("ns", "UTC")), **columns, "volume": 1.0}
    )
    wanted = set(w.pairs(size))
    fast, slow = (sorted({pair[k] for pair in wanted}) for k in (0, 1))

    def run() -> Outcome:
        result = sweep(
            crossing,
            {"A": frame},
            parameters={"fast": fast, "slow": slow},
            constraints=[lambda pair: (pair["fast"], pair["slow"]) in wanted],
            instruments={"A": TRADED},
            cash=w.CASH,
            workers=1,
            keep=False,
        )
        # Always in the market: each fill but the first ends a campaign.
        fills = result.table["campaigns"].sum() + len(result)
        return Outcome(int(fills), result.table["net_profit"].sum() + w.CASH * len(result))

    return run


def w4(size: int, rules: str) -> Task:
    time, columns = bars.days(w.DAYS, size)
    market = market_of(time, columns, bars.DAY)
    traded = tuple(
        Instrument(s, tick_size=0.001, commission_rate=w.FEE, **MARGINS) for s in market.symbols
    )

    def run() -> Outcome:
        rows, chosen = w.momentum_weights(market.close, bars.month_ends(time))
        weights = np.full(market.close.shape, np.nan)
        weights[rows] = chosen
        return outcome_of(market, Weights(weights), traded, w.PANEL_CASH)

    return run


class PythonCross(Strategy):
    """W1 as a Python class that is called on every close."""

    def __init__(self) -> None:
        self.side = 0

    def indicators(self) -> dict[str, Indicator]:
        return {"fast": sma(w.FAST), "slow": sma(w.SLOW)}

    def on_close(self, now: AtClose) -> None:
        side = 1 if now["fast"] > now["slow"] else -1
        if side != self.side:
            if self.side:
                change = side * w.UNITS - now.position.qty
                (now.buy if change > 0 else now.sell)(abs(change))
            self.side = side


class PythonBracket(Strategy):
    """W2 as a Python class that is called on every close."""

    def __init__(self) -> None:
        self.side = 0

    def indicators(self) -> dict[str, Indicator]:
        return {
            "fast": ema(w.EMA_FAST, seed="first"),
            "slow": ema(w.EMA_SLOW, seed="first"),
            "atr": atr(w.ATR, seed="first"),
        }

    def on_close(self, now: AtClose) -> None:
        fast, slow = now["fast"], now["slow"]
        side = 1 if fast > slow else -1 if fast < slow else self.side
        if side != self.side and now.is_flat and now.bar >= w.WARM:
            stop, target = side * w.STOP * now["atr"], side * w.TARGET * now["atr"]
            order = now.buy if side > 0 else now.sell
            order(w.UNITS, stop_loss=now.close - stop, take_profit=now.close + target)
        self.side = side


def python_w1(size: int, rules: str) -> Task:
    market = market_of(*bars.minutes(size), bars.MINUTE)
    return lambda: outcome_of(market, PythonCross(), (TRADED,))


def python_w2(size: int, rules: str) -> Task:
    market = market_of(*bars.minutes(size), bars.MINUTE)
    return lambda: outcome_of(market, PythonBracket(), (SLIPPED,))


if __name__ == "__main__":
    compiled = {"W1": w1, "W2": w2, "W3": w3, "W4": w4}
    serve("", compiled | {"W1 Python": python_w1, "W2 Python": python_w2})
