"""Is a forecast of returns better than the last price? Figures, and a verdict by name.

The rival is the last price, which is a predicted return of 0, and not a mean: on a random walk
the last price itself explains 98 per cent of the price's level, so that no figure here is of
levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.bootstrap import FEWEST, Interval, Statistic, block_length, intervals
from intrabar.analysis.diebold_mariano import DieboldMariano, diebold_mariano, holm
from intrabar.analysis.figure import Figure, Undefined
from intrabar.analysis.returns import Floats

LEAK = 0.3  # rank correlation with the realised return that no honest forecast of prices has
ECHO = 0.5  # rank correlation with minus the last return, of a model that repeats the last price
STILL = 0.01  # spread under which a forecast says nothing but the last price
NOTHING_BEFORE = "no bars before the first prediction"
NO_RIDGE = "no ridge regression beside it"
NONE_OF = {"against_ridge": NO_RIDGE, "against_drift": NOTHING_BEFORE}
ERROR = 0.05  # of the Diebold-Mariano test, one-sided


class Verdict(StrEnum):
    """What a forecast is, in one name."""

    TOO_GOOD = "too good"
    BETTER = "better than the last price"
    DRIFT = "only the drift"
    REPEATS = "repeats the last price"
    WORSE = "worse than the last price"
    NO_BETTER = "no better"
    UNKNOWN = "too few to tell"


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """Forecasts of one instrument and horizon, out of sample, by time.

    Parameters
    ----------
    horizon : bars, >= 1
    predicted, realised : (n,) float64, return or ATRs
    last : (n,) float64, the same unit
        Return of the bar on which each was made.
    drift : (n,) float64, the same unit
        Mean return that was known to whoever trained; NaN where nobody knows.
    usual : (n,) float64
        The more frequent sign by then: 1 or -1; NaN where nobody knows.
    quantiles : mapping of probability to (n,) float64, the same unit
    usual_quantiles : mapping of probability to (n,) float64
        Of the returns known by then.
    ridge : (n,) float64, the same unit, or None
        What the ridge regression beside the model expects; NaN where there is none.
    """

    horizon: int
    predicted: Floats
    realised: Floats
    last: Floats
    drift: Floats
    usual: Floats
    quantiles: Mapping[float, Floats] = field(default_factory=dict)
    usual_quantiles: Mapping[float, Floats] = field(default_factory=dict)
    ridge: Floats | None = None


@dataclass(frozen=True, slots=True)
class Quantile:
    """One predicted quantile.

    Parameters
    ----------
    probability : float
        That was promised.
    below : share
        Of the realised returns, that lay below it.
    loss : float
        Mean pinball loss, of the rows whose usual quantile is known; of all where none is.
    usual_loss : float or Undefined
        The same of the quantile of the returns known before.
    rows : int
    """

    probability: float
    below: float
    loss: float
    usual_loss: Figure
    rows: int


@dataclass(frozen=True, slots=True)
class Honesty:
    """What the forecasts of one horizon are worth.

    Parameters
    ----------
    horizon, rows : int
    skill, against_drift : Interval or Undefined
        1 - MSE / MSE of the last price, and of the drift.
    test : DieboldMariano or Undefined
        Against the last price.
    direction : Interval or Undefined
        Share of right signs, a predicted 0 being wrong; moves of exactly 0 are left out, and rows
        whose usual sign is not known, unless none is.
    usual_direction : float or Undefined
        The same of always saying the sign that was the more frequent one, of the same rows.
    correlation : Interval or Undefined
        Spearman's, of predicted and realised returns.
    echo : float or Undefined
        Spearman's, of predicted returns and minus the last return.
    spread : float or Undefined
        Standard deviation of the predicted returns by that of the realised ones.
    against_ridge : Interval or Undefined
        1 - MSE / MSE of the ridge regression.
    quantiles : tuple of Quantile
    """

    horizon: int
    rows: int
    skill: Interval | Undefined
    against_drift: Interval | Undefined
    test: DieboldMariano | Undefined
    direction: Interval | Undefined
    usual_direction: Figure
    correlation: Interval | Undefined
    echo: Figure
    spread: Figure
    against_ridge: Interval | Undefined
    quantiles: tuple[Quantile, ...] = ()


def honesty(given: Forecasts, seed: int = 0, resamples: int = 2000) -> Honesty:
    """The figures of forecasts of one horizon.

    Parameters
    ----------
    given : Forecasts
        Rows without a prediction or an outcome are left out.
    seed, resamples : int
        Of the intervals: stationary bootstrap, BCa, 95 per cent. A block is no shorter than the
        horizon, in which returns overlap.
    """
    known = np.isfinite(given.predicted) & np.isfinite(given.realised)
    predicted, realised, last = (x[known] for x in (given.predicted, given.realised, given.last))
    drift, usual = given.drift[known], given.usual[known]
    gain = realised**2 - (realised - predicted) ** 2
    moved = realised != 0.0
    told = moved & np.isfinite(usual)
    everything = np.ones(len(gain), np.bool_)
    ridge = np.full(len(gain), np.nan) if given.ridge is None else given.ridge[known]
    right = np.sign(predicted) == np.sign(realised)
    figures = {
        **{name: (everything, of) for name, of in _against(predicted, realised).items()},
        "against_ridge": (np.isfinite(ridge), _rival(predicted, realised, ridge)),
        "against_drift": (np.isfinite(drift), _rival(predicted, realised, drift)),
        "direction": (told if told.any() else moved, _mean(right)),
    }
    spread = float(realised.std()) if len(realised) else 0.0
    return Honesty(
        given.horizon,
        int(known.sum()),
        test=diebold_mariano(realised, realised - predicted, given.horizon),
        usual_direction=float(np.mean(usual[told] == np.sign(realised[told])))
        if told.any()
        else Undefined(NOTHING_BEFORE),
        echo=rank_correlation(predicted, -last),
        spread=float(predicted.std()) / spread if spread > 0.0 else Undefined("no price moved"),
        quantiles=_quantiles(given, known),
        **_by_rows(figures, gain, given.horizon, seed, resamples),
    )


def verdicts(several: Sequence[Honesty]) -> list[Verdict]:
    """The verdict of each horizon; p values are Holm's over all of them."""
    tests = [one.test for one in several]
    better = adjusted_p(several)
    worse = holm([1.0 if isinstance(x, Undefined) else 1.0 - x.better for x in tests])
    return [_verdict(*row) for row in zip(several, better, worse, strict=True)]


def adjusted_p(several: Sequence[Honesty]) -> list[float]:
    """The p values of Diebold and Mariano, Holm's over all; 1 where there is no test."""
    tests = [one.test for one in several]
    return holm([1.0 if isinstance(x, Undefined) else x.better for x in tests])


def _verdict(one: Honesty, better: float, worse: float) -> Verdict:
    if one.rows < FEWEST:
        return Verdict.UNKNOWN
    if isinstance(one.correlation, Interval) and one.correlation.value > LEAK:
        return Verdict.TOO_GOOD
    if _is_above_nothing(one.skill) and better <= ERROR:
        if isinstance(one.against_drift, Undefined):
            return Verdict.UNKNOWN
        return Verdict.BETTER if _is_above_nothing(one.against_drift) else Verdict.DRIFT
    echoes = not isinstance(one.echo, Undefined) and one.echo > ECHO
    if echoes or (not isinstance(one.spread, Undefined) and one.spread < STILL):
        return Verdict.REPEATS
    return Verdict.WORSE if worse <= ERROR else Verdict.NO_BETTER


def _is_above_nothing(figure: Interval | Undefined) -> bool:
    return isinstance(figure, Interval) and figure.low > 0.0


def rank_correlation(a: Floats, b: Floats) -> Figure:
    """Spearman's; equal values share their rank."""
    rows = np.isfinite(a) & np.isfinite(b)
    return _correlation(ranks(a[rows]), ranks(b[rows])) if rows.sum() > 1 else _nothing()


def _correlation(a: Floats, b: Floats) -> Figure:
    a, b = a - a.mean(), b - b.mean()
    size = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / size if size > 0.0 else _nothing()


def _nothing() -> Undefined:
    return Undefined("one of them never changes")


def ranks(values: Floats) -> Floats:
    """From 1 on; equal values share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - (count - 1) / 2.0)[place])


def skill_of(predicted: Floats, realised: Floats, horizon: int, seed: int) -> Interval | Undefined:
    """Skill of a part of the forecasts against the last price; all rows are known."""
    own = (realised - predicted) ** 2
    statistics, rows = {"skill": _skill(own, realised**2)}, np.arange(len(own))
    return _intervals(rows, realised**2 - own, horizon, statistics, seed, 2000)["skill"]


def _against(predicted: Floats, realised: Floats) -> dict[str, Statistic]:
    own, rival = (realised - predicted) ** 2, realised**2
    middle = (len(own) + 1) / 2.0
    a, b = ranks(predicted) - middle, ranks(realised) - middle

    def correlation(rows: Floats) -> Floats:
        # Of the ranks among all: to rank each resample anew takes a hundred times as long.
        x, y = a[_whole(rows)], b[_whole(rows)]
        x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            size = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
            return np.asarray((x * y).sum(axis=1) / size)

    return {"skill": _skill(own, rival), "correlation": correlation}


def _rival(predicted: Floats, realised: Floats, rival: Floats) -> Statistic:
    return _skill((realised - predicted) ** 2, (realised - rival) ** 2)


def _skill(own: Floats, rival: Floats) -> Statistic:
    def skill(rows: Floats) -> Floats:
        place = _whole(rows)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(1.0 - own[place].sum(axis=1) / rival[place].sum(axis=1))

    return skill


def _mean(of: Floats) -> Statistic:
    numbers = of.astype(np.float64)
    return lambda rows: np.asarray(numbers[_whole(rows)].mean(axis=1))


def _whole(rows: Floats) -> NDArray[np.int64]:
    return rows.astype(np.int64)


def _by_rows(
    figures: Mapping[str, tuple[NDArray[np.bool_], Statistic]],
    gain: Floats,
    horizon: int,
    seed: int,
    resamples: int,
) -> dict[str, Interval | Undefined]:
    """Intervals of figures, each of rows of its own."""
    found: dict[str, Interval | Undefined] = {}
    # To draw takes most of the time, so that figures of the same rows share their resamples.
    names: dict[bytes, list[str]] = {}
    for name, (rows, _) in figures.items():
        if name in NONE_OF and not rows.any():
            found[name] = Undefined(NONE_OF[name])
        else:
            names.setdefault(rows.tobytes(), []).append(name)
    for several in names.values():
        own = np.flatnonzero(figures[several[0]][0])
        statistics = {name: figures[name][1] for name in several}
        found |= _intervals(own, gain, horizon, statistics, seed, resamples)
    return found


def _intervals(
    rows: NDArray[np.int64],
    gain: Floats,
    horizon: int,
    statistics: Mapping[str, Statistic],
    seed: int,
    resamples: int,
) -> dict[str, Interval | Undefined]:
    """Intervals of figures of the rows with these numbers."""
    block = max(block_length(gain[rows]), float(horizon)) if len(rows) >= FEWEST else 1.0
    return intervals(
        rows.astype(np.float64), statistics, resamples=resamples, seed=seed, block=block
    )


def _quantiles(given: Forecasts, known: NDArray[np.bool_]) -> tuple[Quantile, ...]:
    """Coverage and loss; where quantiles cross they are put in order."""
    probabilities = sorted(given.quantiles)
    if not probabilities:
        return ()
    grid = np.stack([given.quantiles[p] for p in probabilities])
    rows = known & np.isfinite(grid).all(axis=0)
    realised, grid = given.realised[rows], np.sort(grid[:, rows], axis=0)
    found = []
    for p, quantile in zip(probabilities, grid, strict=True):
        usual = given.usual_quantiles.get(p, np.full(len(rows), np.nan))[rows]
        told = np.isfinite(usual)
        usual_loss: Figure = Undefined(NOTHING_BEFORE)
        if told.any():
            usual_loss = mean_loss(realised[told], usual[told], p)
        below, loss = np.nan, np.nan
        if len(realised):
            below = float(np.mean(realised < quantile))
            compared = told if told.any() else ~told
            loss = mean_loss(realised[compared], quantile[compared], p)
        found.append(Quantile(p, below, loss, usual_loss, len(realised)))
    return tuple(found)


def mean_loss(realised: Floats, quantile: Floats, probability: float) -> float:
    """Pinball loss: what lies above costs `probability`, what lies below the rest to 1."""
    over = realised - quantile
    return float(np.mean(np.maximum(probability * over, (probability - 1.0) * over)))
