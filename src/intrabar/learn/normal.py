"""What a policy keeps of the features of its training rows, whoever trains it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.drift import FEWEST, deciles_of, psi_limit
from intrabar.engine.columns import real_rows
from intrabar.engine.tables.feature_table import probe_features
from intrabar.errors import UsageError
from intrabar.exits.network import FARTHEST
from intrabar.exits.policy_arrays import BAR, PROBE_BARS, PROBES
from intrabar.indicators.elementwise import moments
from intrabar.indicators.features import Features
from intrabar.model.bars import Floats, Market

OWN_PROBES = PROBES - 2  # the others are at the bounds


class Normal(NamedTuple):
    """Of the features of the training rows, after the side.

    Attributes
    ----------
    mean, scale : (F,) float64
    deciles : (9, F) float64
    psi_limit : float
        As `analysis.drift` finds it.
    remarks : tuple of str
    """

    mean: Floats
    scale: Floats
    deciles: Floats
    psi_limit: float
    remarks: tuple[str, ...]


def normal_of(features: Features, values: Floats) -> Normal:
    """What is kept of training rows.

    Parameters
    ----------
    features : Features
    values : (n, F) float64
        The last row of each window, after the side, in order of time.
    """
    values = np.ascontiguousarray(values)
    mean, scale = np.empty(values.shape[1]), np.empty(values.shape[1])
    moments(values, mean, scale)
    told = []
    for name, column in zip(features.names, values.T, strict=True):
        if column.min() == column.max():
            told.append(f"feature {name} is {column[0]:g} on every training row: it has scale 1")
    if len(values) < FEWEST:
        told.append(f"under {FEWEST:,} training decisions: no drift is told")
    deciles = deciles_of(values)
    return Normal(mean, scale, deciles, psi_limit(values, deciles), tuple(told))


def probe_bars(features: Features, market: Market, until: int) -> tuple[NDArray[Any], Floats]:
    """Bars that a policy knows its features by, and these features.

    The last bars of the train, of the instrument that has most of them.

    Parameters
    ----------
    features : Features
    market : Market
    until : int, ns UTC
        Of bars that close before it.

    Returns
    -------
    (256,) of `BAR`, (256, F) float64

    Raises
    ------
    UsageError
        No instrument has so many bars.
    """
    rows = int(np.searchsorted(market.time, until))
    real = real_rows(market)[:, :rows]
    j = int(np.argmax(real.sum(axis=1)))
    own = np.flatnonzero(real[j])[-PROBE_BARS:]
    if len(own) < PROBE_BARS:
        raise UsageError(
            f"{market.symbols[j]} has {len(own)} bars to train on, a policy keeps {PROBE_BARS} of "
            "them to know its features by: train on more bars, or a shorter period"
        )
    bars = np.zeros(PROBE_BARS, BAR)
    bars["time"] = market.time[own]
    for name in ("open", "high", "low", "close", "volume"):
        bars[name] = getattr(market, name)[own, j]
    return bars, probe_features(features.text, bars)


def probe_inputs(windows: Floats) -> Floats:
    """What is held against the framework: (64, window, inputs), the last two at the bounds.

    Parameters
    ----------
    windows : (62, window, inputs)
        Normalised.
    """
    bounds = np.stack([np.full(windows.shape[1:], x) for x in (-FARTHEST, FARTHEST)])
    return np.concatenate([windows, bounds])
