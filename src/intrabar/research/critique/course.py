"""Weaknesses in the course of a run: standing still, margin calls, a position that stays open."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl

from intrabar.engine.outcome.result import Result
from intrabar.model.bars import DAY_NS
from intrabar.model.enums import RunStatus
from intrabar.research.finding import Finding, marked

UNDER_WATER_DOUBT, UNDER_WATER_FAIL = 0.4, 0.7
"""Share of the run's time in one spell below an old high."""

IDLE = 0.25
"""Share of the run's time in one stretch without a position."""

OPEN_DOUBT, OPEN_FAIL = 0.1, 0.5
"""Part of the profit that is only marked, not traded."""


def open_at_the_end(result: Result) -> list[Finding]:
    """Whether part of the profit is a position that was never closed."""
    held = result.campaigns.filter(pl.col("end_bar").is_null())
    if not held.height:
        return []
    profit = result.metrics.values["net_profit"] or 0.0
    marks = float(held["net"].sum())
    share = abs(marks) / abs(profit) if profit else math.inf
    mark = marked(share, OPEN_DOUBT, OPEN_FAIL)
    title = "A position is open at the end; it does not matter much."
    if mark != "pass":
        title = "Part of the profit is a position that was never closed."
    return [
        Finding(
            "open at the end",
            mark,
            title,
            f"{held.height} open, marked at {marks:,.0f} of {profit:,.0f} in all",
            "" if mark == "pass" else "Set account.close_at_end: true, and look again.",
            {"open_profit": marks, "open": float(held.height)},
        )
    ]


def flat_stretches(result: Result) -> list[Finding]:
    """How long it was under water, and how long it did nothing."""
    time = result.market.time[: result.bars_done]
    equity = result.equity["equity"].to_numpy()
    whole = float(time[-1] - time[0]) / DAY_NS
    if whole <= 0.0:
        return []
    days = result.metrics.values["longest_drawdown_days"] or 0.0
    peak = int(np.argmax(equity))
    since = float(time[-1] - time[peak]) / DAY_NS
    idle = _longest_idle(time, result.equity["exposure"].to_numpy() > 0.0)
    mark = marked(days / whole, UNDER_WATER_DOUBT, UNDER_WATER_FAIL)
    if mark == "pass" and idle / whole >= IDLE:
        mark = "doubt"
    titles = {
        "fail": "It spent most of its time below an old high.",
        "doubt": "It stood still for a long time.",
        "pass": "It did not stand still for long.",
    }
    return [
        Finding(
            "flat stretches",
            mark,
            titles[mark],
            f"{days:,.0f} of {whole:,.0f} days in one spell under water; the last high is "
            f"{since:,.0f} days before the end; {idle:,.0f} days without a position at a stretch",
            "" if mark == "pass" else "Ask whether you would have gone on through that spell.",
            {
                "longest_under_water_days": days,
                "days_since_high": since,
                "longest_idle_days": idle,
                "days": whole,
            },
        )
    ]


def _longest_idle(time: Any, held: Any) -> float:
    """Days of the longest stretch of bars without a position."""
    rows = np.flatnonzero(held)
    edges = np.concatenate(([0], rows, [len(time) - 1]))
    return float(np.diff(time[edges]).max()) / DAY_NS if len(time) else 0.0


def ruin(result: Result) -> list[Finding]:
    """Whether the broker had to close positions, or the account was lost."""
    forced = result.fills.filter(pl.col("reason") == "liquidation").height
    if result.status is RunStatus.RUINED:
        return [
            Finding(
                "ruin",
                "fail",
                "It lost the account.",
                f"ruined at bar {result.bars_done - 1} of {len(result.market)}",
                "Trade a smaller size: there is no result after ruin.",
                {"liquidations": float(forced)},
            )
        ]
    if not forced:
        return []
    return [
        Finding(
            "ruin",
            "fail",
            "Margin calls closed positions.",
            f"{forced} fills by liquidation",
            "Trade a smaller size: a broker may close earlier, and at worse prices.",
            {"liquidations": float(forced)},
        )
    ]
