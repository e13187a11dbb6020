"""A broker on a stage: what a test asks of it, what it tells, and what is true there."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from itertools import count
from typing import Any, Literal, Protocol, TypeVar

from msgspec.structs import replace as with_values

from intrabar.brokers.fakes.account import Order
from intrabar.links.broker import Broker, Wanted
from intrabar.model.broker_facts import (
    Accepted,
    Change,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
)
from intrabar.model.facts import LinkFact

T = TypeVar("T")
NAN = float("nan")
CODE = "0a1b2c"
DONE = ("filled", "cancelled", "expired", "rejected")
ALIVE = ("acked", "working", "partial")


class Stage(Protocol):
    """The fake that a broker talks to, and hands on it. `fakes.stage` has one for most.

    Parameters
    ----------
    account : str
        Its id; a paper account where the vendor has them.
    symbol, price : str, float
        What is traded there, and around which price (a multiple of 1).
    unknown : str
        A symbol that it lacks.
    secrets : tuple of str
        The credentials, as they are; empty where it needs none.
    deadline : float
        Seconds within which each call answers, and each fact is told.
    """

    account: str
    kind: Literal["paper", "live"]
    symbol: str
    price: float
    unknown: str
    secrets: tuple[str, ...]
    deadline: float

    def broker(self, wanted: Wanted, *, wrong_keys: bool = False) -> Broker:
        """The adapter under test, not connected yet."""

    def fault(self, kind: str, fault: str, times: int = 1) -> None:
        """Let the next messages of a kind (`fakes.faults`) meet a fault."""

    def truth(self, client_id: str) -> Order | None:
        """What is there of an order of ours."""

    def orders(self) -> list[Order]:
        """All that is there, whoever sent it."""

    def balance(self) -> float:
        """What the account is worth."""

    async def settle(self) -> None:
        """Let happen there what follows by itself."""

    async def fill(self, client_id: str, qty: float, price: float) -> None:
        """Fill an order by so much."""

    async def end(self, client_id: str, how: Literal["cancelled", "expired", "rejected"]) -> None:
        """End an order as the venue does, unasked."""

    async def show(self, client_id: str, word: str) -> None:
        """Give an order a status word of the vendor's."""

    async def trade(self, side: int, qty: float, price: float) -> None:
        """Trade its symbol elsewhere, by hand."""

    async def pay(self, amount: float) -> None:
        """Money that comes or goes without a fill."""

    async def cut(self) -> None:
        """Cut every connection; it can be reached again at once."""

    async def leave(self) -> None:
        """Be away."""

    async def come_back(self) -> None:
        """Be there again, at the same place."""

    async def close(self) -> None:
        """Let go of everything."""


class Scene:
    """A stage with its broker connected and listened to."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.broker = stage.broker(self.wanted)
        self.can = self.broker.can
        self.facts: list[Any] = []
        self.outcomes: list[Outcome] = []
        self._numbers = count(1)
        self._news = asyncio.Event()
        self._listening: asyncio.Task[None] | None = None

    @property
    def wanted(self) -> Wanted:
        """The account of the stage."""
        return Wanted(self.stage.account, self.stage.kind, (self.stage.symbol,))

    async def begin(self) -> None:
        """Connect, and listen until the link is up."""
        await self.within(self.broker.connect(), "connect")
        await self.listen(self.broker)
        await self.until(lambda: any(is_up(fact) for fact in self.facts), "the link is told as up")

    async def listen(self, broker: Broker) -> None:
        """Keep what a broker tells from now on."""

        async def keep() -> None:
            async for fact in broker.events():
                self.facts.append(fact)
                self._news.set()

        await self.hush()
        self._listening = asyncio.ensure_future(keep())

    async def hush(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
            self._listening = None

    async def end(self) -> None:
        """Close everything."""
        try:
            await self.hush()
            await self.within(self.broker.close(), "close")
        finally:
            await self.stage.close()

    async def begin_anew(self) -> None:
        """Be another process of ours: nothing is remembered."""
        await self.hush()
        await self.within(self.broker.close(), "close")
        self.broker, self.facts = self.stage.broker(self.wanted), []
        await self.begin()

    async def within(self, call: Awaitable[T], what: str) -> T:
        """The answer of a call, which is there in time."""
        try:
            async with asyncio.timeout(self.stage.deadline):
                return await call
        except TimeoutError:
            raise AssertionError(f"{what}: no end in {self.stage.deadline:g} s") from None

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something is told; or fail."""

        async def wait() -> None:
            while not holds():
                self._news.clear()
                if self._listening is not None and self._listening.done():
                    await self._listening
                    raise AssertionError(f"{what}: the stream has ended")
                await self._news.wait()

        try:
            async with asyncio.timeout(self.stage.deadline):
                await wait()
        except TimeoutError:
            raise AssertionError(f"it was due that {what}; told: {self.facts}") from None

    # Orders

    def request(
        self, kind: str = "limit", side: int = 1, qty: float = 10.0, **more: Any
    ) -> Request:
        """An order of ours that rests: a limit 10 better than the market, a stop 20 beyond it."""
        values: dict[str, Any] = {"tif": self.tif, "until": self.until_of(self.tif)}
        if kind in ("limit", "stop_limit"):
            values["limit_price"] = self.stage.price + side * (-10.0 if kind == "limit" else 25.0)
        if kind in ("stop", "stop_limit"):
            values["stop_price"] = self.stage.price + side * 20.0
        name = more.pop("client_id", f"{CODE}-{next(self._numbers)}-0")
        return Request(name, self.stage.symbol, side, kind, qty, **{**values, **more})

    @property
    def tif(self) -> str:
        """A time in force that the account has."""
        return next(x for x in ("gtc", "gtd", "day") if x in self.can.tifs)

    @staticmethod
    def until_of(tif: str) -> int:
        """When an order ends by itself, ns UTC: in thirty days, at a whole hour."""
        hour = 3_600_000_000_000
        return (time.time_ns() // hour + 24 * 30) * hour if tif == "gtd" else 0

    def bracket(self, *parts: str, qty: float = 10.0) -> tuple[Request, ...]:
        """An entry with its stop and target."""
        entry, made = self.request(qty=qty), []
        for part in parts:
            kind = "stop" if part == "s" else "limit"
            child = self.request(
                kind, -1, qty, client_id=entry.client_id + part, reduce_only=True, position=qty
            )
            made.append(with_values(child, parent=entry.client_id))
        return (entry, *made)

    async def submit(self, *group: Request) -> tuple[Outcome, ...]:
        """Send, and let the venue have it."""
        found = await self.within(self.broker.submit(group), f"submit {group[0].type}")
        assert len(found) == len(group), "an answer for each order"
        self.outcomes += found
        await self.stage.settle()
        return found

    async def taken(self, *group: Request) -> Ref:
        """Send what is accepted; the first one's names."""
        for outcome in await self.submit(*group):
            assert isinstance(outcome, Accepted), outcome
        return self.ref(group[0])

    async def rests(self, kind: str = "limit", **more: Any) -> Ref:
        """An order of ours that rests there."""
        ref = await self.taken(self.request(kind, **more))
        await self.told(ref.client_id, lambda fact: fact.state in ALIVE, "it is alive")
        return ref

    async def holds(self, qty: float = 10.0) -> None:
        """A position, by an order of ours that has filled."""
        ref = await self.rests(qty=qty)
        await self.stage.fill(ref.client_id, qty, self.stage.price - 10.0)
        await self.until(lambda: self.total(ref.client_id) == qty, "it has filled")

    def ref(self, request: Request, *, vendor_id: bool = True) -> Ref:
        """An order as it is known after its answer, or before one."""
        there = self.stage.truth(request.client_id)
        ids = (there.id,) if there is not None and vendor_id else ()
        others = () if vendor_id else tuple(x.id for x in self.stage.orders() if x is not there)
        return Ref(request, ids, 0, others)

    async def replace(self, ref: Ref, **change: Any) -> tuple[Outcome, Ref]:
        """Change an order; its answer, and what it is called then."""
        name = ""
        if self.can.replace == "new_order":
            base, _, attempt = ref.client_id.rpartition("-")
            name = f"{base}-{int(attempt.rstrip('sto')) + 1}"
        asked = Change(change.pop("qty", NAN), client_id=name, **change)
        outcome = await self.within(self.broker.replace(ref, asked), "replace")
        self.outcomes.append(outcome)
        await self.stage.settle()
        after = with_values(ref.order, client_id=name or ref.client_id)
        there = self.stage.truth(after.client_id)
        return outcome, self.ref(after) if there is not None else ref

    async def cancel(self, ref: Ref) -> Outcome:
        """Cancel an order."""
        outcome = await self.within(self.broker.cancel(ref), "cancel")
        self.outcomes.append(outcome)
        await self.stage.settle()
        return outcome

    async def find(self, ref: Ref) -> OrderFact | None:
        """Look an order up."""
        return await self.within(self.broker.find(ref), "find")

    def there(self, client_id: str) -> Order:
        """What is there of an order, which is."""
        found = self.stage.truth(client_id)
        assert found is not None, f"{client_id} is not there"
        return found

    def count(self, client_id: str) -> int:
        """How many orders of that name are there."""
        there = self.stage.truth(client_id)
        return (
            0 if there is None else sum(x.client_id == there.client_id for x in self.stage.orders())
        )

    # What is told

    def is_of(self, fact: Any, client_id: str) -> bool:
        """Whether a fact is of an order: by our name, or by the vendor's."""
        if not isinstance(fact, OrderFact | FillFact):
            return False
        there = self.stage.truth(client_id)
        return fact.client_id == client_id or (there is not None and fact.vendor_id == there.id)

    def orders_told(self, client_id: str) -> list[OrderFact]:
        """What the stream has told of an order."""
        return [x for x in self.facts if isinstance(x, OrderFact) and self.is_of(x, client_id)]

    def fills_told(self, client_id: str) -> list[FillFact]:
        """The fills that the stream has told of an order, each id once."""
        found = [x for x in self.facts if isinstance(x, FillFact) and self.is_of(x, client_id)]
        return list({fact.id: fact for fact in found}.values())

    def total(self, client_id: str) -> float:
        """The cumulative quantity that has been told of an order."""
        fills = self.fills_told(client_id)
        shown = [fact.total for fact in fills if fact.total == fact.total]
        told = [fact.filled for fact in self.orders_told(client_id)]
        return max([0.0, *shown, *told, round(sum(fact.qty for fact in fills), 9)])

    async def told(
        self, client_id: str, holds: Callable[[OrderFact], bool], what: str
    ) -> OrderFact:
        """What is told of an order, once it holds."""
        await self.until(lambda: any(holds(x) for x in self.orders_told(client_id)), what)
        return [x for x in self.orders_told(client_id) if holds(x)][-1]


async def raises(
    kinds: type[BaseException] | tuple[type[BaseException], ...], call: Coroutine[Any, Any, Any]
) -> BaseException:
    """The error of a call, which says something."""
    try:
        found = await call
    except kinds as error:
        if not str(error):
            raise AssertionError(f"{type(error).__name__} says nothing") from error
        return error
    raise AssertionError(f"an error was due, not {found!r}")


def is_up(fact: Any) -> bool:
    """Whether it says that the link is up."""
    return isinstance(fact, LinkFact) and fact.state == "up"


def refused(outcome: Outcome, *codes: str, not_sent: bool = True) -> Refused:
    """A refusal, which says why."""
    assert isinstance(outcome, Refused), outcome
    assert outcome.text, "a refusal says why"
    assert outcome.not_sent or not not_sent, outcome
    assert not codes or outcome.code in codes, outcome
    return outcome


def same_price(one: float, other: float) -> bool:
    """Whether two prices are the same to the last bit; NaN is NaN."""
    return one == other or (math.isnan(one) and math.isnan(other))
