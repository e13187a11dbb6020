"""The report as plain values: the tables of a run, shaped for a page.

Everything is given; nothing is judged or computed here beyond sums of a column by strategy and
symbol, so that a number on the page is the number in the table. Not here: metrics (the analysis
makes them) and HTML (`web.pages`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.analysis.extremes import keep_extremes
from intrabar.errors import RunError
from intrabar.model.bars import Bars
from intrabar.model.enums import Gate, RunStatus
from intrabar.ui import shape
from intrabar.ui.decisions_view import decisions_view
from intrabar.ui.report_figures import figures, metric_tables, monthly
from intrabar.ui.report_input import Findings, PolicyRun, RunFacts, RunTables
from intrabar.ui.view_types import (
    SCHEMA,
    AccrualRow,
    BandView,
    CampaignsView,
    CostRow,
    Curve,
    CurveKind,
    EquityView,
    FillsView,
    GateRow,
    LevelsView,
    OrderRow,
    ReportView,
)

EQUITY_POINTS = 5_000
CURVE_POINTS = 1_500
BARS_PER_SYMBOL = 100_000
BARS_PER_PAGE = 1_000_000
MOVES_PER_PAGE = 100_000
ROWS_PER_PAGE = 100_000  # of fills and of campaigns: the last ones

GATE_TEXT = {
    Gate.SESSION: "Outside the hours in which it may trade",
    Gate.ATR: "Volatility (ATR) outside the allowed range",
    Gate.FLATTEN: "Too near the time at which it must be flat",
    Gate.DAILY_LOSS: "The loss limit of the day was reached",
    Gate.SIZE_ZERO: "The risk per trade buys less than one lot",
    Gate.MARGIN: "The margin did not cover the order",
    Gate.WARM_UP: "Indicators were still warming up",
}

COLUMNS = {
    "fills": "time phase strategy symbol side qty price cost reason position stop target ambiguous",
    "orders": "role type status reject",
    "campaigns": "campaign strategy symbol side start end bars qty entry exit gross costs net "
    "risk r mae mfe reason ambiguous settled",
    "equity": "time equity drawdown",
    "gates": "strategy symbol gate count",
    "ledger": "symbol kind amount",
    "levels": "time strategy symbol stop target",
}


def report_view(
    facts: RunFacts, tables: RunTables, bars: Sequence[Bars], findings: Findings
) -> ReportView:
    """Shape a run for the report page.

    Parameters
    ----------
    facts : RunFacts
    tables : RunTables
    bars : sequence of Bars
        One per symbol; may be empty, then the page has no candles. Above `BARS_PER_SYMBOL` bars
        of a symbol (or `BARS_PER_PAGE` of all) neighbouring bars are joined, and the page says so.
    findings : Findings

    Returns
    -------
    ReportView

    Raises
    ------
    RunError
        A table lacks a column.
    """
    _check(tables)
    limit = max(1_000, min(BARS_PER_SYMBOL, BARS_PER_PAGE // max(1, len(bars))))
    equity = _equity(tables.equity, tables.bars)
    fills, campaigns = tables.fills.lazy(), tables.campaigns.lazy()
    return {
        "schema": SCHEMA,
        "name": facts.name,
        "status": _status(facts),
        "idle": list(facts.idle),
        "created": facts.created,
        "currency": facts.currency,
        "policy": facts.policy.word,
        "initial_cash": shape.number(float(facts.initial_cash)),
        "start": equity["time"][0] if equity["time"] else None,
        "end": equity["time"][-1] if equity["time"] else None,
        "strategies": list(facts.strategies),
        "symbols": list(facts.symbols),
        "figures": figures(findings.metrics),
        "band": _band(facts, campaigns, findings.band),
        "equity": equity,
        "curves": [_curve(c.label, c.kind, c.time, c.value) for c in findings.lines],
        "bars": [shape.bars_view(b, limit) for b in bars],
        "fills": _fills(fills.tail(ROWS_PER_PAGE).collect()),
        "levels": _levels(tables.levels.lazy()),
        "campaigns": _campaigns(campaigns.tail(ROWS_PER_PAGE).collect()),
        "orders": _orders(tables.orders.lazy()),
        "gates": _gates(tables.gates),
        "decisions": decisions_view(tables.decisions, tables.bandits, tables.drift),
        "forecasts": list(findings.forecasts),
        "costs": _costs(fills, campaigns),
        "accruals": _accruals(tables.ledger.lazy()),
        "metrics": metric_tables(findings),
        "monthly": monthly(findings.months),
        "warnings": list(findings.warnings),
        "notes": list(findings.notes),
        "manifest": cast("dict[str, object]", shape.plain(dict(findings.manifest))),
    }


def _status(facts: RunFacts) -> str:
    """How the run ended; one that went on after margin calls is not called finished."""
    if facts.is_liquidated and facts.status is RunStatus.FINISHED:
        return "liquidated"
    return facts.status.word


def _check(tables: RunTables) -> None:
    for name, needed in COLUMNS.items():
        columns = getattr(tables, name).lazy().collect_schema().names()
        missing = [column for column in needed.split() if column not in columns]
        if missing:
            raise RunError(
                f"table {name} has no column {', '.join(missing)}; it has {', '.join(columns)}"
            )


def _equity(table: pl.DataFrame, bars: int | None) -> EquityView:
    equity, drawdown = (
        table[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in ("equity", "drawdown")
    )
    kept = keep_extremes([equity, drawdown], EQUITY_POINTS)
    thin = table[kept]
    return {
        "time": [t for t in shape.time_column(thin["time"]) if t is not None],
        "equity": shape.numbers(thin["equity"]),
        "drawdown": shape.numbers(-thin["drawdown"].abs()),
        "total": table.height if bars is None else bars,
    }


def _curve(
    label: str, kind: CurveKind, time: NDArray[np.int64], value: NDArray[np.float64]
) -> Curve:
    kept = keep_extremes([value], CURVE_POINTS)
    return {
        "label": label,
        "kind": kind,
        "time": shape.seconds(time[kept]),
        "value": shape.numbers(value[kept]),
    }


def _band(facts: RunFacts, campaigns: pl.LazyFrame, runs: Sequence[PolicyRun]) -> BandView | None:
    if not runs:
        return None
    marks = pl.col("ambiguous", "settled").sum()
    counts = campaigns.select(pl.len().alias("campaigns"), marks).collect().row(0, named=True)
    return {
        "policy": facts.policy.word,
        "campaigns": counts["campaigns"],
        "ambiguous": counts["ambiguous"],
        "settled": counts["settled"],
        "without_detail": facts.without_detail,
        "rows": [
            {
                "policy": run.policy.word,
                "end_equity": shape.number(float(run.end_equity)),
                "total_return": shape.number(float(run.total_return)),
                "campaigns": run.campaigns,
                "ambiguous": run.ambiguous,
            }
            for run in runs
        ],
        "curves": [_curve(run.policy.word, "policy", run.time, run.equity) for run in runs],
    }


def _fills(table: pl.DataFrame) -> FillsView:
    return {
        "time": [t for t in shape.time_column(table["time"]) if t is not None],
        "phase": shape.coded(table["phase"]),
        "strategy": shape.coded(table["strategy"]),
        "symbol": shape.coded(table["symbol"]),
        "side": shape.coded(table["side"]),
        "qty": shape.numbers(table["qty"]),
        "price": shape.numbers(table["price"]),
        "cost": shape.numbers(table["cost"]),
        "reason": shape.coded(table["reason"]),
        "position": shape.numbers(table["position"]),
        "stop": shape.numbers(table["stop"]),
        "target": shape.numbers(table["target"]),
        "ambiguous": shape.flags(table["ambiguous"]),
    }


def _levels(lazy: pl.LazyFrame) -> LevelsView:
    rows = int(lazy.select(pl.len()).collect().item())
    if rows > 10 * MOVES_PER_PAGE:  # too many to look which of them are moves
        none = _levels(lazy.head(0))
        return {**none, "total": rows}
    table = lazy.collect()
    keys = ["strategy", "symbol"]
    # A move that leaves both where they were is none.
    moved = [pl.col(c).ne_missing(pl.col(c).shift(1).over(keys)) for c in ("stop", "target")]
    moves = table.filter(moved[0] | moved[1])
    shown = moves if moves.height <= MOVES_PER_PAGE else moves.clear()
    return {
        "time": [t for t in shape.time_column(shown["time"]) if t is not None],
        "strategy": shape.coded(shown["strategy"]),
        "symbol": shape.coded(shown["symbol"]),
        "stop": shape.numbers(shown["stop"]),
        "target": shape.numbers(shown["target"]),
        "total": moves.height,
    }


def _campaigns(table: pl.DataFrame) -> CampaignsView:
    return {
        "campaign": table["campaign"].to_list(),
        "strategy": shape.coded(table["strategy"]),
        "symbol": shape.coded(table["symbol"]),
        "side": shape.coded(table["side"]),
        "start": [t for t in shape.time_column(table["start"]) if t is not None],
        "end": shape.time_column(table["end"]),
        "bars": shape.numbers(table["bars"]),
        "qty": shape.numbers(table["qty"]),
        "entry": shape.numbers(table["entry"]),
        "exit": shape.numbers(table["exit"]),
        "gross": shape.numbers(table["gross"]),
        "costs": shape.numbers(table["costs"]),
        "net": shape.numbers(table["net"]),
        "risk": shape.numbers(table["risk"]),
        "r": shape.numbers(table["r"]),
        "mae": shape.numbers(table["mae"]),
        "mfe": shape.numbers(table["mfe"]),
        "reason": shape.coded(table["reason"]),
        "ambiguous": shape.flags(table["ambiguous"]),
    }


def _orders(table: pl.LazyFrame) -> list[OrderRow]:
    keys = ["role", "type", "status", "reject"]
    counted = (
        table.select(pl.col(keys).cast(pl.String).fill_null("none")).group_by(keys).len("count")
    )
    rows = counted.sort("count", *keys, descending=[True, False, False, False, False])
    return cast("list[OrderRow]", rows.collect().to_dicts())


def _gates(table: pl.DataFrame) -> list[GateRow]:
    rows = table.filter(pl.col("count") > 0).sort("count", descending=True, maintain_order=True)
    text = {gate.word: words for gate, words in GATE_TEXT.items()}
    return [
        {
            "strategy": row["strategy"],
            "symbol": row["symbol"],
            "gate": row["gate"],
            "text": text.get(row["gate"], ""),
            "count": int(row["count"]),
        }
        for row in rows.to_dicts()
    ]


def _costs(fills: pl.LazyFrame, campaigns: pl.LazyFrame) -> list[CostRow]:
    keys = ["strategy", "symbol"]
    fills, campaigns = (t.with_columns(pl.col(keys).cast(pl.String)) for t in (fills, campaigns))
    traded = fills.filter(pl.col("qty") > 0.0)  # a split is no trade
    paid = traded.group_by(keys).agg(pl.len().alias("fills"), pl.col("qty", "cost").sum())
    made = campaigns.group_by(keys).agg(pl.col("gross", "net").sum())
    rows = paid.join(made, on=keys, how="left").sort(keys).collect()
    return [
        {
            "strategy": row["strategy"],
            "symbol": row["symbol"],
            "fills": row["fills"],
            "qty": shape.number(row["qty"]),
            "gross": shape.number(row["gross"]),
            "cost": shape.number(row["cost"]),
            "net": shape.number(row["net"]),
        }
        for row in rows.to_dicts()
    ]


def _accruals(ledger: pl.LazyFrame) -> list[AccrualRow]:
    """Sums by kind and symbol; a settlement moves open profit, it adds none."""
    keys = ["kind", "symbol"]
    named = ledger.with_columns(pl.col(keys).cast(pl.String).fill_null(""))
    sums = named.filter(pl.col("kind") != "settlement").group_by(keys)
    rows = sums.agg(pl.len().alias("lines"), pl.col("amount").sum()).sort(keys).collect()
    return [
        {
            "kind": row["kind"],
            "symbol": row["symbol"],
            "lines": row["lines"],
            "amount": shape.number(row["amount"]),
        }
        for row in rows.to_dicts()
    ]
