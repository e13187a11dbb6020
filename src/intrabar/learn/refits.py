"""Refits: a forecaster trained anew, from fresh weights, on one window of time after the other."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from intrabar.analysis.splits.walk_forward import Span, walk_forward
from intrabar.errors import ConfigError, UsageError
from intrabar.indicators.features import Features
from intrabar.indicators.normalisation import Normalisation, normalisation_of
from intrabar.learn.forecasters import ridge
from intrabar.learn.model import blamed, normalised, one_by_one
from intrabar.learn.samples import Samples
from intrabar.links.forecaster import Forecaster, Output, Rows
from intrabar.model.bars import DAY_NS, Floats, Times
from intrabar.model.instant import instant_text
from intrabar.model.values import shown

VALIDATED = 0.2  # of the rows of a train, its last by time
FEWEST = 100  # rows to train on
LAGS = {"h": DAY_NS // 24, "d": DAY_NS, "w": 7 * DAY_NS}


class Schedule(NamedTuple):
    """When a forecaster is trained, and on what.

    Parameters
    ----------
    train, refit : stretch of the calendar, or bars
        How much is trained on, and how long a model is used.
    refit_lag : ns
        What training takes: a bar is predicted by a model that was trained so long before.
    anchored : bool
        Every train begins at the first bar.
    """

    train: Span = "2y"
    refit: Span = "1m"
    refit_lag: int = DAY_NS
    anchored: bool = False


@dataclass(frozen=True, eq=False)
class Refit:
    """The rows of one refit.

    Parameters
    ----------
    train, valid : (n,) int64
        Rows of the samples. No target of the train ends within a window of the validation.
    first, last : int, ns UTC
        Of the bars that it may know.
    """

    train: Times
    valid: Times
    first: int
    last: int

    def trained_until(self, samples: Samples) -> int:
        """The last close that any window or target of it reads, ns UTC."""
        ends = [samples.end_time[x] for x in (self.train, self.valid) if len(x)]
        return int(np.concatenate(ends).max())


class Fitted(NamedTuple):
    """What came of a refit.

    Parameters
    ----------
    forecaster : Forecaster
    rival : Ridge or None
        None where the forecaster is a ridge regression itself.
    normalisation : Normalisation
    drift : (H,) float64, ATRs
    skill, rival_skill : (H,) float64 or None
        On the validation rows, against the last price; None where there are none.
    """

    forecaster: Forecaster
    rival: ridge.Ridge | None
    normalisation: Normalisation
    drift: Floats
    skill: Floats | None
    rival_skill: Floats | None


def lag_of(given: str) -> int:
    """A lag such as "1d", "4h" or "0d" in ns.

    Raises
    ------
    ConfigError
    """
    found = re.fullmatch(r"(\d{1,4})([hdw])", given.strip()) if isinstance(given, str) else None
    if found is None:
        raise ConfigError(f"refit_lag: is {shown(given)}, must be such as '1d', '4h' or '1w'")
    return int(found[1]) * LAGS[found[2]]


def refits_of(samples: Samples, time: Times, schedule: Schedule) -> list[Refit]:
    """The refits of a history, by time.

    Parameters
    ----------
    samples : Samples
    time : (t,) int64, ns UTC
        Of all rows of the market.
    schedule : Schedule

    Raises
    ------
    UsageError
        A history that is too short; a refit without enough rows.
    """
    known = time
    if isinstance(schedule.refit, int):  # a model is of use before all of its bars have come
        known = np.append(time, time[-1] + 1 + np.arange(schedule.refit))
    splits = walk_forward(known, schedule.train, schedule.refit, anchored=schedule.anchored)
    return [_refit(samples, int(time[s.train[0]]), int(time[s.train[-1]])) for s in splits]


def _refit(samples: Samples, first: int, last: int) -> Refit:
    own = np.flatnonzero((samples.time >= first) & (samples.end_time <= last))
    train, valid = split(samples, own)
    if len(train) < FEWEST:
        raise UsageError(
            f"the train from {instant_text(first)} to {instant_text(last)} has {len(train)} rows, "
            f"of {len(own)} with a known window and outcome; {FEWEST} are needed: take a longer "
            "train:, a smaller window: or shorter horizons:"
        )
    return Refit(train, valid, first, last)


def split(samples: Samples, own: Times, share: float = VALIDATED) -> tuple[Times, Times]:
    """Some rows by time: those to train on, and the last ones to check on.

    Train rows whose targets end in a window of the others are left out.
    """
    if not len(own):
        return own, own
    cut = samples.time[own[min(int((1.0 - share) * len(own)), len(own) - 1)]]
    valid = own[samples.time[own] >= cut]
    before = own[samples.time[own] < cut]
    return purged(samples, before, valid), valid


def purged(samples: Samples, train: Times, later: Times) -> Times:
    """The train rows whose targets end before every window of later rows begins."""
    begins = np.iinfo(np.int64).max
    for j in np.unique(samples.instrument[later]):
        row = int(samples.row[later[samples.instrument[later] == j]].min())
        begins = min(begins, int(samples.series[j].time[row + 1 - samples.window]))
    return train[samples.end_time[train] < begins]


def fit(
    samples: Samples, refit: Refit, forecaster: Forecaster, features: Features, seed: int
) -> Fitted:
    """Train a forecaster, and a ridge regression beside it, on the rows of a refit.

    Parameters
    ----------
    samples : Samples
    refit : Refit
    forecaster : Forecaster
        That has learned nothing yet.
    features : Features
    seed : int
    """
    rows, count = np.concatenate([refit.train, refit.valid]), len(refit.train)
    windows = samples.windows(rows)
    own = normalisation_of(features, windows[:count, -1])
    scaled = normalised(windows, own.mean, own.scale)
    seen = scaled if forecaster.needs == "features" else samples.windows(rows, forecaster.needs)
    weights = samples.weights[refit.train]
    drift = weights @ samples.targets[refit.train] / weights.sum()

    def taught(one: Forecaster, of: Floats) -> Floats | None:
        train, valid = (
            rows_of(samples, part, x, one.outputs)
            for part, x in ((refit.train, of[:count]), (refit.valid, of[count:]))
        )
        with blamed("fit"):
            one.fit(*train, valid if len(refit.valid) else None, seed)
        return skill_of(one, valid) if len(refit.valid) else None

    skill, rival_skill, rival = taught(forecaster, seen), None, None
    if not isinstance(forecaster, ridge.Ridge):
        rival = ridge.Ridge(samples.window, tuple(Output(h) for h in samples.horizons))
        rival_skill = taught(rival, scaled)
    return Fitted(forecaster, rival, own, drift, skill, rival_skill)


def rows_of(samples: Samples, rows: Times, windows: Floats, outputs: tuple[Output, ...]) -> Rows:
    """Rows as a forecaster learns from them."""
    place = [samples.horizons.index(x.horizon) for x in outputs]
    return Rows(windows, samples.targets[rows][:, place], samples.weights[rows])


def skill_of(forecaster: Forecaster, rows: Rows) -> Floats:
    """1 - MSE / MSE of the last price, of each horizon."""
    expected = [k for k, x in enumerate(forecaster.outputs) if x.quantile is None]
    said, came = one_by_one(forecaster, rows.windows)[:, expected], rows.targets[:, expected]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(1.0 - ((came - said) ** 2).sum(axis=0) / (came**2).sum(axis=0))
