"""The result of a session: its journal filled once more has the session's own bits, and tables."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import polars as pl
import pytest

from intrabar.engine.session.plan import BY_HAND
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.result import result_of
from intrabar.engine.session.session import Session
from intrabar.errors import RunError
from intrabar.model.entry import Entry
from intrabar.strategy.gates import Gates
from intrabar.strategy.strategy import Strategy
from tests.engine.session.sessions import events_of, plan_of, run_through
from tests.engine.session.test_session import hourly
from tests.live.bots import BOTS
from tests.live.folds import live
from tests.live.worlds import World


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("bot", BOTS)
def test_whatever_trades_and_is_refused_it_has_the_sessions_bits(bot: str, seed: int) -> None:
    world = World(bot, seed, 70)
    journal = live(world, 40, Random(seed))
    result = result_of(world.plan(), journal)
    assert result.digest == rerun(world.plan(), journal).session.machine.digest()
    fills = [e.body["price"] for e in journal if e.kind == "fill"]
    assert result.fills["price"].to_list() == fills


class Trades(Strategy):
    """In and out; its first hook is one too many."""

    gates = Gates(session=False)
    calls = 0

    def __init__(self, raises_at: int = 10**9, is_gated: bool = False) -> None:
        self.raises_at = raises_at
        if is_gated:
            self.gates = Gates(flatten="17:00")

    def on_start(self) -> None:
        Trades.calls += 1

    def on_close(self, now: Any) -> None:
        Trades.calls += 1
        if now.bar == self.raises_at:
            raise ValueError("no more")
        if now.is_flat:
            now.buy(2, stop_loss=0.9 * now.close)
        elif now.bar % 7 == 0:
            now.close_position()


def person(at: int, **body: Any) -> Entry:
    return Entry(at, 0, 0, "command.person", {"id": "p", **body})


def interfered() -> tuple[Any, Session, list[Entry]]:
    """A session into which persons, a failure, a source and a breaker come."""
    setup, bars = hourly(1, 120)
    strategies = {"trades": Trades(), "fails": Trades(90)}
    plan = plan_of(replace(setup, strategies=strategies), bars)
    session, journal = Session(plan), []
    symbol = plan.symbols[0]
    order = {"kind": "order", "symbol": symbol, "side": "buy", "qty": 3.0, "stop_loss": 1.0}
    asked = {
        50: [order, {**order, "symbol": "none"}, {**order, "strategy": "trades"}],
        55: [{"kind": "close", "symbol": symbol}],
        60: [{"kind": "flatten", "symbol": symbol}],
        70: [{"kind": "halt", "reason": "news"}],
        74: [{"kind": "resume", "reason": "over", "override": []}],
        77: [{"kind": "kill", "reason": "enough"}],
    }
    for number, event in enumerate(events_of(setup.market, 40)):
        before = [person(event.at - 1, **body) for body in asked.get(number, [])]
        if number == 65:
            before += [
                Entry(event.at - 1, 0, 0, "link", {"state": "down", "reason": "gone"}),
                Entry(event.at - 1, 0, 0, "emergency", {"why": "the disk was full"}),
            ]
        journal += run_through(session, [*before, event])
    stopped = Entry(journal[-1].at, 0, 0, "session.stopped", {"reason": "enough"})
    journal += run_through(session, [stopped])
    return plan, session, journal


def test_what_a_backtest_has_not_is_in_the_figures_and_told() -> None:
    plan, session, journal = interfered()
    called = Trades.calls
    result = result_of(plan, journal)
    assert Trades.calls == called  # no hook
    assert result.digest == session.machine.digest()
    assert result.fills.filter(pl.col("strategy") == BY_HAND).height > 0
    assert result.equity["equity"][-1] == session.equity
    severe = [r.text for r in result.remarks if r.severe]
    told = "\n".join(r.text for r in result.remarks)
    assert any("A person traded by hand" in text and "order 3" in text for text in severe)
    assert any("A person asked for: flatten 1, halt 1, resume 1, kill 1" in t for t in severe)
    assert any("is HALTED" in text and "news" in text for text in severe)
    assert any("fails is called no more" in text for text in severe)
    assert any("the disk was full" in text for text in severe)
    assert "person refused once" in told
    assert "breaker refused " in told
    assert "The source was down once" in told
    assert "no ambiguity band" in told
    assert "It ended on" in told
    assert not result.knows_band
    with pytest.raises(RunError, match="one path"):
        _ = result.band


def test_gates_of_a_class_are_not_counted_and_told() -> None:
    setup, bars = hourly(1, 60)
    plan = plan_of(replace(setup, strategies={"gated": Trades(is_gated=True)}), bars)
    journal = run_through(Session(plan), events_of(setup.market, 10))
    told = [r.text for r in result_of(plan, journal).remarks]
    assert "What the gates of gated kept back is not counted here" in told
    assert "It has not ended in order: this is how its journal stands" in told


def test_before_its_first_row_there_is_nothing_to_report() -> None:
    setup, bars = hourly(1, 60)
    plan = plan_of(setup, bars)
    journal = run_through(Session(plan), events_of(setup.market, 40)[:2])
    with pytest.raises(RunError, match="no row was traded"):
        result_of(plan, journal)


def test_a_journal_that_comes_out_otherwise_is_refused() -> None:
    plan, _, journal = interfered()
    at = next(k for k, e in enumerate(journal) if e.body.get("kind") == "submit")
    body = {**journal[at].body, "qty": journal[at].body["qty"] + 1.0}
    journal[at] = Entry(journal[at].at, journal[at].bar, journal[at].step, "command", body)
    with pytest.raises(RunError, match="comes out otherwise in row"):
        result_of(plan, journal)


def test_rows_of_arrays_that_were_not_lived_are_left_out() -> None:
    world = World("Signals", 2, 60)
    events = events_of(world.base.market, 40)[:-5]
    session = world.session()
    journal = run_through(session, events)
    result = result_of(world.plan(), journal)
    assert result.digest == session.machine.digest()
    assert len(result.market) == len(np.unique(world.base.market.time)) - 5
