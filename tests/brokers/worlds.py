"""A session's machine, a door, and a simulated broker behind it, moved on step by step."""

from __future__ import annotations

import random
from collections.abc import Coroutine, Sequence
from typing import Any

from intrabar.brokers.door import Door
from intrabar.brokers.plan import Rules
from intrabar.brokers.sending import Sending
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.engine.scenario.scenario import scenario_machine
from intrabar.model.enums import RunStatus
from intrabar.sim import state
from tests.generators import random_scenario

CODE = "0a1b2c"
STEPS = range(state.STEP_ON_OPEN, state.STEP_END + 1)
RULES = Rules(CODE, 10**18, nets=True, native=True)


def prepared(rng: random.Random) -> dict:
    """A scenario of orders and money, without what acts on instruments."""
    scenario = random_scenario(rng)
    scenario.pop("actions", None)
    account = scenario.setdefault("account", {})
    account |= {"settlement": "none", "close_delisted": False, "close_at_end": False}
    scenario.pop("close_at_end", None)
    return scenario


def answer(call: Coroutine[Any, Any, Any]) -> Any:
    """What a call returns that never waits."""
    try:
        call.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def take_answers(door: Door, sending: Sending, outcomes: Sequence[Any], now: int) -> None:
    """Let a door take in what a request was answered, order by order."""
    names = [x.client_id for x in sending.group] or [sending.ticket]
    for name, outcome in zip(names, outcomes, strict=True):
        door.answer(name, outcome, bool(sending.group), sending.change is not None, now)


class World:
    """One scenario, traded through the door."""

    def __init__(self, scenario: dict) -> None:
        machine, self.script = scenario_machine(scenario)
        self.broker = SimulatedBroker(machine.market, machine.instruments, machine.account)
        self.door = Door(machine, ["s"], RULES)
        self.machine = machine
        self.journal: list[tuple[tuple[int, int], Any]] = []
        self.sent: list[str] = []

    @property
    def now(self) -> int:
        bar = min(self.machine.bar, len(self.machine.market) - 1)
        return int(self.machine.market.time[bar])

    def step(self, bar: int, step: int) -> None:
        self.door.take_wishes()
        self.machine.advance(bar, step)
        self.send((bar, step))
        for fact in self.broker.advance(bar, step):
            self.journal.append(((bar, step), fact))
            self.door.told(fact, self.now)

    def send(self, place: tuple[int, int]) -> None:
        for sending in self.door.commit(self.door.plan(self.now), self.now):
            outcomes = answer(self.carry_out(sending))
            self.journal.append((place, (sending, outcomes)))
            take_answers(self.door, sending, outcomes, self.now)

    async def carry_out(self, sending: Sending) -> tuple[Any, ...]:
        if sending.group:
            self.sent += [request.client_id for request in sending.group]
            return await self.broker.submit(sending.group)
        assert sending.ref is not None
        if sending.change is not None:
            return (await self.broker.replace(sending.ref, sending.change),)
        return (await self.broker.cancel(sending.ref),)

    def is_called(self) -> bool:
        account = self.broker.machine.book.account
        ruined = self.broker.machine.status is RunStatus.RUINED
        return ruined or bool(account["margin_calls"][0])

    def is_over(self) -> bool:
        return self.is_called() or self.broker.machine.bar >= len(self.broker.machine.market)

    def run_bar(self) -> None:
        bar = self.machine.bar
        for step in STEPS:
            self.step(bar, step)
        self.step(bar + 1, state.STEP_OPEN)
