"""The metrics: what each is called, its unit, what it means, and how it is written for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

GROWTH = "Growth and risk"
DRAWDOWN = "Drawdown"
ACTIVITY = "Activity and costs"
OUTCOMES = "Outcomes of campaigns"
MONTHS = "Months"


class Metric(NamedTuple):
    """What a figure of the metric sheet is (docs/metrics.md).

    Parameters
    ----------
    unit, section, text : str
        Its unit, what it stands among, and its meaning in a sentence.
    lower_is_better : bool
        Among the trials of a sweep.
    of, least : str, int
        What it needs, and how many of them: "returns", "bars", "campaigns" or "stops".
    none : str
        Why it may have no value, where there is enough of that.
    """

    unit: str
    section: str
    text: str
    lower_is_better: bool = False
    of: str = ""
    least: int = 1
    none: str = ""


METRICS: dict[str, Metric] = {
    "net_profit": Metric("account currency", GROWTH, "Last equity less the cash at the start"),
    "total_return": Metric(
        "fraction", GROWTH, "Last equity over the cash at the start, less 1", of="returns"
    ),
    "annual_return": Metric(
        "fraction a year",
        GROWTH,
        "Total return compounded to a year; less than a year is extrapolated",
        of="returns",
    ),
    "volatility": Metric(
        "fraction a year",
        GROWTH,
        "Standard deviation of daily returns, times the root of the days in a year",
        lower_is_better=True,
        of="returns",
        least=2,
    ),
    "sharpe": Metric(
        "ratio",
        GROWTH,
        "Mean daily return over its standard deviation, a year; risk-free rate 0",
        of="returns",
        least=2,
        none="the returns do not vary",
    ),
    "sortino": Metric(
        "ratio",
        GROWTH,
        "Mean daily return over its downside deviation, a year",
        of="returns",
        least=2,
        none="no return fell short of the target",
    ),
    "calmar": Metric(
        "ratio",
        GROWTH,
        "Annual return over the maximum drawdown of the whole run",
        of="returns",
        none="no drawdown",
    ),
    "max_drawdown": Metric(
        "fraction",
        DRAWDOWN,
        "Deepest fall of equity below its highest value so far, on every bar",
        lower_is_better=True,
    ),
    "max_drawdown_bars": Metric(
        "bars",
        DRAWDOWN,
        "Bars from the peak before the deepest fall to its recovery or end",
        lower_is_better=True,
    ),
    "max_drawdown_days": Metric(
        "days", DRAWDOWN, "The same in calendar days", lower_is_better=True
    ),
    "max_drawdown_recovery_days": Metric(
        "days",
        DRAWDOWN,
        "Calendar days from the lowest point to the recovery",
        lower_is_better=True,
        none="no drawdown",
    ),
    "longest_drawdown_bars": Metric(
        "bars", DRAWDOWN, "Bars of the longest spell below a peak", lower_is_better=True
    ),
    "longest_drawdown_days": Metric("days", DRAWDOWN, "Its calendar days", lower_is_better=True),
    "exposure": Metric(
        "fraction of bars",
        ACTIVITY,
        "Bars at whose close a position is open",
        of="bars",
    ),
    "turnover": Metric(
        "times a year",
        ACTIVITY,
        "Value of all fills over the mean equity, a year; buys and sells both count",
        lower_is_better=True,
        of="bars",
        none="the average equity is not above zero",
    ),
    "costs": Metric(
        "account currency",
        ACTIVITY,
        "Commissions and fees of all fills; slippage is in the prices",
        lower_is_better=True,
    ),
    "cost_share": Metric(
        "fraction",
        ACTIVITY,
        "Costs over the gross profit of closed campaigns",
        lower_is_better=True,
        none="no profit before costs",
    ),
    "campaigns": Metric("count", OUTCOMES, "Closed campaigns, each from flat to flat"),
    "win_rate": Metric(
        "fraction",
        OUTCOMES,
        "Campaigns with a net profit, of all that are closed",
        of="campaigns",
    ),
    "expectancy": Metric(
        "account currency",
        OUTCOMES,
        "Mean net profit of a campaign",
        of="campaigns",
    ),
    "expectancy_r": Metric(
        "R",
        OUTCOMES,
        "Mean net profit in units of the initial risk (entry to first stop)",
        none="no campaign had a stop",
    ),
    "profit_factor": Metric(
        "ratio",
        OUTCOMES,
        "Sum of the wins over the sum of the losses",
        of="campaigns",
        none="no losses",
    ),
    "payoff": Metric(
        "ratio",
        OUTCOMES,
        "Mean win over mean loss",
        of="campaigns",
        none="no losses",
    ),
    "sqn": Metric(
        "ratio",
        OUTCOMES,
        "Root of the number of campaigns, times mean R over its standard deviation",
        of="stops",
        least=2,
        none="the R multiples do not vary",
    ),
    "average_mae": Metric(
        "price",
        OUTCOMES,
        "Mean distance by which price went against a campaign; per instrument only",
        lower_is_better=True,
        of="campaigns",
    ),
    "average_mfe": Metric(
        "price",
        OUTCOMES,
        "Mean distance by which price went in favour; compare per instrument only",
        of="campaigns",
    ),
    "longest_wins": Metric("count", OUTCOMES, "Longest run of wins in order of exit"),
    "longest_losses": Metric(
        "count", OUTCOMES, "Longest run of losses in order of exit", lower_is_better=True
    ),
    "best_month": Metric(
        "fraction",
        MONTHS,
        "Highest monthly return",
        none="no month has a return",
    ),
    "worst_month": Metric(
        "fraction",
        MONTHS,
        "Lowest monthly return",
        none="no month has a return",
    ),
}
"""By name, in the order of reports."""


def shown(name: str, value: float | None) -> str:
    """A figure as people read it."""
    if value is None:
        return "none"
    unit = METRICS[name].unit if name in METRICS else ""
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
        elif currency and METRICS[name].unit == "account currency":
            text += f" {currency}"
        lines.append(f"{name:<28}{text}")
    return lines
