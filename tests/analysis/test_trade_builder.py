"""The grouping cases of QuantConnect/Lean (Apache-2.0), `TradeBuilderTests.cs` at 1e5ec21.

Its fill-to-fill FIFO trades are our trades, its flat-to-flat trades are our campaigns. Quantities
and prices are its; entry prices, quantities and profits are its expectations. Its MAE and MFE are
in money and from marks between bars, so they are compared where one position is held throughout.
"""

from __future__ import annotations

import pytest

from intrabar.analysis.campaigns import campaigns
from intrabar.analysis.trades import trades
from tests.analysis.account import Deal, fills_of, market_of

# name: (quantity, price) of each execution; FIFO trades and flat-to-flat campaigns as
# (side, quantity, entry price, exit price, profit).
CASES = {
    "all in, all out": (
        [(1000, 1.08), (-1000, 1.09)],
        [("buy", 1000, 1.08, 1.09, 10)],
        [("buy", 1000, 1.08, 1.09, 10)],
    ),
    "scale in, all out": (
        [(1000, 1.08), (1000, 1.07), (-2000, 1.09)],
        [("buy", 1000, 1.08, 1.09, 10), ("buy", 1000, 1.07, 1.09, 20)],
        [("buy", 2000, 1.075, 1.09, 30)],
    ),
    "all in, scale out": (
        [(2000, 1.07), (-1000, 1.08), (-1000, 1.09)],
        [("buy", 1000, 1.07, 1.08, 10), ("buy", 1000, 1.07, 1.09, 20)],
        [("buy", 2000, 1.07, 1.085, 30)],
    ),
    "reversal": (
        [(1000, 1.07), (-2000, 1.08), (1000, 1.09)],
        [("buy", 1000, 1.07, 1.08, 10), ("sell", 1000, 1.08, 1.09, -10)],
        [("buy", 1000, 1.07, 1.08, 10), ("sell", 1000, 1.08, 1.09, -10)],
    ),
    "scale in, out, in, out": (
        [(1000, 1.07), (1000, 1.08), (-1000, 1.09), (1000, 1.08), (-2000, 1.09)],
        [
            ("buy", 1000, 1.07, 1.09, 20),
            ("buy", 1000, 1.08, 1.09, 10),
            ("buy", 1000, 1.08, 1.09, 10),
        ],
        # Lean counts 3,000 that entered; our quantity is the largest position.
        [("buy", 2000, 1.0766666666666667, 1.09, 40)],
    ),
}
MIRROR = {"buy": "sell", "sell": "buy"}


@pytest.mark.parametrize("short", [False, True], ids=["long", "short"])
@pytest.mark.parametrize("name", CASES)
def test_fifo_and_flat_to_flat(name: str, short: bool) -> None:
    executions, fifo, flat = CASES[name]
    sign = -1 if short else 1
    deals = [Deal(10 * i, sign * q, p) for i, (q, p) in enumerate(executions)]
    fills = fills_of(deals)
    market = market_of({"A": [1.08] * 50})

    def same(got: list[tuple[object, ...]], want: list[tuple[str, int, float, float, int]]) -> None:
        assert len(got) == len(want)
        for (side, *numbers), (w_side, qty, entry, exit_, profit) in zip(got, want, strict=True):
            assert side == (MIRROR[w_side] if short else w_side)
            assert numbers == pytest.approx([qty, entry, exit_, sign * profit], rel=1e-9)

    paired = trades(fills)
    same(paired.select("side", "qty", "open_price", "close_price", "net").rows(), fifo)
    found = campaigns(fills, market, {"A": 1.0})
    same(found.select("side", "qty", "entry", "exit", "net").rows(), flat)


def test_mae_and_mfe_of_all_in_all_out() -> None:
    # Marks at 1.075 and 1.10 between the fills: Lean has MAE -5 and MFE 20 on 1,000.
    market = market_of({"A": [1.08, 1.075, 1.10, 1.09]})
    for sign, mae, mfe in ((1, 0.005, 0.020), (-1, 0.020, 0.005)):
        fills = fills_of([Deal(0, sign * 1000, 1.08), Deal(3, -sign * 1000, 1.09)])
        row = campaigns(fills, market, {"A": 1.0}).row(0, named=True)
        assert (row["mae"], row["mfe"]) == pytest.approx((mae, mfe), abs=1e-12)
