"""Signals from a frame: long while a share is above where it stood half a year ago.

Signals need no hooks and no compiling: any library that gives an array will do. A signal of a
row is known at its close and traded at the next open, so nothing here can look ahead.
"""

import polars as pl

import intrabar as ib
from intrabar.data.sample import sample_bars

bars = sample_bars("IBM")
frame = pl.DataFrame({"close": bars.close}).with_columns(
    past=pl.col("close").shift(125), mean=pl.col("close").rolling_mean(20)
)
side = frame.select(
    pl.when(pl.col("past").is_null())
    .then(pl.lit("HOLD"))
    .when((pl.col("close") > pl.col("past")) & (pl.col("close") > pl.col("mean")))
    .then(pl.lit("LONG"))
    .otherwise(pl.lit("FLAT"))
).to_series()

result = ib.backtest(
    ib.Signals(side, qty=500, name="Momentum"),
    bars,
    instruments={"IBM": {"commission_rate": 0.0005, "slippage_pct": 0.0003}},
)
print(f"{result.campaigns.height} campaigns, return {result.metrics.values['total_return']:.1%}")
