"""A condition between parameters, as people write it: `fast < slow and slow - fast >= 10`.

The text is taken apart, never handed to the interpreter: names, numbers, texts, arithmetic,
comparisons, `and`, `or`, `not` and parentheses are all there is.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.values import shown
from intrabar.research.sweep.trial import Value

Values = Mapping[str, Value]
Condition = Callable[[Values], bool]
"""Whether a point, by place and value, is one that may be tried."""

ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
SIGNS: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
}
ALLOWED = "names of parameters, numbers, + - * / // %, comparisons, and, or, not"


class Constraint:
    """A condition that was written down.

    Parameters
    ----------
    text : str
    places : iterable of str
        The parameters that it may name: whole, or by their last part where that is the only one.

    Raises
    ------
    ConfigError, NotFoundError
        No condition, something that is not allowed in one, or an unknown name.
    """

    def __init__(self, text: str, places: Iterable[str]) -> None:
        if not isinstance(text, str):
            raise ConfigError(
                f"constraints: {shown(text)} is none; write one such as 'fast < slow', or a "
                "function of the point"
            )
        self.text = text
        self._names = _names_of(list(places))
        try:
            self._tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else str(error)
            raise ConfigError(
                f"constraint {shown(text)}: cannot be read ({reason}); write one such as "
                "'fast < slow'"
            ) from None
        self._check(self._tree)

    def __call__(self, values: Values) -> bool:
        """Whether it holds.

        Raises
        ------
        ConfigError
            It cannot be worked out: a text that is compared with a number, a division by 0.
        """
        try:
            return bool(self._value(self._tree, values))
        except (TypeError, ArithmeticError) as error:
            at = ", ".join(f"{name} = {value!r}" for name, value in values.items())
            raise ConfigError(f"constraint {shown(self.text)}: {error} where {at}") from None

    def _check(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            name = ast.unparse(node)
            if name not in self._names:
                raise NotFoundError(
                    f"parameter in constraint {shown(self.text)}", name, self._names
                )
            return
        if isinstance(node, ast.Constant):
            fits = isinstance(node.value, bool | int | float | str)
        else:
            kinds = [type(o) for o in _operators_of(node)]
            known = {**ARITHMETIC, **COMPARISONS, **SIGNS, ast.And: None, ast.Or: None}
            fits = bool(kinds) and all(kind in known for kind in kinds)
        if not fits:
            raise ConfigError(
                f"constraint {shown(self.text)}: {ast.unparse(node)!r} has no place in one; "
                f"allowed are {ALLOWED}"
            )
        for inner in _operands_of(node):
            self._check(inner)

    def _value(self, node: ast.AST, values: Values) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.BinOp):
            left, right = self._value(node.left, values), self._value(node.right, values)
            return ARITHMETIC[type(node.op)](left, right)
        if isinstance(node, ast.UnaryOp):
            return SIGNS[type(node.op)](self._value(node.operand, values))
        if isinstance(node, ast.BoolOp):
            decides = isinstance(node.op, ast.Or)
            for inner in node.values:  # the first that decides, or the last, as in Python
                value = self._value(inner, values)
                if bool(value) is decides:
                    break
            return value
        if isinstance(node, ast.Compare):
            left = self._value(node.left, values)
            for comparison, inner in zip(node.ops, node.comparators, strict=True):
                right = self._value(inner, values)
                if not COMPARISONS[type(comparison)](left, right):
                    return False
                left = right
            return True
        return values[self._names[ast.unparse(node)]]


def _names_of(places: list[str]) -> dict[str, str]:
    """What each parameter may be called: its place, and the last part of it if no other has it."""
    names = {_as_parsed(place): place for place in places}
    ends = [place.rpartition(".")[2] for place in places]
    alone = {end: place for end, place in zip(ends, places, strict=True) if ends.count(end) == 1}
    return {**alone, **names}


def _as_parsed(place: str) -> str:
    try:
        return ast.unparse(ast.parse(place, mode="eval").body)
    except SyntaxError:  # a symbol that is no name
        return place


def _operators_of(node: ast.AST) -> list[ast.AST]:
    if isinstance(node, ast.BinOp | ast.UnaryOp | ast.BoolOp):
        return [node.op]
    return list(node.ops) if isinstance(node, ast.Compare) else []


def _operands_of(node: ast.AST) -> list[ast.expr]:
    return [inner for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.expr)]
