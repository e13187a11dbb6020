"""Feature expressions: `(close - ema(50)) / atr(14)` as a tree, and its values bar by bar.

The leaves are indicators, columns of the bars, numbers, `side` and the clock; all that stands
between them is worked out by the kernels of `elementwise`. What else is wanted is an indicator.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from intrabar.errors import ConfigError, NotFoundError
from intrabar.indicators import elementwise
from intrabar.indicators.catalog import is_name, names, require_output
from intrabar.indicators.compute import lookback
from intrabar.indicators.indicator import COLUMNS, LONGEST_PERIOD, Floats, Indicator
from intrabar.indicators.parse import from_node, tree_of
from intrabar.indicators.turns import CLOCK
from intrabar.model.values import as_float, shown

SIGNS = {
    "+": (elementwise.ADD, 1),
    "-": (elementwise.SUBTRACT, 1),
    "*": (elementwise.MULTIPLY, 2),
    "/": (elementwise.DIVIDE, 2),
}
"""Operations between two, and how tightly each binds."""
TWO = {"min": elementwise.LEAST, "max": elementwise.LARGEST}
ONE = {
    "abs": elementwise.ABSOLUTE,
    "log": elementwise.LOGARITHM,
    "sqrt": elementwise.ROOT,
}
FUNCTIONS = (*ONE, *TWO, "lag")
_SIGN_OF: dict[type, str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
UNARY, ATOM = 3, 4
MOST_PARTS = 500  # of an expression: names, numbers and signs

Leaf = Indicator | str
"""What an expression reads: an indicator, or one of `CLOCK`."""


@dataclass(frozen=True, slots=True)
class Term:
    """A node of an expression.

    Parameters
    ----------
    kind : str
        "number", "leaf", "side", "negative", one of `+ - * /` or the name of a function.
    of : tuple of Term
        What it is worked out from.
    leaf : Indicator or str
        What a leaf reads.
    number : float
    bars : int
        Of a lag.
    """

    kind: str
    of: tuple[Term, ...] = ()
    leaf: Leaf = ""
    number: float = 0.0
    bars: int = 0

    def leaves(self) -> Iterator[Leaf]:
        """What it reads, from left to right."""
        if self.kind == "leaf":
            yield self.leaf
        for term in self.of:
            yield from term.leaves()

    def rows(self) -> int:
        """Bars that it needs for its first value."""
        own = lookback(self.leaf) if isinstance(self.leaf, Indicator) else 1
        return max((term.rows() for term in self.of), default=own) + self.bars

    def __str__(self) -> str:
        return _written(self)


def parse_expression(text: str) -> Term:
    """Read an expression; `parse_expression(str(term))` is the term.

    Raises
    ------
    NotFoundError
        A name or a function that does not exist, with the nearest that do.
    ConfigError
        Something else than arithmetic over indicators, or a lag into the future.
    """
    tree = tree_of(text, "feature", "close / ema(20) - 1")
    if sum(1 for _ in ast.walk(tree)) > MOST_PARTS:
        raise ConfigError(f"{shown(text)} has over {MOST_PARTS} parts: make an indicator of it")
    return _term(tree)


def _term(node: ast.expr) -> Term:
    if isinstance(node, ast.BinOp):
        if type(node.op) not in _SIGN_OF:
            raise ConfigError(f"{_code(node)}: only + - * / stand in a feature; write x * x")
        return Term(_SIGN_OF[type(node.op)], (_term(node.left), _term(node.right)))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _term(node.operand)
        return Term("negative", (inner,)) if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Constant):
        return Term("number", number=_number(node))
    if isinstance(node, ast.Name):
        return _named(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _call(node, node.func.id)
    if isinstance(node, ast.Call | ast.Attribute):
        return _indicator(node)
    raise ConfigError(
        f"{_code(node)}: a feature is arithmetic (+ - * /) over indicators, columns and "
        f"{', '.join(FUNCTIONS)}; make an indicator of anything else"
    )


def _named(node: ast.Name) -> Term:
    if node.id == "side":
        return Term("side")
    if node.id in CLOCK:
        return Term("leaf", leaf=node.id)
    if node.id not in COLUMNS:
        _require_name("name in a feature", node.id)
    return _indicator(node)


def _call(node: ast.Call, name: str) -> Term:
    if name not in FUNCTIONS:
        _require_name("function in a feature", name)
        inner = [x for x in node.args if isinstance(x, ast.Call | ast.BinOp | ast.Attribute)]
        if inner and name != "cross":
            raise ConfigError(
                f"{_code(node)}: {name} reads columns, not {_code(inner[0])}; of what is worked "
                f"out only {', '.join(FUNCTIONS)} are taken"
            )
        return _indicator(node)
    needed = 1 if name in ONE else 2
    if len(node.args) != needed or node.keywords or _starred(node):
        written = {"lag": "lag(x, bars)"}.get(name, f"{name}({'x' if needed == 1 else 'x, y'})")
        raise ConfigError(f"{_code(node)}: write {written}")
    if name != "lag":
        return Term(name, tuple(map(_term, node.args)))
    try:
        bars = ast.literal_eval(node.args[1])
    except (ValueError, TypeError):
        bars = None
    if type(bars) is not int or not 0 <= bars <= LONGEST_PERIOD:
        why = "; a bar that is still to come cannot be read" if as_float(bars) < 0 else ""
        raise ConfigError(
            f"{_code(node)}: the bars of a lag are a whole number, 0 to {LONGEST_PERIOD}{why}"
        )
    return Term("lag", (_term(node.args[0]),), bars=bars)


def _starred(node: ast.Call) -> bool:
    return any(isinstance(x, ast.Starred) for x in node.args)


def _indicator(node: ast.expr) -> Term:
    made = from_node(node, _code(node))
    require_output(made)
    return Term("leaf", leaf=made)


def _require_name(kind: str, name: str) -> None:
    if not is_name(name):
        lower = {x.lower() for x in names()}
        raise NotFoundError(kind, name, {*lower, *FUNCTIONS, *COLUMNS, *CLOCK, "side"})


def _number(node: ast.Constant) -> float:
    value = as_float(node.value)
    if not math.isfinite(value):
        raise ConfigError(f"{_code(node)} is no number that a feature can hold")
    return value


def _code(node: ast.expr) -> str:
    return ast.unparse(node)


def _code_of(kind: str, given: int) -> int:
    """The operation of `elementwise` that a kind of term is."""
    if given == 1:
        return ONE.get(kind, elementwise.NEGATIVE)
    return SIGNS[kind][0] if kind in SIGNS else TWO[kind]


def _binds(term: Term) -> int:
    return SIGNS[term.kind][1] if term.kind in SIGNS else UNARY if term.kind == "negative" else ATOM


def _written(term: Term) -> str:
    """The text with as few brackets as the tree allows."""

    def inner(part: Term, least: int) -> str:
        return str(part) if _binds(part) >= least else f"({part})"

    if term.kind in SIGNS:
        a, b = term.of
        own = _binds(term)
        return f"{inner(a, own)} {term.kind} {inner(b, own + 1)}"
    if term.kind == "negative":
        return "-" + inner(term.of[0], UNARY)
    if term.kind == "number":
        return repr(term.number).removesuffix(".0")
    if isinstance(term.leaf, Indicator) and term.leaf.name == "price":
        return term.leaf.source[0] + str(term.leaf).removeprefix(term.leaf.text)
    if term.kind in ("leaf", "side"):
        return str(term.leaf or "side")
    more = f", {term.bars}" if term.kind == "lag" else ""
    return f"{term.kind}({', '.join(map(str, term.of))}{more})"


class CarriedTerm:
    """An expression of one instrument, with what the bars so far have left behind: its lags.

    Parameters
    ----------
    term : Term
    """

    def __init__(self, term: Term) -> None:
        self._term = term
        self._of = [CarriedTerm(x) for x in term.of]
        self._last = np.full(term.bars, math.nan)

    def advance(self, read: Mapping[Leaf, Floats], n: int) -> Floats:
        """Its values at the next bars, for a long: (n,) float64.

        Parameters
        ----------
        read : mapping of leaf to (n,) float64
            The leaves at those bars; they can be written to and are contiguous.
        n : int
        """
        kind = self._term.kind
        if kind == "leaf":
            return read[self._term.leaf]
        if kind in ("number", "side"):
            return np.full(n, self._term.number if kind == "number" else 1.0)
        given = [x.advance(read, n) for x in self._of]
        if kind == "lag":
            all_ = np.concatenate((self._last, given[0]))
            self._last = all_[n:].copy()
            return all_[:n]
        out = np.empty(n)
        elementwise.of_each(_code_of(kind, len(given)), given[0], given[-1], out)
        return out
