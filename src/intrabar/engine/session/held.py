"""What the strategies of a session hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from intrabar.model.entry import in_json
from intrabar.sim.machine import Machine


def held(machine: Machine, names: Sequence[str]) -> list[dict[str, Any]]:
    """The sleeves that are not flat: strategy, symbol, qty, average, stop, target.

    Parameters
    ----------
    machine : Machine
    names : sequence of str
        Of the strategies, by their rows.
    """
    sleeves, symbols = machine.book.sleeves, [x.symbol for x in machine.instruments]
    n = len(symbols)
    return [
        {
            "strategy": names[k // n],
            "symbol": symbols[k % n],
            "qty": float(sleeves["qty"][k]),
            "average": float(sleeves["avg"][k]),
            "stop": in_json(float(sleeves["stop"][k])),
            "target": in_json(float(sleeves["target"][k])),
        }
        for k in np.flatnonzero(sleeves["qty"]).tolist()
    ]
