"""What an order is to TWS, and what TWS answers to it.

A refusal is believed where TWS gives a code that refuses; anything else that it remarks of an
order is no end of it (10349, 399): then a look decides. An answer belongs to the request that it
answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.ibkr.reading import vendor_id
from intrabar.brokers.ibkr.words import (
    CANCELLED,
    DOUBTS,
    HARMLESS,
    NOT_OPEN,
    REFUSES,
    TIFS,
    TYPES,
    code_of,
    state_of,
)
from intrabar.errors import LinkError
from intrabar.links.clock import Clock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.times import utc_text
from intrabar.model.broker_facts import Accepted, Change, Outcome, Refused, Request, Unknown

OVERFILL_BLOCK = 2
"""OCA type: what fills takes as much from the others, and one of them at a time is at the venue."""
PATIENCE = 1.0
"""Seconds in which a state may still come, after TWS has an order or has remarked something."""
OUTSIDE = frozenset({"FUT", "CASH"})
"""Kinds whose stops must work at night: there IB's regular hours are a part of the session."""

Look = Callable[[int], Awaitable[raw.Order | raw.Completed | None]]


def fields_of(
    request: Request, kind: str, account: str, group: str, *, parent: int = 0, transmit: bool = True
) -> dict[str, Any]:
    """An order as `ib_async.Order` has it; its time in force always, or TWS puts one in."""
    fields: dict[str, Any] = {
        "action": "BUY" if request.side > 0 else "SELL",
        "totalQuantity": request.qty,
        "orderType": TYPES[request.type],
        "tif": "DAY" if request.type == "moc" else TIFS[request.tif],
        "account": account,
        "orderRef": request.client_id,
        "parentId": parent,
        "transmit": transmit,
        "outsideRth": kind in OUTSIDE,
    }
    if request.type in ("limit", "stop_limit"):
        fields["lmtPrice"] = request.limit_price
    if request.type in ("stop", "stop_limit"):
        fields["auxPrice"] = request.stop_price
    if request.tif == "gtd":
        fields["goodTillDate"] = utc_text(request.until)
    if group:
        fields |= {"ocaGroup": group, "ocaType": OVERFILL_BLOCK}
    return fields


def changed(order: Request, change: Change, there: raw.Order) -> Request:
    """What an order is to be: what the change leaves alone stays as it is there."""
    return replace(
        order,
        qty=there.qty if change.qty != change.qty else change.qty,
        limit_price=_over(change.limit_price, order.limit_price, there.limit),
        stop_price=_over(change.stop_price, order.stop_price, there.stop),
    )


def _over(wanted: float, sent: float, there: float) -> float:
    if sent != sent:
        return sent  # the type has no such price
    return there if wanted != wanted else wanted


class Answers:
    """What TWS answers to requests about orders.

    Parameters
    ----------
    clock : Clock
    seconds : float
        After which nobody knows.
    look : callable
        What TWS has of an order by its number; None: it is neither among those that work nor among
        those that are over.
    """

    def __init__(
        self, clock: Clock, seconds: float, look: Look, patience: float = PATIENCE
    ) -> None:
        self._clock, self._seconds, self._look = clock, seconds, look
        self._patience = min(patience, seconds)

    async def to_submit(
        self, numbers: list[int], news: asyncio.Queue[raw.Fact]
    ) -> tuple[Outcome, ...]:
        """The answers to orders that have left together."""
        said: dict[int, _Said] = {number: _Said() for number in numbers}
        end = self._clock.tick() + self._seconds
        while any(one.outcome is None for one in said.values()):
            fact = await self._next(news, self._due(said, end))
            if isinstance(fact, raw.Lost):
                break
            if fact is None:
                if self._clock.tick() >= end:
                    break
                await self._look_up(said)
                continue
            if (one := said.get(_number_of(fact))) is not None:
                one.hear(fact, self._clock.tick() + self._patience)
        return tuple(one.settled() for one in said.values())

    async def to_change(
        self, number: int, wanted: Request, news: asyncio.Queue[raw.Fact]
    ) -> Outcome:
        """The answer to what an order is to be."""
        end = self._clock.tick() + self._seconds
        why = ""
        while (fact := await self._next(news, end)) is not None:
            if isinstance(fact, raw.Lost):
                return Unknown(fact.why)
            if isinstance(fact, raw.Notice) and fact.id == number:
                if fact.code in REFUSES | NOT_OPEN:
                    return Refused(fact.text, code=code_of(fact))
                why = fact.text if fact.code not in HARMLESS else why
            elif isinstance(fact, raw.Order) and stands(fact, wanted):
                works = state_of(fact.status, fact.type, "") == "working"
                return Accepted(vendor_id(fact.perm_id), works)
        return Unknown(why or f"TWS: no answer to a change in {self._seconds:g} s")

    async def to_cancel(self, number: int, news: asyncio.Queue[raw.Fact]) -> Outcome:
        """The answer to the wish for an order's end."""
        end = self._clock.tick() + self._seconds
        while (fact := await self._next(news, end)) is not None:
            if isinstance(fact, raw.Lost):
                return Unknown(fact.why)
            if isinstance(fact, raw.Notice) and fact.id == number:
                if fact.code == CANCELLED:
                    return Accepted()
                if fact.code in NOT_OPEN:
                    return Refused(fact.text, code="not_open")
            elif isinstance(fact, raw.Status):
                if fact.status in ("PendingCancel", "Cancelled", "ApiCancelled"):
                    return Accepted(vendor_id(fact.perm_id))
                if fact.status == "Filled":
                    return Refused("it has filled", code="not_open")
        return Unknown(f"TWS: no answer to a cancel in {self._seconds:g} s")

    async def _next(self, news: asyncio.Queue[raw.Fact], until: float) -> raw.Fact | None:
        left = until - self._clock.tick()
        try:
            async with asyncio.timeout(max(left, 0.0)):
                return await news.get()
        except TimeoutError:
            return None

    def _due(self, said: dict[int, _Said], end: float) -> float:
        waits = [one.until for one in said.values() if one.outcome is None and one.until]
        return min(waits, default=end)

    async def _look_up(self, said: dict[int, _Said]) -> None:
        """Settle by a look what TWS has remarked on, and does not say more of."""
        for number, one in said.items():
            if one.outcome is not None or not one.until:
                continue
            one.until = 0.0
            if not one.why:
                one.outcome = Accepted(one.vendor_id)
                continue
            try:
                there = await self._look(number)
            except LinkError:
                continue
            if there is None:
                one.outcome = Refused(one.why)
            elif isinstance(there, raw.Order) or there.status != "Inactive":
                one.outcome = Accepted(vendor_id(there.perm_id))
            else:
                one.outcome = Refused(one.why)


class _Said:
    """What was said of one order that has left."""

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self.acked, self.why, self.vendor_id = False, "", ""
        self.until = 0.0  # when it is looked up, or taken as it is

    def hear(self, fact: raw.Fact, until: float) -> None:
        if self.outcome is not None:
            return
        if isinstance(fact, raw.Notice):
            if fact.code in REFUSES:
                self.outcome = Refused(fact.text, code=code_of(fact))
            elif fact.code in DOUBTS:
                self.outcome = Unknown(fact.text)
            elif fact.code not in HARMLESS and fact.code != CANCELLED:
                self.why, self.until = fact.text, until
        elif isinstance(fact, raw.Order | raw.Status):
            self.vendor_id = vendor_id(fact.perm_id) or self.vendor_id
            if fact.status in ("ApiPending", "PendingSubmit", "Inactive"):
                self.acked = self.acked or fact.status != "ApiPending"
                self.until = self.until or until
            elif isinstance(fact, raw.Status) or fact.status not in ("PreSubmitted", "Submitted"):
                self.outcome = Accepted(self.vendor_id, fact.status == "Submitted")
            else:
                self.acked, self.until = True, self.until or until

    def settled(self) -> Outcome:
        if self.outcome is not None:
            return self.outcome
        if self.acked:
            return Accepted(self.vendor_id)
        return Unknown(self.why or "TWS: no answer to an order")


def stands(there: raw.Order, wanted: Request) -> bool:
    """Whether an order is there as it was wished for."""
    pairs = (
        (wanted.qty, there.qty),
        (wanted.limit_price, there.limit),
        (wanted.stop_price, there.stop),
    )
    return all(asked != asked or asked == found for asked, found in pairs)


def _number_of(fact: raw.Fact) -> int:
    if isinstance(fact, raw.Notice):
        return fact.id
    return fact.order_id if isinstance(fact, raw.Order | raw.Status) else -1
