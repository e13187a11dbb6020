"""Which commands bring a book to what its breaker allows: cancels first, then closing orders."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from intrabar.model.enums import Role
from intrabar.risk.adds import adding
from intrabar.risk.breaker import ACCOUNT, FLATTENING, TRADING
from intrabar.risk.exact import in_lots
from intrabar.risk.records import Book, Working

SESSION, LIQUIDATION = int(Role.SESSION), int(Role.LIQUIDATION)


class Cancel(NamedTuple):
    """A working order to be cancelled, by its number."""

    order: int


class Close(NamedTuple):
    """A reduce-only market order, good till cancelled, of the role `session`."""

    strategy: str
    symbol: str
    side: int
    qty: float


Duty = Cancel | Close
"""What a session does by itself."""


def duties(book: Book) -> tuple[Duty, ...]:
    """What the breaker asks for now: nothing while it is TRADING.

    Orders that add are cancelled. Where it is FLATTENING, so is what waits to leave, and each
    sleeve is closed at the market, as far as no closing order of ours is on its way. Stops and
    targets stay until the position is gone: they are its cover.
    """
    flat = {s for s in _strategies(book) if book.breaker.level(s) is FLATTENING}
    stopped = {s for s in _strategies(book) if book.breaker.level(s) > TRADING}
    cancels = [Cancel(w.id) for w in adding(book) if w.strategy in stopped - flat]
    return (*cancels, *flatten(book, flat))


def flatten(
    book: Book, strategies: set[str] | None = None, symbols: set[str] | None = None
) -> tuple[Duty, ...]:
    """Cancel what is no cover, and close what is held, of some strategies and symbols or of all."""
    mine = [w for w in book.working if _is_of(w.strategy, w.symbol, strategies, symbols)]
    leaves = [w for w in mine if w.role == SESSION and w.reduce_only]
    loose = [w for w in mine if not w.protective and w.role != LIQUIDATION and w not in leaves]
    closing: list[Duty] = []
    for strategy, symbol, qty, _ in book.sleeves:
        if not _is_of(strategy, symbol, strategies, symbols):
            continue
        side = -1 if qty > 0.0 else 1
        going = [w for w in leaves if w[1:4] == (strategy, symbol, side)]
        lot = book.lots.get(symbol, 0.0)
        left = abs(in_lots(qty, lot)(float)) - sum(in_lots(w.open, lot)(float) for w in going)
        if left > 0.5 * lot:
            closing.append(Close(strategy, symbol, side, left))
    return (*(Cancel(w.id) for w in loose), *closing)


def closing(book: Book, symbols: set[str] | None = None) -> tuple[Duty, ...]:
    """What `live.flatten` and the end of a contract ask for: as `flatten`, whatever the breaker."""
    return flatten(book, None, symbols)


def cancel_entries(book: Book) -> tuple[Duty, ...]:
    """What a stop asks for: no order that adds goes on working; cover stays."""
    return tuple(Cancel(w.id) for w in adding(book))


def is_flat(book: Book, scope: str = ACCOUNT) -> bool:
    """Whether no position and no order is left, of the account or of one strategy."""
    if scope == ACCOUNT:
        return not book.sleeves and not book.working
    return scope not in _strategies(book)


def without(book: Book, done: Working) -> Book:
    """A book in which an order works no more."""
    return replace(book, working=tuple(w for w in book.working if w.id != done.id))


def _strategies(book: Book) -> set[str]:
    """Those that hold something or have an order."""
    return {s.strategy for s in book.sleeves} | {w.strategy for w in book.working}


def _is_of(
    strategy: str, symbol: str, strategies: set[str] | None, symbols: set[str] | None
) -> bool:
    of_it = strategies is None or strategy in strategies
    return of_it and (symbols is None or symbol in symbols)
