"""What a model reads of a bar: named expressions in an order, with a window and a hash.

A model is bound to its features by the hash of their canonical text. Another order, another sign
or another number is another hash.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError, IntrabarError, NotFoundError
from intrabar.indicators.expressions import CarriedTerm, Leaf, Term, parse_expression
from intrabar.indicators.indicator import Floats
from intrabar.model.values import Bounds, shown, whole

LONGEST_WINDOW = 512  # bars
OWN_SET = "own"
_FEATURE = re.compile(r"(signed\s+)?([A-Za-z_]\w{0,63})\s*=(.+)", re.ASCII | re.DOTALL)
_TEXT = re.compile(r"set (\S+)\nwindow (\d{1,9})\nnormalised (.+)\n((?:.+\n)+)")
NORMALISED = "clip((x - mean) / scale, -5, 5)"  # `normalise` in exits/network.py

_DISTANCE = "(close - ema({0})) / atr(14)"
SETS: dict[str, tuple[str, ...]] = {
    "exit/1": (
        "atr_pct = atr(14) / close",
        "signed rsi_c = rsi(14) / 50 - 1",
        "signed ema_atr = " + _DISTANCE.format(50),
        "signed mom_20 = (close - lag(close, 20)) / (atr(14) * sqrt(20))",
        "side = side",
    ),
    "exit/raw": (
        "ATR = atr(14)",
        "RSI = rsi(14)",
        "EMA = ema(50)",
        "Close = close",
        "PositionType = side",
    ),
    "predict/1": (
        "ret_1 = log(close / lag(close, 1))",
        "ret_5 = log(close / lag(close, 5))",
        "ret_20 = log(close / lag(close, 20))",
        "range_pct = (high - low) / close",
        "body_atr = (close - open) / atr(14)",
        "volume_50 = volume / sma(volume, 50)",
        "rsi_c = rsi(14) / 50 - 1",
        "ema20_atr = " + _DISTANCE.format(20),
        "ema50_atr = " + _DISTANCE.format(50),
        "hour_sin = hour_sin",
        "hour_cos = hour_cos",
        "day_sin = day_sin",
        "day_cos = day_cos",
    ),
}
"""The sets that have a name; a change of one is another name."""

_COLUMNS = {
    *("time", "bar", "symbol", "close", "allowed", "best", "label", "gap", "ambiguous"),
    *("end_bar", "end_time", "uniqueness", "ATR", "RSI", "EMA", "Close", "PositionType"),
}
"""Names of a dataset's other columns."""


@dataclass(frozen=True)
class Feature:
    """One column of what a model reads.

    Parameters
    ----------
    name : str
    expression : Term
    signed : bool
        Multiplied with the side, +1 long and -1 short, before it is normalised.
    """

    name: str
    expression: Term
    signed: bool = False

    @cached_property
    def sign(self) -> int:
        """1 where its value for a short is minus that for a long, 0 where it is the same.

        Raises
        ------
        ConfigError
            It is neither: `side` is more than a factor.
        """
        return int(self.signed) ^ _turns(self.expression)

    def __str__(self) -> str:
        return f"{'signed ' if self.signed else ''}{self.name} = {self.expression}"


@dataclass(frozen=True)
class Features:
    """Features in their order, and how many bars of them a model reads at once.

    Parameters
    ----------
    set : str
        Name of the set, "own" for one that has none.
    features : tuple of Feature
    window : int, real bars
        The last is that of the decision.
    """

    set: str
    features: tuple[Feature, ...]
    window: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """In order."""
        return tuple(x.name for x in self.features)

    @cached_property
    def signs(self) -> NDArray[np.int8]:
        """(F,) int8: 1 where the table's value is multiplied with the side."""
        return np.array([x.sign for x in self.features], np.int8)

    @cached_property
    def text(self) -> str:
        """The canonical text, a line for each; what the hash is of."""
        head = (f"set {self.set}", f"window {self.window}", f"normalised {NORMALISED}")
        return "\n".join((*head, *map(str, self.features))) + "\n"

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text, 64 hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """The indicators, columns and clock fields that are read, each once."""
        return tuple(dict.fromkeys(x for f in self.features for x in f.expression.leaves()))

    @property
    def rows(self) -> int:
        """Bars that are needed for the first window in which all is known."""
        return max(f.expression.rows() for f in self.features) + self.window - 1


def features_of(given: Any, window: int = 1) -> Features:
    """Read features as a configuration gives them.

    Parameters
    ----------
    given : str, sequence of str, or Features
        The name of a set, "exit/1"; or features, each `name = expression` or
        `signed name = expression`.
    window : int, real bars

    Raises
    ------
    NotFoundError
        A set, name or function that does not exist.
    ConfigError
        No features; a name that stands twice or is taken; an expression that is none.
    """
    bars = whole("window", window, Bounds(1, LONGEST_WINDOW, whole=True))
    if isinstance(given, Features):
        return Features(given.set, given.features, bars)
    if isinstance(given, str):
        if given not in SETS:
            raise NotFoundError("set of features", given, SETS)
        return Features(given, tuple(map(_feature, SETS[given])), bars)
    if not isinstance(given, Sequence) or not given:
        raise ConfigError(
            f"features is {shown(given)}, must be the name of a set ({', '.join(SETS)}) or a list "
            "such as ['atr_pct = atr(14) / close', 'signed trend = close / ema(50) - 1']"
        )
    made: dict[str, Feature] = {}
    for k, text in enumerate(given):
        try:
            one = _feature(text)
            _require_free(one, made)
        except IntrabarError as e:
            raise _at(f"features[{k}]: ", e) from None
        made[one.name] = one
    return Features(OWN_SET, tuple(made.values()), bars)


def features_from_text(text: str) -> Features:
    """Read features from their canonical text, as this version understands it.

    Where it means the same, `features_from_text(text).hash` is that of the text.

    Raises
    ------
    NotFoundError, ConfigError
        As `features_of`; or the text has another form.
    """
    found = _TEXT.fullmatch(text)
    if found is None or found[3] != NORMALISED:
        raise ConfigError(
            f"{shown(text)} is no text of features: its lines are 'set NAME', 'window BARS', "
            f"'normalised {NORMALISED}', then the features"
        )
    bars = whole("window", int(found[2]), Bounds(1, LONGEST_WINDOW, whole=True))
    return Features(found[1], tuple(map(_feature, found[4].splitlines())), bars)


def _at(place: str, error: IntrabarError) -> IntrabarError:
    """The same error with a place before its message."""
    error.args = (place + str(error), *error.args[1:])
    return error


def _feature(text: Any) -> Feature:
    found = _FEATURE.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ConfigError(
            f"{shown(text)} is no feature: write 'name = expression', or 'signed name = "
            "expression' for what is multiplied with the side"
        )
    one = Feature(found[2], parse_expression(found[3].strip()), found[1] is not None)
    try:
        _ = one.sign
    except ConfigError as e:
        raise ConfigError(f"{one.name}: {e}") from None
    return one


def _require_free(one: Feature, before: Mapping[str, Feature]) -> None:
    name = one.name
    if name in before:
        raise ConfigError(f"the name {name} stands twice: {before[name]}, and {one}")
    is_side = name == "side" and one.expression.kind != "side"
    if name in _COLUMNS or is_side or name.startswith(("score_", "exit_bar_", "reason_")):
        raise ConfigError(f"{name} is the name of another column of a dataset: choose another")


def _turns(term: Term) -> int:
    """1 where a value is minus itself for the other side, 0 where it is the same."""
    if term.kind == "side":
        return 1
    below = [_turns(x) for x in term.of]
    if term.kind in ("*", "/"):
        return below[0] ^ below[1]
    if term.kind in ("negative", "lag"):
        return below[0]
    if term.kind == "abs" or not any(below):
        return 0
    if term.kind in ("+", "-") and all(below):
        return 1
    raise ConfigError(
        f"{term}: side can only be a factor, so that the value for a short is that for a long or "
        "minus it; use two features"
    )


class CarriedFeatures:
    """The features of one instrument, with what the bars so far have left behind."""

    def __init__(self, features: Features) -> None:
        self._going = [CarriedTerm(x.expression) for x in features.features]

    def advance(self, read: Mapping[Leaf, Floats], n: int) -> Floats:
        """The features at the next bars, for a long, as the series are that are read.

        Parameters
        ----------
        read : mapping of leaf to (n,) float64
            Contiguous, and not read-only.
        n : int

        Returns
        -------
        (n, F) float64
            NaN while warming up.
        """
        return np.ascontiguousarray(np.column_stack([x.advance(read, n) for x in self._going]))
