"""A parity as JSON: all of it, in plain values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from intrabar.engine.parity.money import OrderLine, Scaled
from intrabar.engine.parity.traded import Traded
from intrabar.model.entry import Entry
from intrabar.model.event import Step

if TYPE_CHECKING:
    from intrabar.engine.parity.parity import Parity

MEANING = {
    "timing": "filled in another bar: the model's prices of the two bars",
    "price": "another price in the same bar",
    "size": "another quantity, valued at the last close",
    "cost": "other commission and fees",
    "reject": "the twin has a fill, the session has none",
    "manual": "orders by hand that were filled otherwise, and fills that no order asked for",
    "carry": "interest, borrow, swaps and dividends",
    "fx": "rates of exchange",
    "decisions": "what the hooks would have decided on the twin's fills",
    "data": "rows that are otherwise now",
}


def told(found: Parity) -> dict[str, Any]:
    """The JSON of a parity; times are ns since 1970 UTC, NaN is null."""
    one, latency = found.difference, found.latency
    scale = 1e4 / found.capital
    return {
        "identical": found.is_identical,
        "headline": found.headline,
        "holds": found.holds,
        "symbols": list(found.symbols),
        "capital": found.capital,
        "start": found.prices.time_of(found.first),
        "end": found.prices.time_of(found.last),
        "rows": len(found.traded.equity),
        "records": found.records,
        "profit": found.profit,
        "difference": None if one is None else {**asdict(one), "step": _step(one.step)},
        "parts": [
            {"name": name, "money": v, "basis_points": v * scale, "meaning": MEANING[name]}
            for name, v in found.parts.items()
        ],
        "rest": _number(found.rest),
        "rejects": found.rejects,
        "orders": [_order(found, line) for line in found.lines],
        "decisions": [
            {
                "bar": (a or b).bar,  # type: ignore[union-attr]
                "time": found.prices.time_of((a or b).bar),  # type: ignore[union-attr]
                "step": _step((a or b).step),  # type: ignore[union-attr]
                "session": _decision(a),
                "twin": _decision(b),
            }
            for a, b in found.decisions
        ],
        "data": {"compared": found.has_rows, "rows": [asdict(row) for row in found.rows]},
        "slippage": [
            {name: _number(v) if isinstance(v, float) else v for name, v in x._asdict().items()}
            for x in found.slippage
        ],
        "latency": None if latency is None else latency._asdict(),
        "notes": found.notes,
    }


def _order(found: Parity, line: OrderLine) -> dict[str, Any]:
    traded, order = found.traded, line.session
    if order is None:
        traded, order = found.twin, line.twin
    command = None if order is None else traded.commands.get(order)
    row = None if order is None else traded.row_of(order)
    if row is None:
        row = min(x.fill.row for x in (*line.fills, *line.twin_fills))
    return {
        "strategy": line.strategy,
        "symbol": line.symbol,
        "by": "market" if order is None else traded.by(order),
        "bar": row,
        "time": found.prices.time_of(row),
        "step": "" if command is None else _step(command.step),
        "type": line.type,
        "session": _side(found.traded, line.session, line.fills),
        "twin": _side(found.twin, line.twin, line.twin_fills),
        "parts": line.parts,
        "reason": line.reason,
    }


def _side(traded: Traded, order: int | None, fills: Sequence[Scaled]) -> dict[str, Any] | None:
    """An order as one run had it; None where it had none."""
    if order is None and not fills:
        return None
    body: dict[str, Any] = {} if order is None else traded.orders.get(order, {})
    return {
        "order": order,
        "side": body.get("side") or ("buy" if fills and fills[0].fill.side > 0 else "sell"),
        "role": body.get("role", fills[0].fill.reason if fills else ""),
        "qty": body.get("qty"),
        "limit_price": _number(body.get("limit_price")),
        "stop_price": _number(body.get("stop_price")),
        "status": body.get("status", ""),
        "reject": body.get("reject", ""),
        "fills": [
            {
                "bar": x.fill.row,
                "phase": x.fill.phase,
                "qty": x.fill.qty,
                "price": x.fill.price,
                "cost": x.fill.cost,
                "reason": x.fill.reason,
            }
            for x in fills
        ],
    }


def _decision(entry: Entry | None) -> dict[str, Any] | None:
    if entry is None:
        return None
    names = ("strategy", "symbol", "kind", "side", "type", "qty", "limit_price", "stop_price")
    return {name: entry.body[name] for name in names if entry.body[name] not in ("nan", "none")}


def _step(step: int) -> str:
    return Step(step).name.lower()


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)
