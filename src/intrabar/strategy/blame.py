"""Errors of a user's own code, as errors that say whose, when and where."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from intrabar.errors import IntrabarError, StrategyError, at_fault
from intrabar.model.enums import Phase
from intrabar.strategy.contract import checked

if TYPE_CHECKING:
    from intrabar.indicators import Indicator
    from intrabar.sim.machine import Machine
    from intrabar.strategy.registry import AnyStrategy


def blame(name: str, where: str, error: Exception) -> StrategyError:
    """What a strategy's own code has raised, and the line that did."""
    return StrategyError(f"{name} failed {where}, {at_fault(error)}")


def moment(machine: Machine, phase: Phase) -> str:
    """The bar and the phase in which a machine stands."""
    bar = int(machine.book.account["bar"][0])
    time = str(np.datetime64(int(machine.market.time[bar]), "ns"))[:19]
    return f"at {phase.name} of bar {bar} ({time}Z)"


@contextmanager
def blamed(name: str, where: str) -> Iterator[None]:
    """Blame a strategy for what its own code raises meanwhile."""
    try:
        yield
    except Exception as e:
        raise blame(name, where, e) from e


def indicators_of(name: str, strategy: AnyStrategy) -> dict[str, Indicator]:
    """What a strategy reads by name.

    Raises
    ------
    StrategyError
        Its own code has failed.
    IntrabarError
        What it names cannot be had, or bears a name of the bar's own; the message says why.
    """
    try:
        named = strategy.indicators()
    except IntrabarError:
        raise
    except Exception as e:
        raise blame(name, "in indicators()", e) from e
    return checked(name, named)
