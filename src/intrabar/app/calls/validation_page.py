"""A validation as the page reads it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from intrabar.analysis.figure import Undefined
from intrabar.analysis.metrics import METRICS
from intrabar.engine.outcome.result import Result
from intrabar.research.validate import check
from intrabar.ui import validation_input as page
from intrabar.ui.validation_view import validation_view
from intrabar.web.pages import write_validation


def write_page(
    found: check.Validation,
    result: Result | None,
    path: Path,
    *,
    name: str,
    subject: Literal["run", "sweep"],
    symbols: Sequence[str] = (),
    manifest: dict[str, Any] | None = None,
) -> Path:
    """Write the page of a validation.

    Raises
    ------
    RunError
        The page was not built, or cannot be written.
    """
    time = None if result is None else result.market.time
    given = page.Validation(
        name=name,
        subject=subject,
        verdict=page.Verdict(sentence=found.sentence, mark=found.mark),
        checks=[as_shown(one) for one in found.checks],
        findings=[
            page.Finding(
                title=one.title,
                mark=one.mark,
                evidence=one.evidence,
                what_to_do=one.what_to_do,
            )
            for one in found.findings
        ],
        intervals=[_interval(name, x, found.checks) for name, x in found.intervals.items()],
        symbols=symbols if result is None else result.market.symbols,
        start=None if time is None else int(time[0]),
        end=None if time is None else int(time[-1]),
        created=str((manifest or {}).get("created", "")),
        notes=found.notes,
        manifest=manifest or {},
    )
    return write_validation(validation_view(given), path)


def as_shown(one: check.Check) -> page.Check:
    """A check as the page reads it."""
    return page.Check(
        name=one.name,
        mark=one.mark,
        figure=one.figure,
        meaning=one.meaning,
        assumption=one.assumption,
        picture=_picture(one.picture),
    )


def _picture(picture: check.Picture | None) -> page.Picture | None:
    if picture is None:
        return None
    if isinstance(picture, check.Bars):
        values = list(picture.values.values())
        return page.Bars(labels=list(picture.values), values=values, unit=picture.unit)
    pointers = [page.Pointer(value=v, label=label) for label, v in picture.marks.items()]
    if isinstance(picture, check.Drawn):
        return page.Histogram(
            values=picture.values, unit=picture.unit, counted=picture.counted, pointers=pointers
        )
    return page.Series(x=picture.time, lines=picture.lines, unit=picture.unit, pointers=pointers)


def _likely(deflated: check.Check) -> str:
    """A deflated Sharpe ratio in words: a figure of its own reads as a larger ratio."""
    value = deflated.figures.get("probability")
    return "how likely above 0: unknown" if value is None else f"{value:.0%} likely above 0"


def _interval(name: str, x: Any, checks: Sequence[check.Check]) -> page.Interval:
    label, unit = name.replace("_", " "), METRICS[name].unit
    if name == "sharpe":  # never without what is left of it after all that was tried
        label += "".join(f" ({_likely(x)})" for x in checks if x.name == check.DEFLATED)
    if isinstance(x, Undefined):
        return page.Interval(label=label, value=None, low=None, high=None, unit=unit)
    return page.Interval(label=label, value=x.value, low=x.low, high=x.high, unit=unit)
