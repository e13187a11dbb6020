"""What must leave after a turn is committed, in the order in which it leaves.

The driver carries effects out; what comes of each is an event of its own.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from intrabar.brokers.sending import Sending
from intrabar.model.broker_facts import Ref


class Urgency(IntEnum):
    """Of what is sent: the lower number leaves first."""

    CANCEL = 0
    PROTECT = 1
    EXIT = 2
    ENTRY = 3


class Send(NamedTuple):
    """A request for the broker; its answer is an `outcome` (`broker_events.outcome_body`).

    Parameters
    ----------
    sending : Sending
    urgency : Urgency
    is_entry : bool
        It may make a position larger: the gate before the wire asks more of it.
    made_at : int, ns UTC
        From when its age counts: when its row was made, or the moment that it was held for.
    """

    sending: Sending
    urgency: Urgency
    is_entry: bool
    made_at: int


class LookUp(NamedTuple):
    """An order to be looked up; the answer is a `report` (`look_up_body`).

    Parameters
    ----------
    name : str
        Client id.
    ref : Ref
        As the door tells it (`Door.ref`).
    """

    name: str
    ref: Ref


class Look(NamedTuple):
    """A look at the whole account, which comes as a `snapshot`.

    Parameters
    ----------
    since : int, ns UTC
        From when on fills and orders that are over are needed.
    """

    since: int


Effect = Send | LookUp | Look
"""Anything that leaves."""


def in_order(effects: list[Effect]) -> list[Effect]:
    """Cancels, what protects, exits, entries; what only asks comes last."""
    return sorted(effects, key=lambda x: x.urgency if isinstance(x, Send) else len(Urgency))
