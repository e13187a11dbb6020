"""What learned exits decided, shaped for the report page."""

from __future__ import annotations

import numpy as np
import polars as pl

from intrabar.ui import shape
from intrabar.ui.view_types import ArmsView, BanditRow, DecisionRow, DecisionsView, DriftView

GROUPS = 24  # stretches of decisions whose shares of arms are shown
FEWEST = 5  # decisions of a stretch
ROWS = 500  # the last ones


def decisions_view(
    decisions: pl.DataFrame | None,
    bandits: pl.DataFrame | None,
    drift: pl.DataFrame | None = None,
) -> DecisionsView | None:
    """Shape the table of decisions; None where nothing was decided.

    Parameters
    ----------
    decisions : table or None
        `time strategy symbol side multiple propensity reward`, in order.
    bandits : table or None
        `strategy symbol arm chosen estimate width mean_reward`.
    drift : table or None
        `strategy time psi limit told`, by strategy and time.
    """
    if decisions is None or not decisions.height:
        return None
    names = decisions["strategy"].unique(maintain_order=True).to_list()
    return {
        "count": decisions.height,
        "arms": [_arms(name, decisions.filter(pl.col("strategy") == name)) for name in names],
        "drift": [] if drift is None else _drift(drift),
        "bandits": [] if bandits is None else [_bandit(x) for x in bandits.iter_rows(named=True)],
        "rows": [_row(x) for x in decisions.tail(ROWS).iter_rows(named=True)],
    }


def _arms(name: str, decisions: pl.DataFrame) -> ArmsView:
    """The share of each arm in stretches of as many decisions, at the end of each."""
    n = decisions.height
    groups = int(min(GROUPS, max(1, n // FEWEST)))
    ends = np.linspace(0, n, groups + 1).round().astype(int)
    multiple = decisions["multiple"].to_numpy()
    time = decisions["time"].cast(pl.Int64).to_numpy()
    lines = []
    for arm in np.unique(multiple).tolist():
        taken = np.concatenate(([0.0], np.cumsum(multiple == arm)))
        shares = (taken[ends[1:]] - taken[ends[:-1]]) / np.diff(ends)
        lines.append({"label": f"arm {arm:g}", "value": shape.numbers(shares)})
    return {
        "strategy": name,
        "time": [float(x) for x in shape.seconds(time[ends[1:] - 1])],
        "lines": lines,  # type: ignore[typeddict-item]
    }


def _drift(drift: pl.DataFrame) -> list[DriftView]:
    return [
        {
            "strategy": own["strategy"][0],
            "time": [float(x) for x in shape.seconds(own["time"].cast(pl.Int64).to_numpy())],
            "psi": shape.numbers(own["psi"]),
            "limit": shape.numbers(own["limit"]),
            "told": own["told"][-1],
        }
        for own in drift.partition_by("strategy", maintain_order=True)
    ]


def _bandit(row: dict[str, object]) -> BanditRow:
    return {
        "strategy": str(row["strategy"]),
        "symbol": str(row["symbol"]),
        "arm": shape.number(row["arm"]),
        "chosen": shape.number(row["chosen"]),
        "estimate": shape.number(row["estimate"]),
        "width": shape.number(row["width"]),
        "mean_reward": shape.number(row["mean_reward"]),
    }


def _row(row: dict[str, object]) -> DecisionRow:
    time = row["time"]
    return {
        "time": int(time.timestamp()),  # type: ignore[attr-defined]
        "strategy": str(row["strategy"]),
        "symbol": str(row["symbol"]),
        "side": "long" if row["side"] == 1 else "short",
        "arm": shape.number(row["multiple"]),
        "propensity": shape.number(row["propensity"]),
        "reward": shape.number(row["reward"]),
    }
