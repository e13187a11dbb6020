"""The run of `intrabar demo`: two bots on the shares of the sample."""

from __future__ import annotations

from intrabar.app.config.model import Config, Source, StrategyConfig
from intrabar.data.sample import SYMBOLS


def demo_config(out: str = "runs", report: bool = True) -> Config:
    """The run of `intrabar demo`.

    Notes
    -----
    Costs are rates: adjusted prices make early share counts, and a charge a share, too large.
    """
    costs = {
        "tick_size": 0.0001,
        "commission_rate": 0.0005,
        "commission_min": 1.0,
        "slippage_pct": 0.0003,
    }
    crossover = {"fast": 20, "slow": 50, "exit": {"name": "TrailingATR", "atr_multiple": 4.0}}
    trend = {
        "fast": 20,
        "slow": 100,
        "exit": {"name": "FixedRatio", "atr_multiple": 0.75, "reward": 1.5},
        "risk_fraction": 0.005,
    }
    return Config(
        name="Demo: two bots on five shares",
        data=[Source(symbol=symbol, sample=True) for symbol in SYMBOLS],
        instruments={symbol: dict(costs) for symbol in SYMBOLS},
        strategies=[
            StrategyConfig(name="MovingAverageCrossover", params=crossover),
            StrategyConfig(name="TrendFollowing", params=trend),
        ],
        out=out,
        report=report,
    )
