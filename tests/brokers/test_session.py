"""A session whose fills come from a broker: a market behind it is paper, and its journal is it."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from random import Random
from typing import Any

import pytest

from intrabar.brokers.simulated import SimulatedBroker
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.session import Session
from intrabar.errors import ConfigError
from intrabar.journal.record import body_of, text_of
from intrabar.model.entry import Entry
from tests.brokers.session_worlds import SessionWorld, fills_by
from tests.engine.session.sessions import events_of
from tests.live.worlds import World

SEEDED = 250
BOTS = (
    "orders of every kind",
    "Signals",
    "remembers",
    "CoinFlip, FixedPercent",
    "CoinFlip, TrailingATR",
    "MovingAverageCrossover, FixedRatio",
)
OF_A_FILL = ["bar", "instrument", "side", "qty", "price", "cost", "realized", "position", "cash"]


def world_of(seed: int) -> tuple[World, Any]:
    draw = Random(seed)
    world = World(draw.choice(BOTS), seed, 44, 20)
    plan = world.plan()
    return world, replace(plan, limits=type(plan.limits)())


def trades_at_opens(plan: Plan) -> bool:
    """Whether a strategy acts where a session at a broker sees nothing yet."""
    try:
        replace(plan, broker=fills_by(SimulatedBroker.can))
    except ConfigError:
        return True
    return False


def seeds(count: int) -> list[int]:
    every = (seed for seed in range(4 * count) if not trades_at_opens(world_of(seed)[1]))
    return list(islice(every, count))


def test_fills_and_equity_are_those_of_paper() -> None:
    fills = compared = 0
    for seed in seeds(SEEDED):
        world, plan = world_of(seed)
        market = world.base.market
        market = replace(market, actions=())
        paper = Session(plan)
        for event in events_of(market, 20)[:2]:
            paper.handle(event)
        _, other = world_of(seed)
        mine = SessionWorld(replace(other, broker=fills_by(SimulatedBroker.can)), market, 20)
        mine.start()
        rows = events_of(market, 20)[2:]
        for event in rows:
            if mine.is_over:
                break
            paper.handle(event)
            mine.run_row()
            theirs = paper.machine.fills()[OF_A_FILL].tolist()
            if mine.is_over:
                break
            got = mine.session.machine.fills()[OF_A_FILL].tolist()
            assert got == theirs, (seed, world.bot, mine.row)
            assert mine.session.equity == paper.equity, (seed, world.bot, mine.row)
            compared += 1
        fills += len(paper.machine.fills())
        assert len(set(mine.sent)) == len(mine.sent)
    assert compared > 1_000
    assert fills > 500


def lived(seed: int) -> tuple[SessionWorld, Plan]:
    """A session at a broker that has lived through its market, and a plan as it began with."""
    world, plan = world_of(seed)
    market = replace(world.base.market, actions=())
    broker = fills_by(SimulatedBroker.can)
    mine = SessionWorld(replace(plan, broker=broker), market, 20)
    mine.start()
    while not mine.is_over:
        mine.run_row()
    return mine, replace(world_of(seed)[1], broker=broker)


def test_its_journal_gives_the_same_session_again() -> None:
    for seed in seeds(6):
        mine, plan = lived(seed)
        journal = [in_journal(entry) for entry in mine.journal]
        made = rerun(plan, journal)
        assert made.difference is None, (seed, str(made.difference))
        assert made.session.machine.digest() == mine.session.machine.digest()


def in_journal(entry: Entry) -> Entry:
    body = body_of(text_of(entry.body))
    return Entry(entry.at, entry.bar, entry.step, entry.kind, body)


def test_what_acts_at_opens_is_refused() -> None:
    with pytest.raises(ConfigError, match="opens are not seen in time"):
        replace(World("Weights", 1, 44, 20).plan(), broker=fills_by(SimulatedBroker.can))
