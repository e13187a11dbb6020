"""A bot with an entry of one's own: buy a new low of ten days above a rising average.

A bot needs no hooks: an entry says the side, an exit the stop and the target, and the size follows
from the risk. `decide_side` is compiled into the loop, so it may read only numbers: the bar, the
indicators by name, and the entry's own parameters.
"""

from dataclasses import dataclass
from typing import Any

import intrabar as ib


@dataclass(frozen=True)
class LowInAnUptrend:
    """Long on a new low while the close is above a slow average."""

    days: int = 10
    slow: int = 200
    wakes_on = ""  # ask on every bar

    def indicators(self) -> dict[str, Any]:
        """What the rule reads beside the bar."""
        return {"lowest": ib.lowest(self.days), "slow": ib.sma(self.slow)}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """+1 to buy, -1 to sell, 0 for neither. Phase: CLOSE."""
        return 1 if now.low <= now.lowest and now.close > now.slow else 0


bot = ib.Bot(
    LowInAnUptrend(),
    exit=ib.FixedRatio(atr_multiple=2.0, reward=1.5),
    risk_fraction=0.01,
    gates=ib.Gates(min_atr=0.05),
)
shares = [{"symbol": s, "sample": True} for s in ("AAPL", "IBM", "MSFT")]
result = ib.backtest(bot, config={"data": shares})
worst, _, best = (edge.total_return for edge in result.band)
print(f"{result.campaigns.height} campaigns, return {worst:.1%} (worst path) to {best:.1%} (best)")
print(result.gates)
