"""The metrics of a sheet as the pages show them."""

from __future__ import annotations

from intrabar.analysis.metrics import METRICS, Sheet
from intrabar.ui.report_input import Metric


def metric(sheet: Sheet, name: str) -> Metric:
    """One figure with its unit and words."""
    made: Metric = {
        "value": sheet.values.get(name),
        "unit": METRICS[name].unit,
        "description": METRICS[name].text,
    }
    if name in sheet.reasons:
        made["reason"] = sheet.reasons[name]
    return made


def sectioned(sheet: Sheet) -> dict[str, dict[str, Metric]]:
    """A sheet in its sections."""
    found: dict[str, dict[str, Metric]] = {}
    for name, one in METRICS.items():
        found.setdefault(one.section, {})[name] = metric(sheet, name)
    return found


def flat(sheet: Sheet) -> dict[str, Metric]:
    """A sheet as one list."""
    return {name: metric(sheet, name) for name in METRICS}
