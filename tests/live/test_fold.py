"""G1 and G2 on some random sessions, and the account that the journal alone tells."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest

from intrabar.engine.session.recording import Recording
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry
from intrabar.strategy.registry import ENTRIES
from tests.engine.parity.worlds import world
from tests.engine.session.sessions import events_of, plan_of
from tests.live.bots import BOTS, ENTRY
from tests.live.folds import again, live
from tests.live.worlds import World
from tests.oracles.naive_fold import Fold

CHANGING = ("qty", "filled", "limit_price", "stop_price")


def near(mine: float, theirs: float, scale: float = 1.0) -> bool:
    return math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9 * scale)


def require_same(fold: Fold, session: Session) -> None:
    """The machine's book is the fold's: cash, what is held, what works."""
    machine, names = session.machine, session.plan.names
    assert near(fold.cash, machine.book.account["cash"][0], 1e5)
    n = len(fold.symbols)
    for k, sleeve in enumerate(machine.book.sleeves):
        owner = names[k // n], fold.symbols[k % n]
        held = fold.positions.get(owner)
        told = (0.0, 0.0) if held is None else (held.lots, held.average)
        assert near(told[0], sleeve["qty"]), owner
        assert near(told[1], sleeve["avg"]), owner
    working = {int(o["id"]): o for o in machine.book.orders[machine.working()]}
    assert fold.orders.keys() == working.keys()
    for number, order in working.items():
        mine = fold.orders[number]
        assert (mine["strategy"], mine["symbol"]) == (
            names[order["strategy"]], fold.symbols[order["instrument"]],
        )  # fmt: skip
        told = [float(mine.get(name, "nan")) for name in CHANGING]
        assert np.array_equal(told, [order[name] for name in CHANGING], equal_nan=True)


def followed(session: Session, events: list[Entry], monkeypatch: pytest.MonkeyPatch) -> int:
    """Fold the records of a session as they come, and compare wherever they stand."""
    fold = Fold(session.plan.account.cash, session.plan.symbols)
    whole = Fold(session.plan.account.cash, session.plan.symbols)
    changes, count = Recording.changes, 0

    def look(self: Recording, at: int) -> list[Entry]:
        nonlocal count
        records = changes(self, at)
        for entry in records:
            fold.take(entry.kind, entry.body)
        require_same(fold, session)
        count += 1
        return records

    with monkeypatch.context() as patched:
        patched.setattr(Recording, "changes", look)
        for event in events:
            fold.take(event.kind, event.body)
            turn = session.handle(event)
            for entry in (event, *turn.records):
                whole.take(entry.kind, entry.body)
            if session.rows:
                require_same(whole, session)
    return count


@pytest.mark.parametrize("seed", range(8))
def test_the_journal_alone_gives_orders_positions_and_cash_at_every_step(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = world(seed)
    session = Session(plan_of(setup))
    count = followed(session, events_of(setup.market, 0), monkeypatch)
    assert count >= 5 * len(setup.market) or session.is_over


@pytest.mark.parametrize("bot", ["Signals", "Weights", "longer bars", "remembers"])
def test_the_same_with_limits_and_all_kinds_of_strategies(
    bot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = World(bot, 2, 60)
    assert followed(one.session(), events_of(one.base.market, 40), monkeypatch) > 50


def test_every_entry_is_lived_through_by_a_session() -> None:
    assert set(ENTRY) == set(ENTRIES)


@pytest.mark.parametrize("bot", BOTS)
def test_a_session_has_the_bits_of_the_backtest_and_its_journal_gives_it_again(bot: str) -> None:
    one, draw = World(bot, 1, 50), Random(1)
    journal = live(one, 30, draw, restarts=2)
    assert again(one, journal, draw, every=7) > 0
