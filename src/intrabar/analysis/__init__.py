"""How it went: campaigns, trades and metrics from the fills and the equity of a run."""

from intrabar.analysis.campaigns import campaigns
from intrabar.analysis.equity import Curve, curves_by, equity_by
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.metrics import METRICS, Results, Sheet, sheet, sheets_by
from intrabar.analysis.trades import trades

__all__ = [
    "METRICS",
    "Curve",
    "Figure",
    "Results",
    "Sheet",
    "Undefined",
    "campaigns",
    "curves_by",
    "equity_by",
    "sheet",
    "sheets_by",
    "trades",
]
