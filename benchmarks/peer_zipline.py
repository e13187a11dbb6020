"""zipline: an event-driven engine over a bundle of its own. Writing the bundle is not measured.

Its minutes keep three decimals, so prices are stored times 1,000. A day has 1,440 minutes, and
only whole days are run. Market orders fill on the next bar; the slippage model that takes its
open is ours. Without orders that belong together, W2 cannot be written.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from tempfile import mkdtemp

import bars
import pandas as pd
import workloads as w
from engine_process import Outcome, Task, serve
from zipline import api, run_algorithm
from zipline.data import bundles
from zipline.finance import commission, slippage
from zipline.utils.calendar_utils import get_calendar

SCALE, DAY = 1_000.0, 1_440
logging.disable(logging.CRITICAL)
os.environ["ZIPLINE_ROOT"] = mkdtemp()


class NextOpen(slippage.SlippageModel):
    """The open of the bar, as it is."""

    def process_order(self, data: object, order: object) -> tuple[float, int]:
        return data.current(order.asset, "open"), order.amount


def ingest(name: str, frame: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Write the minutes, and the days that it wants beside them."""
    how = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    dates = {"start_date": start, "end_date": end, "auto_close_date": end + pd.Timedelta(days=1)}
    equity = pd.DataFrame([{"symbol": "A", "asset_name": "A", "exchange": "X", **dates}])
    exchange = {"exchange": "X", "canonical_name": "X", "country_code": "US"}

    def write(environ, assets, minutes, days, actions, *_):  # type: ignore[no-untyped-def]
        assets.write(equities=equity, exchanges=pd.DataFrame([exchange]))
        minutes.write([(0, frame)], show_progress=False)
        daily = frame.resample("D").agg(how).tz_localize(None).clip(upper=4e6)
        days.write([(0, daily)], show_progress=False)
        actions.write()

    span = {"start_session": start, "end_session": end}
    bundles.register(name, write, calendar_name="24/7", minutes_per_day=DAY, **span)
    bundles.ingest(name, os.environ)


def w1(size: int, rules: str) -> Task:
    whole = size // DAY * DAY
    time, columns = bars.minutes(size)
    index = pd.DatetimeIndex((time - bars.MINUTE).astype("datetime64[ns]"))[:whole]
    frame = pd.DataFrame({k: v[:whole] * SCALE for k, v in columns.items()}, index=index)
    frame["volume"] = 1e3
    start, end = frame.index[0].normalize(), frame.index[-1].normalize()
    ingest("minutes", frame.tz_localize("UTC"), start, end)
    no_benchmark = pd.Series(0.0, index=pd.date_range(start, end, freq="D"))

    def run() -> Outcome:
        recent: deque[float] = deque(maxlen=w.SLOW + 1)
        state = {"fast": 0.0, "slow": 0.0, "side": 0, "orders": 0}

        def initialize(context: object) -> None:
            api.set_slippage(NextOpen())
            api.set_commission(commission.PerDollar(w.FEE))
            context.asset = api.symbol("A")

        def handle_data(context: object, data: object) -> None:
            close = data.current(context.asset, "close")
            recent.append(close)
            state["fast"] += close - (recent[-1 - w.FAST] if len(recent) > w.FAST else 0.0)
            state["slow"] += close - (recent[0] if len(recent) > w.SLOW else 0.0)
            if len(recent) < w.SLOW:
                return
            side = 1 if state["fast"] / w.FAST > state["slow"] / w.SLOW else -1
            if state["side"] and side != state["side"]:
                api.order(context.asset, side * int(w.UNITS) * (2 if state["orders"] else 1))
                state["orders"] += 1
            state["side"] = side

        result = run_algorithm(
            start=start,
            end=end,
            initialize=initialize,
            handle_data=handle_data,
            capital_base=w.CASH * SCALE,
            data_frequency="minute",
            bundle="minutes",
            trading_calendar=get_calendar("24/7"),
            benchmark_returns=no_benchmark.tz_localize(None),
        )
        # Without the closing of the asset at its end, which has no order.
        fills = sum(x["order_id"] is not None for day in result["transactions"] for x in day)
        return Outcome(fills, float(result["portfolio_value"].iloc[-1]) / SCALE)

    return run


if __name__ == "__main__":
    serve("zipline-reloaded", {"W1 Python": w1})
