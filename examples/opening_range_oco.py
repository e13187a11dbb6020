"""Opening range breakout: two stops around the first half hour, one cancels the other.

Hours are those of the exchange, and the position is closed before the session ends, on half days
too. Which stop a bar reaches first nobody knows: the band says how much hangs on it.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

import intrabar as ib


@dataclass
class OpeningRange(ib.Strategy):
    """Buy above, or sell below, the range of the half hour before 09:00 in Chicago."""

    bars: int = 6  # in half an hour
    gates = ib.Gates(flatten="16:00")  # New York: 15:00 in Chicago

    def on_close(self, now: ib.AtClose) -> None:
        """At 09:00 lay both stops; they work from the next open on."""
        if now.local.time() != time(9) or not now.is_flat:
            return
        top, bottom = now.history("high", self.bars).max(), now.history("low", self.bars).min()
        qty = now.size(risk=0.01, stop=bottom, entry=top) if top > bottom else 0
        if qty > 0:
            up = now.buy(qty, stop=top, stop_loss=bottom, tif="day")
            now.sell(qty, stop=bottom, stop_loss=top, tif="day", oco=up)


def random_days(days: int) -> pl.DataFrame:
    """Five-minute bars of Chicago's day, over a clock change."""
    draw, zone = np.random.default_rng(7), ZoneInfo("America/Chicago")
    dates = [datetime(2024, 2, 5, 8, 30, tzinfo=zone) + timedelta(days=d) for d in range(days)]
    times = [d + timedelta(minutes=5 * k) for d in dates if d.weekday() < 5 for k in range(1, 79)]
    close = (20_000 * np.exp(np.cumsum(draw.normal(0, 2e-4, len(times))))).round() / 4
    open_ = np.append(5000.0, close[:-1])
    up, down = draw.integers(0, 5, (2, len(times))) / 4
    high, low = np.maximum(open_, close) + up, np.minimum(open_, close) - down
    columns = {"open": open_, "high": high, "low": low, "close": close}
    return pl.DataFrame({"time": times, **columns, "volume": 1000.0})


if __name__ == "__main__":
    result = ib.backtest(OpeningRange(), {"ES": random_days(80)}, period="5m")
    print(f"{result.campaigns.height} campaigns", [round(edge.end_equity) for edge in result.band])
