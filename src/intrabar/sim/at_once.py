"""Commands that are taken between two rows, where the account trades outside.

There is no market here that a step would have to wait for: a person's order, or one of the session
itself, is an order of the book at once. No hook is called, and nothing else moves.
"""

from __future__ import annotations

from intrabar.sim.machine import Machine
from intrabar.sim.state import STEP_INTRABAR, STEP_NEW


def take_now(machine: Machine) -> None:
    """Take what waits in the inbox; the machine stands where it stood.

    Parameters
    ----------
    machine : Machine
        That trades outside, and has run a row: it is taken as new orders of that row are, of
        which a market outside does nothing more.
    """
    account = machine.book.account[0]
    bar, step = int(account["bar"]), int(account["step"])
    account["bar"], account["step"] = bar - 1, STEP_NEW
    try:
        machine.advance(bar - 1, STEP_INTRABAR)
    finally:
        account = machine.book.account[0]
        account["bar"], account["step"] = bar, step
