"""Campaigns, trades and curves on hand-worked lives, and against plain sums on random ones."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.campaigns import campaigns
from intrabar.analysis.equity import curves_by, equity_by
from intrabar.analysis.trades import trades
from intrabar.errors import DataError, NotFoundError
from intrabar.model.enums import FillReason
from tests.analysis.account import Deal, fills_of, market_of

COLUMNS = [
    "campaign",
    "strategy",
    "symbol",
    "side",
    "start_bar",
    "end_bar",
    "start",
    "end",
    "bars",
    "qty",
    "entry",
    "exit",
    "gross",
    "costs",
    "net",
    "risk",
    "r",
    "mae",
    "mfe",
    "reason",
    "ambiguous",
    "settled",
]
TRADE_COLUMNS = [
    "strategy",
    "symbol",
    "side",
    "open_bar",
    "close_bar",
    "open_time",
    "close_time",
    "qty",
    "open_price",
    "close_price",
    "gross",
    "costs",
    "net",
]


def one(deals: list[Deal], **market: object) -> dict[str, object]:
    bars = market_of(**market)  # type: ignore[arg-type]
    table = campaigns(fills_of(deals, 50.0), bars, {"A": 50.0})
    assert table.height == 1
    return table.row(0, named=True)


def test_a_stopped_long_with_every_figure() -> None:
    row = one(
        [
            Deal(1, 2.0, 100.0, cost=4.0, stop=98.0),
            Deal(4, -2.0, 97.5, cost=4.0, reason="stop", ambiguous=True),
        ],
        closes={"A": [100.0, 100.5, 102.0, 99.0, 96.0]},
        highs={"A": [100.0, 103.0, 102.5, 100.0, 99.5]},
        lows={"A": [100.0, 95.0, 99.5, 98.5, 95.0]},
    )
    assert row["side"] == "buy"
    assert (row["start_bar"], row["end_bar"], row["bars"]) == (1, 4, 3)
    assert (row["entry"], row["exit"], row["qty"]) == (100.0, 97.5, 2.0)
    assert (row["gross"], row["costs"], row["net"]) == (-250.0, 8.0, -258.0)
    assert row["risk"] == 200.0  # |100 - 98| * 50 * 2
    assert row["r"] == pytest.approx(-1.29)
    # Bar 1 shows only its close, bar 4 its open and the fill: its 95.0 came after the stop.
    assert (row["mae"], row["mfe"]) == (4.0, 2.5)
    assert (row["reason"], row["ambiguous"]) == ("stop", True)


def test_in_and_out_within_one_bar_sees_only_its_fills() -> None:
    row = one(
        [Deal(0, -1.0, 100.0), Deal(0, 1.0, 99.0, reason="target")],
        closes={"A": [100.5, 1.0]},
        highs={"A": [150.0, 1.0]},
        lows={"A": [50.0, 1.0]},
    )
    assert (row["side"], row["bars"], row["mae"], row["mfe"]) == ("sell", 0, 0.0, 1.0)
    assert row["reason"] == "target"


def test_excursions_are_measured_from_the_average_of_that_time() -> None:
    # 1 at 100, 1 more at 110 on bar 2: the average is 105 when bar 2 ends. Low of bar 1: 96, 4
    # under 100. Low of bar 2: 98, 7 under 105. High of bar 3: 112, 7 over 105. Out at 101: -4.
    row = one(
        [Deal(0, 1.0, 100.0), Deal(2, 1.0, 110.0), Deal(4, -2.0, 101.0, reason="exit")],
        closes={"A": [100.0, 99.0, 104.0, 108.0, 101.0]},
        highs={"A": [100.0, 101.0, 110.0, 112.0, 200.0]},
        lows={"A": [100.0, 96.0, 98.0, 103.0, 1.0]},
    )
    assert (row["mae"], row["mfe"]) == (7.0, 10.0)  # 110 was paid while the average was 100
    assert (row["entry"], row["qty"], row["reason"]) == (105.0, 2.0, "signal")


BARS = {
    "closes": {"A": [100.0, 101.0, 102.0]},
    "opens": {"A": [100.0, 101.0, 104.0]},
    "highs": {"A": [103.0, 105.0, 109.0]},
    "lows": {"A": [97.0, 99.0, 90.0]},
}


@pytest.mark.parametrize(
    ("entered", "left", "mae", "mfe"),
    [
        ("open", "close", 10.0, 9.0),  # every bar whole
        ("intrabar", "close", 10.0, 9.0),
        ("open", "open", 3.0, 5.0),  # nothing of bar 2 but the fill
        ("open", "intrabar", 3.0, 5.0),  # the open of bar 2 too, which is 4 away
        ("intrabar", "intrabar", 1.0, 5.0),  # of bar 0 the close only
        ("close", "open", 1.0, 5.0),
    ],
)
def test_a_bar_that_was_lived_whole_shows_its_extremes(
    entered: str, left: str, mae: float, mfe: float
) -> None:
    row = one(
        [Deal(0, 1.0, 100.0, phase=entered), Deal(2, -1.0, 100.0, phase=left)],
        **BARS,
    )
    assert (row["mae"], row["mfe"]) == (mae, mfe)


def test_the_open_of_the_last_bar_counts_against_the_average_that_came_through_it() -> None:
    # Long from 100; the last bar opens at 106, then one more is bought at 110 and both go at 100.
    row = one(
        [Deal(0, 1.0, 100.0), Deal(1, 1.0, 110.0), Deal(1, -2.0, 100.0)],
        closes={"A": [100.0, 100.0]},
        opens={"A": [100.0, 106.0]},
    )
    assert (row["mae"], row["mfe"]) == (5.0, 10.0)
    gap = one(
        [Deal(0, 1.0, 100.0), Deal(1, -1.0, 101.0)],
        closes={"A": [100.0, 100.0]},
        opens={"A": [100.0, 106.0]},
    )
    assert (gap["mae"], gap["mfe"]) == (0.0, 6.0)


def test_a_split_puts_the_past_into_the_scale_of_the_end() -> None:
    # 3 at 100 with a stop at 96, low 94; then 1.5 for 1: 4.5 at 66.67, of which half a share goes
    # at 70. Two are bought at 65, all six leave at 80.
    fills = fills_of(
        [
            Deal(0, 3.0, 100.0, cost=9.0, stop=96.0, phase="open", order=1),
            Deal(2, 0.0, 1.5, reason="split", phase="open", order=-1),
            Deal(2, -0.5, 70.0, reason="split", phase="open", order=-1),
            Deal(3, 2.0, 65.0, cost=1.0, order=2),
            Deal(4, -6.0, 80.0, cost=2.0, reason="exit", order=3),
        ]
    )
    market = market_of(
        {"A": [100.0, 96.0, 70.0, 66.0, 80.0]},
        {"A": [101.0, 108.0, 72.0, 67.0, 82.0]},
        {"A": [99.0, 94.0, 69.0, 64.0, 79.0]},
    )
    row = campaigns(fills, market, {"A": 1.0}).row(0, named=True)
    assert (row["qty"], row["risk"], row["reason"]) == (6.0, 12.0, "signal")
    average = (4.0 * 100 / 1.5 + 2 * 65.0) / 6
    assert row["entry"] == pytest.approx((300.0 + 130.0) / 6.5)
    assert row["exit"] == pytest.approx((0.5 * 70 + 6 * 80) / 6.5)
    assert row["gross"] == pytest.approx(0.5 * 70 + 6 * 80 - 300.0 - 130.0)
    assert row["mae"] == pytest.approx(6 / 1.5)  # before the split, 94 under 100
    assert row["mfe"] == pytest.approx(80 - average)
    table = trades(fills)
    assert table["qty"].to_list() == pytest.approx([0.5, 4.0, 2.0])
    assert table["open_price"].to_list() == pytest.approx([100 / 1.5, 100 / 1.5, 65.0])
    # The nine paid for the first three shares are two a share after the split.
    assert table["costs"].to_list() == pytest.approx([1.0, 8.0 + 4 / 3, 1.0 + 2 / 3])
    assert table["net"].sum() == pytest.approx(row["net"])
    curve = curves_by(fills, market, {"A": 1.0}, "symbol")["A"].profit
    assert curve.tolist() == pytest.approx(
        [-9.0, -21.0, 4.5 * 70 - 309.0, 35 + 4 * 66 - 309.0 + 2.0 - 1.0, row["net"]]
    )


def test_a_roll_ends_one_campaign_and_starts_the_next() -> None:
    fills = fills_of(
        [
            Deal(0, 1.0, 100.0, phase="open"),
            Deal(1, -1.0, 102.0, reason="roll", phase="open", order=-1),
            Deal(1, 1.0, 110.0, reason="roll", phase="open", order=-1, stop=105.0),
            Deal(2, -1.0, 111.0, reason="exit"),
        ]
    )
    market = market_of({"A": [100.0, 110.0, 111.0]}, {"A": [101.0, 114.0, 115.0]})
    table = campaigns(fills, market, {"A": 1.0})
    assert table["reason"].to_list() == ["roll", "signal"]
    assert table["gross"].to_list() == [2.0, 1.0]
    assert table["mfe"].to_list() == [2.0, 4.0]  # 114 is a price of the new contract
    assert table["risk"].to_list()[1] == 5.0


def test_parts_of_the_first_order_share_its_risk() -> None:
    row = one(
        [
            Deal(0, 4.0, 100.0, stop=98.0, order=7),
            Deal(1, 6.0, 101.0, stop=99.0, order=7),  # the stop has moved; the first one counts
            Deal(2, 5.0, 103.0, stop=99.0, order=8),  # another order
            Deal(3, -15.0, 98.0, reason="stop"),
        ],
        closes={"A": [100.0, 101.0, 103.0, 98.0]},
    )
    assert row["risk"] == 50.0 * (4 * 2.0 + 6 * 3.0)


def test_money_is_that_of_the_rates_at_the_fills_and_at_the_end() -> None:
    fills = fills_of(
        [
            Deal(0, 2.0, 100.0, stop=99.0, point_value=1.2),
            Deal(1, -1.0, 110.0, point_value=1.5, reason="exit"),
        ]
    )
    rates = np.array([[1.3], [1.4], [2.0]])
    market = replace(market_of({"A": [100.0, 105.0, 103.0]}), fx=rates)
    row = campaigns(fills, market, {"A": 1.0}).row(0, named=True)
    assert (row["risk"], row["gross"]) == pytest.approx((2.4, 15.0 + 3 * 2.0))
    assert campaigns(fills, market, {"A": 1.0}, rows=2)["gross"][0] == pytest.approx(15 + 5 * 1.4)
    assert trades(fills)["gross"].to_list() == pytest.approx([15.0])
    curve = curves_by(fills, market, {"A": 1.0}, "symbol")["A"].profit
    assert curve.tolist() == pytest.approx([0.0, 15.0 + 5 * 1.4, 15.0 + 3 * 2.0])


def test_a_synthetic_bar_shows_nothing() -> None:
    nan = float("nan")
    row = one(
        [Deal(0, 1.0, 100.0), Deal(2, -1.0, 100.0, reason="session")],
        closes={"A": [100.0, 100.0, 100.0]},
        highs={"A": [100.0, nan, 100.0]},
        lows={"A": [100.0, nan, 100.0]},
    )
    assert (row["mae"], row["mfe"], row["reason"]) == (0.0, 0.0, "session")


def test_a_flip_ends_one_and_starts_the_next_and_shares_its_cost() -> None:
    deals = [
        Deal(0, 1.0, 100.0, cost=1.0, stop=99.0),
        Deal(1, -4.0, 102.0, cost=8.0, stop=103.0),
        Deal(2, 3.0, 101.0, cost=3.0, reason="end_of_data"),
    ]
    market = market_of({"A": [100.0, 102.0, 101.0]})
    table = campaigns(fills_of(deals), market, {"A": 1.0})
    assert table["side"].to_list() == ["buy", "sell"]
    assert table["costs"].to_list() == [3.0, 9.0]  # 1 + 8/4, 8*3/4 + 3
    assert table["gross"].to_list() == [2.0, 3.0]
    assert table["risk"].to_list() == [1.0, 3.0]
    assert table["reason"].to_list() == ["signal", "end_of_data"]
    assert table["end_bar"].to_list() == [1, 2]
    assert table["start"].to_list()[1] == table["end"].to_list()[0]


def test_an_open_campaign_is_marked_at_the_last_close() -> None:
    deals = [Deal(0, 2.0, 100.0, cost=1.0), Deal(1, -1.0, 103.0, cost=1.0, reason="target")]
    table = campaigns(fills_of(deals), market_of({"A": [100.0, 103.0, 98.0]}), {"A": 1.0})
    row = table.row(0, named=True)
    assert [row[c] for c in ("end_bar", "end", "exit", "reason")] == [None] * 4
    assert (row["gross"], row["net"], row["bars"]) == (1.0, -1.0, 2)  # 3 realized, 2 open loss
    assert row["mae"] == 2.0
    assert math.isnan(row["risk"])
    assert math.isnan(row["r"])


def test_a_run_that_ended_early_is_marked_at_its_own_last_row() -> None:
    fills = fills_of([Deal(0, 1.0, 100.0)])
    market = market_of({"A": [100.0, 101.0, 50.0]})
    row = campaigns(fills, market, {"A": 1.0}, rows=2).row(0, named=True)
    assert (row["net"], row["mae"], row["mfe"], row["bars"]) == (1.0, 0.0, 1.0, 1)
    assert campaigns(fills, market, {"A": 1.0})["net"].to_list() == [-50.0]


@pytest.mark.parametrize("reason", list(FillReason), ids=lambda r: r.word)
def test_every_reason_of_a_fill_has_one_of_a_campaign(reason: FillReason) -> None:
    row = one(
        [Deal(0, 1.0, 100.0), Deal(1, -1.0, 100.0, reason=reason.word)],
        closes={"A": [100.0, 100.0]},
    )
    spec = {"stop", "target", "signal", "session", "liquidation", "end_of_data", "split", "roll"}
    spec |= {"max_bars", "outside"}
    assert row["reason"] in spec
    assert row["reason"] == ("signal" if reason.word in ("entry", "exit") else reason.word)


def test_tables_have_the_documented_columns_even_when_empty() -> None:
    market = market_of({"A": [1.0, 1.0]})
    for deals in ([], [Deal(0, 1.0, 1.0), Deal(1, -1.0, 1.0)]):
        fills = fills_of(deals)
        table, paired = campaigns(fills, market, {"A": 1.0}), trades(fills)
        assert table.columns == COLUMNS
        assert paired.columns == TRADE_COLUMNS
        assert table.schema["start"] == table.schema["end"] == pl.Datetime("ns", "UTC")
        assert table.schema["end_bar"] == pl.Int64
        assert table.schema["reason"] == pl.String
    assert curves_by(fills_of([]), market, {}, "strategy") == {}


def test_sleeves_do_not_mix() -> None:
    deals = [
        Deal(0, 1.0, 10.0, symbol="A", strategy="x"),
        Deal(0, -1.0, 10.0, symbol="A", strategy="y"),
        Deal(0, 1.0, 20.0, symbol="B", strategy="x"),
        Deal(1, -1.0, 12.0, symbol="A", strategy="x", reason="exit"),
        Deal(1, 1.0, 12.0, symbol="A", strategy="y", reason="exit"),
    ]
    fills = fills_of(deals)
    market = market_of({"A": [10.0, 12.0, 12.0], "B": [20.0, 20.0, 25.0]})
    values = {"A": 1.0, "B": 1.0}
    table = campaigns(fills, market, values)
    assert table["net"].to_list() == [2.0, -2.0, 5.0]
    by_strategy = equity_by(fills, market, values, "strategy")
    assert {k: v.tolist() for k, v in by_strategy.items()} == {
        "x": [0.0, 2.0, 7.0],
        "y": [0.0, -2.0, -2.0],
    }
    by_symbol = curves_by(fills, market, values, "symbol")
    assert by_symbol["A"].profit.tolist() == [0.0, 0.0, 0.0]
    assert by_symbol["A"].held.tolist() == [True, False, False]
    assert by_symbol["B"].held.tolist() == [True, True, True]


def test_what_cannot_be_grouped_is_refused() -> None:
    market = market_of({"A": [1.0, 1.0]})
    fills = fills_of([Deal(0, 1.0, 1.0), Deal(1, -1.0, 1.0)])
    with pytest.raises(NotFoundError, match="point value of symbol 'A'"):
        campaigns(fills, market, {"B": 1.0})
    with pytest.raises(NotFoundError, match="symbol 'A'"):
        campaigns(fills, market_of({"B": [1.0, 1.0]}), {"A": 1.0})
    with pytest.raises(DataError, match="the bars fall"):
        campaigns(fills.reverse(), market, {"A": 1.0})


deals_of_sleeves = st.lists(
    st.tuples(
        st.integers(0, 29),
        st.integers(-40, 40).filter(bool).map(lambda q: q / 10),
        st.integers(900, 1100).map(lambda p: p / 10),
        st.integers(0, 50).map(lambda c: c / 10),
        st.sampled_from(["A", "B"]),
        st.sampled_from(["x", "y"]),
    ),
    max_size=40,
)
closes = st.lists(st.integers(900, 1100).map(lambda p: p / 10), min_size=30, max_size=30)


def random_run(raw: list[tuple[int, float, float, float, str, str]], flatten: bool) -> pl.DataFrame:
    deals = [
        Deal(bar, qty, price, cost, symbol=symbol, strategy=strategy)
        for bar, qty, price, cost, symbol, strategy in sorted(raw, key=lambda r: r[0])
    ]
    if flatten:
        open_: dict[tuple[str, str], float] = {}
        for d in deals:
            key = (d.strategy, d.symbol)
            open_[key] = open_.get(key, 0.0) + d.qty
        for (strategy, symbol), qty in open_.items():
            if abs(qty) > 1e-9:
                deals.append(Deal(29, -qty, 100.0, 0.3, symbol=symbol, strategy=strategy))
    return fills_of(deals, 5.0)


@given(deals_of_sleeves, closes, closes)
def test_nets_add_up_to_the_change_of_equity(
    raw: list[tuple[int, float, float, float, str, str]], a: list[float], b: list[float]
) -> None:
    market = market_of({"A": a, "B": b})
    values = {"A": 5.0, "B": 5.0}
    fills = random_run(raw, flatten=True)
    # When flat, cash is all there is: money in less money out, less costs.
    signed = fills["qty"] * fills["side"].replace_strict({"buy": 1.0, "sell": -1.0})
    change = float((-signed * fills["price"] * 5.0 - fills["cost"]).sum())
    table, paired = campaigns(fills, market, values), trades(fills)
    assert table["net"].sum() == pytest.approx(change, abs=1e-8)
    assert paired["net"].sum() == pytest.approx(change, abs=1e-8)
    assert table["end_bar"].null_count() == 0
    for key in ("strategy", "symbol"):
        last = sum(c[-1] for c in equity_by(fills, market, values, key).values())
        assert last == pytest.approx(change, abs=1e-8)


@given(deals_of_sleeves, closes, closes)
def test_open_profit_is_in_the_curves_and_in_the_open_campaigns(
    raw: list[tuple[int, float, float, float, str, str]], a: list[float], b: list[float]
) -> None:
    market = market_of({"A": a, "B": b})
    values = {"A": 5.0, "B": 5.0}
    fills = random_run(raw, flatten=False)
    table = campaigns(fills, market, values)
    curves = curves_by(fills, market, values, "symbol")
    for i, symbol in enumerate(("A", "B")):
        own = fills.filter(pl.col("symbol") == symbol)
        if own.height == 0:
            continue
        signed = (own["qty"] * own["side"].replace_strict({"buy": 1.0, "sell": -1.0})).to_numpy()
        bar, price, cost = (own[c].to_numpy() for c in ("bar", "price", "cost"))
        for t in range(30):
            # Money spent so far, and what the position would fetch at the close.
            done = bar <= t
            cash = float((-signed[done] * price[done] * 5.0 - cost[done]).sum())
            worth = float(signed[done].sum()) * market.close[t, i] * 5.0
            assert curves[symbol].profit[t] == pytest.approx(cash + worth, abs=1e-7)
        net = table.filter(pl.col("symbol") == symbol)["net"].sum()
        assert net == pytest.approx(float(curves[symbol].profit[-1]), abs=1e-7)
    assert (table["mae"] >= 0).all()
    assert (table["mfe"] >= 0).all()
    assert (np.diff(table["start_bar"].to_numpy()) >= 0).all()
