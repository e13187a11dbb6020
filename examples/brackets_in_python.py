"""A Python strategy: buy a gap down at the open, with a stop and a target in the market.

The open is where a strategy knows least, and where looking ahead is easiest: `AtOpen` therefore
has no high, low or close of the day. The stop moves to the entry once half the way is made.
"""

from dataclasses import dataclass

import intrabar as ib


@dataclass
class FadeTheGap(ib.Strategy):
    """Buy an open well below the close before, towards that close."""

    gap: float = 1.0
    shares: int = 100

    def indicators(self) -> dict[str, object]:
        """What it reads by name."""
        return {"atr": ib.atr(14)}

    def on_open(self, now: ib.AtOpen) -> None:
        """Decide at the open, trade at the open."""
        size = self.gap * now["atr"]
        if now.is_flat and now.open < now.previous_close - size:
            now.buy(self.shares, stop_loss=now.open - size, take_profit=now.previous_close)

    def on_close(self, now: ib.AtClose) -> None:
        """Protect what is gained; the new stop works from the next open on."""
        held = now.position
        half_way = held.entry + 0.5 * (held.target - held.entry)
        if held.qty > 0 and now.close > half_way and held.stop < held.entry:
            now.modify_stop_loss(held.entry)


result = ib.backtest(FadeTheGap(), config={"data": [{"symbol": "AAPL", "sample": True}]})
campaigns = result.campaigns
print(f"{campaigns.height} campaigns, net {campaigns['net'].sum():,.0f}")
print(campaigns.group_by("reason").len().sort("reason"))
