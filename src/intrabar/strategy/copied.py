"""Copies of Python strategies: a run works on one, so that what it remembers reaches no other."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from intrabar.errors import StrategyError

if TYPE_CHECKING:
    from intrabar.strategy.strategy import Strategy

FOR_A_RUN = (
    "A run works on a copy of what it is given: make it in on_start, which every run calls on its "
    "own copy, or keep it outside of the attributes"
)
FOR_A_REPLAY = "A replay comes back to copies: keep it outside of the attributes"


def copied(strategy: Strategy, kept: Mapping[int, Any], why: str) -> Strategy:
    """A deep copy of a strategy, all that its attributes hold.

    Parameters
    ----------
    strategy : Strategy
    kept : mapping of id to object
        What is not copied along.
    why : str
        `FOR_A_RUN` or `FOR_A_REPLAY`.

    Raises
    ------
    StrategyError
        An attribute cannot be copied; the message names it.
    """
    try:
        return deepcopy(strategy, dict(kept))
    except Exception as e:
        raise StrategyError(
            f"{strategy.name} cannot be copied{_because(strategy, kept)}: {e}. {why}"
        ) from e


def _because(strategy: Strategy, kept: Mapping[int, Any]) -> str:
    """The attribute that cannot be copied."""
    for name, value in vars(strategy).items():
        try:
            deepcopy(value, dict(kept))
        except Exception:
            return f", because of its attribute {name!r} ({type(value).__name__})"
    return ""
