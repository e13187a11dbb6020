"""A crossover that another program has run: the same orders, the same fills, the same money.

The figures are those that backtrader (github.com/mementum/backtrader) states in
`tests/test_strategy_unoptimized.py` for 255 daily bars of 2006, `datas/2006-day-001.txt`. The bars
are not part of this repository: put the file into the folder that INTRABAR_TEST_DATA names.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from intrabar.indicators import cross, price, sma
from intrabar.model.instrument import Instrument
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.strategy.markets import DAY_NS, market_from, run_of

FOLDER = os.environ.get("INTRABAR_TEST_DATA", "")
BARS = Path(FOLDER) / "2006-day-001.txt"

pytestmark = pytest.mark.skipif(
    not FOLDER or not BARS.exists(), reason="INTRABAR_TEST_DATA has no 2006-day-001.txt"
)

BOUGHT = [3643.35, 3801.03, 3872.37, 3863.57, 3845.32, 3656.43, 3542.65, 3639.65, 3799.86,
          3840.20, 4047.63, 4052.55]  # fmt: skip
SOLD = [3763.95, 3811.85, 3822.35, 3822.57, 3829.82, 3598.58, 3545.92, 3766.80, 3782.15,
        3979.73, 4045.05]  # fmt: skip


class Crossover(Strategy):
    """Long above the average of 15 closes, flat below, decided at the close."""

    def indicators(self) -> dict[str, Any]:
        return {"cross": cross(price(), sma(15))}

    def on_close(self, now: AtClose) -> None:
        if now.is_flat and now["cross"] > 0.0:
            now.buy(1)
        elif not now.is_flat and now["cross"] < 0.0:
            now.close_position()


def crossover(instrument: Instrument) -> Any:
    bars = pl.read_csv(BARS)
    rows = bars.select("Open", "High", "Low", "Close").rows()
    return run_of(
        market_from(rows, period=DAY_NS), Crossover(), instruments=[instrument], cash=10_000.0
    )


def test_every_fill_price_is_theirs() -> None:
    fills = crossover(Instrument("A")).fills
    assert fills.filter(pl.col("side") == "buy")["price"].to_list() == pytest.approx(
        BOUGHT, abs=1e-9
    )
    assert fills.filter(pl.col("side") == "sell")["price"].to_list() == pytest.approx(
        SOLD, abs=1e-9
    )


def test_shares_end_with_their_value_and_their_cash() -> None:
    equity = crossover(Instrument("A")).equity
    assert round(equity["equity"][-1], 2) == 10_284.10
    # Their cash has paid for the share held at the end, marked at the last close, 4 119.94.
    assert round(equity["equity"][-1] - 4_119.94, 2) == 6_164.16


def test_futures_end_with_their_value_and_their_cash() -> None:
    """Ten per point, 2.00 a contract, 1 000 of margin, which their cash has paid too."""
    future = Instrument("A", point_value=10.0, commission_per_contract=2.0, initial_margin=1000.0)
    result = crossover(future)
    assert round(result.equity["equity"][-1], 2) == 12_795.00
    assert result.fills["position"][-1] == 1.0
    assert round(result.equity["equity"][-1] - 1_000.0, 2) == 11_795.00
