"""A market behind a broker is paper: fills, cash, positions; and the journal gives them again."""

from __future__ import annotations

import random
from typing import Any

from intrabar.brokers.door import Door
from intrabar.brokers.reconcile import Clean, reconcile
from intrabar.engine.scenario.scenario import scenario_machine
from intrabar.sim import state
from intrabar.sim.machine import Machine
from tests.brokers.faults import market, script
from tests.brokers.worlds import RULES, STEPS, World, answer, prepared, take_answers

SEEDED = 250
OF_A_FILL = ["bar", "instrument", "side", "qty", "price", "cost", "realized", "position", "cash"]


def fills(machine: Machine) -> list[Any]:
    return machine.fills()[OF_A_FILL].tolist()


def position(machine: Machine) -> Any:
    sleeves = machine.book.sleeves[["qty", "avg", "basis", "stop", "target"]].tolist()
    return repr(sleeves), float(machine.book.account["cash"][0])


def test_fills_money_and_positions_are_those_of_paper() -> None:
    traded = sent = compared = 0
    for seed in range(SEEDED):
        scenario = prepared(random.Random(seed))
        world = World(scenario)
        paper, script = scenario_machine(scenario)
        while not world.is_over():
            world.run_bar()
            paper.advance(world.machine.bar)
            if world.is_called():
                break  # the broker has called for margin: what it does then is its own
            assert fills(world.machine) == fills(paper), seed
            assert position(world.machine) == position(paper), seed
            equity = world.machine.tape.equity, paper.tape.equity
            assert equity[0][paper.bar - 1] == equity[1][paper.bar - 1], seed
            compared += 1
        assert script.ids is not None
        traded += len(paper.fills())
        sent += len(world.sent)
        assert len(set(world.sent)) == len(world.sent)
    assert compared > 1_000
    assert traded > 500
    assert sent > traded


def test_a_book_with_fills_from_outside_is_worked_out_again_from_its_journal() -> None:
    """No broker is asked: what was told and answered stands in the journal, at its place."""
    entries = 0
    for seed in range(60):
        scenario = prepared(random.Random(seed))
        world = World(scenario)
        digests = []
        while not world.is_over():
            world.run_bar()
            digests.append(world.machine.digest())
        machine, script = scenario_machine(scenario)
        door, journal = Door(machine, ["s"], RULES), list(world.journal)
        for digest in digests:
            bar = machine.bar
            for place in [*((bar, step) for step in STEPS), (bar + 1, state.STEP_OPEN)]:
                door.take_wishes()
                machine.advance(*place)
                now = int(machine.market.time[min(machine.bar, len(machine.market) - 1)])
                again = door.commit(door.plan(now), now)
                while journal and journal[0][0] == place:
                    _, entry = journal.pop(0)
                    entries += 1
                    if isinstance(entry, tuple):
                        assert repr(again.pop(0)) == repr(entry[0])  # the same decisions
                        take_answers(door, *entry, now)
                    else:
                        door.told(entry, now)
                assert not again
            assert machine.digest() == digest, seed
        assert repr(door.tickets) == repr(world.door.tickets)
        assert script.ids is not None
    assert entries > 500


def test_a_price_on_the_grid_is_the_same_as_the_broker_writes_it() -> None:
    """9007 ticks of 0.01 are 90.07000000000001 in a book; a broker has 90.07."""
    levels = {"limit_price": 90.07, "stop_loss": 80.07}
    world = World(
        script("grid", [100, 101, 102], [market("in", 0, "buy", 5, type="limit", **levels)])
    )
    world.run_bar()
    (entry,) = [x for x in world.door.tickets.values() if x.type == "limit"]
    (fact,) = [x for _, x in world.journal if getattr(x, "client_id", "") == entry.name]
    assert fact.limit_price == 90.07
    assert entry.terms.limit_price == 90.07 != world.machine.book.orders["limit_price"][0]
    assert not world.door.plan(world.now).intents
    look = answer(world.broker.snapshot(0))
    assert reconcile(world.door.known(look.balance, 0.0), look) == [Clean()]
