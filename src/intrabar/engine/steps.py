"""A row walked through with a stop wherever commands are about to be taken.

There they are looked at, refused, or replaced by those of a journal; a hook that raises is left
behind there too. Backtests under limits, sessions and their re-runs all stop here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from intrabar.errors import StrategyError
from intrabar.model.enums import Reject, RunStatus
from intrabar.sim.inbox import refuse_waiting, take_out, waiting
from intrabar.sim.machine import Machine
from intrabar.sim.state import (
    REFUSE,
    STEP_CLOSE,
    STEP_END,
    STEP_NEW,
    STEP_NOTICES,
    STEP_ON_CLOSE,
    STEP_OPEN,
    SUBMIT,
)

TAKING = (STEP_NEW, STEP_CLOSE, STEP_ON_CLOSE, STEP_END)
"""The steps that take what waits in the inbox."""

Stop = Callable[[int], None]
"""Called before each of `TAKING` with the step."""

Failed = Callable[[int, Exception], None]
"""Called with the row of a strategy that has raised, and what; it is taken off already."""


def walk_row(machine: Machine, stop: Stop, failed: Failed | None = None) -> None:
    """Work the row at whose first step a machine stands.

    Parameters
    ----------
    machine : Machine
    stop : callable
        Not called any more once the account is ruined.
    failed : callable, optional
        None: what a hook raises ends the walk.

    Raises
    ------
    StrategyError
    """
    row = machine.bar
    for step in TAKING:
        _go_to(machine, row, step, failed)
        if machine.status is RunStatus.RUINED:
            return
        stop(step)
    _go_to(machine, row + 1, STEP_OPEN, failed)


def refuse_all(machine: Machine) -> None:
    """Refuse every order that waits, and let go of the changes: trading has not begun."""
    commands = waiting(machine.book)
    orders = np.isin(commands["kind"], (SUBMIT, REFUSE))
    for place in np.flatnonzero(commands["kind"] == SUBMIT):
        refuse_waiting(machine.book, int(place), Reject.RISK)
    take_out(machine.book, ~orders)


def _go_to(machine: Machine, row: int, step: int, failed: Failed | None) -> None:
    while True:
        try:
            machine.advance(row, step)
            return
        except StrategyError as error:
            if failed is None:
                raise
            strategy = called_last(machine)
            machine.take_off(strategy)
            failed(strategy, error)


def called_last(machine: Machine) -> int:
    """The row of the strategy whose hook was the last one called."""
    account = machine.book.account[0]
    turn = int(account["turn"]) - 1
    if account["step"] < STEP_NOTICES or account["step"] == STEP_ON_CLOSE:
        return turn
    return int(machine.book.notices["strategy"][turn])
