from __future__ import annotations

import pytest

from intrabar.data import calendars
from intrabar.data.instruments import describe, futures, instrument, kind_of
from intrabar.errors import ConfigError, NotFoundError


@pytest.mark.parametrize(
    ("symbol", "tick_size", "point_value"),
    [
        ("ES", 0.25, 50),
        ("MES", 0.25, 5),
        ("NQ", 0.25, 20),
        ("MNQ", 0.25, 2),
        ("RTY", 0.1, 50),
        ("M2K", 0.1, 5),
        ("YM", 1, 5),
        ("MYM", 1, 0.5),
        ("CL", 0.01, 1000),
        ("MCL", 0.01, 100),
        ("GC", 0.1, 100),
        ("MGC", 0.1, 10),
        ("SI", 0.005, 5000),
        ("HG", 0.0005, 25_000),
        ("NG", 0.001, 10_000),
        ("ZN", 1 / 64, 1000),
        ("ZB", 1 / 32, 1000),
        ("ZF", 1 / 128, 1000),
        ("6E", 0.00005, 125_000),
        ("6J", 0.0000005, 12_500_000),
        ("6B", 0.0001, 62_500),
    ],
)
def test_contract_sizes_are_the_exchange_s(
    symbol: str, tick_size: float, point_value: float
) -> None:
    one = instrument(symbol)
    assert one.tick_size == pytest.approx(tick_size, rel=1e-12)  # decimal text of a fraction
    assert one.point_value == pytest.approx(point_value, rel=1e-12)


def test_every_future_is_complete_and_has_a_calendar() -> None:
    for root in futures():
        one = instrument(f"{root}1!")
        assert 0 < one.maintenance_margin <= one.initial_margin
        assert one.slippage_ticks == 1
        assert one.commission_per_contract > 0
        assert len(calendars.sessions(one.calendar, 19_800, 19_830)) > 15


@pytest.mark.parametrize("symbol", ["@ES", "ES=F", "ESH4", "ESZ24", "es"])
def test_ways_to_write_a_future(symbol: str) -> None:
    assert instrument(symbol).point_value == 50
    assert instrument(symbol).symbol == symbol
    assert kind_of(symbol) == "future"


@pytest.mark.parametrize(
    ("symbol", "kind", "tick_size", "calendar", "currency"),
    [
        ("EURUSD", "forex", 0.00001, "24/5", "USD"),
        ("EUR/USD", "forex", 0.00001, "24/5", "USD"),
        ("USDJPY=X", "forex", 0.001, "24/5", "JPY"),
        ("BTC-USD", "crypto", 0.01, "24/7", "USD"),
        ("ETHUSD", "crypto", 0.01, "24/7", "USD"),
        ("BTC-EUR", "crypto", 0.01, "24/7", "EUR"),
        ("NVDA", "share", 0.01, "NYSE", "USD"),
        ("USD", "", 0.01, "", "USD"),
        ("EUREUR", "", 0.01, "", "USD"),
    ],
)
def test_pairs_and_shares(
    symbol: str, kind: str, tick_size: float, calendar: str, currency: str
) -> None:
    one = instrument(symbol)
    assert (kind_of(symbol), one.tick_size, one.calendar, one.currency) == (
        kind,
        tick_size,
        calendar,
        currency,
    )


def test_unknown_symbols_are_nothing_by_default() -> None:
    one = instrument("ZZZZ")
    assert (one.calendar, one.point_value, one.commission_rate) == ("", 1, 0.0005)
    assert "not in the table" in describe("ZZZZ")
    assert "margins of 2022-01-21" in describe("ESH4")


def test_overrides_go_over_the_table() -> None:
    one = instrument("ES", {"slippage_ticks": 2, "initial_margin": 20_000})
    assert (one.slippage_ticks, one.initial_margin, one.point_value) == (2, 20_000, 50)
    assert instrument("ES", {"tick_size": 0.5}).point_value == 50
    assert instrument("ES", {"tick_value": 5}).point_value == 20
    assert instrument("ES", {"contract_size": 10}).point_value == 10


def test_one_way_of_a_cost_drops_the_other() -> None:
    free = instrument("NVDA", {"commission_per_contract": 0})
    assert (free.commission_per_contract, free.commission_min) == (0, 0)
    rate = instrument("NVDA", {"commission_rate": 0.001})
    assert (rate.commission_per_contract, rate.commission_rate) == (0, 0.001)
    cash = instrument("NVDA", {"initial_margin": 50, "maintenance_margin": 40})
    assert (cash.initial_margin_rate, cash.maintenance_margin_rate) == (0, 0)
    assert instrument("NVDA", {"slippage_pct": 0.001}).slippage_ticks == 0


def test_wrong_overrides() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'tick_size'"):
        instrument("ES", {"ticksize": 1})
    with pytest.raises(ConfigError, match="tick_size is -1"):
        instrument("ES", {"tick_size": -1})
