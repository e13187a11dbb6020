"""A test of whether a result is real: a figure, what it means, what it takes for granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.bootstrap import Interval
from intrabar.analysis.figure import Undefined
from intrabar.analysis.told import NEXT, WARNING, Told
from intrabar.model.bars import Floats
from intrabar.research.finding import Finding, Mark

DEFLATED = "deflated Sharpe ratio"
FORESIGHT = "foresight"
UNCHECKED = "look-ahead of arrays"
"""Names of tests that the verdict knows."""

SHOWN = 3
"""Weaknesses of the critique that are told with a verdict; the others are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Many values of one figure, and where the observed one lies among them.

    Parameters
    ----------
    values : (n,) float64
    unit : str
        As in `METRICS`.
    counted : str
        What one value is.
    marks : mapping of label to value
    """

    values: Floats
    unit: str
    counted: str
    marks: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lines over time.

    Parameters
    ----------
    time : (n,) int64, ns since 1970 UTC
    lines : mapping of label to (n,) float64
    unit : str
    marks : mapping of label to ns since 1970 UTC
    """

    time: NDArray[np.int64]
    lines: Mapping[str, Floats]
    unit: str
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A value for each of a few names.

    Parameters
    ----------
    values : mapping of name to value
    unit : str
    """

    values: Mapping[str, float]
    unit: str


Picture = Drawn | Lines | Bars


@dataclass(frozen=True, slots=True)
class Check:
    """A test and what it came to.

    Parameters
    ----------
    name : str
    mark : Mark
        "unknown" where it could not be made; the meaning says why.
    figure : str
        As it is printed.
    meaning, assumption : str
    figures : mapping of str to float or None
        For programs.
    picture : Picture or None
    """

    name: str
    mark: Mark
    figure: str
    meaning: str
    assumption: str
    figures: Mapping[str, float | None] = field(default_factory=dict)
    picture: Picture | None = None

    def __str__(self) -> str:
        told = f"{self.mark}: {self.name}: {self.figure}. {self.meaning}"
        return f"{told}\nAssumes: {self.assumption}" if self.assumption else told

    def as_json(self) -> dict[str, Any]:
        """Plain values, without the picture."""
        return {
            "name": self.name,
            "mark": self.mark,
            "figure": self.figure,
            "meaning": self.meaning,
            "assumption": self.assumption,
            "figures": dict(self.figures),
        }


def not_made(name: str, why: Undefined | str, assumption: str) -> Check:
    """A test that could not be made."""
    reason = why.reason if isinstance(why, Undefined) else why
    return Check(name, "unknown", "none", f"Could not be made: {reason}.", assumption)


@dataclass(frozen=True, slots=True, repr=False)
class Validation:
    """Is it real: the verdict, and everything that it rests on.

    Parameters
    ----------
    sentence : str
        The verdict.
    mark : Mark
    checks : list of Check
    findings : list of Finding
        Of the critique.
    intervals : mapping of metric to Interval or Undefined
        Of the headline metrics, at `CONFIDENCE`.
    notes : list of str
    """

    sentence: str
    mark: Mark
    checks: list[Check]
    findings: list[Finding]
    intervals: Mapping[str, Interval | Undefined]
    notes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "verdict": {"sentence": self.sentence, "mark": self.mark},
            "checks": [one.as_json() for one in self.checks],
            "findings": [one.as_json() for one in self.findings],
            "intervals": {
                name: {"reason": x.reason}
                if isinstance(x, Undefined)
                else {"value": x.value, "low": x.low, "high": x.high}
                for name, x in self.intervals.items()
            },
            "notes": self.notes,
        }

    def __repr__(self) -> str:
        return self._told().text()

    def _repr_html_(self) -> str:
        return self._told().html()

    def _told(self) -> Told:
        rows: list[tuple[str, str]] = [
            (one.mark, f"{one.name}: {one.figure}") for one in self.checks
        ]
        against = [one for one in self.findings if one.mark in ("fail", "doubt")]
        kept = {"fail": WARNING, "doubt": ""}
        weak = [f"{kept[one.mark]}critique: {one.title}" for one in against[:SHOWN]]
        if len(against) > SHOWN:
            weak.append(f"critique: {len(against) - SHOWN} more weaknesses, in found.findings")
        notes = [f"note: {note}" for note in self.notes]
        after = f"{NEXT}print(found.checks[0]) says what a test means and takes for granted"
        return Told(self.sentence, "", rows, [*weak, *notes, after])
