"""The figures of campaigns of which only the profits are given."""

from __future__ import annotations

import numpy as np

from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.figures import blank, reasons_of, values_of
from intrabar.analysis.formulas import outcomes_of


def outcome_figures(
    net: np.ndarray, r: np.ndarray | None = None, gross: float = 0.0, costs: float = 0.0
) -> dict[str, Figure]:
    """By their names in `METRICS`; `r` is the net profit itself unless given.

    `gross` and `costs` are those of all campaigns together.
    """
    closed = np.zeros((6, len(net)))
    closed[0, :1], closed[1, :1] = gross, costs
    closed[2], closed[3] = net, net if r is None else r
    out = blank()
    outcomes_of(closed, np.empty((2, len(net))), out[0])
    values = values_of(out, 252.0)
    why = reasons_of(values, out, 252.0)
    return {name: Undefined(why[name]) if x is None else x for name, x in values.items()}
