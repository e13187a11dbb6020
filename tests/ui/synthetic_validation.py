"""A validation for the page, with every kind of picture and mark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.ui.validation_input import (
    Bars,
    Check,
    Finding,
    Histogram,
    Interval,
    Pointer,
    Series,
    Validation,
    Verdict,
)

START = 1_640_995_200_000_000_000
DAY = 86_400_000_000_000


def validation(**changes: Any) -> Validation:
    rng = np.random.default_rng(3)
    days = START + np.arange(700) * DAY
    equity = 100_000 * np.exp(np.cumsum(rng.normal(3e-4, 0.01, 700)))
    equity[200:205] = np.nan
    given = Validation(
        name="Sweep of MovingAverageCrossover on MES",
        subject="sweep",
        verdict=Verdict(
            sentence="The best of 1,000 trials cannot be told from the luck of so many.",
            mark="fail",
        ),
        checks=[
            Check(
                name="Probability of backtest overfitting",
                mark="fail",
                figure="47 %",
                meaning="In 47 % of the splits the best in sample was below the median out of it.",
                assumption="blocks of returns that could have come in any order.",
                picture=Histogram(
                    values=rng.normal(0.1, 1.2, 12_870),
                    unit="logit",
                    counted="splits",
                    pointers=[Pointer(value=0.0, label="the median trial")],
                ),
            ),
            Check(
                name="Random entries",
                mark="doubt",
                figure="p 0.08",
                meaning="8 % of entries at random did as well with the same exits and sizes.",
                assumption="entries as frequent as those of the strategy.",
                picture=Histogram(
                    values=rng.normal(0.0, 0.1, 500),
                    unit="fraction",
                    counted="random entries",
                    pointers=[Pointer(value=0.21, label="this run")],
                ),
            ),
            Check(
                name="Walk-forward",
                mark="pass",
                figure="efficiency 0.62",
                meaning="Out of sample it earned 62 % of what it earned in sample.",
                assumption="that the windows are long enough to choose by.",
                picture=Series(
                    x=days,
                    lines={"out of sample": equity, "all data": equity * 1.1},
                    unit="account currency",
                    pointers=[
                        Pointer(value=float(days[i]), label=f"window {i // 140 + 1}")
                        for i in range(0, 700, 140)
                    ],
                ),
            ),
            Check(
                name="Power",
                mark="pass",
                figure="0.8",
                meaning="An edge of this size would be found in 8 of 10 such histories.",
                assumption="normal returns.",
                picture=Series(
                    x=np.arange(1.0, 11.0),
                    lines={"found": np.linspace(0.05, 0.95, 10)},
                    unit="fraction",
                    x_unit="years",
                ),
            ),
            Check(
                name="Reality check",
                mark="unknown",
                figure="–",
                meaning="It needs two trials at least.",
                assumption="stationary returns.",
            ),
        ],
        findings=[
            Finding(
                title="Costs decide",
                mark="fail",
                evidence="At 1.4 times the costs the profit is gone.",
                what_to_do="Ask your broker what you would really pay.",
                picture=Bars(
                    labels=["no costs", "as they are", "twice", "three times"],
                    values=[0.31, 0.12, -0.07, None],
                    unit="fraction",
                ),
            ),
            Finding(
                title="Few campaigns",
                mark="doubt",
                evidence="34 campaigns were closed.",
                what_to_do="Test it on more instruments <b>or</b> on a longer history.",
            ),
            Finding(title="Stale fills", mark="pass", evidence="No fill is on one.", what_to_do=""),
        ],
        intervals=[
            Interval(label="Sharpe", value=1.2, low=-0.1, high=2.3, unit="ratio"),
            Interval(label="annual return", value=0.12, low=0.02, high=0.2, unit="fraction"),
            Interval(label="sqn", value=None, low=None, high=None, unit="ratio"),
        ],
        symbols=["MES"],
        start=START,
        end=int(days[-1]),
        created="2026-01-01 00:00 UTC",
        notes=["The sweep was cut to 700 days."],
        manifest={"seed": 1},
    )
    return replace(given, **changes)
