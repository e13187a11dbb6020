"""One row of a session's journal: an event, or a record of what it caused."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """What happened at a place of a session.

    Parameters
    ----------
    at : int, ns since 1970 UTC
        The turn's `now`.
    bar, step : int
        The place at which the machine stood: a row of its tape, and one of `model.event.Step`.
    kind : str
        What it is: `row.closed`, `command`, `fill`, ...
    body : dict
        Its fields, as JSON has them.
    """

    at: int
    bar: int
    step: int
    kind: str
    body: dict[str, Any]


_OF_ORDERS: dict[str, Any] = {
    "type": "market",
    "tif": "gtc",
    "limit_price": "nan",
    "stop_price": "nan",
    "reduce_only": False,
    "oco": -1,
    "reject": "none",
}
UNSAID: dict[str, dict[str, Any]] = {
    "order": {**_OF_ORDERS, "parent": -1},
    "command": {
        **_OF_ORDERS,
        **dict.fromkeys(("qty", "trail", "stop_loss", "take_profit"), "nan"),
        "side": 0,
        "until": 0,
    },
}
"""By kind, the fields that a record leaves out where it has nothing to say: what is meant then."""


def said(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record that say something."""
    unsaid = UNSAID.get(kind, {})
    return {name: x for name, x in body.items() if name not in unsaid or x != unsaid[name]}


def whole(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """All fields of a record, those too that it leaves out."""
    return {**UNSAID.get(kind, {}), **body}


def in_json(value: float) -> float | str:
    """A number as a body has it; JSON knows neither NaN nor infinities."""
    return value if math.isfinite(value) else str(value)
