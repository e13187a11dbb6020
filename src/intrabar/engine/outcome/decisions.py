"""The table of what learned exits decided, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.engine.outcome.tabling import names_of, null_below_zero
from intrabar.strategy.lessons import Decided

SCHEMA: dict[str, Any] = {
    "bar": pl.Int64,
    "time": pl.Datetime("ns", "UTC"),
    "strategy": pl.String,
    "symbol": pl.String,
    "side": pl.Int8,
    "campaign": pl.Int64,
    "policy": pl.String,
    "arm": pl.Int64,
    "multiple": pl.Float64,
    "propensity": pl.Float64,
    "greedy": pl.Boolean,
    "prior": pl.Float64,
}
ENDING: dict[str, Any] = {
    "closed_bar": pl.Int64,
    "closed_time": pl.Datetime("ns", "UTC"),
    "reward": pl.Float64,
    "simulated": pl.Boolean,
}


def decided_in(running: Mapping[str, Any]) -> dict[str, Decided]:
    """What the learned exits of a run decided, by strategy."""
    found = {name: getattr(one, "decided", None) for name, one in running.items()}
    return {name: one for name, one in found.items() if one is not None}


def decisions_of(decided: Mapping[str, Decided], symbols: Sequence[str]) -> pl.DataFrame:
    """A row per decision, by bar and then in the order of the strategies.

    Parameters
    ----------
    decided : mapping of strategy to Decided
    symbols : sequence of str

    Returns
    -------
    DataFrame
        `campaign` counts those of a strategy and symbol from 0 (`with_numbers`); null where the
        decision led to none, as an order that was refused. `arm` is an index, `multiple` its ATR
        multiple, `greedy` whether it has the highest score. `prior` and `score_*` are in units of
        score. `reward` is net profit / budget; null where the campaign is open, or somebody traded
        in it by hand.
    """
    tables = [_table(name, one, symbols) for name, one in decided.items()]
    empty = pl.DataFrame(schema={**SCHEMA, **ENDING})
    if not tables:
        return empty
    whole = pl.concat([empty.drop(*ENDING), *tables], how="diagonal")
    return whole.select(*[x for x in whole.columns if x not in ENDING], *ENDING).sort(
        "bar", maintain_order=True
    )


def with_numbers(decisions: pl.DataFrame, campaigns: pl.DataFrame) -> pl.DataFrame:
    """The same with `campaign` as the table of campaigns numbers them.

    Parameters
    ----------
    decisions : DataFrame
        Where it counts those of a strategy and symbol.
    campaigns : DataFrame
        `campaign, strategy, symbol`.
    """
    if not decisions.height:
        return decisions
    sleeve = ["strategy", "symbol"]
    numbers = campaigns.sort("campaign").select(
        pl.col("strategy", "symbol").cast(pl.String),
        pl.col("campaign").cast(pl.Int64).alias("number"),
        pl.int_range(pl.len()).over(sleeve).cast(pl.Int64).alias("campaign"),
    )
    told = decisions.join(numbers, on=[*sleeve, "campaign"], how="left", maintain_order="left")
    return told.with_columns(pl.col("number").alias("campaign")).drop("number")


def _table(name: str, one: Decided, symbols: Sequence[str]) -> pl.DataFrame:
    d, lessons = one.log.decisions, one.lessons
    arms, values = lessons.arms, one.log.values
    campaign, closed, closed_time, reward = _outcomes(one)
    policies = np.array([*(x.hash for x in lessons.policies), lessons.source])
    table = {
        "bar": d["bar"].copy(),
        "time": pl.Series(d["time"].copy()).cast(SCHEMA["time"]),
        "strategy": pl.Series([name] * len(d), dtype=pl.String),
        "symbol": names_of(list(symbols), d["instrument"]).cast(pl.String),
        "side": d["side"].astype(np.int8),
        "campaign": null_below_zero(campaign),
        "policy": pl.Series(policies[d["model"]].tolist(), dtype=pl.String),
        "arm": d["arm"].copy(),
        "multiple": np.array(arms)[d["arm"]],
        "propensity": d["propensity"].copy(),
        "greedy": d["arm"] == d["greedy"],
        "prior": _known(d["prior"] if lessons.policies else np.full(len(d), np.nan)),
    }
    for k, arm in enumerate(arms):
        table[f"score_{arm:g}"] = _known(values[:, k])
    for k, feature in enumerate(lessons.context_names):
        table[f"x_{feature}"] = values[:, len(arms) + k].copy()
    table["closed_bar"] = null_below_zero(closed)
    table["closed_time"] = null_below_zero(closed_time).cast(ENDING["closed_time"])
    table["reward"] = _known(reward)
    table["simulated"] = np.zeros(len(d), bool)
    return pl.DataFrame(table)


def _outcomes(
    one: Decided,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Of each decision its campaign, when that closed (bar, ns UTC), and the reward.

    -1 and NaN where there is none.
    """
    d, ends = one.log.decisions, one.log.ends
    campaign = d["campaign"].astype(np.int64)
    closed, reward = np.full(len(d), -1, np.int64), np.full(len(d), np.nan)
    closed_time = closed.copy()
    campaign[ends["row"]] = ends["campaign"]
    still = one.memory[one.memory["is_open"] == 1]
    campaign[still["row"]] = still["campaign"]
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = (ends["gross"] - ends["costs"]) / ends["budget"]
    scores[ends["spoilt"] == 1] = np.nan
    by = {(int(d["instrument"][x["row"]]), int(x["campaign"])): k for k, x in enumerate(ends)}
    for row in range(len(d)):
        k = by.get((int(d["instrument"][row]), int(campaign[row])), -1)
        if k >= 0:
            closed[row], reward[row] = ends["closed_bar"][k], scores[k]
            closed_time[row] = ends["closed_time"][k]
    return campaign, closed, closed_time, reward


def _known(values: NDArray[np.float64]) -> pl.Series:
    """Numbers, null where there is none."""
    return pl.Series(values.copy()).fill_nan(None)
