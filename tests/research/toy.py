"""A work whose trials say by their parameters what becomes of their process, and bars."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from intrabar.research.sweep.trial import Outcome, Trial


@dataclass
class Toy:
    """It needs a module of the user's, `house_rules`."""

    folder: Path
    prices: np.ndarray[Any, Any]

    def key(self, trial: Trial) -> str:
        return f"toy-{trial.number}"

    def run(self, trials: Sequence[Trial]) -> list[Outcome]:
        return [self._run(trial) for trial in trials]

    def _run(self, trial: Trial) -> Outcome:
        import house_rules

        mark = self.folder / f"died-{trial.number}"
        what = trial.parameters["what"]
        if what == "kills always" or (what == "kills once" and not mark.exists()):
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "breaks":
            raise ZeroDivisionError("the work itself is wrong")
        time.sleep(0.002)
        returns = self.prices * house_rules.worth(trial.number, 3.0)
        days = np.arange(len(returns), dtype=np.int64)
        metrics = {"sharpe": float(returns.sum()), "calmar": None}
        return Outcome(trial, self.key(trial), "finished", metrics, "d", returns, days)


def walk(days: int) -> pl.DataFrame:
    """Daily bars of a random walk."""
    rng = np.random.default_rng(3)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, days)))
    first = np.datetime64("2024-01-01T21:00", "ns")
    return pl.DataFrame(
        {
            "time": first + np.arange(days) * np.timedelta64(24, "h"),
            "open": close,
            "high": 1.01 * close,
            "low": 0.99 * close,
            "close": close,
            "volume": np.full(days, 1e6),
        }
    )
