"""Opening range breakout: two stops around the first half hour, one cancels the other.

On the bars of a day nobody knows which stop is reached first; the report's band says how much of
the result hangs on it. The bars are made here (a random walk), so expect nothing but the costs.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl

import intrabar as ib


class OpeningRange(ib.Strategy):
    """Buy above, or sell below, the range of the first six five-minute bars; out at the close."""

    def on_close(self, now: ib.AtClose) -> None:
        """At 10:00 lay both stops; they work from the next open on."""
        if now.time.hour == 10 and now.time.minute == 0:
            top, bottom = now.history("high", 6).max(), now.history("low", 6).min()
            up = now.buy(10, stop=top, stop_loss=bottom, tif="day")
            now.sell(10, stop=bottom, stop_loss=top, tif="day", oco=up)
        if now.time.hour == 15 and now.time.minute == 55 and not now.is_flat:
            now.close_position()


def random_days(days: int) -> pl.DataFrame:
    """Five-minute bars from 09:30 to 16:00, stamped by their close."""
    draw = np.random.default_rng(7)
    first = datetime(2024, 1, 1, 9, 30, tzinfo=UTC)
    times = [first + timedelta(days=d, minutes=5 * k) for d in range(days) for k in range(1, 79)]
    close = 100 * np.exp(np.cumsum(draw.normal(0, 0.001, len(times))))
    open_ = np.concatenate([[100.0], close[:-1]])
    reach = np.abs(draw.normal(0, 0.05, (2, len(times))))
    high, low = np.maximum(open_, close) + reach[0], np.minimum(open_, close) - reach[1]
    columns = {"time": times, "open": open_, "high": high, "low": low, "close": close}
    return pl.DataFrame({**columns, "volume": 1000.0})


result = ib.backtest(OpeningRange(), random_days(60), period="5m")
worst, _, best = (edge.end_equity for edge in result.band)
print(f"{result.campaigns.height} campaigns, end {worst:,.0f} (worst path) to {best:,.0f} (best)")
