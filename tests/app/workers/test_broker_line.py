"""The line of a session to its broker: its states, its looks, what leaves and what is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from intrabar.app.workers.broker_line import BrokerLine
from intrabar.app.workers.intake import Told
from intrabar.brokers.managed import Committed, RiskManagedBroker
from intrabar.brokers.sending import Sending
from intrabar.engine.session.effects import Look, LookUp, Send, Urgency
from intrabar.engine.session.turn import Notice
from intrabar.errors import GateError, LinkError
from intrabar.links.clock import SECOND_NS, LoopClock
from intrabar.links.maintenance import window_of
from intrabar.links.simulated_time import run
from intrabar.model.broker_facts import (
    Accepted,
    AccountFacts,
    OrderFact,
    Ref,
    Refused,
    Request,
    Snapshot,
)
from intrabar.model.facts import LinkFact

START = 1_700_000_000 * SECOND_NS
ALL = frozenset({"orders", "fills", "positions", "balance"})


class Account:
    """A broker by a script: each connection is a list of facts, and then it is gone."""

    def __init__(self, *streams: list[Any], looks: int = 0) -> None:
        self.streams, self.bad_looks = list(streams), looks
        self.looked: list[int] = []
        self.got: list[str] = []
        self.finds: list[OrderFact | Exception | None] = []

    async def connect(self) -> AccountFacts:
        if not self.streams:
            raise LinkError("nobody there")
        return AccountFacts("1", {}, "USD")

    async def events(self) -> Any:
        for fact in self.streams.pop(0):
            if isinstance(fact, float):
                await asyncio.sleep(fact)
            elif isinstance(fact, Exception):
                raise fact
            else:
                yield fact

    async def snapshot(self, since: int) -> Snapshot:
        if self.bad_looks:
            self.bad_looks -= 1
            raise LinkError("no look")
        self.looked.append(since)
        return Snapshot(START, ALL)

    async def submit(self, group: tuple[Request, ...]) -> Any:
        self.got.append(group[0].client_id)
        return tuple(Accepted("1") for _ in group)

    async def cancel(self, ref: Ref) -> Any:
        self.got.append(f"cancel {ref.client_id}")
        await asyncio.sleep(2.0)
        return Accepted("1")

    async def find(self, ref: Ref) -> OrderFact | None:
        found = self.finds.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def close(self) -> None:
        self.got.append("closed")


class World:
    """A line, what it tells, and who is paged."""

    def __init__(self, account: Account, **more: Any) -> None:
        self.account, self.clock = account, LoopClock(START)
        self.told: list[Told] = []
        self.paged: list[Notice] = []
        broker = RiskManagedBroker(account, self.clock, lambda: START * 2)  # type: ignore[arg-type]
        self.line = BrokerLine(
            broker,
            self.clock,
            self.take,
            lambda send: lambda now: None,
            notify=self.paged.append,
            **more,
        )

    def take(self, told: Told) -> None:
        """As a session does, it asks for a look when the stream is there."""
        self.told.append(told)
        if told.body.get("state") == "syncing":
            asyncio.get_running_loop().call_soon(
                self.line.carry_out, [Look(self.clock.now())], self.now()
            )

    @property
    def states(self) -> list[str]:
        return [x.body["state"] for x in self.told if x.kind == "link"]

    @property
    def outcomes(self) -> list[dict[str, Any]]:
        return [x.body["outcomes"][0] for x in self.told if x.kind == "outcome"]

    def now(self) -> Committed:
        return Committed(self.clock.now(), self.clock.tick())


def held(world: World, seconds: float, work: Callable[[], Awaitable[None]] | None = None) -> None:
    """Hold a line for so long, and let something be done meanwhile."""

    async def main() -> None:
        task = asyncio.ensure_future(world.line.run())
        if work is not None:
            await work()
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if done:
            task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    run(main())


def order(name: str, urgency: Urgency = Urgency.ENTRY) -> Send:
    request = Request(name, "A", 1, "market", 1.0)
    return Send(Sending(name, (request,)), urgency, urgency is Urgency.ENTRY, START)


def cancel(name: str) -> Send:
    request = Request(name, "A", 1, "market", 1.0)
    return Send(Sending(name, ref=Ref(request)), Urgency.CANCEL, False, START)


UP = [LinkFact("up"), 10_000.0]


def test_from_nothing_to_up_the_account_is_seen_before() -> None:
    world = World(Account(UP))
    held(world, 1.0)
    kinds = [(x.kind, x.body.get("state")) for x in world.told]
    assert kinds == [
        ("link", "connecting"), ("link", "syncing"), ("snapshot", None), ("link", "up"),
    ]  # fmt: skip
    assert world.account.got == ["closed"]


def test_a_line_that_breaks_comes_back_and_looks() -> None:
    account = Account([LinkFact("up"), 5.0, LinkError("cut")], UP)
    world = World(account)
    held(world, 20.0)
    assert world.states == ["connecting", "syncing", "up", "down", "connecting", "syncing", "up"]
    assert len(account.looked) == 2


def test_a_stream_that_tells_a_gap_and_heals_is_looked_behind() -> None:
    account = Account([LinkFact("up"), 5.0, LinkFact("down", "1100"), 5.0, *UP])
    world = World(account)
    held(world, 20.0)
    assert world.states == ["connecting", "syncing", "up", "down", "syncing", "up"]
    assert len(account.looked) == 2


def test_a_fault_of_the_adapter_is_a_line_that_breaks() -> None:
    world = World(Account([LinkFact("up"), 5.0, KeyError("x")], UP))
    held(world, 20.0)
    assert world.states[-4:] == ["down", "connecting", "syncing", "up"]
    down = next(x for x in world.told if x.body.get("state") == "down")
    assert "KeyError" in down.body["reason"]


def test_who_answers_must_be_the_account_of_the_session() -> None:
    def other(facts: AccountFacts) -> None:
        raise GateError("another account")

    world = World(Account(UP), fits=other)
    with pytest.raises(GateError, match="another account"):
        held(world, 1.0)
    assert world.account.got == ["closed"]


def test_a_look_that_fails_is_no_look_and_is_asked_again() -> None:
    world = World(Account(UP, looks=5))  # one look is five tries
    held(world, 60.0)
    assert world.states == ["connecting", "syncing", "up"]
    assert len(world.account.looked) == 1


def test_three_looks_that_fail_are_told_to_a_person() -> None:
    world = World(Account(UP, looks=7))
    held(world, 200.0)
    assert [x.key for x in world.paged if x.key == "look"] == ["look"]
    assert world.states[-1] == "up"


@pytest.mark.parametrize(("is_open", "paged"), [(True, 1), (False, 0)])
def test_a_line_that_is_away_for_a_minute_is_paged_in_session(is_open: bool, paged: int) -> None:
    world = World(Account(), is_open=lambda now: is_open)
    held(world, 130.0)
    assert len([x for x in world.paged if x.key == "link"]) == paged


def test_what_is_announced_is_no_page_and_no_entry_leaves() -> None:
    window = window_of("00:00-23:59 UTC")
    world = World(Account(), windows=[window])
    held(world, 130.0)
    assert not world.paged
    world = World(Account(UP), windows=[window])

    async def work() -> None:
        await asyncio.sleep(1)
        world.line.carry_out([order("a"), order("b", Urgency.EXIT)], world.now())
        await world.line.settled()

    held(world, 1.0, work)
    assert world.account.got[:1] == ["b"]
    assert [x["client_id"] for x in world.outcomes] == ["b", "a"]
    assert "maintenance" in world.outcomes[1]["text"]


def test_what_is_urgent_leaves_first_and_is_not_waited_for_too_long() -> None:
    world = World(Account(UP))

    async def work() -> None:
        await asyncio.sleep(1)
        effects = [cancel("a"), cancel("b"), order("c", Urgency.PROTECT), order("d")]
        world.line.carry_out(effects, world.now())
        await asyncio.sleep(1.5)
        assert world.account.got == ["cancel a", "cancel b", "c", "d"]

    held(world, 5.0, work)
    assert len(world.outcomes) == 4


def test_without_a_line_only_what_reduces_leaves() -> None:
    world = World(Account())

    async def work() -> None:
        await asyncio.sleep(1)
        world.line.carry_out([cancel("a"), order("b"), order("c", Urgency.EXIT)], world.now())

    held(world, 5.0, work)
    assert world.account.got == ["cancel a", "c", "closed"]
    refused = [x for x in world.outcomes if x["kind"] == "refused"]
    assert [x["client_id"] for x in refused] == ["b"]
    assert refused[0]["not_sent"]


def test_an_error_is_no_answer_to_a_look_up() -> None:
    world = World(Account(UP))
    fact = OrderFact("7", "a", "A", 1, "market", 1.0, "working")
    world.account.finds = [*[LinkError("x")] * 5, fact]

    async def work() -> None:
        await asyncio.sleep(1)
        one = LookUp("a", Ref(Request("a", "A", 1, "market", 1.0)))
        for _ in range(3):  # it is asked once
            world.line.carry_out([one], world.now())

    held(world, 60.0, work)
    told = [x.body for x in world.told if x.kind == "report"]
    assert [x["look_up"] for x in told] == ["a"]
    assert told[0]["fact"]["vendor_id"] == "7"


def test_what_the_second_look_refuses_is_told_as_refused() -> None:
    world = World(Account(UP))
    world.line._refuse_of = lambda send: lambda now: Refused("no", not_sent=True, code="risk")

    async def work() -> None:
        await asyncio.sleep(1)
        world.line.carry_out([order("a")], world.now())

    held(world, 1.0, work)
    assert world.outcomes == [
        {"client_id": "a", "kind": "refused", "text": "no", "not_sent": True, "code": "risk"}
    ]
