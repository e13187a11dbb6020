"""What a report is made from: facts of the run, its tables, and what the analysis found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NotRequired, TypedDict

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.ui.view_types import ForecastView


class Metric(TypedDict):
    """A metric as the analysis gives it.

    `unit` is "account currency", "R", "ratio", "count", "price", anything that begins with
    "fraction" (written in percent), or any other text, which is written behind the number.
    `reason` tells why a value of None is unknown.
    """

    value: float | int | str | None
    unit: str
    description: str
    reason: NotRequired[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What the run is called and what it was.

    `without_detail` is how many bars the path policy `detail` had to guess, None under another;
    `idle` why nothing was traded, empty where something was; `is_liquidated` whether margin calls
    have closed positions.
    """

    name: str
    status: RunStatus
    policy: PathPolicy
    strategies: Sequence[str]
    symbols: Sequence[str]
    initial_cash: float
    currency: str = "USD"
    created: str = ""
    without_detail: int | None = None
    idle: Sequence[str] = ()
    is_liquidated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTables:
    """The tables of a run (docs/architecture.md); columns that are not shown may be missing.

    Those that may be larger than memory may be lazy. `equity` may have been thinned: then `bars` is
    how many rows it had. `decisions`, `bandits` and `drift` are those of learned exits.
    """

    fills: pl.DataFrame | pl.LazyFrame
    orders: pl.DataFrame | pl.LazyFrame
    campaigns: pl.DataFrame | pl.LazyFrame
    equity: pl.DataFrame
    gates: pl.DataFrame
    ledger: pl.DataFrame | pl.LazyFrame
    levels: pl.DataFrame | pl.LazyFrame
    bars: int | None = None
    decisions: pl.DataFrame | None = None
    bandits: pl.DataFrame | None = None
    drift: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An equity or profit line of a symbol or a strategy.

    Parameters
    ----------
    label : str
    kind : {"symbol", "strategy"}
    time : (n,) int64, ns since 1970 UTC
    value : (n,) float64, account currency
    """

    label: str
    kind: Literal["symbol", "strategy"]
    time: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRun:
    """The run repeated under one path policy.

    Parameters
    ----------
    policy : PathPolicy
    end_equity : account currency
    total_return : fraction
    campaigns, ambiguous : count
        Campaigns, and those of them that had stop and target inside one bar.
    time : (n,) int64, ns since 1970 UTC
    equity : (n,) float64, account currency
    """

    policy: PathPolicy
    end_equity: float
    total_return: float
    campaigns: int
    ambiguous: int
    time: NDArray[np.int64]
    equity: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the analysis found; every part may be empty.

    Parameters
    ----------
    metrics : {section: {name: Metric}}
        Of the whole run. The page's key figures are taken from here by name (`HEADLINE`).
    by_symbol, by_strategy : {symbol or strategy: {name: Metric}}
    months : table or None
        `year`, `jan` to `dec` and `total` (fractions, null where there is no value).
    band : sequence of PolicyRun
        Worst, shortest and best; more are shown as well.
    lines : sequence of Line
    forecasts : sequence of ForecastView
        Of each file of predictions that was read, by symbol.
    warnings : sequence of str
        Why the figures may be wrong: above them on the page.
    notes : sequence of str
        What else to know, most serious first.
    manifest : JSON-like mapping
        Configuration, versions, seed, data hashes.
    """

    metrics: Mapping[str, Mapping[str, Metric]] = field(default_factory=dict)
    by_symbol: Mapping[str, Mapping[str, Metric]] = field(default_factory=dict)
    by_strategy: Mapping[str, Mapping[str, Metric]] = field(default_factory=dict)
    months: pl.DataFrame | None = None
    band: Sequence[PolicyRun] = ()
    lines: Sequence[Line] = ()
    forecasts: Sequence[ForecastView] = ()
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    manifest: Mapping[str, object] = field(default_factory=dict)
