"""The simulated broker keeps what every broker promises; who breaks a rule is found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.conformance import GATE, BrokerConformance, carry_out, rules
from intrabar.errors import LinkError
from intrabar.model.broker_facts import (
    Accepted,
    AccountFacts,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Request,
    Snapshot,
    Unknown,
)
from intrabar.model.facts import LinkFact
from tests.brokers.wired import SimulatedStage, Wired


async def simulated() -> SimulatedStage:
    return SimulatedStage()


class TestSimulated(BrokerConformance):
    make = staticmethod(simulated)


def test_there_are_sixty_rules_and_more() -> None:
    assert len(rules()) >= 60


class TakesAnyAccount(Wired):
    async def connect(self) -> AccountFacts:
        return await self._read("connect", self.there.connect)


class Rounds(Wired):
    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        return await super().submit(tuple(replace(x, qty=round(x.qty)) for x in group))


class SendsAgain(Wired):
    """Under another name, where the answer was lost."""

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        found = await super().submit(group)
        if isinstance(found[0], Unknown):
            return await super().submit(
                tuple(replace(x, client_id=f"{x.client_id}x") for x in group)
            )
        return found


class TakesUnknownForRefused(Wired):
    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        found = await super().submit(group)
        return tuple(Accepted() if isinstance(x, Unknown) else x for x in found)


class Raises(Wired):
    async def cancel(self, ref: Ref) -> Outcome:
        outcome = await super().cancel(ref)
        if isinstance(outcome, Unknown):
            raise LinkError("no answer")
        return outcome


class Hangs(Wired):
    async def replace(self, ref: Ref, change: Change) -> Outcome:
        outcome = await super().replace(ref, change)
        if isinstance(outcome, Unknown):
            await asyncio.Event().wait()
        return outcome


class AddsTheQuantity(Wired):
    """Takes what is asked for as what is left."""

    async def replace(self, ref: Ref, change: Change) -> Outcome:
        fact = await self.there.find(ref)
        filled = 0.0 if fact is None else fact.filled
        return await super().replace(ref, replace(change, qty=change.qty + filled))


class FindsNothing(Wired):
    """Where nobody knows."""

    async def find(self, ref: Ref) -> OrderFact | None:
        try:
            return await super().find(ref)
        except LinkError:
            return None


class IsFlat(Wired):
    """Where nobody knows."""

    async def snapshot(self, since: int) -> Snapshot:
        try:
            return await super().snapshot(since)
        except LinkError:
            return Snapshot(1, frozenset({"orders", "positions"}))


class GuessesStatus(Wired):
    async def find(self, ref: Ref) -> OrderFact | None:
        fact = await super().find(ref)
        return fact and replace(fact, state=fact.state.replace("unknown", "working"))


class Telling(Wired):
    async def events(self) -> AsyncIterator[Any]:
        async for fact in super().events():
            for told in self.of(fact):
                yield told

    def of(self, fact: Any) -> list[Any]:
        raise NotImplementedError


class HidesGaps(Telling):
    is_first = True

    def of(self, fact: Any) -> list[Any]:
        hides = isinstance(fact, LinkFact) and not self.is_first
        self.is_first = False
        return [] if hides else [fact]


class DrawsIds(Telling):
    told = 0

    def of(self, fact: Any) -> list[Any]:
        self.told += 1
        return [replace(fact, id=f"x{self.told}") if isinstance(fact, FillFact) else fact]


class TellsNoFills(Telling):
    def of(self, fact: Any) -> list[Any]:
        return [] if isinstance(fact, FillFact) else [fact]


class NamesNothing(Telling):
    def of(self, fact: Any) -> list[Any]:
        return [replace(fact, client_id="") if isinstance(fact, OrderFact) else fact]


@pytest.mark.parametrize(
    ("breaks", "rule"),
    [
        (TakesAnyAccount, "another_account_is_refused"),
        (TakesAnyAccount, "an_account_of_another_kind_is_refused"),
        (Rounds, "a_part_of_a_share_leaves_only_where_it_may"),
        (SendsAgain, "a_submit_that_meets_lose_answer"),
        (TakesUnknownForRefused, "a_submit_that_meets_lose_request"),
        (Raises, "a_cancel_that_meets_500"),
        (Hangs, "a_change_that_meets_mute"),
        (AddsTheQuantity, "a_new_quantity_is_the_one_in_all"),
        (FindsNothing, "a_look_up_that_meets_500"),
        (FindsNothing, "a_broker_that_is_away_is_not_flat"),
        (IsFlat, "a_look_that_meets_garbage"),
        (IsFlat, "a_look_of_which_all_meets_429"),
        (GuessesStatus, "a_status_that_nobody_knows_is_unknown"),
        (HidesGaps, "a_broker_that_comes_back_is_listened_to"),
        (DrawsIds, "ids_of_fills_are_the_same_in_stream_and_look"),
        (DrawsIds, "a_frame_that_meets_duplicate"),
        (TellsNoFills, "fills_in_parts_add_up"),
        (NamesNothing, "an_order_that_is_taken_is_told"),
    ],
)
def test_who_breaks_a_rule_is_found(breaks: type[Wired], rule: str) -> None:
    async def main(make: type[Wired]) -> None:
        stage = SimulatedStage(make)
        stage.deadline = 0.2
        name = f"test_{rule}"
        await carry_out(rules()[name], stage, connects=name not in GATE)

    asyncio.run(main(Wired))
    with pytest.raises((AssertionError, LinkError)):
        asyncio.run(main(breaks))
