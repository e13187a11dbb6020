"""A policy that was trained, with what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from intrabar.exits.policy import Policy
from intrabar.learn.calibrate import Reliability


@dataclass(frozen=True, eq=False)
class Trained:
    """A policy that was trained, and what is told of it.

    Parameters
    ----------
    policy : Policy
    curves : DataFrame
        `seed, step, score, static, loss, entropy, chosen_*`: a row per check and seed.
    told : dict
        For the manifest.
    others : dict of suffix to bytes
        For other tools: ".pt", ".meta.json", ".onnx", ".zip".
    remarks : list of str
    reliability : Reliability or None
        None where its numbers are no scores.
    """

    policy: Policy
    curves: pl.DataFrame
    told: dict[str, Any]
    others: dict[str, bytes]
    remarks: list[str]
    reliability: Reliability | None = None
