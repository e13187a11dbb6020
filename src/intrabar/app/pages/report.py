"""The report of a run: what the engine and the analysis know, put into the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

import numpy as np

from intrabar.analysis.equity import Key
from intrabar.app.pages.forecasts import forecasts_of
from intrabar.app.pages.metric_text import flat, sectioned
from intrabar.engine.outcome.band import BAND, band_run
from intrabar.engine.outcome.bandits import arms_table
from intrabar.engine.outcome.decisions import decided_in
from intrabar.engine.outcome.drifted import drift_table
from intrabar.engine.outcome.result import Result
from intrabar.engine.outcome.summary import is_idle, titled
from intrabar.errors import ConfigError
from intrabar.model import values
from intrabar.model.bars import Bars
from intrabar.model.remark import Remark
from intrabar.model.values import mapping, shown, text
from intrabar.ui.report_input import Findings, Line, Metric, PolicyRun, RunFacts, RunTables
from intrabar.ui.report_view import report_view
from intrabar.web.pages import write_report


def report(
    result: Result,
    path: Path | str = "report.html",
    *,
    name: str = "",
    remarks: Sequence[str] = (),
    manifest: Mapping[str, Any] | None = None,
) -> Path:
    """Write the report of a run: one HTML file that opens offline.

    Parameters
    ----------
    result : Result
    path : path
        The HTML file; its folder is made.
    name : str
        Title; the strategies and symbols where empty.
    remarks : sequence of str
        Shown after the warnings that follow from the run itself.
    manifest : mapping
        What the run was made of, shown at the end of the page.
    """
    if not isinstance(result, Result):
        raise ConfigError(f"result: is {shown(result)}, must be a Result, as backtest returns it")
    text("name:", name)
    remarks = [remarks] if isinstance(remarks, str) else remarks
    if not isinstance(remarks, list | tuple):
        raise ConfigError(f"remarks: is {shown(remarks)}, must be a list of texts")
    remarks = [text("remarks:", one) for one in remarks]
    manifest = mapping("manifest:", manifest, "a mapping of plain values")
    target = values.file("path:", path)
    facts = RunFacts(
        name=titled(result.setup.strategies, result.market.symbols, name),
        status=result.status,
        policy=result.setup.account.path_policy,
        strategies=list(result.setup.strategies),
        symbols=list(result.market.symbols),
        initial_cash=result.setup.account.cash,
        currency=result.setup.account.currency,
        without_detail=result.without_detail,
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        idle=() if result.fills.height else [r.text for r in result.remarks if r.severe],
        is_liquidated=result.is_liquidated,
    )
    tables = RunTables(
        fills=result.fills,
        orders=result.orders,
        campaigns=result.campaigns,
        equity=result.equity,
        gates=result.gates,
        ledger=result.ledger,
        levels=result.levels,
        decisions=result.decisions,
        bandits=arms_table(result.bandits, result.decisions) if result.bandits else None,
        drift=drift_table(decided_in(result.run.running)),
    )
    forecasts, missing = forecasts_of(result)
    found = Findings(
        **noted(result.remarks, [*missing, *remarks]), forecasts=forecasts, manifest=manifest
    )
    if not is_idle(result.metrics.values):  # else there is nothing to judge
        found = replace(
            found,
            metrics=sectioned(result.metrics),
            by_symbol=_by(result, "symbol", result.market.symbols),
            by_strategy=_by(result, "strategy", list(result.setup.strategies)),
            months=result.metrics.months,
            band=() if result.is_lived else _band(result),
            lines=[*_lines(result, "symbol"), *_lines(result, "strategy")],
        )
    page = write_report(report_view(facts, tables, bars_of(result), found), target)
    result.pages[:] = [page]
    return page


class Noted(TypedDict):
    """Sentences above and below the figures."""

    warnings: list[str]
    notes: list[str]


def noted(told: Sequence[Remark], more: Sequence[str]) -> Noted:
    """Severe sentences and the others, each once, as `Findings` takes them."""
    severe = [remark.text for remark in told if remark.severe]
    texts = dict.fromkeys([*(remark.text for remark in told), *more])
    return {"warnings": severe, "notes": [text for text in texts if text not in severe]}


def bars_of(result: Result) -> list[Bars]:
    """The bars of each symbol, taken back out of the market."""
    market = result.market
    taken = []
    for j, symbol in enumerate(market.symbols):
        rows = np.flatnonzero(~np.isnan(market.open[:, j]))
        session = np.cumsum(market.session_end[rows, j]) - market.session_end[rows, j]
        taken.append(
            Bars(
                symbol,
                market.time[rows],
                market.open[rows, j],
                market.high[rows, j],
                market.low[rows, j],
                market.close[rows, j],
                market.volume[rows, j],
                market.period,
                market.open_time[rows, j],
                session.astype(np.int64),
            )
        )
    return taken


def _by(result: Result, key: str, order: Sequence[str]) -> dict[str, dict[str, Metric]]:
    sheets = result.metrics_by(key)
    return {name: flat(sheets[name]) for name in order if name in sheets}


def _band(result: Result) -> list[PolicyRun]:
    time = result.market.time
    own = result.setup.account.path_policy
    runs = result.band if own in BAND else (*result.band, band_run(result, own))
    return [
        PolicyRun(
            policy=run.policy,
            end_equity=run.end_equity,
            total_return=run.total_return,
            campaigns=run.campaigns,
            ambiguous=run.ambiguous,
            time=time[: len(run.equity)],
            equity=run.equity,
        )
        for run in runs
    ]


def _lines(result: Result, key: Key) -> list[Line]:
    n = result.bars_done
    time = result.market.time[:n]
    return [
        Line(label=label, kind=key, time=time, value=curve.profit[:n])
        for label, curve in result.curves_by(key).items()
    ]
