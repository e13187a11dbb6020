"""A session is the backtest of its rows: the same bits after every row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from intrabar.data.timeline import market_from_bars
from intrabar.engine.run import Setup
from intrabar.engine.session.session import Session
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account
from tests.engine.chunks.test_chunks import strategies, walk
from tests.engine.replay.replays import everyone
from tests.engine.session.sessions import backtest_of, events_of, kinds, plan_of, run_through


def hourly(seed: int = 1, n: int = 160) -> tuple[Setup, list]:
    bars = [walk("A", seed, n, 0.1), walk("B", seed + 1, n, 0.3)]
    instruments = tuple(
        Instrument(b.symbol, initial_margin_rate=0.2, fee_per_trade=1.0) for b in bars
    )
    setup = Setup(market_from_bars(bars), instruments, strategies(), Account(cash=50_000.0))
    return setup, bars


@pytest.mark.parametrize("history", [0, 1, 40])
def test_every_bot_has_the_digest_of_the_backtest_after_every_row(history: int) -> None:
    setup, bars = hourly()
    session = Session(plan_of(setup, bars))
    events = events_of(setup.market, history)
    mine = []
    for event in events:
        session.handle(event)
        if event.kind == "row.closed":
            mine.append(session.machine.digest())
    assert mine == list(backtest_of(session, setup))[history:]
    assert session.machine.fills().size or session.machine.book.account["next_order"][0] > 5


@pytest.mark.parametrize("seed", range(6))
def test_signals_and_classes_in_one_account_are_those_of_the_backtest(seed: int) -> None:
    setup = everyone(seed)
    session = Session(plan_of(setup))
    journal = run_through(session, events_of(setup.market, 0))
    assert session.machine.digest() == list(backtest_of(session, setup))[-1]
    assert {"command", "order", "fill", "row", "digest"} <= set(kinds(journal))


def test_rows_that_are_forgotten_have_their_part_in_the_digest() -> None:
    # Compiled bots look one row back, so that all others go at each end of a session.
    setup, bars = hourly(2)
    alone = {"cross": setup.strategies["cross"]}
    setup = replace(setup, strategies=alone)
    session = Session(plan_of(setup, bars))
    for event in events_of(setup.market, 40):
        session.handle(event)
    assert session.machine.first > 40
    assert session.machine.digest() == list(backtest_of(session, setup))[-1]


def test_the_journal_alone_gives_the_same_records_again() -> None:
    setup, bars = hourly(3)
    journal = run_through(Session(plan_of(setup, bars)), events_of(setup.market, 30))
    events = [e for e in journal if e.kind in ("session.started", "history", "row.closed")]
    again = run_through(Session(plan_of(setup, bars)), events)
    assert again == journal
    assert np.isfinite(journal[-1].body.get("equity", 0.0))


def test_as_recorded_no_hook_is_called_and_the_book_is_the_same() -> None:
    setup, bars = hourly(5)
    session = Session(plan_of(setup, bars))
    journal = run_through(session, events_of(setup.market, 30))
    given: dict[tuple[int, int], list] = {}
    for entry in journal:
        if entry.kind == "command":
            given.setdefault((entry.bar, entry.step), []).append(entry)
    asleep = Session(plan_of(setup, bars), lambda *at: given.get(at, ()), setup.strategies)
    for event in events_of(setup.market, 30):
        asleep.handle(event)
    assert asleep.machine.digest() == session.machine.digest()
