"""An entry that is told what to say, and what an entry would say at every bar."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.indicators import Indicator, uniform
from intrabar.kernel import kernel
from intrabar.model.bars import Floats
from intrabar.strategy.bot_record import ask_side, has_bar, look

SIDE = "given_side"


@dataclass(frozen=True, slots=True)
class GivenSide:
    """An entry that takes the side of a column that is given with the setup."""

    wakes_on = SIDE
    given = (SIDE,)

    def indicators(self) -> dict[str, Indicator]:
        """None: the column is given."""
        return {}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The side of the column. Phase: CLOSE."""
        return int(now.given_side)


def given_side(entry: Any) -> Any:
    """An entry that takes the side of a column, and prices and leaves as another one does."""
    others = [name for name in ("stop_entry", "limit_entry", "wants_out") if hasattr(entry, name)]
    if not others:
        return GivenSide()
    own = type(entry)
    told = type(own.__name__, (own,), {**_members(GivenSide), "__doc__": own.__doc__})
    made: Any = object.__new__(told)
    for f in fields(entry):
        object.__setattr__(made, f.name, getattr(entry, f.name))
    return made


@dataclass(frozen=True, slots=True)
class ToldSide:
    """An entry that is told its side as the bars come: whoever runs it writes to its column."""

    wakes_on = ""

    def indicators(self) -> dict[str, Indicator]:
        """The column; as it comes it says no side, since draws are below 1."""
        return {SIDE: uniform(0)}

    @staticmethod
    def decide_side(now: Any, p: Any) -> int:
        """The side of the column. Phase: CLOSE."""
        return int(now.given_side)


def told_side(entry: Any) -> Any:
    """As `given_side`, of what `ToldSide` takes; the entry must not rest at prices."""
    if not hasattr(entry, "wants_out"):
        return ToldSide()
    own = type(entry)
    read = {**entry.indicators(), SIDE: uniform(0)}
    members = {
        "wakes_on": "",
        "indicators": lambda self: read,
        "decide_side": ToldSide.__dict__["decide_side"],
        "__doc__": own.__doc__,
    }
    made: Any = object.__new__(type(own.__name__, (own,), members))
    for f in fields(entry):
        object.__setattr__(made, f.name, getattr(entry, f.name))
    return made


def _members(of: type) -> dict[str, Any]:
    return {name: vars(of)[name] for name in ("wakes_on", "given", "indicators", "decide_side")}


@kernel
def ask_everywhere(bot: Any, sides: Floats, asked: NDArray[np.bool_]) -> None:
    """Ask a compiled entry at every bar."""
    for i in range(sides.shape[0]):
        for j in range(sides.shape[1]):
            if has_bar(bot, i, j) and look(bot, i, j):
                asked[i, j] = True
                sides[i, j] = ask_side(bot)
