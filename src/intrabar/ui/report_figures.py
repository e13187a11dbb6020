"""The figures of a report as plain values: headline, tables of metrics, months."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from intrabar.ui import shape
from intrabar.ui.report_input import Findings, Metric
from intrabar.ui.view_types import Figure, MetricTable, MonthlyRow

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

HEADLINE = {
    "total_return": "Total return",
    "annual_return": "Annual return",
    "max_drawdown": "Max drawdown",
    "sharpe": "Sharpe",
    "campaigns": "Campaigns",
    "win_rate": "Win rate",
    "expectancy_r": "Expectancy",
    "cost_share": "Cost share",
}


def figures(metrics: Mapping[str, Mapping[str, Metric]]) -> list[Figure]:
    """The figures of the headline, of metrics by section; one that is not there is left out."""
    known = {name: metric for section in metrics.values() for name, metric in section.items()}
    return [
        {
            "name": name,
            "label": label,
            "value": _value(known[name]),
            "unit": known[name]["unit"],
            "description": known[name]["description"],
            "reason": known[name].get("reason", ""),
        }
        for name, label in HEADLINE.items()
        if name in known
    ]


def metric_tables(findings: Findings) -> list[MetricTable]:
    """A table per section of the metrics, then those by symbol and by strategy."""
    tables = [
        _metric_table(title, {"": section})
        for title, section in findings.metrics.items()
        if section
    ]
    if findings.by_symbol:
        tables.append(_metric_table("By symbol", findings.by_symbol))
    if findings.by_strategy:
        tables.append(_metric_table("By strategy", findings.by_strategy))
    return tables


def _metric_table(title: str, columns: Mapping[str, Mapping[str, Metric]]) -> MetricTable:
    first_seen: dict[str, Metric] = {}
    for column in columns.values():
        for name, metric in column.items():
            first_seen.setdefault(name, metric)
    return {
        "title": title,
        "columns": list(columns),
        "rows": [
            {
                "name": name,
                "label": shape.label(name),
                "unit": metric["unit"],
                "description": metric["description"],
                "values": [_value(column.get(name)) for column in columns.values()],
                "reasons": [_reason(column.get(name)) for column in columns.values()],
            }
            for name, metric in first_seen.items()
        ],
    }


def _value(metric: Metric | None) -> float | int | str | None:
    value = metric["value"] if metric else None
    return value if isinstance(value, str) else shape.number(value)


def _reason(metric: Metric | None) -> str:
    return metric.get("reason", "") if metric else ""


def monthly(months: pl.DataFrame | None) -> list[MonthlyRow]:
    """The returns of months as rows of years, fractions; none where there are no months."""
    if months is None:
        return []
    return [
        {
            "year": row["year"],
            "months": [shape.number(row[month]) for month in MONTHS],
            "total": shape.number(row["total"]),
        }
        for row in months.sort("year").to_dicts()
    ]
