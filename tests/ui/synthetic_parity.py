"""Parities as their JSON tells them: one that is identical, one with something of everything."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

NS = 1_000_000_000
START = 1_735_828_200 * NS
MINUTE = 60 * NS
PARTS = (
    "timing", "price", "size", "cost", "reject", "manual", "carry", "fx", "decisions", "data",
)  # fmt: skip


def fill(bar: int, price: float, qty: float = 10.0, phase: str = "open") -> dict[str, Any]:
    return {
        "bar": bar, "phase": phase, "qty": qty, "price": price, "cost": 1.0, "reason": "entry",
    }  # fmt: skip


def side(order: int, fills: list[dict[str, Any]], status: str = "filled", **more: Any) -> dict:
    plain = {"order": order, "side": "buy", "role": "plain", "qty": 10.0, "limit_price": None}
    more = {"reject": "none", **more}
    return {**plain, "stop_price": None, "status": status, "fills": fills, **more}


def order(n: int, session: Any, twin: Any, parts: dict[str, float], reason: str = "") -> dict:
    return {
        "strategy": "cross", "symbol": "ACME", "by": "strategy", "bar": 10 * n,
        "time": START + 10 * n * MINUTE, "step": "end", "type": "market", "session": session,
        "twin": twin, "parts": parts, "reason": reason,
    }  # fmt: skip


def identical(orders: int = 40) -> dict[str, Any]:
    """A session that did what the market model does."""
    same = [
        order(n, s := side(n, [fill(10 * n + 1, 100.0 + n)]), deepcopy(s), {})
        for n in range(1, orders + 1)
    ]
    return {
        "identical": True,
        "headline": "identical",
        "holds": True,
        "symbols": ["ACME"],
        "capital": 100_000.0,
        "start": START,
        "end": START + 390 * MINUTE,
        "rows": 390,
        "records": 1_204,
        "profit": dict.fromkeys(("session", "twin", "forced", "data"), 512.25),
        "difference": None,
        "parts": [
            {"name": name, "money": 0.0, "basis_points": 0.0, "meaning": f"what {name} is"}
            for name in PARTS
        ],
        "rest": 0.0,
        "rejects": {},
        "orders": same,
        "decisions": [],
        "data": {"compared": False, "rows": []},
        "slippage": [
            {
                "symbol": "ACME", "fills": orders, "modelled": 1.0, "paid": 1.0,
                "modelled_money": 40.0, "paid_money": 40.0, "now": 1.0, "proposal": None,
            }
        ],
        "latency": {"rows": 390, "median": 0.0, "p90": 0.0, "longest": 0.0, "late": 0},
        "notes": [],
    }  # fmt: skip


def apart() -> dict[str, Any]:
    """A session that differs in every way."""
    told = identical(6)
    where = {"time": START, "symbol": "ACME"}
    told |= {
        "identical": False,
        "headline": "the first difference is record 310 (fill), bar 11, step close: price is "
        "101.5 in the journal and 101.25 in the re-run",
        "difference": {
            "record": 310, "at": START, "bar": 11, "step": "close", "kind": "fill",
            "fields": [{"name": "price", "recorded": 101.5, "again": 101.25}],
        },
        "rejects": {"insufficient_margin": -12.5},
        "profit": {"session": 470.25, "forced": 512.25, "twin": 515.25, "data": 514.0},
        "decisions": [
            {
                "bar": 30, "time": START, "step": "end",
                "session": {
                    "strategy": "cross", "symbol": "ACME", "kind": "submit", "side": 1,
                    "type": "limit", "qty": 10.0, "limit_price": 99.5,
                },
                "twin": None,
            }
        ],
        "data": {
            "compared": True,
            "rows": [
                {**where, "what": "close", "session": 99.5, "stored": 99.75},
                {**where, "what": "bar", "session": None, "stored": [1.0, 2.0, 0.5, 1.5, 100.0]},
            ],
        },
        "slippage": [
            {**told["slippage"][0], "paid": 2.31, "paid_money": 92.4, "proposal": 2.4}
        ],
        "latency": {"rows": 390, "median": 0.21, "p90": 1.2, "longest": 31.0, "late": 2},
        "notes": ["forced twin: order 7 of the session has none like it in the twin"],
    }  # fmt: skip
    money = {"price": -2.5, "size": -27.0, "reject": -12.5, "decisions": -3.0, "data": 1.25}
    for part in told["parts"]:
        part["money"] = money.get(part["name"], 0.0)
        part["basis_points"] = part["money"] / 10.0
    orders = told["orders"]
    orders[0]["session"]["fills"][0]["price"] += 0.25
    orders[0]["parts"] = {"price": -2.5}
    orders[1]["session"]["fills"][0]["qty"] = 5.0
    orders[1]["session"]["status"] = "cancelled"
    orders[1]["parts"] = {"size": -27.0}
    orders[2]["session"] = side(3, [], "rejected", reject="insufficient_margin")
    orders[2] |= {"parts": {"reject": -12.5}, "reason": "insufficient_margin"}
    orders[3] |= {"session": None}
    return told
