"""Orders that the strategy's side refuses, in all that a run leaves and in every way to run it."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from intrabar.engine.outcome.result import finish
from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Run
from intrabar.errors import IntrabarError, OrderError, UsageError
from intrabar.exits import FixedRatio
from intrabar.model.enums import Reject
from intrabar.model.event import OrderChanged, Step
from intrabar.research.look_ahead.audit import audit
from intrabar.sim.account import Account
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.order_terms import NAMES
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import OrderNotice, Strategy
from intrabar.strategy.views import AtClose, AtOpen
from tests.engine.chunks import test_chunks
from tests.strategy.markets import NAN, flat_market, market_from, setup_of, walk

BARS = 120


class Careless(Strategy):
    """Asks now for what can be, now for what cannot."""

    def __init__(self) -> None:
        self.heard: list[tuple[int, int, str]] = []

    def on_close(self, now: AtClose) -> None:
        kind = now.bar % 7
        if kind == 0:
            now.buy(2, stop_loss=now.close * (1.05 if now.bar % 2 else 0.98))
        elif kind == 1:
            now.modify_stop_loss(NAN if now.bar % 3 else now.close * 0.99)
        elif kind == 2:
            now.modify_take_profit(now.close * (0.99 if now.bar % 3 else 1.01))
        elif kind == 3:
            first = now.buy(1, stop=now.close * 1.01, trail=np.inf if now.bar % 2 else 1.0)
            now.sell(1, limit=now.close * 1.02, oco=first)
        elif kind == 4:
            now.close_position()

    def on_order(self, order: OrderNotice, now: AtOpen) -> None:
        self.heard.append((now.bar, order.order, order.reject.word))


def made() -> dict[str, Any]:
    """One of each kind, all of which refuse something."""
    stops = np.where(np.arange(BARS) % 3, 1.0, NAN)
    return {
        "class": Careless(),
        "signals": Signals(np.sign(np.sin(np.arange(BARS))), stop=stops),
        "bot": Bot(CoinFlip(2, 0.5), FixedRatio(3, 200.0), qty=1.0),
    }


def setup() -> Any:
    strategies = made()
    return setup_of(walk(BARS, 4), *strategies.values(), names=list(strategies))


def refused_of(result: Any) -> pl.DataFrame:
    return result.orders.filter(pl.col("reject") != "none")


def test_every_refusal_is_in_the_table_in_the_notices_and_in_the_warnings() -> None:
    run = Run(setup())
    heard = run.running["class"].strategy.heard  # type: ignore[union-attr]
    result = finish(run)
    refused = refused_of(result)
    assert set(refused["strategy"]) == {"class", "signals", "bot"}
    assert {"no_protection", "no_partner", "invalid_price"} <= set(refused["reject"])
    own = refused.filter(pl.col("strategy") == "class")
    told = [(bar - 1, number, why) for bar, number, why in heard if why != "none"]
    last = len(run.machine.market) - 1  # nothing is told after it
    expected = own.filter(pl.col("done_bar") < last).select("submitted_bar", "order", "reject")
    assert sorted(told) == sorted(expected.rows())
    said = " ".join(str(x) for x in result.warnings)
    assert "the stop or target could not be worked out" in said
    assert "the order of which they were the alternative" in said


def test_the_digest_knows_a_refusal() -> None:
    def digest(stop: float) -> str:
        market = flat_market(5)
        return finish(Run(setup_of(market, Signals([1] * 5, stop=[stop] * 5)))).digest

    assert digest(NAN) != digest(500.0)


def test_a_replay_tells_it_and_leaves_the_digest_of_the_run() -> None:
    whole = finish(Run(setup()))
    replay = Replay(setup())
    told: list[Any] = []
    replay.subscribe(told.append)
    while not replay.is_over:
        replay.step()
    assert replay.digest == whole.digest
    refused = [e for e in told if isinstance(e, OrderChanged) and e.reject is not Reject.NONE]
    assert [e.order for e in refused] == refused_of(whole).sort("order")["order"].to_list()
    texts = {e.text.split(": ", 1)[1] for e in refused if e.reject is Reject.NO_PROTECTION}
    assert texts == {
        "rejected (no_protection): its stop or target is no price, stands on the wrong side, or "
        "has no position yet"
    }
    replay.seek(40)
    replay.seek(len(replay.setup.market))
    assert replay.digest == whole.digest


def test_by_hand_it_is_judged_by_what_is_known_at_the_place() -> None:
    replay = Replay(setup_of(walk(20, 4), Strategy()))
    market = replay.setup.market
    replay.seek(5)
    last, opening = float(market.close[4, 0]), float(market.open[5, 0])
    assert last != opening
    replay.hand().buy(1, stop_loss=(last + opening) / 2)
    replay.seek(5, Step.ON_OPEN)
    replay.hand().buy(1, stop_loss=(last + opening) / 2)
    replay.seek(len(market))
    digest = replay.digest
    replay.seek(0)
    replay.seek(len(market))
    assert replay.digest == digest
    run = replay._track.run
    expected = ["none", "no_protection"] if opening < last else ["no_protection", "none"]
    assert finish(run).orders.filter(pl.col("role") == "plain")["reject"].to_list() == expected
    with pytest.raises(UsageError):
        replay.hand().buy(1)


def test_what_is_no_order_by_hand_raises_and_begins_no_branch() -> None:
    replay = Replay(setup_of(walk(20, 4), Strategy()))
    replay.seek(5)
    hand = replay.hand()
    for asks in (
        lambda: hand.cancel(None),  # type: ignore[arg-type]
        lambda: hand.modify(3, limit=1.0),
        lambda: hand.buy("1"),  # type: ignore[arg-type]
    ):
        with pytest.raises(OrderError):
            asks()
    assert replay.line == "main"


@pytest.mark.parametrize("chunk", [17, 500])
def test_chunks_leave_the_same_refusals(chunk: int, tmp_path: Path) -> None:
    bars = [test_chunks.walk("A", 1, BARS)]
    account = Account(cash=20_000.0)
    whole, result = test_chunks.both(bars, made(), chunk, tmp_path, account)
    test_chunks.same(result, whole)
    assert refused_of(whole).height > 20
    assert [str(x) for x in result.warnings] == [str(x) for x in whole.warnings]


def test_an_audit_follows_them_and_finds_no_leak() -> None:
    market = walk(400, 5, period=5 * 60_000_000_000)
    report = audit(setup_of(market, Careless()), lambda _: {"s": Careless()}, cuts=20)
    assert report.leaks == []


class Bare(Strategy):
    """Enters without a bracket, and protects the position afterwards."""

    def on_close(self, now: AtClose) -> None:
        if now.bar == 0:
            now.buy(1)
        if now.bar == 1:
            now.modify_stop_loss(99.0)
            now.modify_take_profit(105.0)


def test_a_stop_and_a_target_that_came_later_are_no_partners() -> None:
    rows = [[100.0] * 4] * 3 + [[100.0, 100.0, 98.0, 98.0]] + [[98.0] * 4]
    replay = Replay(setup_of(market_from(rows), Bare()))
    told: list[Any] = []
    replay.subscribe(told.append)
    while not replay.is_over:
        replay.step()
    texts = [e.text for e in told if isinstance(e, OrderChanged)]
    assert "target 2: cancelled, as the position that it protected is gone" in texts


ODD: list[Any] = [
    None, True, np.True_, 0, -1, 2, 10**400, 1.5, NAN, np.inf, "", "buy", b"1", [], [1], {},
    object(), 1j, np.float64(3), np.array(1.0), np.array([1.0]), pd.NA, pd.NaT,
    pd.Timestamp("2024-01-01"), dt.date(2024, 1, 1), dt.time(1), dt.timedelta(1),
    np.datetime64("NaT", "ns"), np.timedelta64(1, "s"), np.datetime64(10**18, "s"), Decimal("1.5"),
    Decimal("sNaN"), Fraction(1, 3), len, "x" * 999,
]  # fmt: skip


@pytest.mark.parametrize("value", ODD, ids=lambda x: repr(x)[:30].split(" at ")[0])
def test_whatever_is_asked_of_a_view_is_done_or_refused_in_a_sentence(value: Any) -> None:
    replay = Replay(setup_of(walk(20, 4), Strategy()))
    replay.seek(5)
    replay.hand().buy(5)
    replay.seek(8)
    hand: Any = replay.hand()
    asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
        *((name, (value,), {}) for name in ("buy", "cancel", "modify_stop_loss", "__getitem__")),
        *(("order", at, {}) for at in ((value, 1), (1, value))),
        *(("modify", at, {"qty": 1}) for at in ((value,), (0,))),
        *(("sell", (1,), {name: value}) for name in NAMES),
        ("buy", (1,), {"tif": "gtd", "until": value}),
        *(
            ("size", (), {"risk": 0.1, "stop": 50.0, **{x: value}})
            for x in ("risk", "stop", "entry")
        ),
        *(("history", at, {}) for at in ((value, 3), ("close", value))),
        ("history", ("close", 3), {"timeframe": value}),
    ]
    for name, at, how in asked:
        with suppress(IntrabarError):
            getattr(hand, name)(*at, **how)
    replay.seek(20)
