"""A run in ten lines of a terminal."""

from __future__ import annotations

import numpy as np

from intrabar.analysis.metrics import METRICS
from intrabar.app.config import Config
from intrabar.app.report import title
from intrabar.engine.expected import Expected
from intrabar.engine.result import Result

ROWS = {
    "total_return": "return",
    "annual_return": "a year",
    "max_drawdown": "drawdown",
    "sharpe": "Sharpe",
    "campaigns": "campaigns",
    "win_rate": "win rate",
    "expectancy_r": "expectancy",
    "costs": "costs",
}


def summary_lines(result: Result, config: Config, outlook: Expected | None = None) -> list[str]:
    """The lines, title first."""
    equity = result.equity
    span = f"{equity['time'][0]:%Y-%m-%d} to {equity['time'][-1]:%Y-%m-%d}, {equity.height:,} bars"
    lines = [config.name or title(result), f"{span}, {result.status.word}", ""]
    for name, label in ROWS.items():
        lines.append(f"  {label:<12}{figure(result, name):>14}")
    ends = sorted(run.total_return for run in result.band)
    ambiguous = int(result.campaigns["ambiguous"].sum())
    band = f"  {'band':<12}{f'{ends[0]:.2%}':>14}"
    if ends[0] == ends[-1]:
        lines.append(f"{band} whichever order prices had inside the bars")
    else:
        lines.append(
            f"{band} to {ends[-1]:.2%}: worst and best order of prices inside the bars; "
            f"{ambiguous} campaigns had stop and target in one"
        )
    if result.market.detail is not None:
        real = ~np.isnan(result.market.open)
        without = int((real & (result.market.detail.count == 0)).sum())
        lines.append(f"  {'detail':<12}{f'{without:,}':>14} of {real.sum():,} bars had none")
    if outlook is not None:
        lines.append(
            f"  {'expected':<12}{f'{outlook.mean:.2%}':>14} {outlook.low:.2%} to "
            f"{outlook.high:.2%} in 90 % of {len(outlook.end_equity)} random paths; the shortest "
            f"path is right for {outlook.trust:.1%}"
        )
    return [*lines, ""]


def figure(result: Result, name: str) -> str:
    """A metric with its unit, or why there is none."""
    value = result.metrics.values[name]
    if value is None:
        return f"none ({result.metrics.reasons.get(name, 'undefined')})"
    currency = f" {result.setup.account.currency}" if name == "costs" else ""
    return shown(name, value) + currency


def shown(name: str, value: float | None) -> str:
    """A figure as people read it."""
    unit = METRICS[name]
    if value is None:
        return "none"
    if unit.startswith("fraction"):
        return f"{value:.2%}"
    if unit in ("count", "bars"):
        return f"{value:,.0f}"
    if unit == "account currency":
        return f"{value:,.2f}"
    return f"{value:.3f}" + (" R" if unit == "R" else "")
