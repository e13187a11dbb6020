"""Fills are counted against the cumulative quantity: by stream, look or difference, each once.

A broker shows how much of an order has filled in all; fills with ids say of what it consists. What
is booked never passes the highest total that was shown, but by a fill that a second look has too.
What was booked by difference alone is accounted for by the fills that come later: their keys take
its place, and only the difference in price is money. A fill without a cost is booked at that of
the instrument; when the broker has told the costs of all of an order's fills, the rest is a cost.
"""

from __future__ import annotations

import math

import msgspec
from msgspec.structs import replace

from intrabar.brokers.tickets import APART, Booking, Corrected, Filled, Seen, Ticket, Total
from intrabar.model.broker_facts import FillFact

DIGITS = 9  # of a quantity; what floats leave of adding fractions is beyond
SAME = 1e-9  # of the money: an average that is rounded says nothing new


class Count(msgspec.Struct, frozen=True):
    """A ticket with its fills counted, and what of them enters the book."""

    ticket: Ticket
    bookings: tuple[Booking, ...] = ()
    anomaly: str = ""
    looks_up: bool = False


def fill_of(ticket: Ticket, fact: FillFact, in_look: bool = False) -> Filled | Corrected:
    """What a fill at the broker says to its ticket."""
    seen = ticket.fills.get(fact.id)
    if fact.version > (0 if seen is None else seen.version):
        return Corrected(fact.id, fact.version, fact.qty, fact.price, fact.cost)
    is_newest = seen is None or fact.version == seen.version
    cost = fact.cost if is_newest else math.nan
    return Filled(fact.id, fact.qty, fact.price, cost, fact.total, in_look)


def is_news(ticket: Ticket, fact: FillFact) -> bool:
    """Whether a look shows of a fill what its ticket does not have: itself, a version, its cost."""
    seen = ticket.fills.get(fact.id)
    if seen is None or seen.version != fact.version:
        return seen is None or seen.version < fact.version
    return math.isfinite(fact.cost) and fact.cost != seen.cost


def is_price(price: float) -> bool:
    """Whether it can be the price of a fill."""
    return math.isfinite(price) and price > 0.0


def count_fill(ticket: Ticket, fill: Filled, has_ids: bool) -> Count:
    """Count a fill that the broker names."""
    if not (is_price(fill.price) and math.isfinite(fill.qty) and fill.qty > 0.0):
        return Count(ticket, looks_up=True)
    if not has_ids:
        return _by_total(ticket, fill)
    shown = max(ticket.shown, fill.total if math.isfinite(fill.total) else 0.0)
    ticket = replace(ticket, shown=shown)
    if fill.id in ticket.fills:
        return _costed(ticket, fill.id, fill.cost)
    seen = Seen(fill.qty, fill.price, cost=fill.cost)
    used = min(ticket.by_difference, fill.qty)
    rest = _qty(fill.qty - used)
    room = max(0.0, _qty(ticket.shown - ticket.booked))
    confirmed = fill.in_look and fill.id in ticket.waiting
    if rest > room and not confirmed:
        waiting = {**ticket.waiting, fill.id: seen}
        return Count(replace(ticket, waiting=waiting), looks_up=True)
    waiting = {key: one for key, one in ticket.waiting.items() if key != fill.id}
    ticket = replace(ticket, fills={**ticket.fills, fill.id: seen}, waiting=waiting)
    ticket, bookings = _accounted(ticket, fill, used)
    if rest > 0.0:
        ticket = _moved(ticket, rest, fill.price)
        bookings += (Booking(fill.id, rest, fill.price, fill.cost),)
    ticket = replace(ticket, shown=max(ticket.shown, ticket.booked))
    anomaly = "a fill beyond the total shown" if rest > room else ""
    return Count(ticket, bookings, anomaly)


def _costed(ticket: Ticket, key: str, cost: float) -> Count:
    """Take in what a fill that is known has cost."""
    seen = ticket.fills[key]
    if not math.isfinite(cost) or cost == seen.cost:
        return Count(ticket)
    return Count(replace(ticket, fills={**ticket.fills, key: replace(seen, cost=cost)}))


def cost_of_all(ticket: Ticket) -> float:
    """What the fills of an order have cost, by its broker; NaN while it has not told of each."""
    if ticket.by_difference or not ticket.fills:
        return math.nan
    return math.fsum(seen.cost for seen in ticket.fills.values())


def _by_total(ticket: Ticket, fill: Filled) -> Count:
    """Where ids prove nothing: what its frame shows of the total.

    It is booked at its price until a total comes with an average.
    """
    if not math.isfinite(fill.total):
        return Count(ticket, looks_up=True)
    missing = _qty(fill.total - ticket.booked)
    if missing <= 0.0:
        return Count(ticket)
    ticket = _moved(replace(ticket, shown=fill.total), missing, fill.price)
    ticket = _differ(ticket, missing, fill.price)
    cost = fill.cost if missing == fill.qty else math.nan
    return Count(ticket, (Booking(_key(ticket), missing, fill.price, cost),))


def _accounted(ticket: Ticket, fill: Filled, used: float) -> tuple[Ticket, tuple[Booking, ...]]:
    """Let a fill's key take the place of what was booked by difference."""
    if used <= 0.0:
        return ticket, ()
    was = ticket.difference_money / ticket.by_difference
    left = _qty(ticket.by_difference - used)
    ticket = replace(
        ticket,
        by_difference=left,
        difference_money=left * was,
        money=ticket.money + used * (fill.price - was),
    )
    change = Booking(
        f"fix:{fill.id}", 0.0, fill.price, of_qty=used, price_change=fill.price - was, is_fix=True
    )
    return ticket, (change,) if fill.price != was else ()


def count_total(ticket: Ticket, total: Total, now: int, has_ids: bool) -> Count:
    """Count a cumulative quantity: what is missing is booked, less in two looks is a bust."""
    if not math.isfinite(total.qty) or total.qty < 0.0:
        return Count(ticket, looks_up=True)
    missing = _qty(total.qty - ticket.booked)
    if missing < 0.0:
        return _fallen(ticket, total, now)
    shown = max(ticket.shown, total.qty)
    ticket = replace(ticket, shown=shown, fallen=None if total.in_look else ticket.fallen)
    if missing == 0.0:
        return Count(ticket) if has_ids else _averaged(ticket, total)
    price = (total.average * total.qty - ticket.money) / missing
    if not is_price(price):
        return Count(ticket, looks_up=True)
    ticket = _moved(ticket, missing, price)
    if has_ids:
        ticket = _differ(ticket, missing, price)
    else:  # the average has put right what was guessed before
        ticket = replace(ticket, by_difference=0.0, difference_money=0.0)
    return Count(ticket, (Booking(_key(ticket), missing, price),))


def _differ(ticket: Ticket, qty: float, price: float) -> Ticket:
    """Note that so much was booked that nothing accounts for yet."""
    return replace(
        ticket,
        by_difference=_qty(ticket.by_difference + qty),
        difference_money=ticket.difference_money + qty * price,
    )


def _averaged(ticket: Ticket, total: Total) -> Count:
    """Put right by the average what was booked at a guessed price."""
    guessed = ticket.by_difference
    if guessed <= 0.0 or not is_price(total.average):
        return Count(ticket)
    money = total.average * total.qty
    ticket, was = (
        replace(ticket, money=money, by_difference=0.0, difference_money=0.0),
        ticket.money,
    )
    if math.isclose(money, was, rel_tol=SAME):
        return Count(ticket)
    change = Booking(
        f"fix:{_key(ticket)}",
        0.0,
        total.average,
        of_qty=guessed,
        price_change=(money - was) / guessed,
        is_fix=True,
    )
    return Count(ticket, (change,))


def _fallen(ticket: Ticket, total: Total, now: int) -> Count:
    """A total below what is booked: dropped, until two looks apart show the same."""
    if not total.in_look:
        return Count(ticket)
    if ticket.fallen is None or ticket.fallen[0] != total.qty:
        return Count(replace(ticket, fallen=(total.qty, now)), looks_up=True)
    if now - ticket.fallen[1] < APART:
        return Count(ticket, looks_up=True)
    gone = _qty(ticket.booked - total.qty)
    price = _price_gone(ticket, total, gone)
    ticket = _moved(replace(ticket, fallen=None, shown=total.qty), -gone, price)
    by_difference = min(ticket.by_difference, ticket.booked)
    ticket = replace(
        ticket,
        by_difference=by_difference,
        difference_money=by_difference * price if by_difference else 0.0,
    )
    fix = Booking(f"bust:{_key(ticket)}", -gone, price, is_fix=True)
    return Count(ticket, (fix,), "less has filled than was told")


def _price_gone(ticket: Ticket, total: Total, gone: float) -> float:
    """At which price what is gone had filled; the average of all where nobody can say."""
    left = total.average * total.qty if total.qty > 0.0 else 0.0
    price = (ticket.money - left) / gone
    return price if is_price(price) else ticket.money / ticket.booked


def correct(ticket: Ticket, fix: Corrected) -> Count:
    """Put a fill right, or take it back; older news of it than what is known is dropped."""
    was = ticket.fills.get(fix.id)
    if was is None:
        if fix.qty <= 0.0:
            known = {**ticket.fills, fix.id: Seen(0.0, 0.0, fix.version, 0.0)}
            return Count(replace(ticket, fills=known), looks_up=True)
        count = count_fill(ticket, Filled(fix.id, fix.qty, fix.price, fix.cost), True)
        return replace(count, looks_up=True)
    if fix.version <= was.version:
        return Count(ticket)
    cost = fix.cost if math.isfinite(fix.cost) else was.cost
    price = fix.price if is_price(fix.price) else was.price
    change = _qty(fix.qty - was.qty)
    stays = min(was.qty, fix.qty)
    fills = {**ticket.fills, fix.id: Seen(fix.qty, price, fix.version, cost)}
    ticket = _moved(replace(ticket, fills=fills), change, was.price if change < 0.0 else price)
    ticket = replace(
        ticket,
        money=ticket.money + stays * (price - was.price),
        shown=max(ticket.booked, _qty(ticket.shown + change)),
    )
    key = f"fix:{fix.id}:{fix.version}"
    booking = Booking(
        key,
        change,
        was.price if change < 0.0 else price,
        of_qty=stays,
        price_change=price - was.price,
        is_fix=True,
    )
    return Count(ticket, (booking,) if change or price != was.price else ())


def _moved(ticket: Ticket, qty: float, price: float) -> Ticket:
    return replace(ticket, booked=_qty(ticket.booked + qty), money=ticket.money + qty * price)


def _qty(qty: float) -> float:
    """Without dust: 0.1 + 0.2 is 0.3."""
    return round(qty, DIGITS) + 0.0


def _key(ticket: Ticket) -> str:
    return f"{ticket.name}:{ticket.booked:g}"
