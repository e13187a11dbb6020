"""What the fake answers, by the number of the message: every question has its end frame."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from intrabar.brokers.fakes.account import ALIVE, Impossible
from intrabar.brokers.fakes.ibkr import frames
from intrabar.brokers.fakes.ibkr.contracts import Contract
from intrabar.brokers.fakes.ibkr.market import SIZES, STEP
from intrabar.brokers.fakes.ibkr.requests import Placed, contract

if TYPE_CHECKING:
    from intrabar.brokers.fakes.ibkr.server import Connection

IN_USE = "Unable to connect as the client id is already in use. Retry with a unique client id."


def start(c: Connection, f: list[str]) -> None:
    """71: the client says who it is."""
    c.client_id = int(f[2])
    if c.client_id in c.tws.clients or c.client_id in c.tws.taken:
        c.tell(frames.notice(-1, 326, IN_USE))
        c.leave()
        return
    c.tws.clients[c.client_id] = c
    c.tell(frames.accounts(*c.tws.accounts))
    c.tell(frames.next_number(c.tws.desk.next_number(c.client_id)))
    c.tell(frames.notice(-1, 2104, "Market data farm connection is OK:usfarm"))
    c.tell(frames.notice(-1, 2158, "Sec-def data farm connection is OK:secdefnj"))


def place(c: Connection, f: list[str]) -> None:
    """3: a new order, or what one is to be."""
    placed = Placed.read(f)
    found = c.tws.found(placed.contract)
    if not found:
        raise Impossible("unknown_symbol", "No security definition has been found for the request")
    c.tws.desk.place(c.client_id, placed, c.tws.name_of(found[0]))


def cancel(c: Connection, f: list[str]) -> None:
    """4: the end of an order."""
    try:
        c.tws.desk.cancel(c.client_id, int(f[2]))
    except Impossible as no:
        code = 10147 if no.code == "unknown" else 161
        c.tell(frames.notice(int(f[2]), code, str(no)))


def cancel_all(c: Connection, f: list[str]) -> None:
    """58: the end of all orders."""
    for order in list(c.tws.account.orders.values()):
        if order.status in ALIVE:
            c.tws.account.end(order.id, "cancelled")


def open_orders(c: Connection, f: list[str]) -> None:
    """5, 16: the orders that work, of this client or of all."""
    for order in c.tws.account.orders.values():
        owner = c.tws.desk.owner(order)
        is_asked = f[0] == "16" or (owner is not None and owner.client_id == c.client_id)
        if order.status in ALIVE and is_asked:
            c.tell(c.tws.desk.opened(order, c.tws.contract_of(order.symbol)))
            c.tell(c.tws.desk.stands(order))
    c.tell(frames.end(53))


def completed(c: Connection, f: list[str]) -> None:
    """99: the orders that are over."""
    for order in c.tws.account.orders.values():
        if order.status not in ALIVE:
            c.tell(c.tws.desk.over(order, c.tws.contract_of(order.symbol)))
    c.tell(frames.end(102))


def executions(c: Connection, f: list[str]) -> None:
    """7: fills since a time."""
    request, account, since = int(f[2]), f[4], _instant(f[5])
    for fill in c.tws.account.fills:
        order = c.tws.account.orders[fill.order]
        if account in ("", c.tws.account.id) and fill.time >= since:
            c.tell(c.tws.desk.executed(request, fill, order, c.tws.contract_of(fill.symbol)))
            c.tell(c.tws.desk.cost(fill))
    c.tell(frames.end(55, request))


def positions(c: Connection, f: list[str]) -> None:
    """61: what the account holds."""
    for symbol, (qty, average) in c.tws.account.positions.items():
        one = c.tws.contract_of(symbol)
        cost = average * float(one.multiplier or 1) / one.magnifier
        c.tell(frames.position(c.tws.account.id, one, qty, cost))
    c.tell(frames.end(62))


def summary(c: Connection, f: list[str]) -> None:
    """62: figures of the account."""
    request, account = int(f[2]), c.tws.account
    figures = {
        "NetLiquidation": (f"{account.equity:.2f}", "USD"),
        "AvailableFunds": (f"{account.cash:.2f}", "USD"),
        "SettledCash": (f"{account.cash:.2f}", "USD"),
        "DayTradesRemaining": ("-1", ""),
    }
    for tag in f[4].split(","):
        if tag in figures:
            c.tell(frames.figure(request, account.id, tag, *figures[tag]))
    c.tell(frames.end(64, request))


def details(c: Connection, f: list[str]) -> None:
    """9: the contracts that fit a description."""
    request, found = int(f[2]), c.tws.found(contract(f, 3))
    if not found:
        text = "No security definition has been found for the request"
        c.tell(frames.notice(request, 200, text))
        return
    for one in found:
        c.tell(frames.details(request, one))
    c.tell(frames.end(52, request))


def history(c: Connection, f: list[str]) -> None:
    """20: bars, and where it is wished each change of the newest."""
    request, (one,) = int(f[1]), c.tws.found(contract(f, 2))
    until, size, span, keeps = f[15], f[16], f[17], f[21] == "1"
    market = c.tws.market
    end = _instant(until) / 1e9 if until else market.seconds()
    rows = market.rows(one, end, span, size)
    if one.local in c.tws.unseen:
        text = "Historical Market Data Service error message:No market data permissions for "
        c.tell(frames.notice(request, 162, f"{text}{one.exchange} {one.kind}"))
        return
    if not rows:
        text = "Historical Market Data Service error message:HMDS query returned no data: "
        c.tell(frames.notice(request, 162, text + one.local))
        return
    first, last = (datetime.fromtimestamp(at, UTC) for at in (end - 1, end))
    form = "%Y%m%d  %H:%M:%S"
    c.tell(frames.history(request, first.strftime(form), last.strftime(form), rows))
    if keeps:
        c.keep(request, asyncio.ensure_future(_updates(c, request, one, SIZES[size])))


async def _updates(c: Connection, request: int, one: Contract, width: int) -> None:
    market = c.tws.market
    while True:
        now = market.seconds()
        step = int(now) // STEP * STEP + STEP
        await market.sleep(step - now)
        at = (step - STEP) // width * width
        row = market.row(one, at, width, step)
        if row is not None and step <= market.ends.get(one.local, step):
            c.tell(frames.update(request, row), "event")


def stop(c: Connection, f: list[str]) -> None:
    """2, 25: no more changes."""
    c.drop(int(f[2]))


def quote(c: Connection, f: list[str]) -> None:
    """1: what a contract is worth now."""
    request, found = int(f[2]), c.tws.found(contract(f, 3))
    if not found:
        c.tell(frames.notice(request, 200, "No security definition has been found"))
        return
    one = found[0]
    if one.local in c.tws.unquoted:
        c.tell(frames.notice(request, 354, "Requested market data is not subscribed."))
        return
    for frame in _ticks(c, request, one):
        c.tell(frame)
    if f[17] == "1":
        c.tell(frames.end(57, request))
    else:
        c.keep(request, asyncio.ensure_future(_changes(c, request, one)))


async def _changes(c: Connection, request: int, one: Contract) -> None:
    while True:
        await c.tws.market.sleep(STEP)
        for frame in _ticks(c, request, one):
            c.tell(frame)


def _ticks(c: Connection, request: int, one: Contract) -> Iterator[list[str]]:
    market = c.tws.market
    price = market.price(one)
    yield frames.price_tick(request, 1, round(price - one.tick, 6))
    yield frames.price_tick(request, 2, round(price + one.tick, 6))
    if one.kind != "CASH":
        yield frames.price_tick(request, 4, price)
        yield frames.size_tick(request, 8, 12_345)
        yield frames.text_tick(request, 45, str(int(market.seconds()) - 1))


def time_now(c: Connection, f: list[str]) -> None:
    """49: what time it is."""
    c.tell(frames.time_now(int(c.tws.market.seconds())))


def nothing(c: Connection, f: list[str]) -> None:
    """What is not answered."""


def _instant(text: str) -> int:
    if not text:
        return 0
    moment = datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000_000


ANSWERS: dict[int, Callable[[Connection, list[str]], None]] = {
    1: quote, 2: stop, 3: place, 4: cancel, 5: open_orders, 7: executions, 9: details,
    16: open_orders, 20: history, 25: stop, 49: time_now, 58: cancel_all, 61: positions,
    62: summary, 63: nothing, 64: nothing, 71: start, 99: completed,
}  # fmt: skip
