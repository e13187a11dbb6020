"""The validation page as plain values; `frontend/src/validation/view.ts` is the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict, cast

import numpy as np

from intrabar.analysis.extremes import keep_extremes
from intrabar.errors import RunError
from intrabar.ui import shape
from intrabar.ui.coded import Number
from intrabar.ui.validation_input import (
    Bars,
    Floats,
    Histogram,
    Mark,
    Picture,
    Pointer,
    Series,
    Validation,
)

SCHEMA = 1
SERIES_POINTS = 1_500
FEWEST_BINS, MOST_BINS = 12, 60


class PointerView(TypedDict):
    """A place on the horizontal axis and what stands there."""

    value: Number
    label: str


class HistogramView(TypedDict):
    """Counts in bins of one width from `low` to `high`."""

    kind: Literal["histogram"]
    low: float
    high: float
    counts: list[int]
    unit: str
    counted: str
    pointers: list[PointerView]


class LineView(TypedDict):
    """A line of a series."""

    label: str
    value: list[Number]


class SeriesView(TypedDict):
    """Lines over `x`: whole seconds where `x_unit` is "time"."""

    kind: Literal["series"]
    x: list[float]
    x_unit: str
    lines: list[LineView]
    unit: str
    pointers: list[PointerView]


class BarsView(TypedDict):
    """A bar for each label."""

    kind: Literal["bars"]
    labels: list[str]
    values: list[Number]
    unit: str


PictureView = HistogramView | SeriesView | BarsView


class VerdictView(TypedDict):
    """The answer in a sentence."""

    sentence: str
    mark: Mark


class CheckView(TypedDict):
    """As `validation_input.Check`."""

    name: str
    mark: Mark
    figure: str
    meaning: str
    assumption: str
    picture: PictureView | None


class FindingView(TypedDict):
    """As `validation_input.Finding`."""

    title: str
    mark: Mark
    evidence: str
    what_to_do: str
    picture: PictureView | None


class IntervalView(TypedDict):
    """As `validation_input.Interval`."""

    label: str
    value: Number
    low: Number
    high: Number
    unit: str


class ValidationView(TypedDict):
    """All that the page shows."""

    schema: int
    name: str
    subject: Literal["run", "sweep", "policy", "scorecard"]
    created: str
    symbols: list[str]
    start: int | None
    end: int | None
    verdict: VerdictView
    checks: list[CheckView]
    findings: list[FindingView]
    intervals: list[IntervalView]
    confidence: float
    notes: list[str]
    manifest: dict[str, object]


def validation_view(given: Validation) -> ValidationView:
    """Shape a validation for its page.

    Raises
    ------
    RunError
        A picture whose parts have different lengths.
    """
    return {
        "schema": SCHEMA,
        "name": given.name,
        "subject": given.subject,
        "created": given.created,
        "symbols": list(given.symbols),
        "start": None if given.start is None else given.start // shape.NS,
        "end": None if given.end is None else given.end // shape.NS,
        "verdict": {"sentence": given.verdict.sentence, "mark": given.verdict.mark},
        "checks": [
            {
                "name": check.name,
                "mark": check.mark,
                "figure": check.figure,
                "meaning": check.meaning,
                "assumption": check.assumption,
                "picture": picture_view(check.picture, check.name),
            }
            for check in given.checks
        ],
        "findings": [
            {
                "title": finding.title,
                "mark": finding.mark,
                "evidence": finding.evidence,
                "what_to_do": finding.what_to_do,
                "picture": picture_view(finding.picture, finding.title),
            }
            for finding in given.findings
        ],
        "intervals": [
            {
                "label": shape.label(interval.label),
                "value": _number(interval.value),
                "low": _number(interval.low),
                "high": _number(interval.high),
                "unit": interval.unit,
            }
            for interval in given.intervals
        ],
        "confidence": given.confidence,
        "notes": list(given.notes),
        "manifest": cast("dict[str, object]", shape.plain(dict(given.manifest))),
    }


def picture_view(picture: Picture | None, name: str) -> PictureView | None:
    """Shape a picture; one of nothing is none. `name` is for the error message."""
    if isinstance(picture, Histogram):
        return _histogram(picture)
    if isinstance(picture, Series):
        return _series(picture, name)
    if isinstance(picture, Bars):
        return _bars(picture, name)
    return None


def _histogram(picture: Histogram) -> HistogramView | None:
    values = np.asarray(picture.values, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not values.shape[0]:
        return None
    low, high = float(values.min()), float(values.max())
    if high <= low:  # all alike: one bin around them
        low, high = low - 0.5, high + 0.5
    counts, _ = np.histogram(values, bins=_bin_count(values, high - low), range=(low, high))
    return {
        "kind": "histogram",
        "low": low,
        "high": high,
        "counts": counts.tolist(),
        "unit": picture.unit,
        "counted": picture.counted,
        "pointers": _pointers(picture.pointers),
    }


def _bin_count(values: Floats, span: float) -> int:
    """Bins as wide as Freedman and Diaconis (1981) have them, within what a picture can show."""
    low, high = np.percentile(values, [25.0, 75.0])
    width = 2.0 * (high - low) / values.shape[0] ** (1 / 3)
    return int(np.clip(span / width, FEWEST_BINS, MOST_BINS)) if width > 0.0 else FEWEST_BINS


def _series(picture: Series, name: str) -> SeriesView | None:
    n = len(picture.x)
    for label, line in picture.lines.items():
        if len(line) != n:
            raise RunError(f"{name}: the line {label} has {len(line)} values on {n} of its axis")
    if not n or not picture.lines:
        return None
    lines = {k: np.asarray(line, dtype=np.float64) for k, line in picture.lines.items()}
    kept = keep_extremes(list(lines.values()), SERIES_POINTS)
    is_time = picture.x_unit == "time"
    scale = shape.NS if is_time else 1
    x: list[float] = (
        [*(picture.x[kept] // scale).tolist()]
        if is_time
        else shape.finite(np.asarray(picture.x[kept], dtype=np.float64))
    )
    return {
        "kind": "series",
        "x": x,
        "x_unit": picture.x_unit,
        "lines": [{"label": k, "value": shape.numbers(line[kept])} for k, line in lines.items()],
        "unit": picture.unit,
        "pointers": _pointers(picture.pointers, scale),
    }


def _bars(picture: Bars, name: str) -> BarsView | None:
    if len(picture.labels) != len(picture.values):
        raise RunError(f"{name}: {len(picture.values)} bars for {len(picture.labels)} labels")
    if not picture.labels:
        return None
    return {
        "kind": "bars",
        "labels": list(picture.labels),
        "values": [_number(value) for value in picture.values],
        "unit": picture.unit,
    }


def _pointers(pointers: Sequence[Pointer], scale: int = 1) -> list[PointerView]:
    return [{"value": _number(p.value / scale), "label": p.label} for p in pointers]


def _number(value: float | None) -> Number:
    return None if value is None else shape.number(float(value))
