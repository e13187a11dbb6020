"""What a sweep says of itself in some lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from intrabar.analysis.figure import Undefined
from intrabar.analysis.told import NEXT, WARNING, Told
from intrabar.analysis.units import shown
from intrabar.research.sweep.lean import FAILED

if TYPE_CHECKING:
    from intrabar.research.sweep.sweep import Best, SweepResult

FIGURES = ("total_return", "annual_return", "max_drawdown", "sharpe", "campaigns")
"""Of the best trial, what is told beside the metric."""


def told(sweep: SweepResult) -> Told:
    """How many trials, the best of them, how likely it is more than luck, and what failed."""
    what = f"Sweep: {len(sweep):,} trials of {', '.join(sweep.places)}"
    facts = f"{len(sweep) - sweep.found:,} run, {sweep.found:,} known from before"
    notes = [*_failed(sweep), *(f"note: {remark}" for remark in sweep.remarks)]
    best = sweep.best
    if best is None:
        rows = [("best", f"none: no trial has a {sweep.metric}")]
        return Told(what, facts, rows, [*notes, f"{NEXT}sweep.table has every trial"])
    after = (
        f"{NEXT}sweep.table has every trial, sweep.run({best.number}) the best in full; "
        "ib.validate(sweep) asks whether it is real, ib.sweep_report(sweep) draws all"
    )
    return Told(what, facts, _rows(best, sweep.metric), [_likely(best), *notes, after])


def _rows(best: Best, metric: str) -> list[tuple[str, str]]:
    at = ", ".join(f"{place} = {value}" for place, value in best.parameters.items())
    figures = dict.fromkeys([metric, *FIGURES])
    rows = [(name.replace("_", " "), shown(name, best.metrics[name])) for name in figures]
    return [("best", f"trial {best.number}: {at}"), *rows]


def _likely(best: Best) -> str:
    if isinstance(best.deflated, Undefined):
        return f"how likely its Sharpe ratio is above 0: unknown ({best.deflated.reason})"
    return (
        f"{best.deflated.probability:.0%} likely that its true Sharpe ratio is above 0, after "
        f"{best.deflated.tried:,} variants on these bars"
    )


def _failed(sweep: SweepResult) -> list[str]:
    failed = [o for o in sweep.outcomes if o.status == FAILED]
    if not failed:
        return []
    at = ", ".join(f"{place} = {value}" for place, value in failed[0].trial.parameters.items())
    return [f"{WARNING}{len(failed):,} trials failed, the first at {at}: {failed[0].error}"]
