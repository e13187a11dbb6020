"""Tail probabilities of Student's t, without SciPy.

Source: Press, Teukolsky, Vetterling, Flannery: Numerical Recipes, 3rd edition (2007), 6.4: the
incomplete beta function as a continued fraction, evaluated by the method of Lentz.
"""

from __future__ import annotations

import math

TINY = 1e-300  # stands for a denominator of 0
TERMS = 10_000


def above(t: float, degrees: float) -> float:
    """The probability of a value above `t`.

    Parameters
    ----------
    t : float
    degrees : float, > 0
        Degrees of freedom.
    """
    tail = 0.5 * _beta(degrees / (degrees + t * t), 0.5 * degrees, 0.5)
    return tail if t >= 0.0 else 1.0 - tail


def _beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function."""
    if x <= 0.0 or x >= 1.0:
        return min(max(x, 0.0), 1.0)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    if x < (a + 1.0) / (a + b + 2.0):
        return front * _fraction(x, a, b) / a
    return 1.0 - front * _fraction(1.0 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, _inverse(1.0 - (a + b) * x / (a + 1.0))
    whole = d
    for m in range(1, TERMS):
        for step in (
            m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0)),
        ):
            d = _inverse(1.0 + step * d)
            c = 1.0 + step / c or TINY
            whole *= d * c
        if abs(d * c - 1.0) < 1e-15:
            break
    return whole


def _inverse(x: float) -> float:
    return 1.0 / (x or TINY)
