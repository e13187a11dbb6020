"""What a sweep's page is made from: the table of its trials and what is known of the best."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypedDict

import polars as pl


class MetricKind(TypedDict):
    """Unit (as in `report_input.Metric`) and meaning of a metric of the table."""

    unit: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflation:
    """What the Sharpe ratio of the best is worth after so many trials.

    Parameters
    ----------
    sharpe : float or None, annual
        Of the best.
    deflated : probability or None
        That its true Sharpe ratio is above 0, after the trials: the deflated Sharpe ratio.
    by_luck : float or None, annual
        Sharpe ratio that the best of so many trials without skill is expected to show.
    effective : float or None
        Independent trials that would reach as high by chance as these.
    reason : str
        Why the deflated Sharpe ratio is unknown.
    """

    sharpe: float | None = None
    deflated: float | None = None
    by_luck: float | None = None
    effective: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """A sweep as its page sees it.

    Parameters
    ----------
    name : str
    trials : table
        A row per trial: `number`, `status`, `error`, the parameters and the metrics.
    parameters : sequence of str
        Columns of `trials`.
    metrics : {column of trials: MetricKind}
        In the order of the page.
    metric : str
        What the best is by; one of `metrics`.
    lower_is_better : collection of str
        Metrics of which less is better.
    best : int or None
        Number of the best trial.
    deflation : Deflation
        Of the best.
    is_grid : bool
        The parameters were laid out on a grid, not sampled.
    tried : int or None
        Variants that were ever tried on these data, this sweep included.
    strategies, symbols : sequence of str
    start, end : ns since 1970 UTC, or None
    created : str
    notes : sequence of str
    manifest : JSON-like mapping
    """

    name: str
    trials: pl.DataFrame
    parameters: Sequence[str]
    metrics: Mapping[str, MetricKind]
    metric: str
    best: int | None
    deflation: Deflation
    lower_is_better: Collection[str] = ()
    is_grid: bool = True
    tried: int | None = None
    strategies: Sequence[str] = ()
    symbols: Sequence[str] = ()
    start: int | None = None
    end: int | None = None
    created: str = ""
    notes: Sequence[str] = ()
    manifest: Mapping[str, object] = field(default_factory=dict)
