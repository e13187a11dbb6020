"""What a network's numbers are worth on rows that it was not fitted to, in float64."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.model.bars import Floats

SMALLEST, LARGEST = 1e-3, 1e3  # of a temperature
HALVINGS = 100
BINS = 10


class Reliability(NamedTuple):
    """Predictions in ten bins of equal size, and what came.

    Attributes
    ----------
    predicted, realised : (k,) float64
        Means of each bin.
    """

    predicted: Floats
    realised: Floats


class Told(NamedTuple):
    """How well probabilities fit.

    Attributes
    ----------
    log_loss : nats
    brier : float
        Sum over the arms, mean over the rows.
    calibration_error : float
        Mean distance of confidence and share of hits, over ten bins of confidence of equal width,
        weighted by their rows (Guo et al., ICML 2017).
    """

    log_loss: float
    brier: float
    calibration_error: float


def differences(numbers: Floats) -> Floats:
    """Numbers less the mean of their row; NaN stays."""
    made: Floats = numbers - np.nanmean(numbers, axis=1, keepdims=True)
    return made


def slope_of(numbers: Floats, scores: Floats) -> float:
    """The slope of realised on predicted differences from the row's mean, through the origin.

    Parameters
    ----------
    numbers, scores : (n, K) float64
        NaN where an arm has no campaign.

    Returns
    -------
    float
        0 where nothing was predicted.
    """
    known = np.isfinite(scores)
    predicted, realised = differences(numbers)[known], differences(scores)[known]
    size = float(predicted @ predicted)
    return float(predicted @ realised) / size if size > 0.0 else 0.0


def reliability_of(predicted: Floats, realised: Floats, bins: int = BINS) -> Reliability:
    """Means of predictions and of what came, over bins of as many predictions each."""
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    means = [(predicted[part].mean(), realised[part].mean()) for part in parts]
    return Reliability(*(np.array(x) for x in zip(*means, strict=True)))


def shares_of(numbers: Floats, temperature: float = 1.0) -> Floats:
    """Probabilities of log-odds, (n, K)."""
    scaled = numbers / temperature
    made = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    shares: Floats = made / made.sum(axis=1, keepdims=True)
    return shares


def temperature_of(numbers: Floats, label: NDArray[np.int64]) -> float:
    """The temperature of the lowest log loss, between 0.001 and 1,000.

    The log loss is convex in 1 / temperature: its slope is halved upon.
    """
    own = numbers[np.arange(len(label)), label]
    low, high = np.log(1.0 / LARGEST), np.log(1.0 / SMALLEST)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        expected = (shares_of(numbers, float(np.exp(-middle))) * numbers).sum(axis=1)
        if float((expected - own).mean()) > 0.0:
            high = middle
        else:
            low = middle
    return float(np.exp(-0.5 * (low + high)))


def fit_of(numbers: Floats, label: NDArray[np.int64], temperature: float = 1.0) -> Told:
    """Log loss, Brier score and calibration error of log-odds under a temperature."""
    shares = shares_of(numbers, temperature)
    rows = np.arange(len(label))
    hit = np.zeros_like(shares)
    hit[rows, label] = 1.0
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == label
    place = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    apart = [
        abs(float((confidence[place == k] - right[place == k]).sum()))
        for k in np.unique(place).tolist()
    ]
    return Told(
        float(-np.log(np.maximum(shares[rows, label], np.finfo(np.float64).tiny)).mean()),
        float(((shares - hit) ** 2).sum(axis=1).mean()),
        sum(apart) / len(label),
    )
