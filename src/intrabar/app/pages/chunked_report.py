"""The report of a run in chunks: of long tables the end, of long curves every extreme."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from intrabar.analysis.equity import Key
from intrabar.app.pages.metric_text import flat, sectioned
from intrabar.app.pages.report import noted
from intrabar.data.detail import guessed
from intrabar.engine.chunks.run import ChunkedResult
from intrabar.engine.outcome.band import BAND
from intrabar.engine.outcome.bandits import arms_table
from intrabar.engine.outcome.drifted import drift_table
from intrabar.engine.outcome.summary import is_idle, titled
from intrabar.engine.tables.lessons import learned_exits
from intrabar.engine.tables.predicted import requests_of
from intrabar.model.enums import PathPolicy
from intrabar.ui.report_input import Findings, Line, Metric, PolicyRun, RunFacts, RunTables
from intrabar.ui.report_view import ROWS_PER_PAGE, report_view
from intrabar.web.pages import write_report


def report_in_chunks(
    result: ChunkedResult,
    path: Path,
    *,
    name: str,
    remarks: Sequence[str],
    manifest: Mapping[str, Any],
) -> Path:
    """Write the report of a run in chunks; the run is repeated for the band.

    Parameters
    ----------
    result : ChunkedResult
    path : path
        The HTML file.
    name : str
        Title; the strategies and symbols where empty.
    remarks : sequence of str
    manifest : mapping
    """
    given = result.given
    recorded = result.recorded
    symbols, strategies = [feed.symbol for feed in given.feeds], list(given.strategies)
    policy = given.account.path_policy
    band = result.band if policy in BAND else {**result.band, policy: result}
    facts = RunFacts(
        name=titled(given.strategies, symbols, name),
        status=result.status,
        policy=policy,
        strategies=strategies,
        symbols=symbols,
        initial_cash=given.account.cash,
        currency=given.account.currency,
        without_detail=result.without_detail,
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        idle=() if recorded.fills else [r.text for r in result.remarks if r.severe],
        is_liquidated=result.is_liquidated,
    )
    long = {name: result.table(name) for name in LONG}
    learns = learned_exits(given.strategies)
    decisions = result.table("decisions").collect() if learns else None
    tables = RunTables(
        equity=pl.DataFrame(recorded.equity.columns).with_columns(
            pl.col("time").cast(pl.Datetime("ns", "UTC"))
        ),
        gates=result.table("gates").collect(),
        bars=result.bars,
        decisions=decisions,
        bandits=None if decisions is None else arms_table(result.bandits, decisions),
        drift=drift_table(recorded.decided),
        **long,
    )
    told = noted(result.remarks, [*_left_out(result), *remarks])
    found = Findings(**told, manifest=manifest)
    if not is_idle(result.metrics.values):  # else there is nothing to judge
        found = replace(
            found,
            metrics=sectioned(result.metrics),
            by_symbol=_by(result, "symbol"),
            by_strategy=_by(result, "strategy"),
            months=result.metrics.months,
            band=[_policy_run(policy, run) for policy, run in band.items()],
            lines=[*_lines(result, "symbol"), *_lines(result, "strategy")],
        )
    return write_report(report_view(facts, tables, [], found), path)


LONG = ("fills", "orders", "campaigns", "ledger", "levels")


def without_detail(result: ChunkedResult) -> list[str]:
    """How many bars had no lower bars, where the path policy asks for them."""
    if result.without_detail is None:
        return []
    recorded = result.recorded
    symbols = [feed.symbol for feed in result.given.feeds]
    return guessed(symbols, recorded.without_detail, recorded.real)


def _by(result: ChunkedResult, key: Key) -> dict[str, dict[str, Metric]]:
    return {name: flat(sheet) for name, sheet in result.metrics_by(key).items()}


def _policy_run(policy: PathPolicy, run: ChunkedResult) -> PolicyRun:
    recorded = run.recorded
    time, equity = (recorded.equity.columns[name] for name in ("time", "equity"))
    return PolicyRun(
        policy=policy,
        end_equity=float(equity[-1]),
        total_return=run.total_return,
        campaigns=recorded.campaigns,
        ambiguous=recorded.ambiguous,
        time=time,
        equity=equity,
    )


def _lines(result: ChunkedResult, key: Key) -> list[Line]:
    return [
        Line(label=name, kind=key, time=curve.columns["time"], value=curve.columns["profit"])
        for name, curve in result.recorded.curves[key].items()
        if result.recorded.scopes[key][name].has_filled
    ]


def _left_out(result: ChunkedResult) -> list[str]:
    """What of the run is not on the page."""
    told = ["A run in chunks: the page has no candles, its equity shows every extreme"]
    told += [
        f"The page does not judge the predictions of {one.file}: see intrabar predict check"
        for one in requests_of(result.given.strategies)
    ]
    for name, count in (("fills", result.recorded.fills), ("campaigns", result.recorded.campaigns)):
        if count > ROWS_PER_PAGE:
            told.append(
                f"The page lists the last {ROWS_PER_PAGE:,} of {count:,} {name}; {name}.parquet "
                "has all, and every sum counts all"
            )
    return told
