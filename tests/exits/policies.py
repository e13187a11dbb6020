"""Policies with weights at random, and the features that they think they read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.network import Network
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import BAR, POSITION, PROBE_BARS, PROBES, Probes
from intrabar.indicators.features import features_of
from tests.exits import networks

FEATURES = features_of(["gain = close - open", "signed span = high - low"], 4)
ARMS = np.array([0.5, 1.0, 2.0])
UNTIL = int(np.datetime64("2024-01-31T21:00:00", "ns").astype(np.int64))


def features_at(text: str, bars: NDArray[Any]) -> NDArray[np.float64]:
    out = np.column_stack([bars["close"] - bars["open"], bars["high"] - bars["low"]])
    out[0] = np.nan  # warming up
    return out


def bars_at_random(seed: int) -> NDArray[Any]:
    rng = np.random.default_rng(seed)
    bars = np.zeros(PROBE_BARS, BAR)
    bars["time"] = 1_700_000_000_000_000_000 + 60_000_000_000 * np.arange(PROBE_BARS)
    bars["open"] = 100.0 + rng.normal(0.0, 1.0, PROBE_BARS)
    bars["close"] = bars["open"] + rng.normal(0.0, 1.0, PROBE_BARS)
    bars["high"] = np.maximum(bars["open"], bars["close"]) + rng.random(PROBE_BARS)
    bars["low"] = np.minimum(bars["open"], bars["close"]) - rng.random(PROBE_BARS)
    return bars


def probes_of(net: Network, window: int, inputs: int) -> Probes:
    """Probes whose outputs another code has worked out."""
    rng, n = np.random.default_rng(5), len(net.mean)
    windows = np.clip(rng.normal(0.0, 2.0, (PROBES, window, inputs)), -5.0, 5.0)
    plain = net._replace(signs=np.zeros(n, np.int8), mean=np.zeros(n), scale=np.ones(n))
    outputs = [networks.forward(plain, w[:, :n], 1, w[-1, n:]) for w in windows]
    bars = bars_at_random(6)
    return Probes(bars, features_at("", bars), windows, np.array(outputs))


def policy(**changed: Any) -> Policy:
    """An LSTM of two features; `changed` replaces fields."""
    net = changed.pop("net", networks.recurrent(3, 2, 6, len(ARMS)))
    at_each_bar = changed.get("when") == "bar"
    features = changed.pop("features", replace(FEATURES, window=1 if at_each_bar else 4))
    given: dict[str, Any] = {
        "features": features,
        "when": "entry",
        "loss": "score",
        "net": net,
        "arms": ARMS,
        "arm_means": np.array([0.0, 0.2, 0.1]),
        "calibration": 0.8,
        "deciles": np.zeros((9, len(net.mean))),
        "psi_limit": 0.25,
        "trained_until": UNTIL,
    }
    if "probes" not in changed:
        inputs = len(net.mean) + (POSITION if at_each_bar else 0)
        given["probes"] = probes_of(net, features.window, inputs)
    return Policy(**{**given, **changed})
