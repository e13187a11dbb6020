"""The account at TradeStation: orders, looks, and a stream that is opened again and again.

The vendor does not say our names of orders. An order is known by its own id, which the answer to
its request tells; where that was lost, by what it is, as the one order of which nobody else knows.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from intrabar.brokers.fitting import require_wanted, unfit, unfit_change
from intrabar.brokers.tradestation.looks import LISTED, Looks, had
from intrabar.brokers.tradestation.orders import (
    DURATIONS,
    TYPES,
    change_body,
    changed,
    group_body,
    order_body,
    outcomes,
)
from intrabar.brokers.tradestation.reading import COVERS, grid_of, order_fact
from intrabar.errors import AuthError, BadAnswer, GateError, LinkError, NotFoundError, RateLimited
from intrabar.links.broker import Offer, Wanted
from intrabar.links.clock import Clock
from intrabar.links.lines import delay
from intrabar.links.reading import begin
from intrabar.links.tradestation.client import Client, DeniedError, NotSentError
from intrabar.links.tradestation.credentials import tokens_of
from intrabar.links.tradestation.service import LIVE, NAME, PAPER
from intrabar.model.broker_facts import (
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
from intrabar.model.facts import LinkFact

SIMULATED = "SIM"
"""How the ids of accounts without money begin."""

SYMBOLS_AT_ONCE = 50
TAKEN_OVER = 60.0
"""Seconds before a stream is asked for again that only a person can help."""

CAN = Can(
    types=frozenset(TYPES),
    tifs=frozenset(DURATIONS),
    bracket=True,
    oco=True,
    replace="same",
    dedups=True,
    echoes_id=False,
    fill_ids=False,
    lists_done=LISTED,
    covers=COVERS,
    nets=False,
    fractional=False,
    paper=True,
)


class TradeStation:
    """Orders of one account.

    Parameters
    ----------
    client : Client
    wanted : Wanted
    clock : Clock
    """

    can = CAN

    def __init__(self, client: Client, wanted: Wanted, clock: Clock) -> None:
        self._client, self._wanted, self._clock = client, wanted, clock
        self._looks = Looks(client, wanted.account, clock)
        self._grids: dict[str, Grid] = {}
        self._futures: set[str] = set()
        self._closed = asyncio.Event()
        self._chance = random.Random(0)

    async def connect(self) -> AccountFacts:  # noqa: D102
        account = self._wanted.account
        told = await self._asked("/brokerage/accounts")
        listed = told.get("Accounts")
        if not isinstance(listed, list):
            raise BadAnswer(f"{NAME}: no accounts in the answer: {begin(told)}")
        ids = [str(one.get("AccountID")) for one in listed]
        if account not in ids:
            raise GateError(
                f"{NAME}: this login has no account {account}; it has {', '.join(ids) or 'none'}"
            )
        kinds = {_kind(one) for one in ids}
        signs = {
            "host": self._client.service.kind,
            "account": _kind(account),
            "all accounts": kinds.pop() if len(kinds) == 1 else "mixed",
        }
        currency = str(listed[ids.index(account)].get("Currency") or "")
        await self._learn(self._wanted.symbols)
        facts = AccountFacts(account, signs, currency, dict(self._grids))
        return require_wanted(self._wanted, facts)

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:  # noqa: D102
        refused = unfit(group, self.can, self._grids)
        if refused is not None:
            return (refused,) * len(group)
        account, is_future = self._wanted.account, group[0].symbol in self._futures
        path, body = "/orderexecution/orders", order_body(group[0], account, is_future)
        if len(group) > 1:
            body = group_body(group, account, is_future)
            path = path if "OSOs" in body else "/orderexecution/ordergroups"
        try:
            return outcomes(group, await self._client.send("POST", path, body))
        except LinkError as error:
            return (_not_done(error),) * len(group)

    async def replace(self, ref: Ref, change: Change) -> Outcome:  # noqa: D102
        refused = unfit_change(ref, change, self.can, self._grids)
        return refused or await self._changed("PUT", ref, change_body(change))

    async def cancel(self, ref: Ref) -> Outcome:  # noqa: D102
        return await self._changed("DELETE", ref, None)

    async def find(self, ref: Ref) -> OrderFact | None:  # noqa: D102
        return await self._looks.find(ref)

    async def snapshot(self, since: int) -> Snapshot:  # noqa: D102
        at = self._clock.now()
        parts = {
            ("orders", "fills"): self._looks.of_orders(since),
            ("positions",): self._looks.of_positions(),
            ("balance",): self._looks.of_money(),
        }
        complete: set[str] = set()
        values: dict[str, Any] = {}
        for names, told in zip(parts, await asyncio.gather(*map(had, parts.values())), strict=True):
            if isinstance(told, LinkError):
                error = told
                continue
            complete.update(names)
            values |= told
        if not complete:
            raise error
        return Snapshot(at, frozenset(complete), **values)

    async def events(self) -> AsyncIterator[OrderFact | LinkFact]:  # noqa: D102
        attempt = 0
        path = f"/brokerage/stream/accounts/{quote(self._wanted.account)}/orders"
        while not self._closed.is_set():
            began = self._clock.tick()
            try:
                async with aclosing(self._client.stream(path)) as frames:
                    waiting: list[OrderFact | LinkFact] | None = []  # until all have been told
                    async for told in frames:
                        if told.get("StreamStatus") == "EndSnapshot" and waiting is not None:
                            yield LinkFact("up")
                            for fact in waiting:
                                yield fact
                            waiting = None
                        elif "OrderID" in told and waiting is not None:
                            waiting.append(_read(told))
                        elif "OrderID" in told:
                            yield _read(told)
            except LinkError as error:
                why = error
            except DeniedError as error:
                why = LinkError(str(error))
            if self._closed.is_set():
                return
            yield LinkFact("down", str(why))
            attempt = 0 if self._clock.tick() - began > TAKEN_OVER else attempt + 1
            wait = TAKEN_OVER if isinstance(why, AuthError) else delay(attempt - 1, self._chance)
            if isinstance(why, RateLimited):
                wait = max(wait, why.after)
            await self._rest(wait)

    async def close(self) -> None:  # noqa: D102
        self._closed.set()
        await self._client.close()

    async def _rest(self, seconds: float) -> None:
        """Wait, but for no longer than until it is closed."""
        closed = asyncio.ensure_future(self._closed.wait())
        slept = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait({closed, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            closed.cancel()
            slept.cancel()

    async def _learn(self, symbols: Sequence[str]) -> None:
        """Keep the grids of symbols, and which are futures.

        Raises
        ------
        NotFoundError
            The broker lacks one, or it is no share and no future.
        """
        for first in range(0, len(symbols), SYMBOLS_AT_ONCE):
            some = symbols[first : first + SYMBOLS_AT_ONCE]
            told = await self._asked(f"/marketdata/symbols/{','.join(map(_safe, some))}")
            known = {str(x.get("Symbol")).upper(): x for x in told.get("Symbols") or ()}
            for symbol in some:
                one = known.get(symbol.upper())
                if one is not None and str(one["Symbol"]) != symbol:
                    name = str(one["Symbol"])
                    raise NotFoundError("symbol", symbol, (name,), f"{NAME} writes {name}")
                kind = "" if one is None else str(one.get("AssetType")).upper()
                if one is None or kind not in ("STOCK", "FUTURE"):
                    why = f"{NAME} has none of that name" if one is None else f"it is {kind}"
                    raise NotFoundError("symbol", symbol, (), f"{why}; shares and futures trade")
                self._grids[symbol] = grid_of(one, f"{NAME}: {symbol}")
                if kind == "FUTURE":
                    self._futures.add(symbol)

    async def _changed(self, method: str, ref: Ref, body: dict[str, str] | None) -> Outcome:
        """The answer to a change of an order, by its own id; that is looked for where need be."""
        ids = ref.vendor_ids
        try:
            if not ids:
                found = await self.find(ref)
                if found is None:
                    return Refused("the broker does not know it", not_sent=True, code="not_open")
                ids = (found.vendor_id,)
            path = f"/orderexecution/orders/{quote(ids[-1].replace('-', ''))}"
            return changed(await self._client.send(method, path, body), ids[-1])
        except LinkError as error:
            return _not_done(error) if ref.vendor_ids else Refused(str(error), not_sent=True)

    async def _asked(self, path: str) -> dict[str, Any]:
        try:
            return await self._client.read(path)
        except DeniedError as error:
            raise BadAnswer(f"{NAME}: {path}: {error.text}") from None


def tradestation(credentials: dict[str, Any], wanted: Wanted, clock: Clock) -> TradeStation:
    """An account by the credentials of a login; `links.tradestation.credentials` says which.

    Raises
    ------
    ConfigError, SecretError, MissingExtra
    """
    service = PAPER if wanted.kind == "paper" else LIVE
    tokens = tokens_of(service, credentials, clock)
    client = Client(service, tokens, clock, keeps=True, tries=1)  # the one handle tries again
    return TradeStation(client, wanted, clock)


def _kind(account: str) -> str:
    return "paper" if account.startswith(SIMULATED) else "live"


def _not_done(error: LinkError) -> Outcome:
    """What a request is that was not answered as it should be."""
    text = str(error)
    if isinstance(error, NotSentError):
        return Refused(text, not_sent=True)
    if isinstance(error, RateLimited):
        return Refused(text, not_sent=True, code="rate")
    return Refused(text) if isinstance(error, AuthError) else Unknown(text)


def _read(told: dict[str, Any]) -> OrderFact | LinkFact:
    """An order of the stream; one that nobody can read does not end it."""
    try:
        return order_fact(told)
    except BadAnswer as error:
        return LinkFact("degraded", str(error))


def _safe(symbol: str) -> str:
    return quote(symbol, safe="@$.")


OFFER = Offer(tradestation, CAN)
