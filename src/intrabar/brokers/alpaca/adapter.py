"""The adapter of Alpaca: what is asked of an account there, and what its stream tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, nullcontext
from typing import Any

from intrabar.brokers.alpaca import words
from intrabar.brokers.alpaca.listening import Fact, Listening
from intrabar.brokers.alpaca.looks import Looks
from intrabar.brokers.fitting import decimal_text, unfit, unfit_change
from intrabar.errors import (
    AuthError,
    BadAnswer,
    GateError,
    IntrabarError,
    LinkError,
    NotFoundError,
    RateLimited,
)
from intrabar.links.alpaca.hosts import KEY, LIVE, PAPER, SECRET, Hosts, Keys
from intrabar.links.alpaca.rest import NotSent, Refusal, Rest, asset_path
from intrabar.links.alpaca.streams import USUAL, Limits
from intrabar.links.broker import Offer, Wanted
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.reading import begin
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import (
    Accepted,
    AccountFacts,
    Can,
    Change,
    Grid,
    OrderFact,
    Outcome,
    Ref,
    Refused,
    Request,
    Snapshot,
    Unknown,
)

GRID = Grid(tick=0.01, lot=1.0, point_value=1.0)
_BLOCKS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
_YOUNGER = 60 * SECOND_NS  # than this before our request is an order that has its name already


class Alpaca:
    """One account at Alpaca.

    Parameters
    ----------
    credentials : dict
        `api_key`, `secret_key`: references or secrets; else from `APCA_API_KEY_ID` and
        `APCA_API_SECRET_KEY`.
    wanted : Wanted
    clock : Clock
    hosts : Hosts, optional
        None: those of the kind that is wanted.
    limits : Limits, optional
        Of the stream.
    seconds : float
        In which a request is over.
    """

    can = Can(
        types=frozenset(words.TYPES),
        tifs=frozenset(words.TIFS),
        bracket=True,
        oco=True,
        replace="new_order",
        dedups=True,
        echoes_id=True,
        fill_ids=False,
        lists_done=365 * DAY_NS,
        covers=words.COVERS,
        nets=False,
        fractional=False,
        paper=True,
    )

    def __init__(
        self,
        credentials: dict[str, Any],
        wanted: Wanted,
        clock: Clock,
        *,
        hosts: Hosts | None = None,
        limits: Limits = USUAL,
        seconds: float = 10.0,
    ) -> None:
        require_known("alpaca", credentials, ("api_key", "secret_key"))
        self._keys = Keys(
            secret_of("alpaca", credentials, "api_key", KEY),
            secret_of("alpaca", credentials, "secret_key", SECRET),
        )
        self._wanted, self._clock = wanted, clock
        self._hosts = hosts or (LIVE if wanted.kind == "live" else PAPER)
        self._rest = Rest(self._hosts, self._keys, clock, seconds=seconds)
        self._looks = Looks(self._rest, clock)
        self._listening = Listening(self._hosts, self._keys, self._looks, clock, limits)
        self._grids: dict[str, Grid] = {}

    async def connect(self) -> AccountFacts:  # noqa: D102
        signs = {"host": self._hosts.kind, "key": self._keys.kind}
        self._require_kind(signs, "the key")  # before anything is asked
        told = await self._looks.account()
        account = str(told.get("account_number") or "")
        if account.startswith("PA"):
            signs["account"] = "paper"
        self._require_kind(signs, f"account {account}")
        if account != self._wanted.account:
            raise GateError(
                f"alpaca: the keys are of account {account}, wanted is {self._wanted.account}"
            )
        blocks = [name for name in _BLOCKS if told.get(name)]
        if told.get("status") != "ACTIVE" or blocks:
            what = ", ".join([f"status {told.get('status')}", *blocks])
            raise GateError(f"alpaca: account {account} may not trade ({what})")
        self._grids = {symbol: await self._grid(symbol) for symbol in self._wanted.symbols}
        currency = str(told.get("currency") or "USD")
        return AccountFacts(account, signs, currency, dict(self._grids))

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:  # noqa: D102
        refusal = self._unfit(group)
        if refusal is not None:
            return (refusal,) * len(group)
        with self._listening.naming() if len(group) > 1 else nullcontext():
            return await self._sent(group, words.body_of(group))

    async def _sent(self, group: tuple[Request, ...], body: dict[str, Any]) -> tuple[Outcome, ...]:
        sent = self._clock.now()
        try:
            told = await self._rest.once("POST", "/orders", body)
            return self._taken(group, told, body)
        except (Refusal, LinkError) as error:
            if isinstance(error, Refusal) and "unique" in error.text.lower():
                return await self._taken_before(group, body, sent)
            return (_outcome(error),) * len(group)

    async def replace(self, ref: Ref, change: Change) -> Outcome:  # noqa: D102
        refusal = unfit_change(ref, change, self.can, self._grids)
        if refusal is not None:
            return refusal
        try:
            order = await self._looks.newest(ref)
            if order is None:
                return Refused(f"alpaca has no order {ref.client_id}", code="not_open")
            fact = await self._looks.fact(order)
            if fact.state not in ("acked", "working", "partial"):
                return Refused(f"the order is {order.get('status')}", code="not_open")
            body = words.prices_of(change.limit_price, change.stop_price)
            if change.client_id:
                body["client_order_id"] = change.client_id
            total = change.qty if change.qty == change.qty else fact.qty
            if fact.filled or total != fact.qty:  # else a part that has filled is asked for again
                if total <= fact.filled:
                    return Refused(f"{fact.filled:g} have filled", code="invalid_quantity")
                body["qty"] = decimal_text(total - fact.filled)
            told = await self._rest.once("PATCH", f"/orders/{order['id']}", body)
        except (Refusal, LinkError) as error:
            return _outcome(error, "not_open")
        if not isinstance(told, dict) or not told.get("id"):
            return Unknown(f"the answer cannot be read: {begin(told)}")
        return Accepted(str(told["id"]))

    async def cancel(self, ref: Ref) -> Outcome:  # noqa: D102
        try:
            order = await self._looks.newest(ref)
            if order is None:
                return Refused(f"alpaca has no order {ref.client_id}", code="not_open")
            await self._rest.once("DELETE", f"/orders/{order['id']}")
        except (Refusal, LinkError) as error:
            return _outcome(error, "not_open")
        return Accepted(str(order["id"]))

    async def find(self, ref: Ref) -> OrderFact | None:  # noqa: D102
        try:
            order = await self._looks.found(ref)
            return None if order is None else await self._looks.fact(order)
        except Refusal as error:
            raise BadAnswer(f"alpaca: {ref.client_id}: {error.text}") from None

    async def snapshot(self, since: int) -> Snapshot:  # noqa: D102
        return await self._looks.snapshot(since)

    async def events(self) -> AsyncIterator[Fact]:  # noqa: D102
        async with aclosing(self._listening.events()) as facts:
            async for fact in facts:
                yield fact

    async def close(self) -> None:  # noqa: D102
        self._listening.closed.set()
        self._rest.close()

    # Sending

    def _unfit(self, group: tuple[Request, ...]) -> Refused | None:
        found = unfit(group, self.can, self._grids)
        if found is not None:
            return found
        entry, *others = group
        if not others:
            is_child = bool(entry.parent or entry.oco)
            text = "alternatives and children leave together, or not at all"
            return Refused(text, not_sent=True, code="cannot") if is_child else None
        if not others[0].parent and any(x.opens for x in group):
            text = "alpaca takes exits as alternatives, not entries"
            return Refused(text, not_sent=True, code="cannot")
        kinds = sorted(x.type == "limit" for x in (others if others[0].parent else group))
        if kinds not in ([False], [True], [False, True]):
            text = "alpaca takes one stop and one target with an entry, or as alternatives"
            return Refused(text, not_sent=True, code="cannot")
        if any(x.tif not in ("day", "gtc") for x in group):
            text = "alpaca takes orders that go together as day or gtc only"
            return Refused(text, not_sent=True, code="cannot")
        return None

    def _taken(
        self, group: tuple[Request, ...], told: Any, body: Mapping[str, Any]
    ) -> tuple[Outcome, ...]:
        """The answers to a group of which Alpaca has shown the order."""
        listed = words.flat([told], "alpaca: the answer to an order")
        if words.said(listed[0][0]) != body["client_order_id"]:
            raise BadAnswer(f"alpaca: an order of another name was answered: {begin(told)}")
        return tuple(self._outcome_of(request, listed, body) for request in group)

    def _outcome_of(self, request: Request, listed: list[Any], body: Mapping[str, Any]) -> Outcome:
        is_first = request.client_id == body["client_order_id"]
        for order, parent in listed:
            is_its = is_first or words.is_limit(order) == (request.type == "limit")
            if (parent is None) != is_first or not is_its:
                continue
            fact = self._looks.noted(order, parent, request.client_id)
            if fact.state == "rejected":
                return Refused(fact.text)
            return Accepted(fact.vendor_id, works=fact.state in ("working", "partial", "filled"))
        return Unknown(f"{request.client_id} is not in the answer")

    async def _taken_before(
        self, group: tuple[Request, ...], body: Mapping[str, Any], sent: int
    ) -> tuple[Outcome, ...]:
        """The answers where an order has that name: it is this one, or another one (spec 7)."""
        try:
            order = await self._looks.by_name(str(body["client_order_id"]))
            if order is None:
                return (Unknown("its name is taken, and the order is not found"),) * len(group)
            if words.is_same(order, body) and words.created(order) >= sent - _YOUNGER:
                return self._taken(group, order, body)
        except (Refusal, LinkError) as error:
            return (Unknown(str(error)),) * len(group)
        text = f"alpaca has another order of the name {body['client_order_id']}"
        return (Refused(text, code="id_clash"),) * len(group)

    async def _grid(self, symbol: str) -> Grid:
        try:
            told = await self._rest.read("trading", asset_path(symbol), {})
        except Refusal as error:
            raise NotFoundError("symbol", symbol, (), f"alpaca: {error.text}") from None
        if not isinstance(told, dict) or not told.get("tradable"):
            raise NotFoundError("symbol", symbol, (), "alpaca does not trade it")
        return GRID

    def _require_kind(self, signs: Mapping[str, str], what: str) -> None:
        if set(signs.values()) != {self._wanted.kind}:
            said = ", ".join(f"{name} says {kind}" for name, kind in signs.items())
            raise GateError(
                f"alpaca: {what} is refused as {self._wanted.kind}: {said}; keys of the paper "
                "account begin with PK, those of real money with AK"
            )


def _outcome(error: IntrabarError, otherwise: Any = "") -> Outcome:
    """What an error makes of a request."""
    if isinstance(error, Refusal):
        return words.refused(error, otherwise)
    if isinstance(error, NotSent):
        return Refused(str(error), not_sent=True)
    if isinstance(error, RateLimited):
        return Refused(str(error), not_sent=True, code="rate")
    if isinstance(error, AuthError):
        return Refused(str(error))
    return Unknown(str(error))


OFFER = Offer(Alpaca, Alpaca.can)
