"""Policies with weights at random that read the features of `exit/1`: no training, equal cost.

The last layer knows its bias alone, so that such a policy names one arm whatever it reads. Its runs
have the campaigns of the static exit of that arm, and what it costs above that is its own.
"""

from __future__ import annotations

import numpy as np

from intrabar.engine.tables.feature_table import probe_features
from intrabar.exits.network import DENSE, LSTM, NONE, TANH, Network, weights_of
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import BAR, POSITION, PROBE_BARS, PROBES, Probes
from intrabar.indicators.features import features_of

Layers = tuple[tuple[int, int, int, int], ...]  # op, in, out, activation

ARMS = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0])
NAMED = 3  # the arm that each names: 2 ATRs
FEATURES = 5  # of exit/1
MLP: Layers = ((DENSE, FEATURES, 32, TANH), (DENSE, 32, 32, TANH), (DENSE, 32, len(ARMS), NONE))
AT_EACH_BAR: Layers = ((DENSE, FEATURES + POSITION, 32, TANH), *MLP[1:])
RECURRENT: Layers = ((LSTM, FEATURES, 32, NONE), (DENSE, 32, len(ARMS), NONE))


def network(layers: Layers, rng: np.random.Generator, features: int) -> Network:
    """Weights at random, and nothing normalised."""
    plan, place = [], 0
    for op, size, out, activation in layers:
        plan.append((op, size, out, place, activation))
        place += weights_of(op, size, out)
    return Network(
        np.array(plan, np.int64),
        rng.normal(0.0, 0.3, place).astype(np.float32),
        np.ones(features, np.int8),
        np.zeros(features),
        np.ones(features),
    )


def policy(layers: Layers, window: int = 1, when: str = "entry") -> Policy:
    """One that names the arm `NAMED` at each decision."""
    features = features_of("exit/1", window)
    net = network(layers, np.random.default_rng(0), FEATURES)
    weights = net.weights.copy()
    weights[-weights_of(*layers[-1][:3]) :] = 0.0
    weights[NAMED - len(ARMS)] = 1.0
    net = net._replace(weights=weights, signs=features.signs)
    bars, rng = bars_at_random(), np.random.default_rng(1)
    windows = rng.uniform(-2.0, 2.0, (PROBES, window, layers[0][1]))
    outputs = np.tile(weights[-len(ARMS) :].astype(np.float64), (PROBES, 1))
    return Policy(
        features=features,
        when=when,
        loss="score",
        net=net,
        arms=ARMS,
        arm_means=np.linspace(0.0, 0.1, len(ARMS)),
        calibration=1.0,
        deciles=np.zeros((9, FEATURES)),
        psi_limit=0.25,
        probes=Probes(bars, probe_features(features.text, bars), windows, outputs),
        trained_until=0,
    )


def bars_at_random() -> np.ndarray:
    """Bars by which a policy knows its features again."""
    rng, made = np.random.default_rng(2), np.zeros(PROBE_BARS, BAR)
    made["time"] = 1_700_000_000_000_000_000 + 60_000_000_000 * np.arange(PROBE_BARS)
    made["open"], made["close"] = 100.0 + rng.normal(0.0, 1.0, (2, PROBE_BARS))
    made["high"] = np.maximum(made["open"], made["close"]) + rng.random(PROBE_BARS)
    made["low"] = np.minimum(made["open"], made["close"]) - rng.random(PROBE_BARS)
    made["volume"] = 1.0
    return made
