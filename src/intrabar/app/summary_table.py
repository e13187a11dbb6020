"""A run in ten lines of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intrabar.analysis.metrics import METRICS, Sheet
from intrabar.app.config import Config
from intrabar.app.report import title, titled
from intrabar.engine.chunks import ChunkedResult
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
        lines.append(figure_line(result.metrics, name, label, result.setup.account.currency))
    ends = sorted(run.total_return for run in result.band)
    lines.append(band_line(ends, int(result.campaigns["ambiguous"].sum())))
    if result.market.detail is not None:
        real = ~np.isnan(result.market.open)
        without = int((real & (result.market.detail.count == 0)).sum())
        lines.append(detail_line(without, int(real.sum())))
    if outlook is not None:
        lines.append(
            f"  {'expected':<12}{f'{outlook.mean:.2%}':>14} {outlook.low:.2%} to "
            f"{outlook.high:.2%} in 90 % of {len(outlook.end_equity)} random paths; the shortest "
            f"path is right for {outlook.trust:.1%}"
        )
    return [*lines, ""]


def lines_in_chunks(result: ChunkedResult, config: Config) -> list[str]:
    """The same of a run in chunks, which is repeated for its band where there is a report."""
    time = result.recorded.equity.columns["time"]
    first, last = (str(np.datetime64(int(t), "ns"))[:10] for t in time[[0, -1]])
    symbols = [feed.symbol for feed in result.given.feeds]
    lines = [
        config.name or titled(result.given.strategies, symbols),
        f"{first} to {last}, {result.bars:,} bars in chunks of {result.given.chunk:,}, "
        f"{result.status.word}",
        "",
    ]
    currency = result.given.account.currency
    lines += [figure_line(result.metrics, name, label, currency) for name, label in ROWS.items()]
    if config.report:
        ends = sorted(result.band_returns.values())
        lines.append(band_line(ends, result.recorded.ambiguous))
    if any(one.detail is not None for one in result.given.alongside):
        recorded = result.recorded
        lines.append(detail_line(int(recorded.without_detail.sum()), int(recorded.real.sum())))
    return [*lines, ""]


def detail_line(without: int, real: int) -> str:
    """How many bars had no lower bars."""
    return f"  {'detail':<12}{f'{without:,}':>14} of {real:,} bars had none"


def band_line(ends: Sequence[float], ambiguous: int) -> str:
    """What hangs on the path inside the bars, from rising total returns."""
    band = f"  {'band':<12}{f'{ends[0]:.2%}':>14}"
    if ends[0] == ends[-1]:
        return f"{band} whichever order prices had inside the bars"
    return (
        f"{band} to {ends[-1]:.2%}: worst and best order of prices inside the bars; "
        f"{ambiguous} campaigns had stop and target in one"
    )


def figure_line(sheet: Sheet, name: str, label: str, currency: str) -> str:
    """A metric with its unit, or why there is none."""
    value = sheet.values[name]
    if value is None:
        text = f"none ({sheet.reasons.get(name, 'undefined')})"
    else:
        text = shown(name, value) + (f" {currency}" if name == "costs" else "")
    return f"  {label:<12}{text:>14}"


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
