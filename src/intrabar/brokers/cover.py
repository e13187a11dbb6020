"""No naked position: what stops a sleeve out, and the ladder of a stop that is gone (3.4)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from intrabar.brokers.chain import SECOND, Chain
from intrabar.brokers.tickets import State, Ticket

RESTS = frozenset({State.WORKING, State.PARTIAL})
"""An adapter says WORKING only where the broker holds a stop and will trigger it by itself."""
DELAYS = (SECOND // 2, SECOND, 2 * SECOND)  # of the new attempts
TRY_AGAIN, WATCH_FOR = 30 * SECOND, 15 * 60 * SECOND


def proven(position: float, broker: float | None, in_doubt: bool) -> float | None:
    """How much of a sleeve is sure to be there; None where nobody knows.

    Parameters
    ----------
    position : float
        Signed, of the book.
    broker : float, optional
        Signed, by a look since the doubt began, and the fills after it.
    in_doubt : bool
        A stop was lost, or book and broker differ.
    """
    if not in_doubt:
        return abs(position)
    if broker is None:
        return None
    return min(abs(position), abs(broker)) if position * broker > 0.0 else 0.0


def need(sure: float | None, position: float, requires_stop: bool, has_level: bool) -> float:
    """How much must be covered; what nobody knows counts as all of it."""
    if not (requires_stop or has_level):
        return 0.0
    return abs(position) if sure is None else sure


def cover(
    stops: Iterable[Ticket], position: float, chain: Chain | None, watched: float, now: int
) -> float:
    """How much would be stopped out.

    Parameters
    ----------
    stops : iterable of Ticket
        Stop tickets of the sleeve, native children too.
    watched : quantity
        What we watch ourselves, where `live.watched_stops` lets that count.
    """
    rests = sum(ticket.open_qty for ticket in stops if ticket.state in RESTS)
    leaving = abs(position) if chain is not None and chain.covers(now) else 0.0
    return max(rests + watched, leaving)


class Climb(msgspec.Struct, frozen=True):
    """Where a stop or target whose ticket has ended stands on the ladder.

    Parameters
    ----------
    since : int, ns
        When its ticket ended.
    attempts : int
        Made since then.
    last : int, ns
        The last attempt, or when it ended.
    watched_since : int, ns
        0: not watched.
    """

    since: int
    last: int
    attempts: int = 0
    watched_since: int = 0
    is_out: bool = False


class Sight(NamedTuple):
    """What is known at the moment.

    Parameters
    ----------
    is_through : bool
        The market is at the level or beyond.
    is_blocked : bool
        An own order that adds, or a target that the vendor does not link, keeps a stop away.
    looked_up : int, ns
        The last look-up that has said that it is not there.
    can_watch : bool
        The data are fresh, the link has not come back without cover, the session does not end.
    """

    is_through: bool = False
    is_blocked: bool = False
    looked_up: int = 0
    can_watch: bool = True


Rung = Literal["", "unblock", "look_up", "attempt", "watch", "exit"]


def climb(at: Climb, sight: Sight, exits: bool, now: int) -> tuple[Climb, Rung]:
    """The next thing to do for a stop that is gone; "" while it is waited.

    Parameters
    ----------
    exits : bool
        `on_stop_refused: exit`: where attempts fail it leaves, and watches nothing.
    """
    if at.is_out:
        return at, ""
    watches = at.watched_since > 0
    gives_up = watches and (not sight.can_watch or now - at.watched_since >= WATCH_FOR)
    if sight.is_through or gives_up:
        return replace(at, is_out=True), "exit"
    if sight.is_blocked:
        return at, "unblock"
    tried_all = at.attempts >= len(DELAYS)
    if tried_all and not watches:
        if exits or not sight.can_watch:
            return replace(at, is_out=True), "exit"
        return replace(at, watched_since=now, last=now), "watch"
    wait = TRY_AGAIN if watches else DELAYS[at.attempts]
    if now - at.last < wait:
        return at, ""
    if sight.looked_up <= at.last:
        return at, "look_up"
    return replace(at, attempts=at.attempts + 1, last=now), "attempt"


def is_naked(needed: float, covered: float, filled: int, now: int, seconds: float) -> bool:
    """Whether a sleeve has been short of cover for longer than it may, from its last fill on."""
    return covered < needed and now - filled > seconds * SECOND
