"""What stays of a run that is over, where it is stored or sent elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from intrabar.errors import RunError
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import RunningStrategy


class Saves(Protocol):
    """Stores a run in a folder of runs."""

    def save(self, result: Any, out: Path | str | None, name: str, report: bool) -> Path: ...  # noqa: D102


@dataclass(frozen=True)
class Ended:
    """A strategy that acts no more.

    Parameters
    ----------
    strategy : Strategy or None
        A Python strategy with what it remembers.
    counts : list of (symbol, gate, count)
        What kept it from entering.
    decided : Decided or None
        Of a learned exit.
    """

    strategy: Any
    counts: list[tuple[str, str, int]]
    decided: Any = None

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """What kept it from entering, and how often."""
        return self.counts


def ended(running: Any) -> Ended:
    """What stays of a strategy that has run; of one that is over, itself."""
    is_python = isinstance(running, RunningStrategy | Ended)
    decided = getattr(running, "decided", None)
    return Ended(running.strategy if is_python else None, running.gate_counts(), decided)


def after(
    running: Mapping[str, Any], strategies: Mapping[str, AnyStrategy]
) -> dict[str, AnyStrategy]:
    """Strategies as a run left them: those in Python with what they remember, others as given."""
    return {
        name: one.strategy
        if isinstance(one := running[name], RunningStrategy | Ended) and one.strategy is not None
        else strategy
        for name, strategy in strategies.items()
    }


def require_findable(strategies: Mapping[str, AnyStrategy]) -> None:
    """Refuse to send elsewhere what cannot be found there.

    Raises
    ------
    RunError
        A class was made inside a function.
    """
    for name, strategy in strategies.items():
        parts = [strategy.entry, strategy.exit] if isinstance(strategy, Bot) else [strategy]
        for part in parts:
            if "<locals>" in type(part).__qualname__:
                raise RunError(
                    f"{name}: {type(part).__name__} is a class inside a function, which pickle "
                    "cannot find again; define it at the top of a file"
                )
