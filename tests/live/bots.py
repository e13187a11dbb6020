"""Every kind of strategy that a session may have, with numbers drawn at random."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from intrabar.data.predictions import Predictions
from intrabar.indicators import cross, ema, sma
from intrabar.strategy.bot import Bot
from intrabar.strategy.gates import Gates
from intrabar.strategy.registry import ENTRIES, EXITS, AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights
from tests.engine.chunks.test_chunks import Restless
from tests.engine.replay.replays import Busy
from tests.exits.traded import traded_policy
from tests.live.predicted import written

Strategies = dict[str, AnyStrategy]
Make = Callable[[Random, int], Strategies]
"""Of a generator of choices and the number of rows."""

ENTRY: dict[str, Callable[[Random], dict[str, Any]]] = {
    "CoinFlip": lambda draw: {"seed": draw.randint(0, 99), "chance": draw.choice((0.1, 0.3))},
    "MovingAverageCrossover": lambda draw: {"fast": draw.randint(2, 4), "slow": draw.randint(5, 9)},
    "TrendFollowing": lambda draw: {
        "fast": 3, "slow": draw.randint(6, 9), "atr_period": 4, "breakout": draw.choice((0.0, 0.8)),
    },
    "PredictionThreshold": lambda draw: {
        "predictions": {"file": str(written(draw.randint(0, 2))), "time_is": "made"},
        "short": draw.random() < 0.5, "min_confidence": draw.choice((0.0, 0.6)),
    },
}  # fmt: skip
POLICIES = [traded_policy(seed) for seed in range(3)]
EXIT: dict[str, Callable[[Random], dict[str, Any]]] = {
    "FixedPercent": lambda draw: {"stop": draw.choice((0.004, 0.01))},
    "FixedRatio": lambda draw: {"atr_period": draw.randint(3, 6)},
    "TrailingATR": lambda draw: {"atr_period": draw.randint(3, 6)},
    "Learned": lambda draw: {"policy": draw.choice(POLICIES), "atr_period": 4, "max_bars": 9,
        "session": draw.choice(("shadow", "act")),
    },
    "Hybrid": lambda draw: {
        "policy": draw.choice(POLICIES), "n0": 2.0, "alpha": 0.5,
        "explore": draw.choice((0.0, 0.3)), "atr_period": 4, "max_bars": 9,
        "exit": draw.choice(("trailing", "fixed")), "session": draw.choice(("shadow", "act")),
    },
}  # fmt: skip
"""Of `LinUCB`, which waits for 500 bars: tests/app/workers/test_learned_sessions.py."""


class Frames(Strategy):
    """Reads longer bars and the prices of shares adjusted for what has befallen them."""

    def indicators(self) -> dict[str, Any]:
        return {"long": sma(3).on("4h"), "day": ema(2).on("1d"), "short": sma(3)}

    def on_close(self, now: Any) -> None:
        for one in now:
            if one.bar % 5 == 0 and one["short"] > one["long"]:
                one.buy(3, stop_loss=one.close * 0.97)
            elif one.bar % 7 == 0 and not one.is_flat:
                one.close_position()
            elif one.bar % 6 == 0 and one["day"] > 0.0:
                one.sell(1, limit=one["long"] * 1.001, tif="day")


class Hears(Strategy):
    """Learns from the rows before trading begins, and remembers all that it was told."""

    hears_warm_up = True

    def __init__(self) -> None:
        self.seen: list[float] = []

    def on_close(self, now: Any) -> None:
        self.seen.append(now.close)
        if len(self.seen) % 4 == 0:
            up = now.close > sum(self.seen[-8:]) / len(self.seen[-8:])
            (now.buy if up else now.sell)(1 + len(self.seen) % 3)

    def on_fill(self, fill: Any, now: Any) -> None:
        self.seen.append(fill.price)


class Expects(Strategy):
    """Reads what a model expects, on the rows before trading begins too."""

    hears_warm_up = True

    def __init__(self, seed: int) -> None:
        self.file = str(written(seed))
        self.last = 0.0

    def indicators(self) -> dict[str, Any]:
        said = Predictions(self.file, time_is="made")
        return {**said, "turns": cross(said["predicted_return"], said["q90"])}

    def on_close(self, now: Any) -> None:
        for one in now:
            said = one["predicted_return"]
            if said > max(self.last, 0.001):
                one.buy(2, stop_loss=one["predicted_price"] * 0.97)
            elif one["q90"] < 0.004 and not one.is_flat:
                one.close_position()
            elif one["turns"] != 0.0 and said < 0.0:
                one.sell(1, limit=one.close * 1.001)
            if said == said:
                self.last = said


def bot(entry: str, way_out: str, interpreted: bool) -> Make:
    def make(draw: Random, _: int) -> Strategies:
        gates = draw.choice((None, Gates(daily_loss=0.01), Gates(flatten="17:00")))
        more: dict[str, Any] = {} if gates is None else {"gates": gates}
        started = ENTRIES[entry](**ENTRY[entry](draw))
        left = EXITS[way_out](**EXIT[way_out](draw))
        return {"bot": Bot(started, left, risk_fraction=0.01, interpreted=interpreted, **more)}

    return make


def signals(draw: Random, rows: int) -> Strategies:
    numbers = np.random.default_rng(draw.randint(0, 10**6))
    odds = (0.15, 0.15, 0.1, 0.6)
    side = {s: numbers.choice([1.0, -1.0, 0.0, np.nan], rows, p=odds) for s in "AB"}
    return {"signals": Signals(side, qty=3.0, stop=0.6, target=draw.choice((0.5, None)))}


def weights(draw: Random, rows: int) -> Strategies:
    numbers = np.random.default_rng(draw.randint(0, 10**6))
    target = numbers.choice([0.4, -0.3, 0.0, np.nan], (rows, 2), p=(0.1, 0.1, 0.1, 0.7))
    return {"weights": Weights(target)}


def several(draw: Random, rows: int) -> Strategies:
    """Some of each in one account."""
    return {
        "busy": Busy(draw.randint(0, 99)),
        **signals(draw, rows),
        "compiled": bot("CoinFlip", "TrailingATR", False)(draw, rows)["bot"],
        "plain": bot("MovingAverageCrossover", "FixedRatio", True)(draw, rows)["bot"],
        **weights(draw, rows),
    }


def expecting(draw: Random, rows: int) -> Strategies:
    """The same, and two that read predictions."""
    return {
        **several(draw, rows),
        "threshold": bot("PredictionThreshold", "FixedPercent", False)(draw, rows)["bot"],
        "expects": Expects(draw.randint(0, 2)),
    }


PAIRS = [
    (a, b)
    for a in ENTRY
    for b in EXIT
    if a != "PredictionThreshold" or b in ("FixedPercent", "Hybrid")
]

BOTS: dict[str, Make] = {
    **{f"{a}, {b}": bot(a, b, interpreted=False) for a, b in PAIRS},
    **{f"{a}, {b}, interpreted": bot(a, b, interpreted=True) for a, b in PAIRS},
    "Signals": signals,
    "Weights": weights,
    "orders of every kind": lambda draw, rows: {"restless": Restless()},
    "longer bars": lambda draw, rows: {"frames": Frames()},
    "hears the warm-up": lambda draw, rows: {"hears": Hears()},
    "expects": lambda draw, rows: {"expects": Expects(draw.randint(0, 2))},
    "remembers": lambda draw, rows: {"busy": Busy(draw.randint(0, 99))},
    "several": several,
    "several with predictions": expecting,
}
