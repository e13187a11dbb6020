"""polars_backtest: weights of a portfolio, without orders or shares; only W4 can be written."""

from __future__ import annotations

import bars
import numpy as np
import polars as pl
import polars_backtest as pb
import workloads as w
from engine_process import Outcome, Task, serve


def w4(size: int, rules: str) -> Task:
    time, columns = bars.days(w.DAYS, size)
    names = np.array([f"S{j:03d}" for j in range(size)])
    base = pl.DataFrame(
        {
            "date": np.repeat(time.astype("datetime64[ns]").astype("datetime64[D]"), size),
            "symbol": np.tile(names, w.DAYS),
            "close": columns["close"].ravel(),
            "open": columns["open"].ravel(),
        }
    )

    def run() -> Outcome:
        rows, chosen = w.momentum_weights(columns["close"], bars.month_ends(time))
        weights = np.zeros((w.DAYS, size))
        for first, last, row in zip(rows, [*rows[1:], w.DAYS], chosen, strict=True):
            weights[first:last] = row
        frame = base.with_columns(pl.Series("weight", weights.ravel()))
        how = {"trade_at_price": "open", "resample": "M", "fee_ratio": w.FEE, "tax_ratio": 0.0}
        report = pb.backtest_with_report(frame, position="weight", **how)
        curve = report.creturn
        return Outcome(len(report.trades), w.PANEL_CASH * float(curve[curve.columns[-1]][-1]))

    return run


if __name__ == "__main__":
    serve("polars-backtest", {"W4": w4})
