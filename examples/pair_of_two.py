"""Two instruments: sell the dearer and buy the cheaper of a pair, until they meet again.

One hook sees every instrument of the run, at the same instant. `now.of(symbol)` is the view of
another; orders are left on the view of the instrument that they are for.
"""

from dataclasses import dataclass

import numpy as np

import intrabar as ib


@dataclass
class Pair(ib.Strategy):
    """Trade the spread of two logarithms when it is far from its mean."""

    a: str = "IBM"
    b: str = "MSFT"
    days: int = 60
    money: float = 20_000.0

    def on_close(self, now: ib.AtClose) -> None:
        """Decide on whole bars; both legs fill at the next open."""
        a, b = now.of(self.a), now.of(self.b)
        spread = np.log(a.history("close", self.days)) - np.log(b.history("close", self.days))
        if len(spread) < self.days:
            return
        score = (spread[-1] - spread.mean()) / spread.std()
        if a.is_flat and abs(score) > 2.0:
            dear, cheap = (a, b) if score > 0 else (b, a)
            dear.sell(self.money // dear.close)
            cheap.buy(self.money // cheap.close)
        elif not a.is_flat and abs(score) < 0.5:
            a.close_position()
            b.close_position()


data = [{"symbol": symbol, "sample": True} for symbol in ("IBM", "MSFT")]
result = ib.backtest(Pair(), config={"data": data}, start="2005-01-01")
print(f"{result.campaigns.height} campaigns, return {result.metrics.values['total_return']:.1%}")
for symbol, figures in result.metrics_by("symbol").items():
    print(f"  {symbol}: {figures.values['total_return']:.1%}")
