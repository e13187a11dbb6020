"""A run in ten lines of a terminal."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intrabar.app.config import Config
from intrabar.engine.chunks import ChunkedResult
from intrabar.engine.expected import Expected
from intrabar.engine.result import Result
from intrabar.engine.summary import band_line, figure_lines, remark_lines, titled


def summary_lines(
    result: Result, config: Config, more: Sequence[str] = (), outlook: Expected | None = None
) -> list[str]:
    """The lines, title first; `more` is what else to know, after what the run itself tells."""
    equity = result.equity
    span = f"{equity['time'][0]:%Y-%m-%d} to {equity['time'][-1]:%Y-%m-%d}, {equity.height:,} bars"
    lines = [config.name or result.title, f"{span}, {result.status.word}", ""]
    lines += figure_lines(result.metrics, result.setup.account.currency)
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
    lines += figure_lines(result.metrics, currency)
    if config.report:
        ends = sorted(result.band_returns.values())
        lines.append(band_line(ends, result.recorded.ambiguous))
    if any(one.detail is not None for one in result.given.alongside):
        recorded = result.recorded
        lines.append(detail_line(int(recorded.without_detail.sum()), int(recorded.real.sum())))
    return [*lines, *remark_lines(result.remarks, more), ""]


def detail_line(without: int, real: int) -> str:
    """How many bars had no lower bars."""
    return f"  {'detail':<12}{f'{without:,}':>14} of {real:,} bars had none"
