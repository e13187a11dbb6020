"""hftbacktest: a Rust core fed with order-book events, the strategy compiled by Numba.

It has no bars and no stop orders, so only W1 can be tried: four updates of the book make a bar's
open with a spread of one tick of 0.01, and a market order meets it. Prices are those ticks, so
the equity differs.
"""

from __future__ import annotations

import bars
import hftbacktest as h
import numba
import numpy as np
import workloads as w
from engine_process import Outcome, Task, serve

TICK, MINUTE = 0.01, 60 * 10**9
BUY_GTC, MARKET = h.GTC, h.MARKET


@numba.njit
def trade(market, close, fast, slow, units, step):  # type: ignore[no-untyped-def]
    """Two running sums over the closes; a market order just after the next open."""
    fast_sum = slow_sum = 0.0
    side = wanted = orders = 0
    for t in range(len(close)):
        if market.elapse(step) != 0:
            break
        if wanted != 0:
            qty = units if orders == 0 else 2 * units
            orders += 1
            if wanted > 0:
                price = market.depth(0).best_ask
                market.submit_buy_order(0, orders, price, qty, BUY_GTC, MARKET, False)
            else:
                price = market.depth(0).best_bid
                market.submit_sell_order(0, orders, price, qty, BUY_GTC, MARKET, False)
            wanted = 0
            if orders % 64 == 0:
                market.clear_inactive_orders(0)
        fast_sum += close[t]
        slow_sum += close[t]
        if t >= fast:
            fast_sum -= close[t - fast]
        if t >= slow:
            slow_sum -= close[t - slow]
        if t >= slow - 1:
            now = 1 if fast_sum / fast > slow_sum / slow else -1
            if side != 0 and now != side:
                wanted = now
            side = now
    state = market.state_values(0)
    return state.num_trades, state.position, state.balance, state.fee


def events(open_: np.ndarray) -> np.ndarray:
    """Four changes of the book per bar: the new levels first, then the old ones are taken away."""
    n = len(open_)
    bid = np.round(open_ / TICK) * TICK
    ask = bid + TICK
    old_bid, old_ask = (np.concatenate((x[:1], x[:-1])) for x in (bid, ask))
    rising = bid >= old_bid
    made = np.zeros((n, 4), dtype=h.types.event_dtype)
    both = h.EXCH_EVENT | h.LOCAL_EVENT | h.DEPTH_EVENT
    buys, sells = both | h.BUY_EVENT, both | h.SELL_EVENT
    first, second = np.where(rising, sells, buys), np.where(rising, buys, sells)
    for k, (kind, price, qty) in enumerate(
        (
            (first, np.where(rising, ask, bid), 1e6),
            (second, np.where(rising, bid, ask), 1e6),
            (buys, old_bid, np.where(old_bid == bid, 1e6, 0.0)),
            (sells, old_ask, np.where(old_ask == ask, 1e6, 0.0)),
        )
    ):
        made["ev"][:, k], made["px"][:, k], made["qty"][:, k] = kind, price, qty
    time = 1_600_000_000 * 10**9 + np.arange(n, dtype=np.int64)[:, None] * MINUTE
    made["exch_ts"] = made["local_ts"] = time
    return np.ascontiguousarray(made.ravel())


def w1(size: int, rules: str) -> Task:
    _, columns = bars.minutes(size)
    tape, close = events(columns["open"]), columns["close"].copy()

    def run() -> Outcome:
        asset = (
            h.BacktestAsset()
            .data(tape)
            .linear_asset(1.0)
            .constant_order_latency(1, 1)
            .risk_adverse_queue_model()
            .no_partial_fill_exchange()
            .trading_value_fee_model(w.FEE, w.FEE)
            .tick_size(TICK)
            .lot_size(1)
            .last_trades_capacity(0)
        )
        market = h.HashMapMarketDepthBacktest([asset])
        # The clock starts at the first event; a step moves it just past the next bar's open.
        how = (close, w.FAST, w.SLOW, w.UNITS, MINUTE)
        fills, position, balance, fee = trade(market, *how)
        market.close()
        return Outcome(fills, w.CASH + balance + position * close[-1] - fee)

    return run


if __name__ == "__main__":
    serve("hftbacktest", {"W1": w1})
