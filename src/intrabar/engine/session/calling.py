"""Which hook a session is in, for who watches it from another thread."""

from __future__ import annotations

from typing import NamedTuple

from intrabar.engine.session.session import Session
from intrabar.engine.steps import called_last
from intrabar.errors import StateError


class Calling(NamedTuple):
    """A hook that has been called and has not returned.

    Parameters
    ----------
    call : object
        Another one for each call.
    strategy : str
    bar, step : int
        Where the machine stands.
    """

    call: object
    strategy: str
    bar: int
    step: int


def calling(session: Session) -> Calling | None:
    """The hook in which a session is now; None: in none."""
    if (starting := session.starting) is not None:
        return Calling(starting, starting[0], *session.place)
    try:
        machine = session.machine
    except (StateError, AttributeError):  # no row yet
        return None
    call = machine.running_hook
    if call is None:
        return None
    strategy, place = called_last(machine), session.place
    if machine.running_hook is not call:
        return None  # it has returned meanwhile
    return Calling(call, session.plan.names[strategy], *place)
