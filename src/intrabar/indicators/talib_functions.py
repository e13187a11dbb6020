"""TA-Lib behind our words: which columns a function reads, its parameters, batch and stream.

Importing TA-Lib costs most of a second, so this module is imported where one of its functions is
asked for, and nowhere else.

The batch call and the streaming handle are TA-Lib's own and agree bit for bit; this module adds
NaN for the warm-up of functions with whole-number outputs, which TA-Lib fills with zeros.
MAVP is left out, because it reads a column of periods that bars do not have.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np
import talib
import talib.abstract
import talib.stream

from intrabar.errors import ConfigError
from intrabar.indicators.indicator import LONGEST_PERIOD, BarColumns, Floats, Indicator, Param

# The stubs of TA-Lib name neither `Function` nor the errors.
ta: Any = talib
ta_abstract: Any = talib.abstract
ta_stream: Any = talib.stream

WITHOUT_PRICES = ("MAVP",)
FUNCTIONS: frozenset[str] = frozenset(ta.get_functions()) - set(WITHOUT_PRICES)


class Shape(NamedTuple):
    """What a function looks like from outside.

    `source` are its default columns, `selectable` says whether others may take their place
    (they may where the function asks for a series, not for "the high").
    """

    source: tuple[str, ...]
    selectable: bool
    defaults: tuple[tuple[str, Param], ...]
    outputs: tuple[str, ...]


@cache
def shape(name: str) -> Shape:
    """Shape of a TA-Lib function."""
    info = ta_abstract.Function(name).info
    source: list[str] = []
    selectable = True
    for columns in info["input_names"].values():
        if isinstance(columns, str):
            source.append(columns)
        else:
            selectable = False
            source.extend(columns)
    outputs = tuple(info["output_names"])
    return Shape(
        tuple(source),
        selectable,
        tuple(info["parameters"].items()),
        outputs if len(outputs) > 1 else (),
    )


def lag(name: str, params: dict[str, Any]) -> int:
    """Bars before the first value; negative where TA-Lib refuses the parameters."""
    function = ta_abstract.Function(name)
    try:
        function.set_parameters(params)
        return int(function.lookback)
    except OverflowError:  # a whole number that TA-Lib cannot hold
        return -1


def check(name: str, params: dict[str, Any], label: str) -> None:
    """Refuse parameters that TA-Lib refuses, naming the bound where one of them breaks it.

    Raises
    ------
    ConfigError
        A parameter out of range, or a combination that does not fit.
    """
    if lag(name, params) >= 0:
        return
    defaults = dict(shape(name).defaults)
    for key, value in params.items():
        if lag(name, {**defaults, key: value}) >= 0:
            continue
        if isinstance(defaults[key], int):
            allowed = [v for v in range(-1, 20) if lag(name, {**defaults, key: v}) >= 0]
            longest = lag(name, {**defaults, key: LONGEST_PERIOD}) >= 0
            top = LONGEST_PERIOD if longest else allowed[-1]
            raise ConfigError(f"{label}: {key} is {value}, must be {allowed[0]} to {top}")
        raise ConfigError(f"{label}: {key} is {value}, out of TA-Lib's range")
    raise ConfigError(f"{label}: TA-Lib refuses these parameters together")


class Call(NamedTuple):
    """One TA-Lib function bound to columns, parameters and one of its outputs."""

    function: str
    source: tuple[str, ...]
    params: tuple[tuple[str, Param], ...]
    place: int

    @property
    def lag(self) -> int:
        """Bars before the first value."""
        return lag(self.function, dict(self.params))

    def batch(self, bars: BarColumns) -> Floats:
        """The whole series, NaN while it warms up."""
        columns = [np.ascontiguousarray(getattr(bars, c), dtype=np.float64) for c in self.source]
        given = getattr(ta, self.function)(*columns, **dict(self.params))
        series = given[self.place] if isinstance(given, tuple) else given
        if series.dtype == np.float64:
            return np.asarray(series, dtype=np.float64)
        values: Floats = series.astype(np.float64)
        values[: self.lag] = np.nan
        return values


def call_of(indicator: Indicator) -> Call:
    """The TA-Lib call that an indicator stands for."""
    place = indicator.outputs.index(indicator.output) if indicator.output else 0
    return Call(indicator.name, indicator.source, indicator.params, place)


class CarriedCall:
    """A TA-Lib streaming handle that opens itself once it has seen enough bars."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._need = call.lag + 1
        self._history: list[tuple[float, ...]] = []
        self._handle: Any = None

    def advance(self, bars: BarColumns) -> Floats:
        """Take in the next bars; their values, NaN while warming up."""
        columns = (np.asarray(getattr(bars, c)).tolist() for c in self._call.source)
        return np.array([self._step(inputs) for inputs in zip(*columns, strict=True)], np.float64)

    def _step(self, inputs: tuple[float, ...]) -> float:
        if self._handle is not None:
            return self._pick(self._handle.update(*inputs))
        self._history.append(inputs)
        if len(self._history) < self._need:
            return float("nan")
        columns = [np.array(c, dtype=np.float64) for c in zip(*self._history, strict=True)]
        opener = getattr(ta_stream, self._call.function)
        try:
            self._handle = opener(*columns, **dict(self._call.params))
        except ta.InsufficientHistory:
            return float("nan")
        self._history.clear()
        return self._pick(self._handle.value)

    def _pick(self, given: Any) -> float:
        return float(given[self._call.place] if isinstance(given, tuple) else given)
