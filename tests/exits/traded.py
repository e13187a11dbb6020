"""Policies with weights at random that read real features, so that bots can trade them."""

from __future__ import annotations

from typing import Any

import numpy as np

from intrabar.engine.tables.feature_table import probe_features
from intrabar.exits.network import Network
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import POSITION, Probes
from intrabar.indicators.features import Features, features_of
from tests.exits import networks
from tests.exits.policies import bars_at_random, policy, probes_of

ARMS = np.array([0.5, 1.0, 2.0, 4.0])
READS = ["reach = (high - low) / close * 100", "signed gain = (close - lag(close, 2)) / atr(5)"]
FEATURES = features_of([*READS, "side = side"], 3)


def traded_policy(
    seed: int = 3, features: Features = FEATURES, net: Network | None = None, **changed: Any
) -> Policy:
    """A policy of these features; an LSTM, or dense where it decides at each close."""
    count = len(features.features)
    position = POSITION if changed.get("when") == "bar" else 0
    if net is None and position:
        net = _wider(networks.perceptron(seed, count + position, 8, len(ARMS)), count)
    net = net or networks.recurrent(seed, count, 6, len(ARMS))
    net = net._replace(signs=features.signs)
    made = probes_of(net, features.window, count + position)
    bars = bars_at_random(6)
    probes = Probes(bars, probe_features(features.text, bars), made.inputs, made.outputs)
    given: dict[str, Any] = {
        "arms": ARMS,
        "arm_means": np.array([0.0, 0.1, 0.3, 0.2]),
        "trained_until": 0,
        "deciles": np.zeros((9, count)),
    }
    return policy(features=features, net=net, probes=probes, **{**given, **changed})


def _wider(net: Network, count: int) -> Network:
    """The same network with the last inputs not normalised: they are the position's."""
    return net._replace(mean=net.mean[:count], scale=net.scale[:count])
