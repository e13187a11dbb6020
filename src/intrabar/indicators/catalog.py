"""The indicators that exist, and the one way to make one.

Lower-case names are ours, upper-case names are TA-Lib's 200 functions over prices, which is
imported when one of them is named. A value from here is checked: a name or parameter that does
not exist, or a value out of its range, never reaches `compute`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from intrabar.errors import ConfigError, IntrabarError, NotFoundError, at_fault
from intrabar.indicators.indicator import COLUMNS, LONGEST_PERIOD, Indicator, Param
from intrabar.model.values import as_float, choice, shown
from intrabar.plugins import Table

SEEDINGS = ("sma", "first")


class Number(NamedTuple):
    """Range of a numeric parameter; `default` None means that it must be given."""

    low: float
    high: float
    default: float | None = None
    whole: bool = True


class Choice(NamedTuple):
    """Words of a parameter; the first is the default."""

    words: tuple[str, ...]


class Own(NamedTuple):
    """One of our indicators: parameters in order, default columns, outputs to choose from."""

    params: dict[str, Number | Choice]
    source: tuple[str, ...] = ("close",)
    selectable: bool = True
    outputs: tuple[str, ...] = ()


def _period(low: int, default: int | None = None) -> Number:
    return Number(low, LONGEST_PERIOD, default)


_BARS = ("high", "low", "close")
_SEED = Choice(SEEDINGS)

OWN: dict[str, Own] = {
    "atr": Own({"period": _period(1, 14), "seed": _SEED}, _BARS, selectable=False),
    "bollinger": Own(
        {"period": _period(2, 20), "deviations": Number(0.0, 1e6, 2.0, whole=False)},
        outputs=("upper", "middle", "lower"),
    ),
    "change": Own({"period": _period(1, 1)}),
    "ema": Own({"period": _period(1), "seed": _SEED}),
    "highest": Own({"period": _period(1)}, ("high",)),
    "level": Own({"value": Number(-math.inf, math.inf, whole=False)}, (), selectable=False),
    "lowest": Own({"period": _period(1)}, ("low",)),
    "price": Own({}),
    "rsi": Own({"period": _period(2, 14)}),
    "sma": Own({"period": _period(1)}),
    "uniform": Own({"seed": Number(0, 2**63 - 1)}, (), selectable=False),
}


INDICATORS: Table[Callable[..., Indicator]] = Table("indicator", "intrabar.indicators", {})
"""Functions of other packages that make an indicator of those that are here."""


def names() -> frozenset[str]:
    """All names that a configuration may use; TA-Lib's in upper case."""
    from intrabar.indicators.talib_functions import FUNCTIONS

    return FUNCTIONS | set(OWN) | {"cross", *INDICATORS.names()}


def is_name(name: str) -> bool:
    """Whether an indicator is called that, in capitals or not.

    Other packages are asked last: to look for what they offer costs some milliseconds.
    """
    ours = name in OWN or name == "cross" or _is_talib(name)
    return ours or not {name, name.upper()}.isdisjoint(INDICATORS.names())


def make(
    name: str,
    positional: Sequence[Any] = (),
    given: Mapping[str, Any] | None = None,
    *,
    source: str | Sequence[str] | None = None,
    output: str = "",
) -> Indicator:
    """Make an indicator from a name and values as a configuration gives them.

    Parameters
    ----------
    name : str
        One of ours, a TA-Lib function in upper or lower case, or another package's.
    positional, given : values
        Parameters in order, and by name.
    source : str or sequence of str
        Columns in place of the default ones.
    output : str
        Which series, where there are several.

    Raises
    ------
    NotFoundError
        No such indicator, parameter, column or output.
    ConfigError
        A parameter is missing, given twice, of the wrong kind or out of its range.
    """
    if name == "price" and positional and source is None:
        source, positional = positional[0], positional[1:]
    if name not in OWN and not _is_talib(name) and name in INDICATORS:
        made = _offered(name, positional, dict(given or {}), source)
        return select(made, output) if output else made
    first = positional[0] if positional else None
    if source is None and isinstance(first, str) and first in COLUMNS:
        source, positional = first, positional[1:]  # sma(volume, 50)
    parts = _own if name in OWN else _talib
    params, defaults, columns, selectable, outputs = parts(name, positional, given or {})
    known = name if name in OWN else name.upper()
    read = _columns(known, source, columns, selectable)
    text = _text(known, params, defaults, () if read == columns else read)
    made = Indicator(known, tuple(params.items()), read, outputs, "", (), text)
    if not isinstance(output, str):
        raise ConfigError(f"{made}: output is {shown(output)}, must be text")
    return select(made, output) if output else made


_Parts = tuple[dict[str, Param], dict[str, Param], tuple[str, ...], bool, tuple[str, ...]]
"""Parameters, their defaults, columns, whether others may take their place, outputs."""


def _is_talib(name: str) -> bool:
    from intrabar.indicators.talib_functions import FUNCTIONS

    return name.upper() in FUNCTIONS


def _offered(name: str, positional: Sequence[Any], given: dict[str, Any], source: Any) -> Indicator:
    """What the function of another package makes."""
    if source is not None:
        given["source"] = source
    try:
        made = INDICATORS.load(name)(*positional, **given)
    except IntrabarError:
        raise
    except Exception as e:
        raise ConfigError(f"indicator {name}: {at_fault(e)}") from e
    if not isinstance(made, Indicator):
        raise ConfigError(f"indicator {name}: its function made {shown(made)}, no indicator")
    return made


def _own(name: str, positional: Sequence[Any], given: Mapping[str, Any]) -> _Parts:
    own = OWN[name]
    values = _named(name, list(own.params), positional, given)
    params = {key: _checked(name, key, rule, values) for key, rule in own.params.items()}
    words: dict[str, Param] = {
        k: v.words[0] for k, v in own.params.items() if isinstance(v, Choice)
    }
    return params, words, own.source, own.selectable, own.outputs


def _talib(name: str, positional: Sequence[Any], given: Mapping[str, Any]) -> _Parts:
    from intrabar.indicators.talib_functions import FUNCTIONS, check, shape

    known = name.upper()
    if known not in FUNCTIONS:
        raise NotFoundError("indicator", name, names() | {n.lower() for n in FUNCTIONS})
    form = shape(known)
    defaults = dict(form.defaults)
    values = _named(known, list(defaults), positional, given)
    params: dict[str, Param] = {
        k: _like(known, k, values.get(k, d), d) for k, d in defaults.items()
    }
    check(known, params, known)
    return params, defaults, form.source, form.selectable, form.outputs


def select(indicator: Indicator, output: str) -> Indicator:
    """One output of an indicator, by name.

    Raises
    ------
    NotFoundError
        It has no such output.
    """
    if output not in indicator.outputs:
        raise NotFoundError(f"output of {indicator.name}", str(output), indicator.outputs)
    chosen: Indicator = getattr(indicator, output)
    return chosen


def require_output(indicator: Indicator) -> None:
    """Refuse an indicator with several outputs of which none is chosen.

    Raises
    ------
    ConfigError
        The message names the outputs.
    """
    if indicator.outputs and not indicator.output:
        raise ConfigError(
            f"{indicator} has the outputs {', '.join(indicator.outputs)}: "
            f"choose one, as in {indicator}.{indicator.outputs[0]}"
        )


def _named(
    name: str, order: list[str], positional: Sequence[Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    if len(positional) > len(order):
        raise ConfigError(f"{name} takes {len(order)} parameters, {len(positional)} were given")
    values = dict(zip(order, positional, strict=False))
    for key, value in given.items():
        if key not in order:
            raise NotFoundError(f"parameter of {name}", key, order)
        if key in values:
            raise ConfigError(f"{name}: {key} is given twice")
        values[key] = value
    return values


def _checked(name: str, key: str, rule: Number | Choice, values: Mapping[str, Any]) -> Param:
    if isinstance(rule, Choice):
        word = values.get(key, rule.words[0])
        return choice(f"{name}: {key}", word, rule.words)
    if key not in values and rule.default is None:
        raise ConfigError(f"{name} needs {key}")
    number = _like(name, key, values.get(key, rule.default), 0 if rule.whole else 0.0)
    if not rule.low <= number <= rule.high or math.isinf(number):
        low, high = (int(rule.low), int(rule.high)) if rule.whole else (rule.low, rule.high)
        raise ConfigError(f"{name}: {key} is {number}, must be {low} to {high}")
    return number


def _like(name: str, key: str, value: Any, default: Param) -> int | float:
    """The value as the whole or the real number that the parameter's default is."""
    whole = isinstance(default, int)
    real = as_float(value)
    if math.isnan(real):
        raise ConfigError(f"{name}: {key} is {shown(value)}, must be a number")
    if not whole:
        return real
    if not math.isfinite(real) or real != math.floor(real):
        raise ConfigError(f"{name}: {key} is {shown(value)}, must be a whole number")
    return int(value)


def _columns(
    name: str, source: str | Sequence[str] | None, columns: tuple[str, ...], selectable: bool
) -> tuple[str, ...]:
    if source is None:
        return columns
    read = tuple(source) if isinstance(source, list | tuple) else (source,)
    for column in read:
        if not isinstance(column, str):
            raise ConfigError(f"{name}: source is {shown(source)}, must name columns")
        if column not in COLUMNS:
            raise NotFoundError(f"source column of {name}", column, COLUMNS)
    if not selectable and read != columns:
        raise ConfigError(f"{name} always reads {', '.join(columns) or 'no column'}")
    if len(read) != len(columns):
        raise ConfigError(f"{name} reads {len(columns)} columns, source has {len(read)}")
    return read


def _text(
    name: str, params: Mapping[str, Param], defaults: Mapping[str, Param], source: tuple[str, ...]
) -> str:
    """The call as a configuration writes it: numbers in order, words and columns by name."""
    numbers = [repr(v) for v in params.values() if not isinstance(v, str)]
    words = [f"{k}={v}" for k, v in params.items() if isinstance(v, str) and v != defaults[k]]
    if source and name == "price":
        words.append(source[0])
    elif source:
        words.append(f"source={source[0] if len(source) == 1 else '[' + ', '.join(source) + ']'}")
    return f"{name}({', '.join(numbers + words)})"
