"""One row of a session's journal: an event, or a record of what it caused."""

from __future__ import annotations

import math
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


def in_json(value: float) -> float | str:
    """A number as a body has it; JSON knows neither NaN nor infinities."""
    return value if math.isfinite(value) else str(value)
