"""Orders of one account at Public.com.

There is no stream: what is open is asked for again and again, and what differs from what was told
is told. The vendor takes orders before it shows them, so that one may be unknown to it for a while
although it lives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.fitting import unfit, unfit_change
from intrabar.brokers.public.ids import order_id
from intrabar.brokers.public.looks import OVER, Looks, is_child
from intrabar.brokers.public.watch import Fact, Watch
from intrabar.brokers.public.words import (
    COVERS,
    DAYS,
    NAN,
    TYPES,
    change_of,
    declined,
    flaw,
    is_that,
    meant,
    order_of,
    refused,
    symbol_of,
)
from intrabar.errors import (
    AuthError,
    GateError,
    LinkError,
    NotFoundError,
    RateLimited,
)
from intrabar.links.broker import Offer, Wanted
from intrabar.links.clock import Clock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.public import (
    URL,
    VARIABLE,
    AbsentError,
    DeclinedError,
    Holdings,
    Order,
    Public,
    UnsentError,
)
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

NO_PAPER = "Public has no paper accounts; `intrabar paper` simulates on its bars"
TICK, PART = 0.01, 0.00001
SHARE = Grid(TICK, PART, 1.0)


def make(credentials: dict[str, Any], wanted: Wanted, clock: Clock) -> PublicBroker:
    """The broker of a configuration; its credentials are `secret`.

    Raises
    ------
    GateError, ConfigError
    """
    require_known("public", credentials, ("secret",))
    secret = secret_of("public", credentials, "secret", VARIABLE)
    return PublicBroker(Public(secret, clock), wanted, clock)


class PublicBroker:
    """An account.

    Parameters
    ----------
    link : Public
    wanted : Wanted
    clock : Clock
    pause : float
        Seconds between two questions for what is open.
    host : str
        What is real money: any other host than the vendor's says nothing.

    Raises
    ------
    GateError
        A paper account is wanted.
    """

    can = Can(
        frozenset(TYPES),
        frozenset({"day", "gtd"}),
        bracket=True,
        oco=False,
        replace="new_order",
        dedups=True,
        echoes_id=True,
        fill_ids=True,
        lists_done=DAYS * DAY_NS,
        covers=COVERS,
        nets=False,
        fractional=True,
        paper=False,
    )

    def __init__(
        self, link: Public, wanted: Wanted, clock: Clock, *, pause: float = 2.0, host: str = URL
    ) -> None:
        if wanted.kind == "paper":
            raise GateError(NO_PAPER)
        self._link, self._wanted, self._clock = link, wanted, clock
        self._account, self._host = wanted.account, host
        self._grids: dict[str, Grid] = {}
        self._looks = Looks(link, wanted.account, clock)
        self._watch = Watch(self._looks, clock, pause)

    async def connect(self) -> AccountFacts:  # noqa: D102
        accounts = {one.account_id: one for one in await self._looks.accounts()}
        if self._account not in accounts:
            names = ", ".join(sorted(accounts)) or "none"
            raise GateError(f"the login has no account {self._account}; it has: {names}")
        may = accounts[self._account].trade_permissions
        if may is None or may.value != "BUY_AND_SELL":
            word = "nothing of what it may" if may is None else may.value
            raise GateError(f"account {self._account} may not trade freely: Public says {word}")
        self._grids = {symbol: await self._grid(symbol) for symbol in self._wanted.symbols}
        kind = "live" if self._link.url == self._host else "unknown"
        signs = {"host": kind, "permission": "live"}
        return AccountFacts(self._account, signs, "USD", self._grids)

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:  # noqa: D102
        now = self._clock.now()
        group = tuple(meant(request, now) for request in group)
        no = unfit(group, self.can, self._grid_of(group[0].symbol)) or flaw(group, now)
        if no is not None:
            return (no,) * len(group)
        order = order_of(group, self._account)
        vendor_id = order["orderId"]
        self._watch.expect(vendor_id)
        outcome = await self._answered(self._link.place(self._account, order), vendor_id)
        if not isinstance(outcome, Accepted):
            return (outcome,) * len(group)
        # The vendor takes an id that it has for the order that it has, whatever is asked.
        shown = await self._link.glimpse(self._account, vendor_id)
        if shown is not None and not is_that(shown, group[0]):
            no = Refused(f"{group[0].client_id} is the name of another order", code="id_clash")
            return (no,) * len(group)
        return (outcome, *(Accepted() for _ in group[1:]))

    async def replace(self, ref: Ref, change: Change) -> Outcome:  # noqa: D102
        no = unfit_change(ref, change, self.can, self._grid_of(ref.order.symbol))
        if no is not None:
            return no
        try:
            standing = await self._looks.standing(ref)
        except LinkError as error:
            return Refused(str(error), not_sent=True)
        if standing is None or self._looks.fact(standing).state in OVER:
            return refused("not an open order", "not_open")
        # A new order with fills of its own: its quantity is what is left of the old one.
        filled = standing.filled_quantity or Decimal(0)
        qty = ref.order.qty if change.qty != change.qty else change.qty
        left = float(Decimal(repr(qty)) - filled)
        if not left > 0.0:
            return refused(f"{filled} have filled, {qty:g} in all leaves nothing", "not_open")
        prices = {"limit_price": change.limit_price, "stop_price": change.stop_price}
        told = {name: price for name, price in prices.items() if price == price}
        now = self._clock.now()
        order = replace(ref.order, client_id=change.client_id, qty=left, **told)
        body = change_of(meant(order, now), standing.order_id, self._account)
        self._watch.expect(body["requestId"])
        return await self._answered(self._link.replace(self._account, body), body["requestId"])

    async def cancel(self, ref: Ref) -> Outcome:  # noqa: D102
        vendor_id = ref.vendor_ids[-1] if ref.vendor_ids else ""
        if not vendor_id and not is_child(ref):
            vendor_id = order_id(ref.client_id, self._account)
        if not vendor_id:
            try:
                standing = await self._looks.standing(ref)
            except LinkError as error:
                return Refused(str(error), not_sent=True)
            if standing is None:
                return refused("Public has not made this order of a bracket yet", "not_open")
            vendor_id = standing.order_id
        return await self._answered(self._link.cancel(self._account, vendor_id), vendor_id)

    async def find(self, ref: Ref) -> OrderFact | None:  # noqa: D102
        standing = await self._looks.standing(ref)
        if standing is not None:
            among = await self._looks.orders() if standing.status.value == "REPLACED" else ()
            return replace(self._looks.fact(standing, among), client_id=ref.client_id)
        return await self._looks.unborn(ref) if is_child(ref) else None

    async def snapshot(self, since: int) -> Snapshot:  # noqa: D102
        at = self._clock.now()
        complete = {"orders", "fills", "positions", "balance"}
        held = await self._looks.portfolio()
        orders: dict[str, Order] = {o.order_id: o for o in held.orders}
        done_since = at - DAYS * DAY_NS
        try:
            orders |= {order.order_id: order for order in await self._looks.orders()}
        except LinkError:
            complete -= {"orders", "fills"}
        balance = NAN if held.total_account_value is None else float(held.total_account_value)
        if balance != balance:
            complete.discard("balance")
        facts = [self._looks.fact(order, orders.values()) for order in orders.values()]
        whole = [order for order in orders.values() if isinstance(order, Order)]
        fills = [fill for order in whole for fill in self._looks.fills(order)]
        return Snapshot(
            at,
            frozenset(complete),
            tuple(f for f in facts if f.state not in OVER or f.time >= since),
            tuple(fill for fill in fills if fill.time >= since),
            _positions(held),
            balance,
            done_since,
            funds=float(held.buying_power.buying_power),
        )

    def events(self) -> AsyncIterator[Fact]:  # noqa: D102
        return self._watch.events()

    async def close(self) -> None:  # noqa: D102
        self._watch.close()
        await self._link.close()

    async def _answered(self, call: Any, vendor_id: str) -> Outcome:
        """What becomes of a request."""
        try:
            await call
        except AbsentError as error:
            return Refused(str(error), code="not_open")
        except DeclinedError as error:
            return declined(str(error))
        except RateLimited as error:
            return Refused(str(error), not_sent=True, code="rate")
        except (UnsentError, AuthError) as error:
            return Refused(str(error), not_sent=True)
        except LinkError as error:
            return Unknown(str(error))
        return Accepted(vendor_id)

    async def _grid(self, symbol: str) -> Grid:
        try:
            found = await self._link.instrument(symbol)
        except (AbsentError, DeclinedError) as error:
            raise NotFoundError("symbol", symbol, (), str(error)) from None
        if found.trading.value != "BUY_AND_SELL":
            raise NotFoundError("symbol", symbol, (), f"Public says {found.trading.value} of it")
        parts = found.fractional_trading.value == "BUY_AND_SELL"
        return Grid(TICK, PART if parts else 1.0, 1.0)

    def _grid_of(self, symbol: str) -> dict[str, Grid]:
        return {symbol: self._grids.get(symbol, SHARE)}


def _positions(held: Holdings) -> dict[str, tuple[float, float]]:
    found = {}
    for one in held.positions:
        basis = one.cost_basis
        paid = None if basis is None else basis.unit_cost
        average = NAN if paid is None else float(paid)
        found[symbol_of(one.instrument)] = (float(one.quantity), average)
    return {symbol: held for symbol, held in found.items() if held[0]}


OFFER = Offer(make, PublicBroker.can)
