"""Orders of one account at Moomoo.

Our name of an order stands in its remark and comes back. OpenD pushes what changes; it is asked for
the day's orders besides, for a push may be lost, and after each gap.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from intrabar.brokers.fitting import unfit, unfit_change
from intrabar.brokers.moomoo.line import Line
from intrabar.brokers.moomoo.watch import Fact, Watch
from intrabar.brokers.moomoo.words import (
    EASTERN,
    NAN,
    OVER,
    TIFS,
    TYPES,
    declined,
    fact_of,
    fills_of,
    of_the_day,
    order_of,
    prices_of,
    symbol_of,
)
from intrabar.errors import ConfigError, GateError, IntrabarError, LinkError, RateLimited
from intrabar.links.broker import Offer, Wanted
from intrabar.links.clock import Clock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.moomoo import PORT, DeclinedError, Row, UnsentError, require_package
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
from intrabar.model.secret import Secret

VARIABLE = "MOOMOO_TRADE_PASSWORD"
DAYS = 7
"""Days of orders that are over which a look asks for."""
TICK = 0.01
SHARES = ("STOCK", "STOCK_AND_OPTION")


def can_of(kind: str) -> Can:
    """What a simulated account, or a real one, is able to."""
    is_real = kind == "live"
    return Can(
        frozenset(TYPES if is_real else ("market", "limit")),
        frozenset(TIFS if is_real else ("day",)),
        bracket=False,
        oco=False,
        replace="same",
        dedups=False,
        echoes_id=True,
        fill_ids=is_real,
        lists_done=DAYS * DAY_NS,
        covers=frozenset({"SUBMITTED"} if is_real else ()),
        nets=False,
        fractional=False,
        paper=True,
    )


def make(credentials: dict[str, Any], wanted: Wanted, clock: Clock) -> MoomooBroker:
    """The broker of a configuration: `port` of OpenD, and `trade_password` of a real account.

    Raises
    ------
    ConfigError, MissingExtra
    """
    require_package()
    require_known("moomoo", credentials, ("port", "trade_password"))
    port = credentials.get("port", PORT)
    if not isinstance(port, int) or not 0 < port < 65_536:
        raise ConfigError(f"credentials.port of moomoo: {port!r} is no port of OpenD; write {PORT}")
    password = None
    if wanted.kind == "live":
        password = secret_of("moomoo", credentials, "trade_password", VARIABLE)
    return MoomooBroker(wanted, clock, port=port, password=password)


class MoomooBroker:
    """An account.

    Parameters
    ----------
    wanted : Wanted
    clock : Clock
    port : int
    password : Secret, optional
        Unlocks trading with real money.
    seconds, login : float
        Deadlines of a call, and of a connection.
    pause : float
        Seconds between two questions for the day's orders.
    """

    def __init__(
        self,
        wanted: Wanted,
        clock: Clock,
        *,
        port: int = PORT,
        password: Secret | None = None,
        seconds: float = 10.0,
        login: float = 30.0,
        pause: float = 10.0,
    ) -> None:
        self.can = can_of(wanted.kind)
        self._wanted, self._clock = wanted, clock
        self._line = Line(wanted, clock, port, password, seconds, login)
        self._watch = Watch(self._line, clock, pause)
        self._grids: dict[str, Grid] = {}

    async def connect(self) -> AccountFacts:  # noqa: D102
        listed = await self._line.accounts()
        mine = [row for row in listed if str(row["acc_id"]) == self._wanted.account]
        if len(mine) != 1:
            names = ", ".join(f"{row['acc_id']} ({row['trd_env']})" for row in listed) or "none"
            raise GateError(f"OpenD has no account {self._wanted.account}; it has: {names}")
        kind = {"SIMULATE": "paper", "REAL": "live"}.get(str(mine[0]["trd_env"]), "unknown")
        if kind != self._wanted.kind:
            raise GateError(
                f"account {self._wanted.account} is {mine[0]['trd_env']}, not {self._wanted.kind}"
            )
        if "US" not in mine[0]["trdmarket_auth"]:
            raise GateError(f"account {self._wanted.account} may not trade in the US")
        if kind == "paper" and mine[0]["sim_acc_type"] not in SHARES:
            raise GateError(f"account {self._wanted.account} has no shares, but other things")
        await self._line.unlock()
        lots = await self._line.lots(self._wanted.symbols)
        self._grids = {symbol: Grid(TICK, lot, 1.0) for symbol, lot in lots.items()}
        return AccountFacts(self._wanted.account, {"environment": kind}, "USD", self._grids)

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:  # noqa: D102
        group = tuple(of_the_day(request) for request in group)
        no = unfit(group, self.can, self._grid_of(group[0].symbol))
        if no is None and len(group) > 1:
            no = Refused("orders do not leave together to Moomoo", not_sent=True, code="cannot")
        if no is not None:
            return (no,) * len(group)
        (request,) = group
        return (await self._answered(self._placed(request, request.opens)),)

    async def replace(self, ref: Ref, change: Change) -> Outcome:  # noqa: D102
        no = unfit_change(ref, change, self.can, self._grid_of(ref.order.symbol))
        if no is not None:
            return no
        told = {"limit_price": change.limit_price, "stop_price": change.stop_price}
        asked = {name: value for name, value in told.items() if value == value}
        order = replace(ref.order, **asked)
        qty = order.qty if change.qty != change.qty else change.qty
        return await self._answered(self._modified(ref, "NORMAL", qty, **prices_of(order)))

    async def cancel(self, ref: Ref) -> Outcome:  # noqa: D102
        return await self._answered(self._modified(ref, "CANCEL", 0.0, price=0.0))

    async def find(self, ref: Ref) -> OrderFact | None:  # noqa: D102
        row = await self._row(ref)
        return None if row is None else fact_of(row)

    async def snapshot(self, since: int) -> Snapshot:  # noqa: D102
        at = self._clock.now()
        asked: dict[str, Awaitable[list[Row]]] = {
            "orders": self._orders(),
            "positions": self._line.read("position_list_query", refresh_cache=True),
            "balance": self._line.read("accinfo_query", refresh_cache=True, currency="USD"),
        }
        if self.can.fill_ids:
            asked["fills"] = self._line.read("deal_list_query", refresh_cache=True)
        told, complete, wrong = await _parts(asked)
        if not complete and wrong is not None:
            raise wrong
        if not self.can.fill_ids and "orders" in complete:
            complete.add("fills")  # it has none: an order says how much of it has filled
        facts = [fact_of(row) for row in told["orders"]]
        fills = fills_of(told.get("fills", ()))
        money = told["balance"][0] if told["balance"] else {}
        return Snapshot(
            at,
            frozenset(complete),
            tuple(f for f in facts if f.state not in OVER or f.time >= since),
            tuple(fill for fill in fills if fill.time >= since),
            _positions(told["positions"]),
            float(money.get("total_assets", NAN)),
            at - DAYS * DAY_NS,
            funds=float(money.get("power", NAN)),
        )

    def events(self) -> AsyncIterator[Fact]:  # noqa: D102
        return self._watch.events()

    async def close(self) -> None:  # noqa: D102
        self._watch.close()
        self._line.close()

    async def _placed(self, request: Request, is_entry: bool) -> str:
        """Send an order; where OpenD says no, it is asked whether it has it all the same."""
        try:
            (row,) = await self._line.place(is_entry, **order_of(request))
        except DeclinedError:
            known = await self._row(Ref(request))
            if known is None or fact_of(known).state == "rejected":
                raise
            row = known
        return str(row["order_id"])

    async def _modified(self, ref: Ref, op: str, qty: float, **prices: float) -> str:
        vendor_id = ref.vendor_ids[-1] if ref.vendor_ids else ""
        if not vendor_id:
            try:
                row = await self._row(ref)
            except LinkError as error:
                raise UnsentError(str(error)) from None
            if row is None:
                raise DeclinedError(f"moomoo: there is no order {ref.client_id}")
            vendor_id = str(row["order_id"])
        asked = {"modify_order_op": op, "order_id": vendor_id, "qty": qty, **prices}
        await self._line.modify(**asked)
        return vendor_id

    async def _answered(self, call: Awaitable[str]) -> Outcome:
        """What becomes of a request."""
        try:
            return Accepted(await call)
        except DeclinedError as error:
            return declined(str(error))
        except RateLimited as error:
            return Refused(str(error), not_sent=True, code="rate")
        except UnsentError as error:
            return Refused(str(error), not_sent=True)
        except LinkError as error:
            return Unknown(str(error))

    async def _row(self, ref: Ref) -> Row | None:
        """An order by its id, else by its remark."""
        if ref.vendor_ids:
            wanted = ref.vendor_ids[-1]
            rows = await self._line.read("order_list_query", order_id=wanted, refresh_cache=True)
            found = [row for row in rows if str(row["order_id"]) == wanted]
            if not found:
                found = [r for r in await self._past() if str(r["order_id"]) == wanted]
        else:
            found = [r for r in await self._orders() if r.get("remark") == ref.client_id]
        if len(found) > 1:
            raise LinkError(f"moomoo: {len(found)} orders have the name {ref.client_id}")
        return found[0] if found else None

    async def _orders(self) -> list[Row]:
        """The orders of today, and those of the days before."""
        today = await self._line.read("order_list_query", refresh_cache=True)
        known = {str(row["order_id"]) for row in today}
        return today + [r for r in await self._past() if str(r["order_id"]) not in known]

    async def _past(self) -> list[Row]:
        now = datetime.now(EASTERN)
        start, end = f"{now - timedelta(days=DAYS):%Y-%m-%d}", f"{now:%Y-%m-%d}"
        return await self._line.read("history_order_list_query", start=start, end=end)

    def _grid_of(self, symbol: str) -> dict[str, Grid]:
        return {symbol: self._grids.get(symbol, Grid(TICK, 1.0, 1.0))}


async def _parts(
    asked: dict[str, Awaitable[list[Row]]],
) -> tuple[dict[str, list[Row]], set[str], IntrabarError | None]:
    """Rows of each part, which of them were had, and the last error."""
    answers = await asyncio.gather(*asked.values(), return_exceptions=True)
    told: dict[str, list[Row]] = {}
    wrong: IntrabarError | None = None
    for part, answer in zip(asked, answers, strict=True):
        if isinstance(answer, LinkError | DeclinedError):
            wrong = answer if isinstance(answer, LinkError) else LinkError(str(answer))
            told[part] = []
        elif isinstance(answer, BaseException):
            raise answer
        else:
            told[part] = answer
    complete = {
        part
        for part, answer in zip(asked, answers, strict=True)
        if not isinstance(answer, BaseException)
    }
    return told, complete, wrong


def _positions(rows: list[Row]) -> dict[str, tuple[float, float]]:
    """By symbol; a short one is below 0, whichever sign its quantity has."""
    found = {}
    for row in rows:
        qty = abs(float(row["qty"])) * (-1 if row["position_side"] == "SHORT" else 1)
        if qty:
            paid = row["average_cost"]
            average = float(paid) if isinstance(paid, int | float) else float(row["cost_price"])
            found[symbol_of(str(row["code"]))] = (qty, average)
    return found


OFFER = Offer(make, can_of("live"))
