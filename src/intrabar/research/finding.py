"""What a check of a run comes to: a mark, what was found, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Mark = Literal["fail", "doubt", "unknown", "pass"]
"""The worst first."""

MARKS: tuple[Mark, ...] = ("fail", "doubt", "unknown", "pass")


@dataclass(frozen=True, slots=True, repr=False)
class Finding:
    """One weakness that was looked for in a run.

    Parameters
    ----------
    name : str
        What was looked at, the same in every run: "cost sensitivity".
    mark : {"fail", "doubt", "unknown", "pass"}
    title : str
        What was found, in a sentence.
    evidence : str
        The figures behind it.
    what_to_do : str
        "" where nothing is to be done.
    figures : mapping of str to float or None
        The same figures for programs.
    """

    name: str
    mark: Mark
    title: str
    evidence: str
    what_to_do: str = ""
    figures: Mapping[str, float | None] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<{self.mark}: {self.title} ({self.evidence})>"

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "name": self.name,
            "mark": self.mark,
            "title": self.title,
            "evidence": self.evidence,
            "what_to_do": self.what_to_do,
            "figures": dict(self.figures),
        }


def worst_first(findings: list[Finding]) -> list[Finding]:
    """The same findings by their marks, otherwise as they were."""
    return sorted(findings, key=lambda one: MARKS.index(one.mark))


def marked(value: float, doubt: float, fail: float) -> Mark:
    """A mark by two thresholds: `fail` is the one further from what is good."""
    worse = value >= fail if fail > doubt else value <= fail
    uncertain = value >= doubt if fail > doubt else value <= doubt
    return "fail" if worse else "doubt" if uncertain else "pass"
