"""What a backtest can be expected to give, when a bar does not tell which way the price went.

The run is repeated under many random paths. In each bar a coin says whether the shortest path is
the true one, with the probability that was measured for the instrument and the bar length.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.engine.outcome.band import BandRun
from intrabar.engine.outcome.path_truth import PathTruth
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Progress, Run, Setup
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import Market
from intrabar.model.enums import PathPolicy
from intrabar.model.values import Bounds, asked, is_number, number, path, shown, whole

LOW, HIGH = 0.05, 0.95
RUNS = 100

Truth = PathTruth | float | str | Path


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Expected:
    """The end of a run under many random paths, beside its ambiguity band.

    Parameters
    ----------
    trust : probability
        That the shortest path is right, in each bar.
    seed : int
    initial : account currency
    end_equity : (runs,) float64, account currency
        In the order in which the paths were drawn.
    band : tuple of BandRun
        The run under `worst`, `shortest` and `best`.
    """

    trust: float
    seed: int
    initial: float
    end_equity: NDArray[np.float64]
    band: tuple[BandRun, ...]

    @property
    def total_return(self) -> NDArray[np.float64]:
        """Fractions, (runs,)."""
        return self.end_equity / self.initial - 1.0

    @property
    def mean(self) -> float:
        """Mean total return."""
        return float(self.total_return.mean())

    @property
    def median(self) -> float:
        """Median total return."""
        return float(np.median(self.total_return))

    @property
    def low(self) -> float:
        """Total return that 5 % of the runs fell short of."""
        return float(np.quantile(self.total_return, LOW))

    @property
    def high(self) -> float:
        """Total return that 5 % of the runs exceeded."""
        return float(np.quantile(self.total_return, HIGH))

    @property
    def ambiguous(self) -> int:
        """Campaigns that hang on the path, in the run under `shortest`."""
        return next(run.ambiguous for run in self.band if run.policy is PathPolicy.SHORTEST)

    def as_json(self) -> dict[str, Any]:
        """Plain values: returns as fractions, equity in account currency."""
        return {
            "trust": self.trust,
            "runs": len(self.end_equity),
            "seed": self.seed,
            "mean": self.mean,
            "median": self.median,
            "low": self.low,
            "high": self.high,
            "end_equity": {
                "mean": float(self.end_equity.mean()),
                "median": float(np.median(self.end_equity)),
                "low": float(np.quantile(self.end_equity, LOW)),
                "high": float(np.quantile(self.end_equity, HIGH)),
            },
            "band": {run.policy.word: run.total_return for run in self.band},
            "ambiguous": self.ambiguous,
        }

    def __repr__(self) -> str:
        ends = {run.policy: run.total_return for run in self.band}
        return (
            f"expected {self.mean:.2%}, 90 % of {len(self.end_equity)} random paths between "
            f"{self.low:.2%} and {self.high:.2%} (median {self.median:.2%}); the shortest path is "
            f"trusted with {self.trust:.1%}; worst {ends[PathPolicy.WORST]:.2%}, shortest "
            f"{ends[PathPolicy.SHORTEST]:.2%}, best {ends[PathPolicy.BEST]:.2%}; "
            f"{self.ambiguous} campaigns hang on the path"
        )


def expected(
    run: Result | Setup,
    truth: Truth,
    runs: int = RUNS,
    seed: int = 0,
    progress: Progress | None = None,
) -> Expected:
    """Repeat a backtest under random paths of which the shortest is right with a probability.

    Parameters
    ----------
    run : Result or Setup
        What `backtest` returned; whatever path it took itself does not matter.
    truth : PathTruth, path of its file, or probability
        A probability serves every instrument of the run.
    runs : int, >= 1
    seed : int
        Of all the paths.
    progress : callable
        Called with the runs done and the runs there are.

    Raises
    ------
    ConfigError
        No probability; or the truth is of another instrument than the run.
    DataError, NotFoundError
        The truth cannot be read, or says nothing of bars of this length.
    """
    if not isinstance(run, Result | Setup):
        raise ConfigError(f"run: is {shown(run)}, must be a Result or a Setup")
    runs = whole("runs:", runs, Bounds(1, 10**6, whole=True))
    seed = whole("seed:", seed, Bounds(whole=True))
    asked("progress:", progress)
    setup = run.setup if isinstance(run, Result) else run
    trust = trust_of(truth, setup.market)
    result = run if isinstance(run, Result) else finish(Run(run.under(PathPolicy.SHORTEST)))
    ends = np.empty(runs)
    for k, drawn in enumerate(np.random.SeedSequence(seed).generate_state(runs, np.uint64)):
        account = replace(
            setup.account,
            path_policy=PathPolicy.CALIBRATED,
            path_trust=trust,
            seed=int(drawn),
        )
        one = finish(Run(replace(setup, account=account)))
        ends[k] = one.run.machine.tape.equity[one.bars_done - 1]
        if progress is not None:
            progress(k + 1, runs)
    return Expected(trust, seed, setup.account.cash, ends, result.band)


def trust_of(truth: Truth, market: Market) -> float:
    """The probability that the shortest path is right in the bars of a market.

    Raises
    ------
    ConfigError, DataError, NotFoundError
        As `expected`.
    """
    if is_number(truth):
        return number("truth:", truth, Bounds(high=1.0))
    if not isinstance(truth, PathTruth | str | Path):
        raise ConfigError(
            f"truth: is {shown(truth)}, must be a PathTruth, its file, or a probability"
        )
    known = truth if isinstance(truth, PathTruth) else PathTruth.read(path("truth:", truth))
    others = [symbol for symbol in market.symbols if symbol != known.symbol]
    if others:
        raise ConfigError(
            f"the path truth is of {known.symbol}, the run trades {', '.join(others[:5])}; "
            "measure that, or give a probability that serves all instruments"
        )
    trust = known.of(market.period).trust
    if not trust.told:
        raise DataError(f"the path truth of {known.symbol} has no stop and target in one bar")
    return trust.share
