"""Sizes by hand (fill model, section 7), and what they promise: no more is lost than was asked."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from tests.strategy.markets import Points, Told, flat_market, market_from, run_of

LONG, SHORT = Told(long_below=1e9), Told(short_above=0.0)


def size(bot: Bot, instrument: Instrument, price: float = 100.0, **account: Any) -> float:
    """Quantity of the first order; 0 where there is none."""
    orders = run_of(flat_market(3, price), bot, instruments=[instrument], **account).orders
    plain = orders.filter(pl.col("role") == "plain")
    return float(plain["qty"][0]) if plain.height else 0.0


def gates(bot: Bot, instrument: Instrument, **account: Any) -> dict[str, int]:
    table = run_of(flat_market(3), bot, instruments=[instrument], **account).gates
    return dict(zip(table["gate"], table["count"], strict=True))


def test_shares_without_costs() -> None:
    # 100 000 * 1 % = 1 000 at risk, 2.00 per share: 500.
    assert size(Bot(LONG, Points(2.0), 0.01), Instrument("A")) == 500.0


def test_the_quantity_is_rounded_down_to_the_lot() -> None:
    # 1 000 / 3.00 = 333.33
    assert size(Bot(LONG, Points(3.0), 0.01), Instrument("A")) == 333.0
    assert size(Bot(LONG, Points(3.0), 0.01), Instrument("A", lot=100.0)) == 300.0
    fraction = size(Bot(LONG, Points(3.0), 0.01), Instrument("A", lot=0.01))
    assert fraction == pytest.approx(333.33, abs=1e-9)


def test_a_future_with_slippage_commission_and_fee() -> None:
    """ES: tick 0.25, 50 per point; one tick of slippage, 2.10 commission, 1.50 a fill.

    At risk: 100 000 * 2 % - 2 * 1.50 = 1 997. Per contract, stop 4 points away:
    4 * 50 + 2 * 0.25 * 50 + 2 * 2.10 = 229.20. 1 997 / 229.20 = 8.71: 8 contracts.
    """
    es = Instrument(
        "A",
        tick_size=0.25,
        point_value=50.0,
        commission_per_contract=2.1,
        fee_per_trade=1.5,
        slippage_ticks=1.0,
    )
    assert size(Bot(LONG, Points(4.0), 0.02), es) == 8.0
    assert size(Bot(SHORT, Points(4.0), 0.02), es) == 8.0


def test_the_fee_can_cost_the_last_contract() -> None:
    # 1 000 at risk, 100 per contract: 10; with two fees of 1 only 998: 9.
    assert size(Bot(LONG, Points(10.0), 0.01), Instrument("A", point_value=10.0)) == 10.0
    with_fee = Instrument("A", point_value=10.0, fee_per_trade=1.0)
    assert size(Bot(LONG, Points(10.0), 0.01), with_fee) == 9.0


def test_slippage_in_per_cent_counts_on_both_sides() -> None:
    """Entry 100 + 1 = 101, stop 90 - 0.90 = 89.10: 11.90 a share, 1 000 / 11.90 = 84.03."""
    assert size(Bot(LONG, Points(10.0), 0.01), Instrument("A", slippage_pct=0.01)) == 84.0


def test_a_commission_rate_counts_at_the_slipped_prices() -> None:
    """10 + 0.001 * (100 + 90) = 10.19 a share: 1 000 / 10.19 = 98.1."""
    assert size(Bot(LONG, Points(10.0), 0.01), Instrument("A", commission_rate=0.001)) == 98.0


def test_a_stop_off_the_tick_counts_where_the_order_lies() -> None:
    """100 - 1.1 = 98.9 lies at 98.75 on a tick of 0.25: 1.25 a share, 1 000 / 1.25 = 800."""
    assert size(Bot(LONG, Points(1.1), 0.01), Instrument("A", tick_size=0.25)) == 800.0


def test_initial_margin_caps_the_size() -> None:
    # 500 by risk, but 100 000 / 1 500 = 66.7 by margin.
    assert size(Bot(LONG, Points(2.0), 0.01), Instrument("A", initial_margin=1500.0)) == 66.0


def test_margin_as_a_rate_of_notional_caps_the_size() -> None:
    # 0.5 * 100 = 50 a share: 2 000; by risk 10 000 (0.10 a share).
    assert size(Bot(LONG, Points(0.1), 0.01), Instrument("A", initial_margin_rate=0.5)) == 2000.0


def test_a_cash_account_pays_for_its_shares_in_full() -> None:
    # By risk 10 000 shares, but 100 000 buys 1 000.
    result = run_of(
        flat_market(3), Bot(LONG, Points(0.1), 0.01), instruments=[Instrument("A")],
        cash_account=True,
    )  # fmt: skip
    assert result.fills["qty"].to_list() == [1000.0]


def test_margin_in_use_by_another_strategy_is_not_free() -> None:
    """The first takes 50 * 1 000 of 100 000; the second may take 50 000 / 1 000 = 50."""
    instrument = Instrument("A", initial_margin=1000.0)
    rows = [[100.0] * 4] * 2 + [[100.0, 101.0, 100.0, 101.0]] + [[101.0] * 4] * 3
    first, second = Bot(Told(long_below=100.0), Points(50.0), 0.0, 50.0), Bot(
        Told(long_below=0.0, short_above=101.0), Points(0.1, 50.0), 0.5
    )  # fmt: skip
    result = run_of(market_from(rows), first, second, instruments=[instrument])
    orders = result.orders.filter(pl.col("role") == "plain")
    assert orders["qty"].to_list() == [50.0, 50.0]


def test_zero_lots_are_no_trade_and_are_counted() -> None:
    # 1 000 at risk, 2 000 per contract; the strategy asks at each of three closes.
    bot = Bot(LONG, Points(2.0), 0.01)
    assert gates(bot, Instrument("A", point_value=1000.0)) == {"size_zero": 3}
    assert gates(bot, Instrument("A", fee_per_trade=501.0)) == {"size_zero": 3}


def test_too_little_margin_for_one_lot_is_counted() -> None:
    assert gates(Bot(LONG, Points(2.0), 0.01), Instrument("A", initial_margin=100_001.0)) == {
        "margin": 3
    }


def test_a_fixed_quantity_asks_no_risk() -> None:
    assert size(Bot(LONG, Points(2.0), 0.0, 7.0), Instrument("A", point_value=1000.0)) == 7.0


@settings(max_examples=60)
@given(
    st.sampled_from((LONG, SHORT)),
    st.floats(20.0, 500.0),
    st.floats(0.3, 15.0),
    st.sampled_from((0.001, 0.01, 0.05)),
    st.builds(
        Instrument,
        st.just("A"),
        tick_size=st.sampled_from((0.01, 0.1, 0.25, 0.5)),
        point_value=st.sampled_from((1.0, 5.0, 50.0)),
        lot=st.sampled_from((1.0, 0.001)),
        commission_per_contract=st.sampled_from((0.0, 2.1)),
        fee_per_trade=st.sampled_from((0.0, 1.5)),
        commission_rate=st.sampled_from((0.0, 0.001)),
        slippage_ticks=st.sampled_from((0.0, 0.4, 1.0, 2.0)),
        slippage_pct=st.sampled_from((0.0, 0.0007)),
        initial_margin=st.sampled_from((0.0, 500.0)),
    ),
)
def test_a_stopped_campaign_without_a_gap_loses_no_more_than_the_risk_asked(
    entry: Told, price: float, stop: float, risk: float, instrument: Instrument
) -> None:
    price = round(price / instrument.tick_size) * instrument.tick_size
    # It opens where the signal's bar closed, and the bar after goes straight through the stop.
    away = -1 if entry is LONG else 1
    last = price + away * (stop + 2.0)
    falls = [price, max(price, last), min(price, last), last]
    market = market_from([[price] * 4, [price] * 4, falls, [last] * 4])
    result = run_of(
        market, Bot(entry, Points(stop, 1000.0), risk), instruments=[instrument], cash=1e5
    )
    first = result.campaigns.head(1)
    if first.height == 0:
        assert set(result.gates["gate"]) <= {"size_zero", "margin"}
        return
    if first["start_bar"][0] != 1:
        return  # one lot was too much at first, and at the last prices there is no bar to stop it
    assert first["reason"][0] == "stop"
    assert -first["net"][0] <= 1e5 * risk * (1 + 1e-12)
