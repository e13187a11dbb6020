"""Runs made of a seeded random walk: shaped like real ones, meaning nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from intrabar.model.bars import Bars
from intrabar.model.enums import PathPolicy, RunStatus
from intrabar.ui.report_figures import MONTHS
from intrabar.ui.report_input import Findings, Line, Metric, PolicyRun, RunFacts, RunTables

START = 1_641_220_200_000_000_000  # 2022-01-03 14:30 UTC
MINUTE = 60_000_000_000
UTC_NS = pl.Datetime("ns", "UTC")
CASH = 100_000.0


def walk(symbol: str, n: int, seed: int, price: float = 4_000.0, minutes: int = 5) -> Bars:
    """A random walk on a grid of 0.25, with bars of some minutes and no gaps."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, price * 0.0006, (n, 4)).cumsum(axis=1)
    opened = price + np.r_[0.0, moves[:-1, 3].cumsum()]
    path = np.round((opened[:, None] + np.c_[np.zeros(n), moves]) * 4) / 4
    time = START + minutes * MINUTE * np.arange(1, n + 1, dtype=np.int64)
    return Bars(
        symbol,
        time,
        path[:, 0].copy(),
        path.max(axis=1),
        path.min(axis=1),
        path[:, 4].copy(),
        rng.integers(50, 4_000, n).astype(np.float64),
        minutes * MINUTE,
        time - minutes * MINUTE,
        time // (1440 * MINUTE),
    )


def tables(bars: list[Bars], campaigns: int, seed: int = 7) -> RunTables:
    """Campaigns one after the other on each symbol, with fills, equity and gates to match."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    fills: list[dict[str, object]] = []
    for b in bars:
        each = campaigns // len(bars)
        starts = np.linspace(5, len(b) - 40, each).astype(int)
        for start in starts:
            end = int(min(start + rng.integers(1, 30), len(b) - 1))
            rows.append(_campaign(b, int(start), end, rng, fills))
    rows.sort(key=lambda row: (row["end_bar"], row["symbol"]))
    for number, row in enumerate(rows):
        row["campaign"] = number + 1
    rows.sort(key=lambda row: (row["start_bar"], row["symbol"]))
    fills.sort(key=lambda fill: (fill["bar"], fill["symbol"]))
    return RunTables(
        fills=pl.DataFrame(fills, schema_overrides={"time": UTC_NS}),
        orders=_orders(),
        campaigns=pl.DataFrame(rows, schema_overrides={"start": UTC_NS, "end": UTC_NS}),
        equity=_equity(bars[0], rows),
        gates=pl.DataFrame(
            {
                "strategy": ["breakout", "breakout", "breakout"],
                "symbol": [bars[0].symbol, bars[-1].symbol, bars[0].symbol],
                "gate": ["session", "size_zero", "daily_loss"],
                "count": [5_120, 212, 31],
            }
        ),
        ledger=_ledger(bars[0]),
        levels=_moves(bars, rows),
    )


def empty_tables() -> RunTables:
    """The tables of a run in which nothing happened."""
    full = tables([walk("MES", 200, 1)], 4)
    return RunTables(
        fills=full.fills.clear(),
        orders=full.orders.clear(),
        campaigns=full.campaigns.clear(),
        equity=full.equity.clear(),
        gates=full.gates.clear(),
        ledger=full.ledger.clear(),
        levels=full.levels.clear(),
    )


def findings(run: RunTables, bars: list[Bars]) -> Findings:
    """Numbers of the right shape; only those of the tables are true."""
    net = run.campaigns["net"]
    ambiguous = int(run.campaigns["ambiguous"].sum())
    time = run.equity["time"].to_physical().to_numpy()
    equity = run.equity["equity"].to_numpy()
    total = float(equity[-1] / CASH - 1)
    tilt = np.linspace(0, ambiguous * 210.0, equity.shape[0])
    band = [
        PolicyRun(
            policy=policy,
            end_equity=float(equity[-1] + k * tilt[-1]),
            total_return=float((equity[-1] + k * tilt[-1]) / CASH - 1),
            campaigns=net.len(),
            ambiguous=ambiguous,
            time=time,
            equity=equity + k * tilt,
        )
        for policy, k in ((PathPolicy.WORST, 0), (PathPolicy.SHORTEST, 1), (PathPolicy.BEST, 2))
    ]
    return Findings(
        metrics=_metrics(run, total),
        by_symbol={b.symbol: _by_symbol(run, b.symbol) for b in bars},
        by_strategy={"breakout": _by_symbol(run, None)},
        months=pl.DataFrame(
            [
                (2023, *np.linspace(0.05, -0.04, 12), 0.0873),
                (2022, *[None] * 9, -0.01, 0.02, 0, 0.01),
            ],
            schema=["year", *MONTHS, "total"],
            orient="row",
        ),
        band=band,
        lines=[Line(label=b.symbol, kind="symbol", time=time, value=equity - CASH) for b in bars],
        notes=["Stops trail closer than one bar's range on MES: finer bars are needed."],
        manifest={
            "config": {"strategy": {"name": "breakout", "lookback": 20}, "cash": CASH},
            "versions": {"intrabar": "0.1.0", "numpy": "2.4.6"},
            "seed": 7,
            "data": {b.symbol: "sha256:" + b.symbol.encode().hex() for b in bars},
        },
    )


def facts(name: str, bars: list[Bars], status: RunStatus = RunStatus.FINISHED) -> RunFacts:
    """A run of the strategy `breakout` under the policy `worst`."""
    return RunFacts(
        name=name,
        status=status,
        policy=PathPolicy.WORST,
        strategies=["breakout"],
        symbols=[b.symbol for b in bars],
        initial_cash=CASH,
        created="2024-01-02 09:00 UTC",
    )


def without_results(given: Findings) -> Findings:
    """The same findings for a run without campaigns."""
    return replace(given, metrics={}, by_symbol={}, by_strategy={}, months=None, band=(), lines=())


def _campaign(
    b: Bars, start: int, end: int, rng: np.random.Generator, fills: list[dict[str, object]]
) -> dict[str, object]:
    sign = 1 if rng.random() < 0.55 else -1
    qty = float(rng.integers(1, 5))
    entry, leave = float(b.open[start]), float(b.close[end])
    distance = (
        round(float(b.high[start : end + 1].max() - b.low[start : end + 1].min()) * 2) / 2 + 2
    )
    stop, target = entry - sign * distance, entry + sign * 2 * distance
    gross = sign * (leave - entry) * qty * 5 + 12.0 * qty
    costs = 1.24 * 2 * qty
    ambiguous = bool(rng.random() < 0.06)
    reason = str(rng.choice(["stop", "target", "exit", "session"]))
    common = {"strategy": "breakout", "symbol": b.symbol, "qty": qty, "cost": costs / 2}
    for bar, side, price, why, position in (
        (start, sign, entry, "entry", sign * qty),
        (end, -sign, leave, reason, 0.0),
    ):
        fills.append(
            {
                "bar": bar,
                "time": int(b.close_time[bar]),
                "phase": "open" if why == "entry" else "intrabar",
                **common,
                "order": len(fills),
                "side": "buy" if side > 0 else "sell",
                "price": price,
                "reason": why,
                "realized": 0.0 if why == "entry" else gross,
                "position": position,
                "stop": stop if why == "entry" else float("nan"),
                "target": target if why == "entry" else float("nan"),
                "ambiguous": ambiguous and why != "entry",
                "settled": False,
                "point_value": 5.0,
            }
        )
    risk = distance * qty * 5
    return {
        "campaign": 0,
        "strategy": "breakout",
        "symbol": b.symbol,
        "side": "buy" if sign > 0 else "sell",
        "start_bar": start,
        "end_bar": end,
        "start": int(b.close_time[start]),
        "end": int(b.close_time[end]),
        "bars": end - start,
        "qty": qty,
        "entry": entry,
        "exit": leave,
        "gross": gross,
        "costs": costs,
        "net": gross - costs,
        "risk": risk,
        "r": (gross - costs) / risk,
        "mae": distance * float(rng.random()),
        "mfe": distance * float(rng.random()),
        "reason": reason,
        "ambiguous": ambiguous,
        "settled": not ambiguous and bool(rng.random() < 0.1),
    }


def _moves(bars: list[Bars], rows: list[dict[str, object]]) -> pl.DataFrame:
    """A stop that follows halfway through each campaign."""
    times = {b.symbol: b.close_time for b in bars}
    moves = [
        {
            "bar": (row["start_bar"] + row["end_bar"]) // 2,
            "time": int(times[row["symbol"]][(row["start_bar"] + row["end_bar"]) // 2]),
            "strategy": "breakout",
            "symbol": row["symbol"],
            "stop": row["entry"],
            "target": float("nan"),
        }
        for row in rows
    ]
    table = pl.DataFrame(moves, schema_overrides={"time": UTC_NS})
    return table.sort("bar", maintain_order=True)


def _ledger(b: Bars) -> pl.DataFrame:
    """A dividend, two nights of interest, and a settlement, which adds nothing."""
    lines = [
        ("breakout", b.symbol, "dividend", 120.0),
        (None, None, "interest", 3.5),
        (None, None, "interest", 3.25),
        (None, b.symbol, "borrow", -8.0),
        ("breakout", b.symbol, "settlement", 900.0),
    ]
    names = ["strategy", "symbol", "kind", "amount"]
    table = pl.DataFrame(lines, schema=names, orient="row").with_columns(
        bar=pl.int_range(pl.len()), cash=pl.lit(CASH)
    )
    return table.with_columns(time=pl.Series(b.close_time[: table.height]).cast(UTC_NS))


def _orders() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "role": ["plain", "stop", "target", "target", "plain"],
            "type": ["market", "stop", "limit", "limit", "market"],
            "status": ["filled", "filled", "filled", "cancelled", "rejected"],
            "reject": ["none", "none", "none", "none", "insufficient_margin"],
        }
    )


def _equity(b: Bars, rows: list[dict[str, object]]) -> pl.DataFrame:
    profit = np.zeros(len(b))
    for row in rows:
        profit[row["end_bar"]] += row["net"]
    equity = CASH + profit.cumsum()
    peak = np.maximum.accumulate(equity)
    return pl.DataFrame(
        {
            "bar": np.arange(len(b)),
            "time": pl.Series(b.close_time).cast(UTC_NS),
            "equity": equity,
            "cash": equity,
            "drawdown": equity / peak - 1,
            "exposure": np.zeros(len(b)),
        }
    )


def _metric(
    value: float | str | None, unit: str, description: str = "", reason: str = ""
) -> Metric:
    return {"value": value, "unit": unit, "description": description, "reason": reason}


def _metrics(run: RunTables, total: float) -> dict[str, dict[str, Metric]]:
    net = run.campaigns["net"]
    costs = float(run.campaigns["costs"].sum())
    gross = float(run.campaigns["gross"].sum())
    drawdown = float(-run.equity["drawdown"].min())
    share = costs / gross if gross > 0 else None
    return {
        "Growth and risk": {
            "net_profit": _metric(float(net.sum()), "account currency"),
            "total_return": _metric(total, "fraction", "End equity over start equity, less one"),
            "annual_return": _metric(total * 0.9, "fraction a year", "Compounded, 252 days a year"),
            "volatility": _metric(0.118, "fraction a year", "Of daily returns"),
            "sharpe": _metric(total * 4, "ratio", "Of daily returns, no risk-free rate"),
            "calmar": _metric(None, "ratio", "Annual return over drawdown", "no drawdown yet"),
        },
        "Drawdown": {
            "max_drawdown": _metric(drawdown, "fraction", "Largest loss from the highest equity"),
            "max_drawdown_days": _metric(63.4, "days"),
            "longest_drawdown_bars": _metric(4_312, "bars"),
        },
        "Campaigns": {
            "campaigns": _metric(net.len(), "count"),
            "win_rate": _metric(float((net > 0).mean()), "fraction"),
            "expectancy_r": _metric(float(run.campaigns["r"].mean()), "R", "Mean of net over risk"),
            "profit_factor": _metric(1.18, "ratio"),
            "average_mae": _metric(14.25, "price"),
            "turnover": _metric(212.4, "times a year"),
            "cost_share": _metric(
                share, "fraction", "Costs over gross", "" if share else "no profit before costs"
            ),
        },
    }


def _by_symbol(run: RunTables, symbol: str | None) -> dict[str, Metric]:
    rows = run.campaigns if symbol is None else run.campaigns.filter(pl.col("symbol") == symbol)
    return {
        "campaigns": _metric(rows.height, "count"),
        "net_profit": _metric(float(rows["net"].sum()), "account currency"),
        "win_rate": _metric(float((rows["net"] > 0).mean()), "fraction"),
        "expectancy_r": _metric(float(rows["r"].mean()), "R"),
    }
