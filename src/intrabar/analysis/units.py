"""The names of the metrics, their units, and how each is written for people."""

from __future__ import annotations

from collections.abc import Mapping

# name: unit. The order is the order of reports.
METRICS: dict[str, str] = {
    "net_profit": "account currency",
    "total_return": "fraction",
    "annual_return": "fraction a year",
    "volatility": "fraction a year",
    "sharpe": "ratio",
    "sortino": "ratio",
    "calmar": "ratio",
    "max_drawdown": "fraction",
    "max_drawdown_bars": "bars",
    "max_drawdown_days": "days",
    "max_drawdown_recovery_days": "days",
    "longest_drawdown_bars": "bars",
    "longest_drawdown_days": "days",
    "exposure": "fraction of bars",
    "turnover": "times a year",
    "costs": "account currency",
    "cost_share": "fraction",
    "campaigns": "count",
    "win_rate": "fraction",
    "expectancy": "account currency",
    "expectancy_r": "R",
    "profit_factor": "ratio",
    "payoff": "ratio",
    "sqn": "ratio",
    "average_mae": "price",
    "average_mfe": "price",
    "longest_wins": "count",
    "longest_losses": "count",
    "best_month": "fraction",
    "worst_month": "fraction",
}


def shown(name: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "none"
    unit = METRICS.get(name, "")
    if unit.startswith("fraction"):
        return f"{value:.2%}"
    if unit in ("count", "bars"):
        return f"{value:,.0f}"
    if unit == "account currency":
        return f"{value:,.2f}"
    return f"{value:.3f}" + (" R" if unit == "R" else "")


def lines_of(
    values: Mapping[str, float | None], reasons: Mapping[str, str], currency: str = ""
) -> list[str]:
    """A line for each figure: its name, and its value or why there is none."""
    lines = []
    for name, value in values.items():
        text = shown(name, value)
        if value is None:
            text += f" ({reasons.get(name, 'undefined')})"
        elif currency and METRICS[name] == "account currency":
            text += f" {currency}"
        lines.append(f"{name:<28}{text}")
    return lines
