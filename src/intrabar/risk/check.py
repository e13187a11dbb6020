"""Whether something that is asked for may be done: one pure function over plain records.

What only reduces is let through, and nothing that adds is, unless all that is asked about it is
known. A bigger order never passes where a smaller one is refused: a position counts by what it
would be on the order's side, and nothing where the order would leave it on the other side.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from intrabar.model.enums import Role
from intrabar.risk.adds import Adds, adding, gross, held_by, position_after, reduces
from intrabar.risk.breaker import ACCOUNT, HALTED, TRADING
from intrabar.risk.exact import beyond, in_lots, told_apart
from intrabar.risk.limits import SECOND_NS, Limits
from intrabar.risk.records import Book, Refusal, Request, Seen, Sleeve, View, Working
from intrabar.risk.windows import Key

STOP = int(Role.STOP)
RATES = ("orders_per_minute", "orders_per_day")
LIMITED = ("limit", "stop_limit")
TRIGGERED = ("stop", "stop_limit")


def check(request: Request, book: Book, view: View, limits: Limits, now: int) -> Refusal | None:
    """Why something may not be done; None where it may.

    Parameters
    ----------
    request : Request
    book : Book
        Without the order itself, where it works already; with what the same turn has asked for
        before.
    view : View
    limits : Limits
        Filled in (`Limits.filled_in`).
    now : int, ns UTC
        Of the event; where the market fills, the time of the row.
    """
    order = request.order
    if request.by == "session":
        return None
    if request.kind == "cancel" or (request.kind == "modify" and order.qty <= order.filled):
        return _bares(order, book, limits) if request.by == "person" else _held_back(book, order)
    if request.kind == "move" or order.protective:
        return _through(order, book, view) if request.by == "person" else None
    if reduces(order, book):
        return None if request.by == "person" else _held_back(book, order)
    return next(_refusals(request, book, view, limits, now), None)


def key_of(order: Working) -> Key:
    """What makes an order the same as another; no price is NaN, which equals nothing."""
    prices = tuple(-1.0 if math.isnan(p) else p for p in (order.limit_price, order.stop_price))
    return order.strategy, order.symbol, order.side, order.qty, order.type, prices


def _held_back(book: Book, order: Working) -> Refusal | None:
    """What a halted breaker keeps from a strategy: its exits and cancels."""
    level = book.breaker.level(order.strategy)
    if level < HALTED:
        return None
    why = book.breaker.why(order.strategy)
    text = f"breaker {order.strategy}: {level.name} ({why}); only a person's exits and cancels pass"
    return Refusal("breaker", order.strategy, None, None, text)


def _bares(order: Working, book: Book, limits: Limits) -> Refusal | None:
    """Whether a person would take a position's last stop away, which must have one."""
    stops = [
        w for w in book.working if w.role == STOP and w[1:3] == order[1:3] and w.id != order.id
    ]
    if not limits.require_stop or order.role != STOP or stops or not held_by(book, order):
        return None
    text = f"no_stop {order.symbol}: it is the last stop of the position (require_stop)"
    return Refusal("no_stop", order.symbol, None, None, text)


def _through(order: Working, book: Book, view: View) -> Refusal | None:
    """Whether a person puts a stop or a target where the market is already."""
    held, price = held_by(book, order), view.get(order.symbol, Seen(math.nan)).price
    way = 1 if held > 0.0 else -1
    stop, target = order.stop_price, order.limit_price
    if not held or not (way * (stop - price) >= 0.0 or way * (price - target) >= 0.0):
        return None
    level = stop if way * (stop - price) >= 0.0 else target
    text = f"through_market {order.symbol}: {level:g} is beyond the last price, {price:g}"
    return Refusal("through_market", order.symbol, level, price, text)


def _refusals(
    request: Request, book: Book, view: View, limits: Limits, now: int
) -> Iterator[Refusal]:
    """Each rule that an order that adds breaks, in the order in which they are looked at."""
    order = request.order
    seen = view.get(order.symbol, Seen(math.nan))
    level = book.breaker.level(order.strategy)
    if level > TRADING:
        why = book.breaker.why(order.strategy)
        text = f"breaker {order.strategy}: {level.name} ({why}); no order that adds passes"
        yield Refusal("breaker", order.strategy, None, None, text)
    for scope in (ACCOUNT, order.symbol):
        if scope in book.blocks:
            why = book.blocks[scope]
            yield Refusal(why, scope, None, None, f"{why} {scope}: no entries until it is over")
    if unknown := _unknown(order, book, seen, limits):
        text = f"not_finite {order.symbol}: {unknown} is not known"
        yield Refusal("not_finite", order.symbol, None, None, text)
        return
    adds = tuple(w for w in adding(book) if w.id != order.id)
    yield from _kinds(order, book, adds, limits)
    yield from _prices(order, seen, limits)
    yield from _sizes(order, book, adds, seen, limits)
    if limits.max_loss_to_stops_pct is not None:
        yield from _to_stops(order, book, adds, seen, limits.max_loss_to_stops_pct)
    yield from _rates(request, book, limits, now)


def _unknown(order: Working, book: Book, seen: Seen, limits: Limits) -> str:
    """What of the numbers that decide is not finite; "" for none."""
    point_value = book.point_values.get(order.symbol, math.nan)
    numbers = {"its quantity": order.open, "the price": seen.price, "the equity": book.equity}
    numbers["the point value"] = point_value
    if order.type in LIMITED:
        numbers["its limit price"] = order.limit_price
    if order.type in TRIGGERED:
        numbers["its stop price"] = order.stop_price
    if limits.max_portfolio_leverage is not None or limits.max_loss_to_stops_pct is not None:
        others = {s.symbol for s in book.sleeves} | {w.symbol for w in book.working}
        for symbol in sorted(others):
            mark = book.marks.get(symbol, math.nan)
            numbers[f"the mark of {symbol}"] = mark * book.point_values.get(symbol, math.nan)
    if limits.max_loss_to_stops_pct is not None:
        numbers["the equity at the day's beginning"] = book.start
    return next((name for name, x in numbers.items() if not math.isfinite(x)), "")


def _kinds(order: Working, book: Book, adds: Adds, limits: Limits) -> Iterator[Refusal]:
    """Symbols, shorts and stops."""
    symbol = order.symbol
    if limits.allowed_symbols is not None and symbol not in limits.allowed_symbols:
        text = f"allowed_symbols {symbol}: not among {', '.join(limits.allowed_symbols)}"
        yield Refusal("allowed_symbols", symbol, None, None, text)
    if not limits.allow_short and order.side < 0:
        after = beyond(lambda number: position_after(order, book, adds, number), 0.0)
        if after is not None:
            text = f"allow_short {symbol}: {-after:g} after the order, short is not allowed"
            yield Refusal("allow_short", symbol, -after, 0.0, text)
    if limits.require_stop and math.isnan(order.stop):
        text = f"no_stop {symbol}: the order brings no stop_loss (require_stop)"
        yield Refusal("no_stop", symbol, None, None, text)


def _prices(order: Working, seen: Seen, limits: Limits) -> Iterator[Refusal]:
    """How old the price is, how far bid and ask are apart, and where the order's prices lie."""
    symbol, side = order.symbol, order.side
    if limits.stale_after is not None and not math.isfinite(seen.age):
        text = f"stale_after {symbol}: no bar of it has come yet"
        yield Refusal("stale_after", symbol, None, limits.stale_after, text)
    elif limits.stale_after is not None and not seen.age <= limits.stale_after:
        yield _over("stale_after", symbol, seen.age, limits.stale_after, " s", "old is its price")
    if limits.max_spread_pct is not None and 0.0 < seen.bid + seen.ask < math.inf:
        limit = limits.max_spread_pct
        spread = beyond(
            lambda n: 200 * (n(seen.ask) - n(seen.bid)) / (n(seen.ask) + n(seen.bid)), limit
        )
        if spread is not None:
            yield _over("max_spread_pct", symbol, spread, limit, " %", "between bid and ask")
    own = [side * p for p in (order.limit_price, order.stop_price) if not math.isnan(p)]
    if limits.price_collar_pct is not None and own:
        limit, price = limits.price_collar_pct, seen.price
        far = max(own)
        away = beyond(
            lambda n: 100 * (n(far) - side * n(price)) / abs(n(price)) if price else math.inf, limit
        )
        if away is not None:
            text = f"beyond the price of {price:g}"
            yield _over("price_collar_pct", symbol, away, limit, " %", text)


def _sizes(order: Working, book: Book, adds: Adds, seen: Seen, limits: Limits) -> Iterator[Refusal]:
    """Quantities, values and how many sleeves are open."""
    symbol, x = order.symbol, book.equity
    point_value = book.point_values[symbol]
    qty = in_lots(order.qty, book.lots.get(symbol, 0.0))

    def value(n: Any) -> Any:
        return qty(n) * abs(n(seen.price)) * n(point_value)

    def after(n: Any) -> Any:
        return max(position_after(order, book, adds, n), 0)

    def worth_pct(n: Any) -> Any:
        return 100 * after(n) * abs(n(seen.price)) * n(point_value) / n(x) if x > 0.0 else math.inf

    def leverage(n: Any) -> Any:
        return gross(order, book, adds, n) / n(x) if x > 0.0 else math.inf

    def sleeves(n: Any) -> Any:
        held = {s[:2] for s in book.sleeves} | {(w.strategy, w.symbol) for w in adds}
        return len(held | {(order.strategy, symbol)})

    rules = (
        ("max_order_qty", symbol, qty, "", "in the order"),
        ("max_order_value", symbol, value, "", "in the order"),
        ("max_position_qty", symbol, after, "", "after the order"),
        ("max_positions", ACCOUNT, sleeves, "", "open after the order"),
        ("max_position_size_pct", symbol, worth_pct, " %", "after the order"),
        ("max_portfolio_leverage", ACCOUNT, leverage, "", "after the order"),
    )
    for rule, scope, formula, unit, what in rules:
        limit = getattr(limits, rule)
        found = None if limit is None else beyond(formula, limit)
        if found is not None:
            yield _over(rule, scope, found, limit, unit, what)


def _to_stops(
    order: Working, book: Book, adds: Adds, seen: Seen, limit: float
) -> Iterator[Refusal]:
    """What is lost of the day's first equity if all stops are filled; without one, all of it."""

    def lost(n: Any) -> Any:
        total = n(book.start) - n(book.equity)
        for sleeve in book.sleeves:
            total += _risk(sleeve, n, book)
        for entry in (*adds, order):
            price = next((p for p in (entry.limit_price, entry.stop_price) if p == p), None)
            mark = seen.price if entry is order else book.marks[entry.symbol]
            at = mark if price is None else price
            held = Sleeve(entry.strategy, entry.symbol, entry.side * entry.open, entry.stop)
            total += _risk(held, n, book, at)
        return 100 * total / n(book.start) if book.start > 0.0 else math.inf

    found = beyond(lost, limit)
    if found is not None:
        text = "lost if all stops are filled"
        yield _over("max_loss_to_stops_pct", ACCOUNT, found, limit, " %", text)


def _risk(sleeve: Sleeve, n: Any, book: Book, at: float = math.nan) -> Any:
    """What a position loses to its stop from a price on; a short without one loses any amount."""
    price = book.marks[sleeve.symbol] if math.isnan(at) else at
    qty = in_lots(sleeve.qty, book.lots.get(sleeve.symbol, 0.0))(n)
    if math.isnan(sleeve.stop):
        if sleeve.qty < 0.0:
            return math.inf
        return qty * n(price) * n(book.point_values[sleeve.symbol])
    return max(qty * (n(price) - n(sleeve.stop)) * n(book.point_values[sleeve.symbol]), 0)


def _rates(request: Request, book: Book, limits: Limits, now: int) -> Iterator[Refusal]:
    """The same order again, and too many of them."""
    order, windows = request.order, book.windows
    span = limits.duplicate_seconds
    if span is not None and windows.has(now, key_of(order), request.place, int(span * SECOND_NS)):
        text = f"duplicate_seconds {order.strategy}: the same order in {order.symbol} again within"
        yield Refusal("duplicate_seconds", order.strategy, None, span, f"{text} {span:g} s")
    for rule, scope, count, limit in (
        ("orders_per_minute", ACCOUNT, windows.in_minute(now), limits.orders_per_minute),
        (
            "orders_per_minute",
            order.symbol,
            windows.in_minute(now, order.symbol),
            limits.orders_per_minute_of_symbol,
        ),
        ("orders_per_day", ACCOUNT, windows.today, limits.orders_per_day),
    ):
        if limit is not None and count + 1 > limit:
            yield _over(rule, scope, count + 1, limit, "", "with the order")


def _over(rule: str, scope: str, value: float, limit: float, unit: str, what: str) -> Refusal:
    value_text, limit_text = told_apart(value, limit)
    text = f"{rule} {scope}: {value_text}{unit} {what}, limit {limit_text}{unit}"
    number = float(value) if math.isfinite(value) else None
    return Refusal(rule, scope, number, float(limit), text)
