"""What came of a walk-forward: its windows, the stitched tests, efficiency and drift."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from intrabar.analysis.drawdown import drawdown_series
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.figures import growth_figures
from intrabar.analysis.sharpe import Deflated
from intrabar.analysis.told import NEXT, WARNING, Told
from intrabar.analysis.units import shown
from intrabar.model.bars import Floats, Times
from intrabar.research.sweep.trial import Value
from intrabar.research.walk_forward.window_runs import Window

KEPT_GOOD = 0.5
"""Part of the return in the train that the test should keep: Pardo, The Evaluation and Optimization
of Trading Strategies (2008), asks for half."""


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One window: what was chosen, and what became of it.

    Parameters
    ----------
    train, test : Window
    chosen : mapping of place to value
    inside, outside : mapping of name to figure
        Metrics of the chosen trial in the train and in the test.
    deflated : Deflated or Undefined
        What the trials of the train leave of its Sharpe ratio there.
    days : (d,) int64, ns since 1970 UTC
        Of the test.
    returns : (d,) float64, fraction
    failed : int
        Trials of the train that raised.
    """

    train: Window
    test: Window
    chosen: Mapping[str, Value]
    inside: Mapping[str, float | None]
    outside: Mapping[str, float | None]
    deflated: Deflated | Undefined
    days: Times
    returns: Floats
    failed: int


@dataclass(frozen=True, eq=False, repr=False)
class WalkForward:
    """What came of a walk-forward.

    Parameters
    ----------
    steps : list of Step
    metric : str
        What was chosen by.
    trials : int
        Of each train.
    year : float
        Days in a year.
    """

    steps: list[Step]
    metric: str
    trials: int
    year: float

    def __repr__(self) -> str:
        return self._told().text()

    def _repr_html_(self) -> str:
        return self._told().html()

    def _told(self) -> Told:
        first, last = utc(self.steps[0].test.first)[:10], utc(self.steps[-1].test.last)[:10]
        facts = (
            f"tests from {first} to {last}, each after a choice of {self.trials:,} by {self.metric}"
        )
        names = {
            "total_return": "return",
            "annual_return": "a year",
            "max_drawdown": "drawdown",
            "sharpe": "Sharpe",
        }
        rows = [(label, shown(name, self.figures[name])) for name, label in names.items()]
        return Told(f"Walk-forward: {len(self.steps)} windows", facts, rows, self._notes())

    def _notes(self) -> list[str]:
        kept = self.efficiency
        if isinstance(kept, Undefined):
            notes = [f"efficiency: none ({kept.reason})"]
        else:
            least = "half or more" if kept >= KEPT_GOOD else "less than half"
            word = "" if kept >= KEPT_GOOD else WARNING
            notes = [f"{word}{kept:.0%} of the return a year where it was chosen was kept: {least}"]
        moved = ", ".join(f"{place} in {share:.0%}" for place, share in self.drift.items())
        notes.append(f"another value than in the window before: {moved} of the windows")
        if failed := sum(step.failed for step in self.steps):
            notes.append(f"{WARNING}{failed:,} trials of the trains failed")
        return [
            *notes,
            f"{NEXT}found.table has a row per window, found.equity the curve of the tests",
        ]

    @property
    def days(self) -> Times:
        """The days of all tests, (d,) ns since 1970 UTC."""
        return np.concatenate([step.days for step in self.steps])

    @property
    def returns(self) -> Floats:
        """The daily returns of all tests, one after the other, (d,) fractions."""
        return np.concatenate([step.returns for step in self.steps])

    @property
    def equity(self) -> Floats:
        """Worth of 1 that was invested at the first test, (d,)."""
        return np.asarray(np.cumprod(1.0 + self.returns), np.float64)

    @cached_property
    def figures(self) -> dict[str, float | None]:
        """Figures of the stitched tests; `efficiency` is explained in `docs/validate.md`."""
        growth = growth_figures(self.returns, self.year)
        made: dict[str, Figure] = {
            **{name: growth[name] for name in ("total_return", "annual_return", "sharpe")},
            "max_drawdown": float(drawdown_series(self.equity, 1.0).max(initial=0.0)),
            "efficiency": self.efficiency,
        }
        return {name: None if isinstance(x, Undefined) else x for name, x in made.items()}

    @property
    def efficiency(self) -> Figure:
        """Annual return of the tests over the mean annual return of the trains."""
        inside = [step.inside.get("annual_return") for step in self.steps]
        known = [value for value in inside if value is not None]
        outside = growth_figures(self.returns, self.year)["annual_return"]
        if isinstance(outside, Undefined):
            return outside
        mean = float(np.mean(known)) if known else math.nan
        if not mean > 0.0:
            return Undefined("what was chosen made nothing where it was chosen")
        return outside / mean

    @property
    def drift(self) -> dict[str, float]:
        """Of each parameter, in which share of the windows another value was chosen than before."""
        count = max(1, len(self.steps) - 1)
        return {
            place: sum(
                a.chosen[place] != b.chosen[place]
                for a, b in zip(self.steps[:-1], self.steps[1:], strict=True)
            )
            / count
            for place in self.steps[0].chosen
        }

    @cached_property
    def table(self) -> pl.DataFrame:
        """A row per window: its times, what was chosen, and returns inside and outside.

        `sharpe_in` never stands without `deflated_in`.
        """
        return pl.DataFrame([self._row(k, step) for k, step in enumerate(self.steps)])

    def _row(self, number: int, step: Step) -> dict[str, Any]:
        left = step.deflated
        return {
            "window": number,
            **{
                f"{name}_{end}": utc(getattr(window, end))
                for name, window in (("train", step.train), ("test", step.test))
                for end in ("first", "last")
            },
            **step.chosen,
            "annual_return_in": step.inside.get("annual_return"),
            "annual_return_out": step.outside.get("annual_return"),
            "sharpe_in": step.inside.get("sharpe"),
            "deflated_in": None if isinstance(left, Undefined) else left.probability,
            "sharpe_out": step.outside.get("sharpe"),
            "campaigns_out": step.outside.get("campaigns"),
            "failed": step.failed,
        }

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "metric": self.metric,
            "trials": self.trials,
            "figures": self.figures,
            "drift": self.drift,
            "windows": self.table.to_dicts(),
        }


def utc(ns: int) -> str:
    """An instant as text, to the second."""
    return str(np.datetime64(ns, "ns"))[:19] + "Z"
