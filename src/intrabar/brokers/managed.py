"""The one handle of a broker: what leaves is looked at again, leaves soon, and is answered.

Whoever sends has this and nothing else. It never sends an order twice by itself: what was not
answered is unknown, and is looked up. Only reads are tried again (live, sections 3.2 and 7).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple, TypeVar

from intrabar.brokers.sending import Sending
from intrabar.errors import BadAnswer, IntrabarError, LinkError, OrderError
from intrabar.links.broker import Broker
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.lines import Bucket, Line, within
from intrabar.model.broker_facts import (
    AccountFacts,
    Can,
    CashFact,
    FillFact,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Snapshot,
    Unknown,
)
from intrabar.model.facts import LinkFact
from intrabar.model.secret import redact

_T = TypeVar("_T")

SEND_WITHIN = 3.0  # seconds from the commit on
LEASE_LEFT = 10.0  # seconds that the lease must still be good for
DEADLINE = 10.0  # seconds for a request in all
LOGIN = 30.0  # seconds
ENDS_IN = 0.1  # seconds that a call may take to end when it is cancelled
READS = 10  # a second, of ours: the vendor's own limits are its adapter's

Refuse = Callable[[int], Refused | None]
"""Given the time (ns UTC): why an order that adds may not leave any more; None where it may."""


class Committed(NamedTuple):
    """When what leaves was on disk, by both clocks: ns UTC, and seconds that only go forward."""

    wall: int
    tick: float


class RiskManagedBroker:
    """A broker behind the second look, the limit of sending and the deadlines.

    Parameters
    ----------
    broker : Broker
    clock : Clock
    lease_until : callable
        Until when the session is ours, ns UTC.
    told : callable
        Given a state of the link that the broker has not told itself.
    deadline : float
        Seconds for a request in all.
    """

    def __init__(
        self,
        broker: Broker,
        clock: Clock,
        lease_until: Callable[[], int],
        told: Callable[[LinkFact], None] = lambda fact: None,
        deadline: float = DEADLINE,
    ) -> None:
        self._broker, self._clock, self._lease_until = broker, clock, lease_until
        self._told, self._deadline = told, deadline
        self._line = Line("the broker", clock, Bucket(READS, 1.0, clock), seconds=deadline)
        self._abroad: set[asyncio.Task[tuple[Outcome, ...]]] = set()

    @property
    def can(self) -> Can:
        """What the account is able to."""
        return self._broker.can

    @property
    def is_stuck(self) -> bool:
        """Whether a call has not returned in time: nothing is proven absent, nothing is entered."""
        return bool(self._abroad)

    async def connect(self) -> AccountFacts:
        """Open the link.

        Raises
        ------
        LinkError
        """
        return await within(LOGIN, _whole(self._broker.connect()), "the broker's login")

    async def send(
        self,
        sending: Sending,
        committed: Committed,
        refuse: Refuse | None = None,
        *,
        holds_lease: bool = True,
    ) -> tuple[Outcome, ...]:
        """Let something leave, if it still may; what it was answered, each of a group.

        Parameters
        ----------
        sending : Sending
        committed : Committed
        refuse : callable, optional
            The second look at an order that adds; None: it only reduces, and is let through.
        holds_lease : bool
            False for what the emergency file has: no lease stands behind it.
        """
        count = max(1, len(sending.group))
        refusal = None if refuse is None else refuse(self._clock.now())
        refusal = refusal or self._too_late(committed, holds_lease)
        if refusal is None and refuse is not None:
            refusal = self._is_away()
        if refusal is not None:
            return (refusal,) * count
        return await self._in_time(sending, count)

    async def find(self, ref: Ref) -> OrderFact | None:
        """An order; None where the broker says that there is none.

        Raises
        ------
        LinkError
            Nobody knows.
        """
        return await self._line.read(
            lambda: _whole(self._broker.find(ref)), f"order {ref.client_id}"
        )

    async def snapshot(self, since: int) -> Snapshot:
        """One look at the account.

        Raises
        ------
        LinkError
        """
        return await self._line.read(
            lambda: _whole(self._broker.snapshot(since)), "a look at the account"
        )

    async def events(self) -> AsyncIterator[OrderFact | FillFact | CashFact | LinkFact]:
        """Everything that happens from now on.

        Raises
        ------
        LinkError
        """
        events = self._broker.events()
        while True:
            try:
                fact = await _whole(anext(events))
            except StopAsyncIteration:
                return
            yield fact

    async def close(self) -> None:
        """Let go of what it holds."""
        await within(self._deadline, self._broker.close(), "the end of the broker's link")

    def _is_away(self) -> Refused | None:
        """Whether the link is too ill for an order that adds; others are its probes."""
        if self._abroad:
            return Refused("a call to the broker has not returned: no entries", not_sent=True)
        try:
            self._line.circuit.enter()
        except LinkError as error:
            return Refused(f"broker_down: {error}", not_sent=True)
        return None

    def _too_late(self, committed: Committed, holds_lease: bool) -> Refused | None:
        """Whether too much time lies between the commit and the wire: the world is another one."""
        now = self._clock.now()
        waited = max((now - committed.wall) / SECOND_NS, self._clock.tick() - committed.tick)
        if not (now - committed.wall) / SECOND_NS >= -SEND_WITHIN or not waited <= SEND_WITHIN:
            return Refused(f"not sent: {waited:.1f} s after it was decided", not_sent=True)
        left = (self._lease_until() - now) / SECOND_NS
        if holds_lease and left < LEASE_LEFT:
            return Refused(f"not sent: the lease is good for {left:.1f} s only", not_sent=True)
        return None

    async def _in_time(self, sending: Sending, count: int) -> tuple[Outcome, ...]:
        """The answers of a request; unknown where there is none in time."""
        task = asyncio.ensure_future(self._asked(sending, count))
        try:
            done, _ = await asyncio.wait({task}, timeout=self._deadline)
        except asyncio.CancelledError:
            task.cancel()
            self._line.circuit.abandoned()
            raise
        if done:
            return task.result()
        task.cancel()
        await asyncio.wait({task}, timeout=ENDS_IN)
        self._line.circuit.failed()
        if not task.done():
            self._abroad.add(task)
            task.add_done_callback(self._returned)
            self._told(LinkFact("degraded", "a call to the broker does not return"))
        return (Unknown(f"no answer in {self._deadline:g} s"),) * count

    def _returned(self, task: asyncio.Task[tuple[Outcome, ...]]) -> None:
        """What it says now is looked up, as everything that is unknown."""
        self._abroad.discard(task)
        if not self._abroad:
            self._told(LinkFact("syncing", "the call has returned"))

    async def _asked(self, sending: Sending, count: int) -> tuple[Outcome, ...]:
        """What the broker says; whatever it raises, a request may have left."""
        try:
            outcomes = await self._call(sending)
        except OrderError as error:  # our own side of the wire has refused it
            self._line.circuit.succeeded()
            return (Refused(redact(str(error))),) * count
        except LinkError as error:
            self._line.circuit.failed()
            return (Unknown(redact(str(error))),) * count
        except Exception as error:
            self._line.circuit.failed()
            text = f"a fault of the adapter: {type(error).__name__}: {error}"
            return (Unknown(redact(text)),) * count
        if len(outcomes) != count:
            self._line.circuit.failed()
            return (Unknown(f"{len(outcomes)} answers to {count} orders"),) * count
        self._line.circuit.succeeded()
        return outcomes

    def _call(self, sending: Sending) -> Awaitable[tuple[Outcome, ...]]:
        if sending.group:
            return self._broker.submit(sending.group)
        assert sending.ref is not None
        if sending.change is not None:
            return _alone(self._broker.replace(sending.ref, sending.change))
        return _alone(self._broker.cancel(sending.ref))


async def _whole(call: Awaitable[_T]) -> _T:
    """What a read gives; a fault of the adapter is an answer that nobody can read."""
    try:
        return await call
    except (IntrabarError, StopAsyncIteration):
        raise
    except Exception as error:
        text = f"a fault of the adapter: {type(error).__name__}: {error}"
        raise BadAnswer(redact(text)) from error


async def _alone(call: Awaitable[Outcome]) -> tuple[Outcome, ...]:
    return (await call,)
