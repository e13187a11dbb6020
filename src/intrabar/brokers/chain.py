"""The exit chain, the only way in which a position is left (live, section 3.2).

Cancel what protects, wait until that is sure, then leave by MARKET for what is left. Refused: the
stop goes back first, and the chain begins again. A pure step: what the broker is known to have,
and the time, give what is asked of it now.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

import msgspec
from msgspec.structs import replace

from intrabar.brokers.tickets import OPEN, Asked, State, Ticket

SECOND = 1_000_000_000
LOOK_AFTER, LEAVE_AFTER, PATIENCE, AGAIN_AFTER = 5 * SECOND, 15 * SECOND, 10 * SECOND, 10 * SECOND
COVERS_FOR = 15 * SECOND
REFUSED = frozenset({State.REJECTED, State.REFUSED, State.LOST, State.CANCELLED, State.EXPIRED})


class Stage(StrEnum):
    """How far it is."""

    CANCELLING = "cancelling"
    LEAVING = "leaving"
    REFUSED = "refused"  # the stop is back, or goes back
    OVER = "over"


class Chain(msgspec.Struct, frozen=True):
    """One way out of one sleeve.

    Parameters
    ----------
    row : int
        The order of the book that its MARKET belongs to.
    since : int, ns
        When the stage began; of CANCELLING, when the first cancel was asked for (0: not yet).
    bare_since : int, ns
        When the first cancel was confirmed; 0 before.
    looked : int, ns
        When it was last looked up whether what is cancelled lives; 0: not yet.
    tries : int
        How often it was refused.
    """

    row: int
    stage: Stage = Stage.CANCELLING
    since: int = 0
    bare_since: int = 0
    looked: int = 0
    tries: int = 0

    def covers(self, now: int) -> bool:
        """Whether it counts as cover: for 15 s from the first confirmed cancel."""
        if self.stage is Stage.OVER:
            return False
        return self.bare_since == 0 or now - self.bare_since <= COVERS_FOR


class Deed(NamedTuple):
    """What the chain asks for.

    Parameters
    ----------
    kind : str
        "market" and "stop" are orders for `qty`; "cancel" and "look_up" are of a ticket.
    """

    kind: Literal["cancel", "look_up", "market", "stop", "page"]
    ticket: str = ""
    qty: float = 0.0


class Move(NamedTuple):
    """Where the chain stands, and what it asks for."""

    chain: Chain
    deeds: tuple[Deed, ...] = ()


def advance(
    chain: Chain,
    protective: Sequence[Ticket],
    leaving: Ticket | None,
    left: float,
    trades: bool,
    now: int,
) -> Move:
    """One step of the chain.

    Parameters
    ----------
    protective : sequence of Ticket
        Stops and targets of the sleeve.
    leaving : Ticket, optional
        The latest MARKET of the chain's row.
    left : quantity
        Of the position, >= 0.
    trades : bool
        Whether the instrument is open and, as far as anybody knows, not halted.
    """
    if chain.stage is Stage.OVER or (left <= 0.0 and not _is_open(leaving)):
        return Move(replace(chain, stage=Stage.OVER))
    if chain.stage is Stage.CANCELLING:
        return _cancel(chain, protective, leaving, left, trades, now)
    if chain.stage is Stage.LEAVING:
        return _leave(chain, protective, leaving, left, now)
    if now - chain.since < AGAIN_AFTER:
        return Move(chain)
    again = replace(chain, stage=Stage.CANCELLING, since=0, bare_since=0, looked=0)
    return advance(again, protective, leaving, left, trades, now)


def _is_open(ticket: Ticket | None) -> bool:
    return ticket is not None and ticket.state in OPEN


def _cancel(
    chain: Chain,
    protective: Sequence[Ticket],
    leaving: Ticket | None,
    left: float,
    trades: bool,
    now: int,
) -> Move:
    """Ask for the cancels, and for them again; nothing while the instrument is closed."""
    living = [ticket for ticket in protective if ticket.state in OPEN]
    if not living:
        bare = chain.bare_since or (now if protective else 0)
        chain = replace(chain, stage=Stage.LEAVING, since=now, bare_since=bare)
        return _leave_now(chain, leaving, left) if trades else Move(_waits(chain))
    if not trades:
        return Move(chain)
    if len(living) < len(protective) and not chain.bare_since:
        chain = replace(chain, bare_since=now)
    if not chain.since:
        deeds = tuple(Deed("cancel", t.name) for t in living if t.asked is not Asked.CANCEL)
        return Move(replace(chain, since=now), deeds)
    waited = now - chain.since
    if waited >= LOOK_AFTER and not chain.looked:
        return Move(replace(chain, looked=now), tuple(Deed("look_up", t.name) for t in living))
    if waited >= LEAVE_AFTER:
        chain = replace(chain, stage=Stage.LEAVING, since=now)
        return _leave_now(chain, leaving, left)
    again = tuple(Deed("cancel", t.name) for t in living if t.asked is not Asked.CANCEL)
    return Move(chain, again if chain.looked else ())


def _waits(chain: Chain) -> Chain:
    """Nothing protects, and the market is closed: it leaves when that opens."""
    return replace(chain, stage=Stage.CANCELLING)


def _leave_now(chain: Chain, leaving: Ticket | None, left: float) -> Move:
    if _is_open(leaving):
        return Move(chain)  # never two exits for one share
    return Move(chain, (Deed("market", qty=left),) if left > 0.0 else ())


def _leave(
    chain: Chain, protective: Sequence[Ticket], leaving: Ticket | None, left: float, now: int
) -> Move:
    """Wait for the MARKET; refused or slow, the stop goes back."""
    if leaving is not None and leaving.state is State.FILLED:
        if left <= 0.0:
            return Move(replace(chain, stage=Stage.OVER))
        return Move(chain, (Deed("market", qty=left),))
    if leaving is not None and leaving.state in OPEN:
        slow = now - chain.since >= PATIENCE and leaving.asked is Asked.NONE
        return Move(chain, (Deed("cancel", leaving.name),) if slow else ())
    if leaving is None:
        return Move(chain)  # it is on its way
    tries = chain.tries + 1
    chain = replace(chain, stage=Stage.REFUSED, since=now, tries=tries, looked=0)
    deeds: tuple[Deed, ...] = ()
    if protective and not any(ticket.state in OPEN for ticket in protective):
        deeds = (Deed("stop", qty=left),)
    return Move(chain, (*deeds, Deed("page")) if tries == 2 else deeds)
