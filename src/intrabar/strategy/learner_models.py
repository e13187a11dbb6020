"""Policies as kernels read them: made once for all runs that trade them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.bandit import LOG_ODDS, SCORE
from intrabar.exits.network import Network, work_size
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import POSITION
from intrabar.exits.psi import DECILES, cells_of
from intrabar.indicators.indicator import Floats
from intrabar.sim.tables import address_of
from intrabar.strategy.learner_record import MODEL


class Cells(NamedTuple):
    """What the drift of a policy's features is held against.

    Attributes
    ----------
    ends : (F, 9) float64
    shares : (F, 10) float64
    counts : (F,) int64
        How many cells each feature has.
    limit : float
        The index above which they have drifted.
    """

    ends: Floats
    shares: Floats
    counts: NDArray[np.int64]
    limit: float


class Models(NamedTuple):
    """The arrays of policies; nothing writes to them.

    Attributes
    ----------
    networks : tuple of Network
        Without a policy, one without rows.
    arm_means : tuple of (K,) float64
    cells : tuple of Cells
        None without a policy.
    table : (M,) MODEL
    address : int
        Of the table.
    work : int
        Numbers that the longest pass needs room for.
    """

    networks: tuple[Network, ...]
    arm_means: tuple[Floats, ...]
    cells: tuple[Cells, ...]
    table: NDArray[Any]
    address: int
    work: int


@lru_cache(maxsize=64)  # the runs of a sweep trade the same policies
def models_of(
    policies: tuple[Policy, ...], ready: tuple[int, ...], arms: int, features: int, window: int
) -> Models:
    """The arrays of policies, each of which decides at closes after its `ready`.

    Parameters
    ----------
    policies : tuple of Policy
    ready : tuple of int, ns UTC
    arms, features, window : int
        K and F; the real bars that are read.
    """
    none = np.zeros(features)
    empty = Network(
        np.zeros((0, 5), np.int64), np.zeros(0, np.float32), none.astype(np.int8), none, none
    )
    networks = tuple(x.net for x in policies) or (empty,)
    arm_means = tuple(x.arm_means for x in policies) or (np.zeros(arms),)
    table = np.zeros(len(networks), MODEL)
    for row, net, means in zip(table, networks, arm_means, strict=True):
        row["plan"] = address_of(net.plan, np.int64, (None, 5))
        row["rows"], row["count"] = len(net.plan), len(net.weights)
        row["weights"] = address_of(net.weights, np.float32, (None,))
        row["signs"] = address_of(net.signs, np.int8, (features,))
        row["mean"] = address_of(net.mean, np.float64, (features,))
        row["scale"] = address_of(net.scale, np.float64, (features,))
        row["arm_means"] = address_of(means, np.float64, (arms,))
    cells = tuple(_cells_of(policy) for policy in policies)
    for row, policy, after, own in zip(table, policies, ready, cells, strict=False):
        row["ready"], row["calibration"] = after, policy.calibration
        row["ends"] = address_of(own.ends, np.float64, (features, DECILES))
        row["shares"] = address_of(own.shares, np.float64, (features, DECILES + 1))
        row["cells"] = address_of(own.counts, np.int64, (features,))
        row["psi_limit"] = own.limit
        row["numbers_are"] = SCORE if policy.loss == "score" else LOG_ODDS
    table.setflags(write=False)
    sizes = [work_size(net.plan, window, features + POSITION) for net in networks if len(net.plan)]
    address = address_of(table, MODEL, (len(networks),))
    return Models(networks, arm_means, cells, table, address, max(sizes, default=0))


def _cells_of(policy: Policy) -> Cells:
    """Of a network that others trained no deciles are known: it never drifts."""
    features = policy.deciles.shape[1]
    ends, shares = np.zeros((features, DECILES)), np.zeros((features, DECILES + 1))
    counts = np.zeros(features, np.int64)
    for f, edges in enumerate(policy.deciles.T):
        own, share = cells_of(edges)
        ends[f, : len(own)], shares[f, : len(share)], counts[f] = own, share, len(share)
    limit = policy.psi_limit if policy.deciles.any() else math.inf
    return Cells(ends, shares, counts, limit)
