"""What an audit found: leaks, what was tried, what could not be, and how much warm-up is enough."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

KIND_WORDS = {
    "noise": "other values",
    "shuffle": "another order",
    "blank": "no bars any more",
    "end": "the data end",
}


class Trial(NamedTuple):
    """One other future: what is replaced after which bar."""

    row: int
    kind: str
    column: str = "all"
    at_open: bool = False

    def __str__(self) -> str:
        what = "every column" if self.column == "all" else f"{self.column} alone"
        where = f"behind the open of bar {self.row}" if self.at_open else f"after bar {self.row}"
        return f"{KIND_WORDS[self.kind]}, {what}, {where}"


@dataclass
class Leak:
    """Something that knows the future.

    Parameters
    ----------
    kind : {"indicator", "signals", "rule", "hook", "market"}
    strategy, name : str
        The strategy's label; the indicator, the array, the function.
    place : str
        Expression of an indicator, `file:line` of code.
    symbol : str
        "" where it belongs to none.
    bar, time : int, str
        The first bar seen to differ.
    before, after : str
        What was there with the bars as they are, and with another future.
    trial : str
        The other future that showed it first.
    decides : bool
        Whether a decision changed; False where only a value that was read did.
    trials : int
        How many other futures showed it.
    columns : list of str
        Columns that showed it when they were replaced alone.
    arrays : list of str
        Arrays of the strategy that know the future.
    """

    kind: str
    strategy: str
    name: str
    place: str
    symbol: str
    bar: int
    time: str = ""
    before: str = ""
    after: str = ""
    trial: str = ""
    decides: bool = True
    trials: int = 0
    columns: list[str] = field(default_factory=list)
    arrays: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Leaks with one key are one leak, seen again."""
        return self.kind, self.strategy, self.name, self.place


@dataclass(frozen=True, slots=True)
class Tried:
    """How often a kind of other future was tried, and how often it changed the past."""

    kind: str
    column: str
    trials: int
    changed: int


@dataclass(frozen=True, slots=True)
class Recursion:
    """How an indicator depends on where the data begins.

    Parameters
    ----------
    strategy, name, expression : str
    least : bars
        Needed for the first value.
    first_difference : fraction
        Largest relative difference at the first value.
    bars_1e6, bars_1e9 : bars or None
        Bars of data from which on the difference stays below 1e-6 and 1e-9; None: not within
        the data.
    """

    strategy: str
    name: str
    expression: str
    least: int
    first_difference: float
    bars_1e6: int | None
    bars_1e9: int | None


@dataclass(frozen=True, slots=True)
class LaterStart:
    """Decisions of runs whose data begin later, against the same bars of the whole data.

    Parameters
    ----------
    warm_up : bars
        Between the start of the data and the first decision, in both runs.
    starts : int
        Starting points compared.
    orders : int
        In the runs over the whole data.
    changed : int
        Orders of these that are missing or different.
    """

    warm_up: int
    starts: int
    orders: int
    changed: int


@dataclass(repr=False)
class AuditReport:
    """The outcome of an audit.

    Parameters
    ----------
    bars, cuts, trials, orders : int
        Of the timeline; places in time; other futures; orders of the run as it is.
    leaks : list of Leak
    tried : list of Tried
    unchecked : list of str
        What could not be looked at, and what to do about it.
    suspects : list of str
        Arrays that know the future, which no decision was seen to use.
    foretells : list of str
        Arrays that could not be made again and follow the returns after them too closely.
    recursions : list of Recursion
    later_starts : list of LaterStart
    """

    bars: int
    cuts: int
    trials: int = 0
    orders: int = 0
    leaks: list[Leak] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    suspects: list[str] = field(default_factory=list)
    foretells: list[str] = field(default_factory=list)
    recursions: list[Recursion] = field(default_factory=list)
    later_starts: list[LaterStart] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything was looked at, and nothing knows the future.

        False where anything is unchecked; `leaks` and `foretells` say whether something was found.
        """
        found = self.leaks or self.foretells or self.suspects or self.unchecked
        return bool(self.trials) and not found

    @property
    def verdict(self) -> str:
        """One sentence."""
        tried = f"{self.trials} other futures at {self.cuts} bars"
        if self.leaks:
            names = ", ".join(dict.fromkeys(f"{x.name} of {x.strategy}" for x in self.leaks))
            return f"Leak: {names} knows what comes later ({tried})."
        if self.foretells:
            return f"Foresight: {self.foretells[0]}."
        if not self.trials:
            return "Not checked: no other future could be tried."
        told = f"{tried} changed no decision, fill or indicator before them."
        if self.unchecked:
            return f"Not shown to be clean: {told} But {self.unchecked[0]}."
        if self.suspects:
            return f"Not shown to be clean: {told} But {self.suspects[0]}."
        told = f"Clean: {told}"
        if not self.orders:
            told += " But the run has no order at all, so there was no decision to change."
        return told

    def __str__(self) -> str:
        found = [*self.foretells, *self.suspects, *self.unchecked]
        leaks = [
            f"leak: {x.name} of {x.strategy} at bar {x.bar} ({x.time}) {x.place}".rstrip()
            for x in self.leaks
        ]
        return "\n".join([self.verdict, *leaks, *(f"note: {text}" for text in found)])

    __repr__ = __str__

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"clean": self.is_clean, "verdict": self.verdict, **asdict(self)}
