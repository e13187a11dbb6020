"""Whether a figure is beyond its limit, decided without rounding.

A limit is written in decimals, and so are prices and quantities: 0.1 is a tenth here, not the
double next to it. Near a limit the formula is worked out once more, in fractions.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

NEAR = 1e-9
"""As near as this, of the larger, rounding could decide."""

Formula = Callable[[Callable[[float], Any]], Any]
"""A figure of the numbers that it is given: as floats, or as fractions."""


def exact(value: float) -> Fraction:
    """The decimal number that a float is written as."""
    return Fraction(repr(float(value)))


def in_lots(value: float, lot: float) -> Callable[[Callable[[float], Any]], Any]:
    """A quantity of the book, as a number of whole lots where it is one: sums leave dust."""
    lots = round(value / lot) if lot > 0.0 else 0
    whole = lot > 0.0 and abs(value / lot - lots) <= NEAR
    return lambda number: lots * number(lot) if whole else number(value)


def beyond(formula: Formula, limit: float, reached: bool = False) -> float | None:
    """The figure, where it is above its limit; None where it is not.

    Parameters
    ----------
    formula : function
        Of a function that makes numbers of floats, which must be finite.
    limit : float
    reached : bool
        Being equal to the limit is enough.
    """
    near = formula(float)
    if abs(near - limit) > NEAR * max(1.0, abs(limit)):
        return float(near) if near > limit else None
    found = formula(exact)
    above = found >= exact(limit) if reached else found > exact(limit)
    return float(found) if above else None


def told_apart(value: float, limit: float) -> tuple[str, str]:
    """Both as short as they can be told apart, with three digits and all whole ones at least."""
    for digits in range(3, 17):
        texts = _written(value, digits), _written(limit, digits)
        if texts[0] != texts[1] and float(texts[1].replace(",", "")) == limit:
            return texts
    return _written(value, 17), _written(limit, 17)


def _written(value: float, digits: int) -> str:
    if not math.isfinite(value):
        return f"{value:g}"
    whole = math.floor(math.log10(abs(value))) + 1 if value else 1
    return f"{Decimal(f'{value:.{max(digits, whole)}g}').normalize():,f}"
