"""What a sweep searches: an axis per parameter, the points that are tried, in their order.

A sample is drawn by seed and is the same everywhere. Latin hypercube sampling is that of McKay,
Beckman and Conover (1979): of `n` points each axis has one in each of its `n` equal parts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from intrabar.errors import ConfigError, NotFoundError, at_fault
from intrabar.model.enums import Word
from intrabar.model.instant import python_date
from intrabar.model.values import Bounds, as_float, choice, number, shown, truth
from intrabar.model.values import whole as whole_number
from intrabar.research.sweep.constraint import Condition, Constraint
from intrabar.research.sweep.trial import Trial, Value

SAMPLES = ("grid", "random", "latin", "optuna")
RANGE_KEYS = ("from", "to", "step", "count", "log")
MOST = 1_000_000
"""Values of an axis, and points of a space, that are laid out; constraints are asked of each."""
PATIENCE = 10_000  # points drawn in vain, before there are taken to be no more


@dataclass(frozen=True, slots=True)
class Axis:
    """The values of one parameter.

    Parameters
    ----------
    place : str
        Which parameter: `fast`, `instruments.ES.slippage_ticks`.
    values : tuple of value
        In their order; empty where it is any number from `low` to `high`.
    low, high : float
    log : bool
        Spread evenly by ratio, not by difference.
    whole : bool
        Whole numbers only.
    """

    place: str
    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    whole: bool = False

    def at(self, share: float) -> Value:
        """The value at a share of the axis, 0 to below 1."""
        if self.values:
            return self.values[int(share * len(self.values))]
        low, high = (self.low, self.high + 1.0) if self.whole else (self.low, self.high)
        number = low * math.pow(high / low, share) if self.log else low + (high - low) * share
        return min(math.floor(number), int(self.high)) if self.whole else number


def axis(place: str, given: Any) -> Axis:
    """An axis as a configuration or a program writes it.

    Parameters
    ----------
    place : str
    given : list of values, or mapping with from, to and step or count (and log)
        Without step and count it is any number between, for samples.

    Raises
    ------
    ConfigError
        It has no values, or they are no values.
    """
    if isinstance(given, Mapping):
        return _range(place, dict(given))
    is_one = isinstance(given, str | bytes) or getattr(given, "shape", None) == ()
    if is_one or not isinstance(given, Iterable) or isinstance(given, type):
        raise ConfigError(
            f"{place}: is {shown(given)}, must be a list of values, or from and to with step or "
            "count"
        )
    if isinstance(given, Sized):
        _require_few(place, len(given))
    values = tuple(_value(place, value) for value in itertools.islice(given, MOST + 1))
    _require_few(place, len(values))
    if not values:
        raise ConfigError(f"{place}: has no values; give at least one")
    known: set[tuple[type, Value]] = set()
    for value in values:
        if (type(value), value) in known:
            raise ConfigError(f"{place}: the value {shown(value)} is there twice")
        known.add((type(value), value))
    return Axis(place, values)


def _require_few(place: str, count: float) -> None:
    """Refuse more values or points than can be laid out."""
    if count > MOST:
        raise ConfigError(
            f"{place}: {count:,.0f} of them are more than {MOST:,}; give fewer values, a larger "
            "step, or sample='random' with a count, for which a range needs no step"
        )


def _value(place: str, given: Any) -> Value:
    if isinstance(given, np.datetime64):
        stamp = python_date(given)
        if stamp is None:
            raise ConfigError(f"{place}: {shown(given)} is no value; Python has no such date")
        given = stamp
    if isinstance(given, np.generic) or (isinstance(given, np.ndarray) and given.shape == ()):
        given = given.item()
    if isinstance(given, Decimal | Fraction):
        given = as_float(given)
    if isinstance(given, Word):
        return given.word
    if isinstance(given, date) and given == given:  # as YAML reads 2024-01-05
        return given.isoformat()
    if isinstance(given, list | tuple) and given and all(isinstance(x, str) for x in given):
        return ",".join(given)  # symbols that are traded together
    if given is not None and not isinstance(given, bool | int | float | str):
        raise ConfigError(
            f"{place}: {shown(given)} is no value; give numbers, texts, true or false"
        )
    if isinstance(given, float) and not math.isfinite(given):
        raise ConfigError(f"{place}: {given!r} is no value that can be tried")
    return given


def _range(place: str, given: dict[str, Any]) -> Axis:
    for key in given:
        if key not in RANGE_KEYS:
            raise NotFoundError(f"key of {place}", str(key), RANGE_KEYS)
    for key in ("from", "to", "step"):
        if key != "step" or given.get(key) is not None:
            number(f"{place}.{key}:", given.get(key), Bounds(-math.inf, above=key == "step"))
            given[key] = _value(place, given[key])
    low, high = given["from"], given["to"]
    log = truth(f"{place}.log:", given.get("log", False))
    step, count = given.get("step"), given.get("count")
    whole = all(isinstance(x, int) for x in (low, high, 1 if step is None else step))
    if not low < high:
        raise ConfigError(f"{place}: from is {low}, must be below to, {high}")
    if log and not low > 0:
        raise ConfigError(f"{place}.from: is {low}, must be above 0 for a log axis")
    if step is not None and (count is not None or log):
        raise ConfigError(f"{place}: give step or count, and step without log")
    if step is not None:
        if not step > 0:
            raise ConfigError(f"{place}.step: is {step!r}, must be above 0")
        _require_few(place, (high - low) / step + 1)
        steps = int((high - low) / step * (1.0 + 1e-12) + 1e-9)
        return Axis(place, tuple(_tidy(low + k * step, whole) for k in range(steps + 1)))
    if count is None:
        return Axis(place, (), low, high, log, whole)
    count = whole_number(f"{place}.count:", count, Bounds(2, whole=True))
    _require_few(place, count)
    shares = [k / (count - 1) for k in range(count)]
    points = [low * (high / low) ** s if log else low + (high - low) * s for s in shares]
    return Axis(place, tuple(dict.fromkeys(_tidy(x, whole) for x in points)))


def _tidy(number: float, whole: bool) -> Value:
    """0.3 and not 0.30000000000000004."""
    return round(number) if whole else float(f"{number:.12g}")


@dataclass(frozen=True, eq=False)
class Space:
    """The points of a sweep.

    Parameters
    ----------
    axes : sequence of Axis
    conditions : sequence of callable
        Each is given a point by place and value; all must hold.
    sample : {"grid", "random", "latin", "optuna"}
        Every point, points drawn independently, a Latin hypercube, or points that a guided search
        proposes (`guided.search`).
    count : int
        Of points, for a sample that is drawn; they differ from each other.
    seed : int
    """

    axes: Sequence[Axis]
    conditions: Sequence[Condition] = ()
    sample: str = "grid"
    count: int = 0
    seed: int = 0

    @property
    def size(self) -> int:
        """Points before the conditions; an upper bound of the trials."""
        return math.prod(len(a.values) for a in self.axes) if self.sample == "grid" else self.count

    def __iter__(self) -> Iterator[Trial]:
        """The trials, numbered from 0.

        Raises
        ------
        ConfigError
            No point fulfills the conditions.
        """
        points = self._grid() if self.sample == "grid" else self._drawn()
        number = -1
        for number, point in enumerate(points):
            yield Trial(number, point)
        if number < 0:
            raise ConfigError(
                "constraints: they exclude every point; widen the parameters or drop a constraint"
            )

    def allows(self, point: Mapping[str, Value]) -> bool:
        """Whether every condition holds at a point."""
        for k, condition in enumerate(self.conditions):
            try:
                if not condition(point):
                    return False
            except Exception as e:
                if isinstance(condition, Constraint):
                    raise
                at = ", ".join(f"{name} = {value!r}" for name, value in point.items())
                raise ConfigError(
                    f"constraints[{k}]: failed where {at}, {at_fault(e)}; a point is a mapping, as "
                    f"in lambda p: p[{self.axes[0].place!r}] > 5"
                ) from e
        return True

    def _grid(self) -> Iterator[dict[str, Value]]:
        places = [a.place for a in self.axes]
        for values in itertools.product(*(a.values for a in self.axes)):
            point = dict(zip(places, values, strict=True))
            if self.allows(point):
                yield point

    def _drawn(self) -> Iterator[dict[str, Value]]:
        """Points that differ; as many as there are, where fewer than `count` differ."""
        rng = np.random.default_rng(self.seed)
        seen: set[tuple[Value, ...]] = set()
        vain = 0
        while vain < PATIENCE:
            for shares in self._shares(rng).tolist():
                values = tuple(a.at(x) for a, x in zip(self.axes, shares, strict=True))
                point = dict(zip((a.place for a in self.axes), values, strict=True))
                vain += 1
                if values in seen or not self.allows(point):
                    continue
                vain = 0
                seen.add(values)
                yield point
                if len(seen) == self.count:
                    return

    def _shares(self, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float64]]:
        """A share of each axis for each point: (count, axes) from 0 to below 1."""
        shape = (self.count, len(self.axes))
        if self.sample == "random":
            return rng.random(shape)
        parts = np.stack([rng.permutation(self.count) for _ in self.axes], axis=1)
        return np.asarray((parts + rng.random(shape)) / self.count)


def space(
    parameters: Mapping[str, Any],
    constraints: Sequence[str | Condition] = (),
    *,
    sample: str = "grid",
    count: int | None = None,
    seed: int = 0,
) -> Space:
    """The space of a sweep, checked.

    Parameters
    ----------
    parameters : mapping of place to values
        As `axis` takes them.
    constraints : sequence of str or callable
        `"fast < slow"`, or a function of the point.
    sample : {"grid", "random", "latin", "optuna"}
    count : int, optional
        Points of a sample that is drawn.
    seed : int

    Raises
    ------
    ConfigError, NotFoundError
        Nothing to sweep, values or constraints that are none.
    """
    if not isinstance(parameters, Mapping):
        raise ConfigError(f"parameters: is {shown(parameters)}, must be {{place: values}}")
    choice("sample:", sample, SAMPLES)
    if not parameters:
        raise ConfigError("parameters: there is nothing to sweep; name one with its values")
    axes = [axis(f"parameters.{place}", given) for place, given in parameters.items()]
    axes = [replace(a, place=place) for place, a in zip(parameters, axes, strict=True)]
    conditions = [c if callable(c) else Constraint(c, parameters) for c in constraints]
    if sample == "grid":
        if count is not None:
            raise ConfigError("count: belongs to a random or latin sample; a grid has every point")
        for a in axes:
            if not a.values:
                raise ConfigError(f"parameters.{a.place}: a grid needs step or count")
        _require_few("parameters", math.prod(len(a.values) for a in axes))
    else:
        count = whole_number("count:", count, Bounds(1, MOST, whole=True))
    return Space(axes, conditions, sample, count or 0, seed)
