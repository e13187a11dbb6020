"""What an account says of itself, held against what its adapter says that it can.

For a person with an account: reads alone, or one order far from the market that is changed and
cancelled. Nothing of it fills.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

from msgspec.structs import replace

from intrabar.errors import IntrabarError, LinkError
from intrabar.links.broker import Broker, Wanted
from intrabar.links.lines import within
from intrabar.model.broker_facts import (
    Accepted,
    Can,
    Change,
    OrderFact,
    Ref,
    Request,
    Snapshot,
)
from intrabar.model.facts import LinkFact
from intrabar.model.secret import redact

CODE_LENGTH = 6
DIGITS = "0123456789abcdefghijklmnopqrstuv"


class Check(NamedTuple):
    """One thing that was looked at; `holds` is None where nobody could see."""

    what: str
    holds: bool | None
    text: str


class Checker:
    """The checks of one account.

    Parameters
    ----------
    broker : Broker
    wanted : Wanted
        Its first symbol is what an order is for.
    seconds : float
        How long an answer, or an event, is waited for.
    """

    def __init__(self, broker: Broker, wanted: Wanted, seconds: float = 30.0) -> None:
        self._broker, self._wanted, self._seconds = broker, wanted, seconds
        self.checks: list[Check] = []
        self._facts: list[Any] = []
        self._news = asyncio.Event()
        self._code = "".join(secrets.choice(DIGITS) for _ in range(CODE_LENGTH))

    async def run(self, limit: float | None = None) -> list[Check]:
        """All checks; with the price of a limit also those of an order.

        Raises
        ------
        LinkError, GateError, NotFoundError
            There is no such account, or it is not reached.
        """
        listening: asyncio.Task[None] | None = None
        try:
            await self._account()
            listening = asyncio.ensure_future(self._listen())
            up = await self._told(lambda fact: isinstance(fact, LinkFact) and fact.state == "up")
            self._note("its stream says that it is up", up is not None, "")
            await self._look()
            await self._absent()
            if limit is not None:
                await self._order(limit)
        finally:
            if listening is not None:
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError, IntrabarError):
                    await listening
            await self._broker.close()
        return self.checks

    async def _account(self) -> None:
        facts = await within(self._seconds, self._broker.connect(), "the login")
        said = ", ".join(f"{name} says {kind}" for name, kind in facts.signs.items())
        self._note("the account is the one that is wanted", True, f"{facts.id}: {said}")
        for symbol, grid in facts.grids.items():
            self._note(f"the grid of {symbol}", True, f"tick {grid.tick:g}, lot {grid.lot:g}")

    async def _look(self) -> None:
        look = await self._snapshot()
        missing = sorted({"orders", "fills", "positions", "balance"} - look.complete)
        what = f"{len(look.orders)} orders, {len(look.positions)} positions, {look.balance:.2f}"
        self._note("a look has everything", not missing, ", ".join(missing) or what)
        again = await self._snapshot()
        self._note("a second look is the same", again.positions == look.positions, "")

    async def _absent(self) -> None:
        name = f"{self._code}-zz-0"
        request = Request(name, self._wanted.symbols[0], 1, "limit", 1.0, 1.0)
        found = await within(self._seconds, self._broker.find(Ref(request)), "a look-up")
        self._note("an order that was not sent is not found", found is None, "")

    # One order, far from the market

    async def _order(self, limit: float) -> None:
        can = self._broker.can
        tif = next(x for x in ("day", "gtc", "gtd") if x in can.tifs)
        name = f"{self._code}-1-0"
        request = Request(name, self._wanted.symbols[0], 1, "limit", 1.0, limit, tif=tif)
        left: dict[str, Ref] = {}
        try:
            await self._sent(request, can, left)
        finally:
            for ref in left.values():
                await self._cancelled(ref)

    async def _sent(self, request: Request, can: Can, left: dict[str, Ref]) -> None:
        left[request.client_id] = Ref(request)
        (outcome,) = await within(self._seconds, self._broker.submit((request,)), "an order")
        took = isinstance(outcome, Accepted)
        self._note("it takes an order", took, "" if took else _text(outcome))
        if not isinstance(outcome, Accepted):
            return
        told = await self._told(self._of(request.client_id, outcome.vendor_id))
        vendor_id = outcome.vendor_id or getattr(told, "vendor_id", "")
        ref = left[request.client_id] = Ref(request, (vendor_id,))
        self._note("its stream tells the order", told is not None, "")
        if told is not None:
            echoes = told.client_id == request.client_id
            self._note("echoes_id", echoes == can.echoes_id, f"{can.echoes_id}, seen {echoes}")
        fact = await within(self._seconds, self._broker.find(ref), "a look-up")
        self._note("it finds the order", fact is not None, "")
        await self._changed(ref, can, left)

    async def _changed(self, ref: Ref, can: Can, left: dict[str, Ref]) -> None:
        order = ref.order
        name = f"{self._code}-1-1" if can.replace == "new_order" else ""
        change = Change(order.qty, order.limit_price * 2, client_id=name)
        outcome = await within(self._seconds, self._broker.replace(ref, change), "a change")
        if not isinstance(outcome, Accepted):
            self._note("it changes the order", False, _text(outcome))
            return
        after = replace(order, client_id=name or order.client_id, limit_price=change.limit_price)
        ids = (outcome.vendor_id,) if outcome.vendor_id else ref.vendor_ids
        left[after.client_id] = now = Ref(after, ids)
        fact = await within(self._seconds, self._broker.find(now), "a look-up")
        stands = fact is not None and fact.limit_price == change.limit_price
        self._note("it changes the order", stands, "")
        made = "new_order" if ids[-1] not in ref.vendor_ids else "same"
        self._note("replace", made == can.replace, f"{can.replace}, seen {made}")

    async def _cancelled(self, ref: Ref) -> None:
        try:
            outcome = await within(self._seconds, self._broker.cancel(ref), "a cancel")
            is_over = lambda x: self._of(ref.client_id, *ref.vendor_ids)(x) and x.state in OVER  # noqa: E731
            told = await self._told(is_over)
            fact = await within(self._seconds, self._broker.find(ref), "a look-up")
        except IntrabarError as error:
            outcome, told, fact = error, None, None  # type: ignore[assignment]
        over = fact is None or fact.state in OVER
        text = (
            ""
            if over
            else f"CANCEL IT BY HAND: order {', '.join(ref.vendor_ids)}: {_text(outcome)}"
        )
        self._note(f"{ref.client_id} is over", over, text)
        if over and ref.vendor_ids:
            self._note("its stream tells the end", told is not None, "")
            look = await self._snapshot()
            has = any(x.vendor_id in ref.vendor_ids for x in look.orders)
            self._note("a look lists what is over", has, "")

    # What it all stands on

    async def _listen(self) -> None:
        async for fact in self._broker.events():
            self._facts.append(fact)
            self._news.set()

    async def _told(self, is_it: Callable[[Any], bool]) -> Any:
        """The newest fact of a kind; None where none comes."""

        async def wait() -> Any:
            while not (found := [fact for fact in self._facts if is_it(fact)]):
                self._news.clear()
                await self._news.wait()
            return found[-1]

        with contextlib.suppress(LinkError):
            return await within(self._seconds, wait(), "an event")
        return None

    @staticmethod
    def _of(client_id: str, *vendor_ids: str) -> Callable[[Any], bool]:
        return lambda fact: (
            isinstance(fact, OrderFact)
            and (fact.client_id == client_id or fact.vendor_id in vendor_ids)
        )

    async def _snapshot(self) -> Snapshot:
        return await within(self._seconds, self._broker.snapshot(0), "a look")

    def _note(self, what: str, holds: bool | None, text: str) -> None:
        self.checks.append(Check(what, holds, redact(text)))


OVER = frozenset({"filled", "cancelled", "expired", "rejected"})


def _text(outcome: Any) -> str:
    return str(getattr(outcome, "text", outcome))
