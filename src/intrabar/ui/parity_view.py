"""The parity page as plain values; `frontend/src/parity/view.ts` is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, cast

from intrabar.ui import shape
from intrabar.ui.coded import Number

SCHEMA = 1
MOST = 20_000
"""Lines of a table that a page shows; the JSON has all."""


class FieldView(TypedDict):
    """A field in which a record and its re-run differ."""

    name: str
    recorded: str
    again: str


class DifferenceView(TypedDict):
    """The first record that a re-run does not repeat."""

    record: int
    kind: str
    bar: int
    step: str
    fields: list[FieldView]


class PartView(TypedDict):
    """A part of the difference, in money and in basis points of the capital."""

    name: str
    money: Number
    basis_points: Number
    meaning: str


class SideView(TypedDict):
    """An order of one of the runs: what is left out in the other one is null."""

    order: Number
    status: str
    filled: Number
    price: Number
    bar: Number
    cost: Number


class OrderView(TypedDict):
    """An order of the session and of its twin."""

    time: Number
    bar: int
    step: str
    strategy: str
    symbol: str
    by: str
    side: str
    type: str
    role: str
    qty: Number
    session: SideView | None
    twin: SideView | None
    difference: Number
    parts: str


class DecisionView(TypedDict):
    """A command that only one of the runs has, or that differs."""

    time: Number
    bar: int
    step: str
    session: str
    twin: str


class RowView(TypedDict):
    """A value of a row that is otherwise now."""

    time: Number
    symbol: str
    what: str
    session: str
    stored: str


class SlippageView(TypedDict):
    """As `engine.parity.paid.Slippage`."""

    symbol: str
    fills: int
    modelled: Number
    paid: Number
    modelled_money: Number
    paid_money: Number
    now: Number
    proposal: Number


class LatencyView(TypedDict):
    """As `engine.parity.paid.Latency`; seconds."""

    rows: int
    median: Number
    p90: Number
    longest: Number
    late: int


class ProfitView(TypedDict):
    """What a run made."""

    name: str
    money: Number


class ParityView(TypedDict):
    """All that the page shows."""

    schema: int
    name: str
    created: str
    identical: bool
    holds: bool
    headline: str
    symbols: list[str]
    start: Number
    end: Number
    rows: int
    records: int
    capital: Number
    profit: list[ProfitView]
    difference: DifferenceView | None
    parts: list[PartView]
    rest: Number
    rejects: list[ProfitView]
    orders: list[OrderView]
    order_count: int
    decisions: list[DecisionView]
    decision_count: int
    compared: bool
    data: list[RowView]
    data_count: int
    slippage: list[SlippageView]
    latency: LatencyView | None
    notes: list[str]
    manifest: dict[str, object]


RUNS = {
    "session": "session",
    "forced": "forced twin: the session's decisions, filled by the market",
    "twin": "twin: the hooks decide on the market's fills",
    "data": "twin on the rows as they are now",
}


def parity_view(
    name: str,
    told: Mapping[str, Any],
    created: str = "",
    manifest: Mapping[str, object] | None = None,
) -> ParityView:
    """Shape a parity, as its JSON has it, for its page.

    Parameters
    ----------
    name : str
        Of the session.
    told : JSON-like mapping
        Of `engine.parity.parity.Parity.as_json`.
    created : str
    manifest : JSON-like mapping, optional
    """
    one, latency = told["difference"], told["latency"]
    orders, decisions, rows = told["orders"], told["decisions"], told["data"]["rows"]
    return {
        "schema": SCHEMA,
        "name": name,
        "created": created,
        "identical": told["identical"],
        "holds": told["holds"],
        "headline": told["headline"],
        "symbols": list(told["symbols"]),
        "start": _seconds(told["start"]),
        "end": _seconds(told["end"]),
        "rows": told["rows"],
        "records": told["records"],
        "capital": shape.number(told["capital"]),
        "profit": [{"name": RUNS[k], "money": _number(told["profit"][k])} for k in RUNS],
        "difference": None
        if one is None
        else {
            "record": one["record"],
            "kind": one["kind"],
            "bar": one["bar"],
            "step": _words(one["step"]),
            "fields": [
                {
                    "name": _words(x["name"]),
                    "recorded": _text(x["recorded"]),
                    "again": _text(x["again"]),
                }
                for x in one["fields"]
            ],
        },
        "parts": [
            {
                "name": part["name"],
                "money": _number(part["money"]),
                "basis_points": _number(part["basis_points"]),
                "meaning": part["meaning"],
            }
            for part in told["parts"]
        ],
        "rest": _number(told["rest"]),
        "rejects": [
            {"name": _words(reason), "money": _number(money)}
            for reason, money in told["rejects"].items()
        ],
        "orders": [_order(x) for x in _first_apart(orders)],
        "order_count": len(orders),
        "decisions": [
            {
                "time": _seconds(x["time"]),
                "bar": x["bar"],
                "step": _words(x["step"]),
                "session": _said(x["session"]),
                "twin": _said(x["twin"]),
            }
            for x in decisions[:MOST]
        ],
        "decision_count": len(decisions),
        "compared": told["data"]["compared"],
        "data": [
            {
                "time": _seconds(x["time"]),
                "symbol": x["symbol"],
                "what": _words(x["what"]),
                "session": _text(x["session"]),
                "stored": _text(x["stored"]),
            }
            for x in rows[:MOST]
        ],
        "data_count": len(rows),
        "slippage": [cast("SlippageView", _numbers(x)) for x in told["slippage"]],
        "latency": None if latency is None else cast("LatencyView", _numbers(latency)),
        "notes": list(told["notes"]),
        "manifest": cast("dict[str, object]", shape.plain(dict(manifest or {}))),
    }


def _first_apart(orders: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """The lines that a page has room for: those that differ before those that do not."""
    if len(orders) <= MOST:
        return orders
    kept = sorted(range(len(orders)), key=lambda k: (not orders[k]["parts"], k))[:MOST]
    return [orders[k] for k in sorted(kept)]


def _order(order: Mapping[str, Any]) -> OrderView:
    either = order["session"] or order["twin"]
    parts = order["parts"]
    return {
        "time": _seconds(order["time"]),
        "bar": order["bar"],
        "step": _words(order["step"]),
        "strategy": order["strategy"],
        "symbol": order["symbol"],
        "by": order["by"],
        "side": either["side"],
        "type": _words(order["type"]),
        "role": either["role"],
        "qty": _number(either["qty"]),
        "session": _side(order["session"], order["reason"]),
        "twin": _side(order["twin"], ""),
        "difference": shape.number(float(sum(parts.values()))),
        "parts": ", ".join(f"{name} {money:+,.2f}" for name, money in parts.items()).replace(
            "-", "−"
        ),
    }


def _side(side: Mapping[str, Any] | None, reason: str) -> SideView | None:
    """An order with its fills in one: their quantity, mean price, costs and first bar."""
    if side is None:
        return None
    fills = side["fills"]
    qty = sum(x["qty"] for x in fills)
    price = sum(x["qty"] * x["price"] for x in fills) / qty if qty else None
    status = side["status"] or ("filled" if fills else "")
    if side["reject"] not in ("", "none"):
        status += f": {side['reject']}"
    elif reason and reason != side["status"]:
        status += f": {reason}"
    return {
        "order": _number(side["order"]),
        "status": _words(status),
        "filled": _number(qty),
        "price": _number(price),
        "bar": fills[0]["bar"] if fills else None,
        "cost": _number(sum(x["cost"] for x in fills)),
    }


def _said(command: Mapping[str, Any] | None) -> str:
    """A command in a line."""
    if command is None:
        return "nothing"
    told = dict(command)
    side = {1: "buy", -1: "sell"}.get(told.pop("side", 0), "")
    kind, strategy, symbol = (told.pop(name) for name in ("kind", "strategy", "symbol"))
    rest = " ".join(f"{_words(name)} {_text(value)}" for name, value in told.items())
    return f"{strategy}: {_words(kind)} {side} {symbol} {rest}".replace("  ", " ")


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} {_text(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_text(v) for v in value)
    return str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _seconds(time: int | None) -> int | None:
    return None if time is None else time // shape.NS


def _number(value: float | None) -> Number:
    return None if value is None else shape.number(float(value))


def _numbers(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _number(v) if isinstance(v, float) else v for k, v in values.items()}
