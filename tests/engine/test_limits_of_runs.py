"""Backtests under limits: off they cost nothing, on they refuse what a session refuses."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.data.pieces import WholeFeed
from intrabar.data.timeline import market_from_bars
from intrabar.engine.chunks.run import ChunkedRun
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Run, Setup
from intrabar.engine.session.session import Session
from intrabar.errors import UsageError
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.risk.limits import Limits
from intrabar.sim.account import Account
from tests.engine.chunks.test_chunks import strategies, walk
from tests.engine.replay.replays import everyone
from tests.engine.session.sessions import events_of, plan_of, run_through

WIDE = {
    "price_collar_pct": 1e6,
    "orders_per_minute": 10**6,
    "orders_per_day": 10**6,
    "stale_after": 1e12,
    "duplicate_seconds": 1e-9,
}
BITING: dict[str, dict[str, Any]] = {
    "size": {"max_position_size_pct": 30},
    "leverage": {"max_portfolio_leverage": 0.5},
    "orders": {"max_order_qty": 20, "allow_short": False},
    "symbols": {"allowed_symbols": ["A"]},
    "stops": {"require_stop": True, "max_loss_to_stops_pct": 2},
    "day": {"max_daily_loss_pct": 0.3},
    "reduce": {"max_daily_loss": 40.0, "on_daily_loss": "reduce"},
    "drawdown": {"max_drawdown_pct": 1.0},
    "resumed": {"max_daily_loss_pct": 0.3, "resume": "next_day"},
    "rates": {"orders_per_minute": 2, "stale_after": 30},
    "sleeves": {"max_positions": 2, "max_position_qty": 50},
}


def limits(**said: Any) -> Limits:
    return Limits.of({**WIDE, **said})


def under(setup: Setup, **said: Any) -> Result:
    return finish(Run(replace(setup, risk=limits(**said))))


@pytest.mark.parametrize("seed", range(4))
def test_limits_that_nothing_reaches_change_no_bit(seed: int) -> None:
    setup = everyone(seed)
    free, bound = finish(Run(setup)), under(setup, max_daily_loss_pct=100.0)
    assert bound.digest == free.digest
    assert free.risk is None
    assert bound.risk is not None
    assert (bound.risk.counts, bound.risk.state) == ({}, "trading")
    assert bound.warnings == free.warnings


@pytest.mark.parametrize("name", BITING)
def test_each_limit_bites_and_what_it_refuses_is_rejected_and_told(name: str) -> None:
    setup = everyone(3, bars=120, missing=0.1)
    result = under(setup, **BITING[name])
    risk = result.risk
    assert risk is not None
    assert result.digest != finish(Run(setup)).digest
    table = risk.refusals
    orders = table.filter(pl.col("asked") == "order")
    rejected = result.orders.filter(pl.col("reject") == "risk")
    assert table.height > 0
    assert sorted(orders["order"].to_list()) == sorted(rejected["order"].to_list())
    assert sum(risk.counts.values()) == table.height
    for rule, count in risk.counts.items():
        told = f"{count:,} times" if count > 1 else "once"
        assert any(w.startswith(f"risk: {rule} refused {told}") for w in result.warnings)
    for text, rule in table.select("text", "rule").rows():
        assert text.startswith(rule)


@pytest.mark.parametrize("seed", [5, 9, 14])
@pytest.mark.parametrize("name", BITING)
def test_a_session_refuses_and_does_the_same(name: str, seed: int) -> None:
    """`risk.resume` is of backtests alone; but for it the digests and the refusals are equal."""
    said = {key: value for key, value in BITING[name].items() if key != "resume"}
    setup = everyone(seed, bars=120, missing=0.1)
    result = under(setup, **said)
    filled = limits(**said).filled_in(2, setup.market.period)
    session = Session(plan_of(setup, (), filled))
    journal = run_through(session, events_of(setup.market, 0))
    assert result.risk is not None
    assert session.machine.digest() == result.digest
    mine = [e.body["text"] for e in journal if e.kind == "refused"]
    assert mine == result.risk.refusals["text"].to_list()
    moved = [e.body["text"] for e in journal if e.kind == "breaker"]
    assert moved == result.risk.breaker["text"].to_list()


@pytest.mark.parametrize("name", ["size", "day", "resumed", "orders"])
@pytest.mark.parametrize("chunk", [10, 61])
def test_a_run_in_chunks_is_the_run_at_one_go(name: str, chunk: int) -> None:
    bars = [walk("A", 11, 200, 0.1), walk("B", 12, 200, 0.3)]
    instruments = tuple(Instrument(b.symbol, fee_per_trade=1.0) for b in bars)
    account, bound = Account(cash=50_000.0), limits(**BITING[name])
    whole = finish(
        Run(Setup(market_from_bars(bars), instruments, strategies(), account, risk=bound))
    )
    given = ChunkedSetup(
        tuple(WholeFeed(b) for b in bars), instruments, strategies(), account, chunk, risk=bound
    )
    pieces = ChunkedRun(given, None).to_end()
    assert pieces.digest == whole.digest
    assert whole.risk is not None
    assert pieces.risk is not None
    assert pieces.risk.refusals.equals(whole.risk.refusals)
    assert pieces.risk.breaker.equals(whole.risk.breaker)
    assert whole.risk.refusals.height > 0


def test_a_loss_flattens_the_account_at_the_next_open_and_halts_it() -> None:
    setup = everyone(3, bars=120, missing=0.0)
    result = under(setup, max_daily_loss_pct=0.3)
    assert result.risk is not None
    table = result.risk.breaker.filter(pl.col("scope") == "account")
    assert table["event"].to_list() == ["loss", "flat"]
    assert result.risk.state == "halted"
    tripped, flat = table["bar"].to_list()
    assert flat == tripped + 1
    last = result.fills.filter(pl.col("bar") > tripped)
    assert set(last["reason"].to_list()) <= {"session", "stop", "target"}
    assert set(last["bar"].to_list()) == {tripped + 1}
    assert any(
        w.startswith("The breaker is FLATTENING from") and "max_daily_loss_pct account" in w
        for w in result.warnings
    )
    held = result.equity.filter(pl.col("bar") > flat)["exposure"]
    assert held.max() == 0.0


def test_the_next_day_is_traded_again_where_it_is_asked_for() -> None:
    setup = everyone(3, bars=120, missing=0.0)
    day = np.int64(86_400_000_000_000)
    market = setup.market
    spread = replace(
        market,
        time=market.time + day * (np.arange(len(market)) // 30),
        open_time=market.open_time + (day * (np.arange(len(market)) // 30))[:, None],
    )
    once = under(replace(setup, market=spread), max_daily_loss_pct=0.3)
    again = under(replace(setup, market=spread), max_daily_loss_pct=0.3, resume="next_day")
    assert once.risk is not None
    assert again.risk is not None
    assert again.fills.height > once.fills.height
    assert again.risk.breaker.filter(pl.col("event") == "resume").height > 0
    assert any("risk.resume: next_day put the breaker back" in w for w in again.warnings)


def test_what_needs_quotes_is_named() -> None:
    result = under(everyone(1), max_spread_pct=1)
    assert result.risk is not None
    assert result.risk.left_out == ("max_spread_pct",)
    assert "risk.max_spread_pct was not checked: it needs quotes, and bars have none" in (
        result.warnings
    )


def test_limits_go_where_a_run_goes() -> None:
    setup = everyone(3, bars=120)
    bots = {name: one for name, one in setup.strategies.items() if isinstance(one, ib.Bot)}
    result = under(replace(setup, strategies=bots), max_order_qty=20)
    again = pickle.loads(pickle.dumps(result))
    assert again.digest == result.digest
    assert again.risk.counts == result.risk.counts  # type: ignore[union-attr]
    assert result.band[PathPolicy.WORST].campaigns >= 0
    assert repr(result.risk).startswith("<limits: max_order_qty ")
    with pytest.raises(UsageError, match=r"has limits \(risk\), which a replay does not obey"):
        Replay(result.setup)
    Replay(replace(result.setup, risk=None))


def test_progress_is_told_to_the_end() -> None:
    seen: list[tuple[int, int]] = []
    run = Run(replace(everyone(2), risk=limits()))
    run.to_end(lambda done, total: seen.append((done, total)))
    assert seen[-1] == (40, 40)
    assert [d for d, _ in seen] == list(range(1, 41))


def test_a_class_is_told_that_its_order_was_refused() -> None:
    told: list[str] = []

    class Buys(ib.Strategy):
        def on_close(self, now: Any) -> None:
            if now.bar == 3:
                now.buy(500)

        def on_order(self, order: Any, now: Any) -> None:
            told.append(f"{order.status.word} {order.reject.word}")

    setup = everyone(2)
    finish(Run(replace(setup, strategies={"buys": Buys()}, risk=limits(max_order_qty=10))))
    assert told == ["rejected risk"]


@pytest.mark.parametrize("chunk", [13, 60])
def test_a_class_that_hears_the_warm_up_hears_it_in_chunks_too(chunk: int) -> None:
    heard: list[int] = []

    class Hears(ib.Strategy):
        hears_warm_up = True

        def on_close(self, now: Any) -> None:
            heard.append(now.bar)
            if now.is_flat:
                now.buy(10)

    bars = [walk("A", 11, 120, 0.1)]
    instruments = (Instrument("A", fee_per_trade=1.0),)
    market = market_from_bars(bars)
    begins = int(market.time[50])
    account = Account(cash=50_000.0)
    setup = Setup(market, instruments, {"h": Hears()}, account, trade_from=begins)
    whole = finish(Run(setup))
    alone, heard[:] = list(heard), []
    given = ChunkedSetup(
        (WholeFeed(bars[0]),), instruments, {"h": Hears()}, account, chunk, trade_from=begins
    )
    pieces = ChunkedRun(given, None).to_end()
    assert heard == alone
    assert min(alone) < 50
    assert pieces.digest == whole.digest
    assert whole.fills["bar"].min() > 50
