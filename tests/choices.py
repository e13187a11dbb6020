"""Where random choices come from: Hypothesis (it shrinks) or a seeded generator (it is fast)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Protocol

from hypothesis import strategies as st


class Source(Protocol):
    """Where choices come from. The first choice is the plainest: Hypothesis shrinks to it."""

    def integer(self, least: int, most: int) -> int: ...


class FromRandom:
    def __init__(self, rng: random.Random) -> None:
        self.integer = rng.randint


class FromHypothesis:
    def __init__(self, draw: Any) -> None:
        self._draw = draw

    def integer(self, least: int, most: int) -> int:
        return self._draw(st.integers(least, most))


def chance(source: Source, percent: int) -> bool:
    return source.integer(0, 99) >= 100 - percent


def choose(source: Source, options: Sequence[Any]) -> Any:
    return options[source.integer(0, len(options) - 1)]
