"""What learned exits read in a run, held against what they were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl

from intrabar.analysis.drift import Drift, drift_of
from intrabar.exits.learned import STATIC
from intrabar.exits.psi import STRETCH
from intrabar.indicators.indicator import Floats
from intrabar.model.remark import Remark
from intrabar.strategy.lessons import Decided, Lessons

SCHEMA: dict[str, Any] = {
    "strategy": pl.String,
    "time": pl.Datetime("ns", "UTC"),
    "feature": pl.String,
    "psi": pl.Float64,
    "limit": pl.Float64,
    "told": pl.String,
}


class Stretch(NamedTuple):
    """Drift of 500 decisions.

    Parameters
    ----------
    time : int, ns UTC
        Of the last of them.
    drift : Drift
    """

    time: int
    drift: Drift


def drifted(decided: Mapping[str, Decided]) -> list[Remark]:
    """Drift of the last 500 decisions, by strategy: an alarm, or that there can be none."""
    told = []
    for name, one in decided.items():
        found = _at(one, len(one.log.decisions))
        if found is None:
            continue
        drift = found.drift
        if drift.alarm:
            then = "; its static arm is taken" if one.lessons.on_drift == STATIC else ""
            said = f"{name}: the features of its last 500 decisions have drifted{then}: "
            told.append(Remark(said + drift.told, severe=True))
        elif drift.limit is None:
            told.append(Remark(f"{name}: {drift.told}"))
    return told


def drift_table(decided: Mapping[str, Decided]) -> pl.DataFrame:
    """Drift over the run, in stretches of 500 decisions that end with the last one.

    Returns
    -------
    DataFrame
        `strategy time feature psi limit told`, by strategy and time: the feature that has moved
        furthest, and the limit; null where the training had too few decisions to find one. No row
        of a strategy with fewer than 500 decisions, or whose training's deciles are not known.
    """
    rows = []
    for name, one in decided.items():
        ends = range(len(one.log.decisions), STRETCH - 1, -STRETCH)
        for found in [_at(one, end) for end in reversed(ends)]:
            if found is not None:
                drift = found.drift
                psi = drift.psi[drift.feature]
                rows.append((name, found.time, drift.feature, psi, drift.limit, drift.told))
    return pl.DataFrame(rows, SCHEMA, orient="row")


def _at(one: Decided, end: int) -> Stretch | None:
    """Drift of the 500 decisions before this one; None of fewer, or without known deciles.

    Contexts are normalised by the first policy and within 3 deviations; the deciles are those of
    the policy that made the last of these decisions.
    """
    decisions = one.log.decisions
    if end < STRETCH or not one.lessons.policies:
        return None
    contexts = one.log.values[end - STRETCH : end, len(one.lessons.arms) + 1 :]
    found = drift_at(one.lessons, int(decisions["model"][end - 1]), contexts)
    return None if found is None else Stretch(int(decisions["time"][end - 1]), found)


def drift_at(lessons: Lessons, model: int, contexts: Floats) -> Drift | None:
    """Drift of 500 decisions.

    Parameters
    ----------
    lessons : Lessons
    model : int
        Number of the policy that made the last of them.
    contexts : (500, F)
        Normalised by the first policy.

    Returns
    -------
    Drift or None
        None of a network that others trained: no deciles are known.
    """
    net, last = lessons.policies[0].net, lessons.policies[model]
    if not last.deciles.any():
        return None
    values = contexts * net.scale + net.mean
    return drift_of(values, last.features.names, last.deciles, last.psi_limit)
