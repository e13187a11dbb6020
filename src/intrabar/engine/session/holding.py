"""Market entries outside the hours of their instrument: held by us, never left to rest there."""

from __future__ import annotations

from msgspec.structs import replace

from intrabar.brokers.plan import Row
from intrabar.engine.session.exchange import Exchange


def held_until(row: Row, exchange: Exchange, now: int) -> Row:
    """A row that waits for its market to open; from then on it is as old as that opening."""
    if not exchange.is_open(now):
        return replace(row, is_held=True, made=exchange.next_open(now))
    if exchange.is_open(row.made):
        return row
    return replace(row, made=max(row.made, exchange.open_since(now)))
