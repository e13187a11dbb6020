"""Indicators as configurations write them: `ema(20)`, or a name and parameters in a mapping."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import Any

from intrabar.errors import ConfigError
from intrabar.indicators.catalog import make, select
from intrabar.indicators.constructors import cross, level, price
from intrabar.indicators.indicator import COLUMNS, Indicator
from intrabar.model.values import shown


def from_config(given: Any) -> Indicator:
    """Read an indicator from its text, from a mapping, or from a number.

    Parameters
    ----------
    given : str, mapping or number
        `"bollinger(20, 2.0).upper"`, `"ema(20).on('1h')"`,
        `{"name": "ema", "period": 20, "seed": "first"}`; a mapping may hold `source`, `output`
        and `timeframe`, a cross holds `a` and `b`. A number is a level.

    Raises
    ------
    NotFoundError
        No such indicator, parameter, column or output.
    ConfigError
        Not an indicator at all, or a value out of its range.
    """
    if isinstance(given, Indicator):
        return given
    if isinstance(given, str):
        return parse(given)
    if isinstance(given, int | float) and not isinstance(given, bool):
        return level(given)
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise ConfigError(f"{given!r} is no indicator: write 'ema(20)' or a mapping with a name")
    params = {key: value for key, value in given.items() if key != "name"}
    if given["name"] == "cross":
        if set(params) != {"a", "b"}:
            raise ConfigError(f"cross needs a and b, and nothing else; got {sorted(params)}")
        return cross(from_config(params["a"]), from_config(params["b"]))
    source, output = params.pop("source", None), params.pop("output", "")
    timeframe = params.pop("timeframe", "")
    made = make(given["name"], (), params, source=source, output=output)
    return made if isinstance(timeframe, str) and not timeframe else made.on(timeframe)


def parse(text: str) -> Indicator:
    """Read an indicator from text; `parse(str(indicator))` is the indicator.

    Raises
    ------
    ConfigError
        The text is no call of one indicator.
    """
    return from_node(tree_of(text, "indicator", "ema(20)"), text)


def tree_of(text: str, what: str, example: str) -> ast.expr:
    """The text of one expression as a tree; a message says what it is, and how one is written.

    Raises
    ------
    ConfigError
        It is no expression.
    """
    # 1h is no Python, but what people write in a configuration.
    quoted = re.sub(r"\.on\(\s*(\w+)\s*\)", r".on('\1')", text.strip())
    try:
        return ast.parse(quoted, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ConfigError(
            f"cannot read the {what} {shown(text)}: write it as {example!r}"
        ) from None


def from_node(node: ast.expr, text: str) -> Indicator:
    """The indicator that a part of an expression names; raises as `parse`."""
    if isinstance(node, ast.Attribute):
        return select(from_node(node.value, text), node.attr)
    if isinstance(node, ast.Name):
        return price(node.id) if node.id in COLUMNS else make(node.id)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        if node.func.attr != "on" or len(node.args) != 1 or node.keywords:
            raise ConfigError(
                f"cannot read {text!r}: a time frame is chosen as in ema(20).on('1h')"
            )
        return from_node(node.func.value, text).on(_value(node.args[0], text))
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ConfigError(f"cannot read {ast.unparse(node)!r} in {text!r}: write it as 'ema(20)'")
    if node.func.id == "cross":
        if len(node.args) != 2 or node.keywords:
            raise ConfigError(f"cross takes two indicators, in {text!r}")
        a, b = (_operand(arg, text) for arg in node.args)
        return cross(a, b)
    values = [_value(arg, text) for arg in node.args]
    given: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise ConfigError(f"'**' cannot stand in {text!r}")
        given[keyword.arg] = _value(keyword.value, text)
    source, output = given.pop("source", None), given.pop("output", "")
    return make(node.func.id, values, given, source=source, output=output)


def _operand(node: ast.expr, text: str) -> Indicator:
    if isinstance(node, ast.Constant | ast.UnaryOp):
        return from_config(_value(node, text))
    return from_node(node, text)


def _value(node: ast.expr, text: str) -> Any:
    """A number, a word with or without quotes, or a list of words."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item, text) for item in node.elts]
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise ConfigError(f"cannot read {ast.unparse(node)!r} in {text!r}") from None
