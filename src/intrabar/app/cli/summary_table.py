"""A run in ten lines of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intrabar.app.config.model import Config
from intrabar.engine.chunks.run import ChunkedResult
from intrabar.engine.outcome.expected import Expected
from intrabar.engine.outcome.result import Result
from intrabar.engine.outcome.summary import band_line, figure_lines, is_idle, remark_lines, titled


def summary_lines(
    result: Result, config: Config, more: Sequence[str] = (), outlook: Expected | None = None
) -> list[str]:
    """The lines, title first; `more` is what else to know, after what the run itself tells."""
    title = titled(result.setup.strategies, result.market.symbols, config.name)
    lines = [title, result.facts, ""]
    lines += figure_lines(result.metrics, result.setup.account.currency)
    if not is_idle(result.metrics.values):
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
    return [*lines, *remark_lines(result.remarks, more), ""]


def lines_in_chunks(result: ChunkedResult, config: Config, more: Sequence[str] = ()) -> list[str]:
    """The same of a run in chunks, which is repeated for its band where there is a report."""
    given = result.given
    title = titled(given.strategies, [x.symbol for x in given.instruments], config.name)
    lines = [title, result.facts, ""]
    currency = result.given.account.currency
    lines += figure_lines(result.metrics, currency)
    if config.report and not is_idle(result.metrics.values):
        ends = sorted(result.band_returns.values())
        lines.append(band_line(ends, result.recorded.ambiguous))
    if any(one.detail is not None for one in result.given.alongside):
        recorded = result.recorded
        lines.append(detail_line(int(recorded.without_detail.sum()), int(recorded.real.sum())))
    return [*lines, *remark_lines(result.remarks, more), ""]


def detail_line(without: int, real: int) -> str:
    """How many bars had no lower bars."""
    return f"  {'detail':<12}{f'{without:,}':>14} of {real:,} bars had none"
