"""What a validation page is made from: a verdict, checks with their pictures, and findings.

Marks are words, so that a page need not speak by color: `pass` (the check speaks for the
strategy), `doubt` (it does not settle it), `fail` (it speaks against it), `unknown` (it could not
be made; the meaning says why).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Mark = Literal["pass", "doubt", "fail", "unknown"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """A value of the horizontal axis that a picture points at: "observed", "expected by luck"."""

    value: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """How often each value came up; the page makes the bins.

    Parameters
    ----------
    values : (n,) float64
        NaN is left out.
    unit : str
        As in `report_input.Metric`.
    counted : str
        What one value is: "splits", "random entries", "orders of the trades".
    pointers : sequence of Pointer
        In the unit of the values.
    """

    values: Floats
    unit: str
    counted: str
    pointers: Sequence[Pointer] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Lines over time, or over another axis.

    Parameters
    ----------
    x : (n,) float64 or int64
        Rising; ns since 1970 UTC where `x_unit` is "time".
    lines : {label: (n,) float64}
        NaN where a line has a gap.
    unit : str
        Of the lines.
    x_unit : str
        "time", or what the axis is: "trials".
    pointers : sequence of Pointer
        Where windows begin and the like, in the unit of `x`.
    """

    x: NDArray[np.float64] | NDArray[np.int64]
    lines: Mapping[str, Floats]
    unit: str
    x_unit: str = "time"
    pointers: Sequence[Pointer] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """A value for each of a few names: a year, a regime, a multiple of the costs."""

    labels: Sequence[str]
    values: Sequence[float | None]
    unit: str


Picture = Histogram | Series | Bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer in a sentence."""

    sentence: str
    mark: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A test of whether the result is real.

    Parameters
    ----------
    name : str
    mark : Mark
    figure : str
        As it is printed: "0.97", "p 0.03", "62 %".
    meaning : str
        What the figure says here, in a sentence or two.
    assumption : str
        What has to hold for the figure to mean that.
    picture : Picture or None
    """

    name: str
    mark: Mark
    figure: str
    meaning: str
    assumption: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A weakness that the critique found.

    Parameters
    ----------
    title : str
    mark : Mark
        `fail` for what alone can sink the result, `doubt` for what needs a look, `pass` for a
        question that was asked and found nothing.
    evidence : str
    what_to_do : str
    picture : Picture or None
    """

    title: str
    mark: Mark
    evidence: str
    what_to_do: str
    picture: Picture | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A metric with the ends of its confidence interval; None where it is unknown."""

    label: str
    value: float | None
    low: float | None
    high: float | None
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """All that a validation page, or a page of a critique alone, shows.

    Parameters
    ----------
    name : str
        Of what is judged.
    subject : {"run", "sweep", "policy", "scorecard"}
        What is judged; of a scorecard a learned exit against the best static one.
    verdict : Verdict
    checks, findings : sequences
        In the order of the page.
    intervals : sequence of Interval
        Of the headline metrics.
    confidence : fraction
        Of the intervals.
    symbols : sequence of str
    start, end : ns since 1970 UTC, or None
    created : str
    notes : sequence of str
    manifest : JSON-like mapping
    """

    name: str
    subject: Literal["run", "sweep", "policy", "scorecard"]
    verdict: Verdict
    checks: Sequence[Check] = ()
    findings: Sequence[Finding] = ()
    intervals: Sequence[Interval] = ()
    confidence: float = 0.95
    symbols: Sequence[str] = ()
    start: int | None = None
    end: int | None = None
    created: str = ""
    notes: Sequence[str] = ()
    manifest: Mapping[str, object] = field(default_factory=dict)
