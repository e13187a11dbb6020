"""nautilus_trader: an event-driven engine, a Python strategy. Making its bars is not measured.

A market order that is sent when a bar arrives fills at that bar's close.
"""

from __future__ import annotations

from decimal import Decimal

import bars
import pandas as pd
import workloads as w
from engine_process import Outcome, Task, serve
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.indicators import (
    AverageTrueRange,
    ExponentialMovingAverage,
    MovingAverageType,
    SimpleMovingAverage,
)
from nautilus_trader.model.currencies import USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide, OrderType
from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.persistence.wranglers import BarDataWrangler
from nautilus_trader.trading.strategy import Strategy

VENUE = Venue("SIM")
SHARE = Equity(
    InstrumentId(Symbol("A"), VENUE),
    Symbol("A"),
    USDT,
    6,
    Price(1e-6, 6),
    Quantity.from_int(1),
    0,
    0,
    margin_init=Decimal("0.1"),
    margin_maint=Decimal("0.05"),
    maker_fee=Decimal(str(w.FEE)),
    taker_fee=Decimal(str(w.FEE)),
)
MINUTES = BarType.from_str(f"{SHARE.id}-1-MINUTE-LAST-EXTERNAL")
ONE, TWO = Quantity.from_int(int(w.UNITS)), Quantity.from_int(2 * int(w.UNITS))


class Cross(Strategy):
    """W1."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig())
        self.fast, self.slow = SimpleMovingAverage(w.FAST), SimpleMovingAverage(w.SLOW)
        self.side = self.fills = 0

    def on_start(self) -> None:
        for indicator in (self.fast, self.slow):
            self.register_indicator_for_bars(MINUTES, indicator)
        self.subscribe_bars(MINUTES)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow.initialized:
            return
        side = 1 if self.fast.value > self.slow.value else -1
        if self.side and side != self.side:
            order = OrderSide.BUY if side > 0 else OrderSide.SELL
            qty = TWO if self.fills else ONE
            self.submit_order(self.order_factory.market(SHARE.id, order, qty))
        self.side = side

    def on_order_filled(self, event: object) -> None:
        self.fills += 1


class Bracket(Strategy):
    """W2."""

    def __init__(self) -> None:
        super().__init__(StrategyConfig())
        self.fast = ExponentialMovingAverage(w.EMA_FAST)
        self.slow = ExponentialMovingAverage(w.EMA_SLOW)
        self.atr = AverageTrueRange(w.ATR, MovingAverageType.WILDER)
        self.side = self.fills = self.bars = 0

    def on_start(self) -> None:
        for indicator in (self.fast, self.slow, self.atr):
            self.register_indicator_for_bars(MINUTES, indicator)
        self.subscribe_bars(MINUTES)

    def on_bar(self, bar: Bar) -> None:
        side = 1 if self.fast.value > self.slow.value else -1
        flat = self.portfolio.is_flat(SHARE.id)
        if side != self.side and self.bars >= w.WARM and flat:
            close, atr = bar.close.as_double(), self.atr.value
            orders = self.order_factory.bracket(
                SHARE.id,
                OrderSide.BUY if side > 0 else OrderSide.SELL,
                ONE,
                entry_order_type=OrderType.MARKET,
                sl_trigger_price=SHARE.make_price(close - side * w.STOP * atr),
                tp_price=SHARE.make_price(close + side * w.TARGET * atr),
                tp_post_only=False,
            )
            self.submit_order_list(orders)
        self.side = side
        self.bars += 1

    def on_order_filled(self, event: object) -> None:
        self.fills += 1


def task(strategy: type[Strategy], size: int, slip: float) -> Task:
    time, columns = bars.minutes(size)
    index = pd.DatetimeIndex(time.astype("datetime64[ns]")).tz_localize("UTC")
    frame = pd.DataFrame({**columns, "volume": 1e6}, index=index)
    made = BarDataWrangler(MINUTES, SHARE).process(frame)
    last = Price(columns["close"][-1], 6)

    def run() -> Outcome:
        config = BacktestEngineConfig(
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
        engine = BacktestEngine(config)
        engine.add_venue(
            VENUE,
            OmsType.NETTING,
            AccountType.MARGIN,
            [Money(w.CASH, USDT)],
            base_currency=USDT,
            default_leverage=Decimal(1),
            fill_model=FillModel(prob_slippage=slip),
        )
        engine.add_instrument(SHARE)
        engine.add_data(made)
        running = strategy()
        engine.add_strategy(running)
        engine.run()
        account = engine.portfolio.account(VENUE)
        equity = account.balance_total(USDT).as_double()
        for position in engine.cache.positions_open():
            equity += position.unrealized_pnl(last).as_double()
        engine.dispose()
        return Outcome(running.fills, equity)

    return run


if __name__ == "__main__":
    made = {
        "W1 Python": lambda size, rules: task(Cross, size, 0.0),
        "W2 Python": lambda size, rules: task(Bracket, size, 1.0),
    }
    serve("nautilus_trader", made)
