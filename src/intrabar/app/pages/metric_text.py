"""What the metrics are called together and what each means, in a sentence (docs/metrics.md)."""

from __future__ import annotations

from intrabar.analysis.metrics import METRICS, Sheet
from intrabar.ui.report_input import Metric

SECTIONS: dict[str, dict[str, str]] = {
    "Growth and risk": {
        "net_profit": "Last equity less the cash at the start",
        "total_return": "Last equity over the cash at the start, less 1",
        "annual_return": "Total return compounded to a year; less than a year is extrapolated",
        "volatility": "Standard deviation of daily returns, times the root of the days in a year",
        "sharpe": "Mean daily return over its standard deviation, a year; risk-free rate 0",
        "sortino": "Mean daily return over its downside deviation, a year",
        "calmar": "Annual return over the maximum drawdown of the whole run",
    },
    "Drawdown": {
        "max_drawdown": "Deepest fall of equity below its highest value so far, on every bar",
        "max_drawdown_bars": "Bars from the peak before the deepest fall to its recovery or end",
        "max_drawdown_days": "The same in calendar days",
        "max_drawdown_recovery_days": "Calendar days from the lowest point to the recovery",
        "longest_drawdown_bars": "Bars of the longest spell below a peak",
        "longest_drawdown_days": "Its calendar days",
    },
    "Activity and costs": {
        "exposure": "Bars at whose close a position is open",
        "turnover": "Value of all fills over the mean equity, a year; buys and sells both count",
        "costs": "Commissions and fees of all fills; slippage is in the prices",
        "cost_share": "Costs over the gross profit of closed campaigns",
    },
    "Outcomes of campaigns": {
        "campaigns": "Closed campaigns, each from flat to flat",
        "win_rate": "Campaigns with a net profit, of all that are closed",
        "expectancy": "Mean net profit of a campaign",
        "expectancy_r": "Mean net profit in units of the initial risk (entry to first stop)",
        "profit_factor": "Sum of the wins over the sum of the losses",
        "payoff": "Mean win over mean loss",
        "sqn": "Root of the number of campaigns, times mean R over its standard deviation",
        "average_mae": "Mean distance by which price went against a campaign; per instrument only",
        "average_mfe": "Mean distance by which price went in favour; compare per instrument only",
        "longest_wins": "Longest run of wins in order of exit",
        "longest_losses": "Longest run of losses in order of exit",
    },
    "Months": {
        "best_month": "Highest monthly return",
        "worst_month": "Lowest monthly return",
    },
}


def metric(sheet: Sheet, name: str, text: str) -> Metric:
    """One figure with its unit and words."""
    made: Metric = {
        "value": sheet.values.get(name),
        "unit": METRICS[name],
        "description": text,
    }
    if name in sheet.reasons:
        made["reason"] = sheet.reasons[name]
    return made


def sectioned(sheet: Sheet) -> dict[str, dict[str, Metric]]:
    """A sheet in its sections."""
    return {
        title: {name: metric(sheet, name, text) for name, text in section.items()}
        for title, section in SECTIONS.items()
    }


def flat(sheet: Sheet) -> dict[str, Metric]:
    """A sheet as one list."""
    return {name: m for section in sectioned(sheet).values() for name, m in section.items()}
