"""A figure, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Undefined:
    """A metric that has no value here: a division by nothing, too few observations."""

    reason: str


Figure = float | Undefined
