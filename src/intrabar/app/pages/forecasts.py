"""What the predictions that a run traded were worth, for its report."""

from __future__ import annotations

from intrabar.data.heard import Heard
from intrabar.data.prediction_place import Placement
from intrabar.engine.outcome.result import Result
from intrabar.research.honesty import Judged, judge_placed
from intrabar.ui import shape
from intrabar.ui.view_types import ForecastView

MOST = 10_000
"""Rows of a file that are judged for a page: their intervals take two seconds."""


def forecasts_of(result: Result) -> tuple[list[ForecastView], list[str]]:
    """Of each file and symbol how good the predictions were, and what is not on the page.

    Returns
    -------
    list of ForecastView
        By the rows that the run could read, in ATRs, out of sample.
    list of str
        Files that are not judged, with the reason.
    """
    found: list[ForecastView] = []
    missing: list[str] = []
    read = {}
    for request, where in result.setup.predicted.items():
        if isinstance(where, Heard):
            missing.append(
                f"The page does not judge the predictions of {request.file}: a session heard "
                "them row by row; see intrabar predict check"
            )
        else:
            read[where.key, where.horizon] = where
    for where in read.values():
        count = sum(len(rows) for rows in where.rows.values())
        why = _unknown(where)
        if count > MOST:
            missing.append(
                f"The page does not judge the {count:,} predictions of {where.file.name}: the "
                f"intervals of more than {MOST:,} take long; intrabar predict check makes them"
            )
        elif why:
            missing.append(
                f"The page has neither skill by refit nor coverage of {where.file.name}: {why}, "
                "so that nothing tells whether they are out of sample"
            )
        else:
            judged = judge_placed([where], result.market).judged
            found += [_view(where.file.name, one) for one in judged]
    return found, missing


def _unknown(where: Placement) -> str:
    """Why it is not known of all rows what their models had seen; empty where it is."""
    until = where.file.trained_until
    if until is None:
        return "it has no column trained_until"
    blank = sum(int((~until.readable[rows]).sum()) for rows in where.rows.values())
    return f"trained_until is empty in {blank:,} of its rows" if blank else ""


def _view(file: str, one: Judged) -> ForecastView:
    quantiles = one.in_atrs.quantiles
    left_out = [] if quantiles else [f"{file} has no quantiles, so that there is no coverage."]
    return {
        "file": file,
        "symbol": one.symbol,
        "horizon": one.horizon,
        "rows": one.in_atrs.rows,
        "verdict": str(one.verdict),
        "refits": [
            {
                "trained_until": x.trained_until,
                "rows": x.rows,
                "skill": shape.number(x.skill),
                "low": shape.number(x.low),
                "high": shape.number(x.high),
            }
            for x in one.refits
        ],
        "quantiles": [
            {"probability": x.probability, "below": shape.number(x.below)} for x in quantiles
        ],
        "left_out": left_out,
    }
