"""Many passes of a network in one call: what trades, over rows that are judged."""

from __future__ import annotations

from typing import Any

import numpy as np

from intrabar.exits.network import Network, forward, work_size
from intrabar.kernel import kernel
from intrabar.model.bars import Floats


@kernel
def _all(net: Any, windows: Floats, position: Floats, out: Floats, work: Floats) -> bool:
    known = True
    for i in range(windows.shape[0]):
        known &= forward(net, windows[i], 1, position, out[i], work)
    return known


def passes(net: Network, windows: Any) -> Floats:
    """What the compiled network gives for windows that are normalised already.

    Parameters
    ----------
    net : Network
    windows : (k, L, F)

    Returns
    -------
    (k, K) float64
    """
    n = windows.shape[2]
    plain = net._replace(signs=np.zeros(n, np.int8), mean=np.zeros(n), scale=np.ones(n))
    work = np.empty(work_size(net.plan, windows.shape[1], n))
    out = np.empty((len(windows), int(net.plan[-1, 2])))
    _all(plain, np.ascontiguousarray(windows, np.float64), np.empty(0), out, work)
    return out
