"""Evidence of exits that are what a test needs them to be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.model.bars import DAY_NS
from intrabar.research.scorecard.evidence import (
    Entries,
    Evidence,
    Returns,
    Scores,
    Training,
    Window,
)

ARMS = np.array([1.0, 2.0, 3.0])
START = 20_000  # days since 1970
PASSED = (("hindsight", True, "0.01 of 0.03"),)


def evidence(
    gain: float = 0.2, n: int = 400, windows: int = 4, seed: int = 1, **changes: Any
) -> Evidence:
    """Two of three entries take arm 3; where they do it is better than arm 1 by `gain`."""
    rng = np.random.default_rng(seed)
    static = rng.standard_normal((n, 1)) + 0.3 * rng.standard_normal((n, 3))
    arm = np.where(np.arange(n) % 3 == 0, 0, 2)
    static[:, 2] += np.where(arm == 2, gain, -2.0 * gain)
    learned = static[np.arange(n), arm]
    day = START + np.arange(n) * 4 // 3
    time = (day + 1) * DAY_NS - 1
    window = np.arange(n) * windows // n
    here = Scores(learned, static)
    entries = Entries(
        symbols=("A",),
        time=time,
        symbol=np.zeros(n, np.int64),
        window=window,
        side=np.where(np.arange(n) % 2 == 0, 1, -1),
        arm=arm,
        here=here,
        other=Scores(learned + 0.01, static),
    )
    train = rng.standard_normal((300, 1)) + np.array([0.1, 0.0, -0.1])
    spans = [time[window == k] for k in range(windows)]
    made = tuple(
        Window(f"w{k:03d}", (0, int(x[0]) - 1), (int(x[0]), int(x[-1])), train, 300)
        for k, x in enumerate(spans)
    )
    rows = np.arange(START, int(day[-1]) + 2)
    d = learned - static[:, 0]
    booked = 0.01 * np.bincount(day - START, d, minlength=len(rows))
    returns = Returns(rows, booked, np.zeros(len(rows)))
    given = Evidence(
        bot="Trend",
        arms=ARMS,
        learnable=3,
        own=None,
        paths=("worst", "best"),
        entries=entries,
        windows=made,
        returns=returns,
        training=Training("trend", "abc", canaries=PASSED),
    )
    return replace(given, **changes)
