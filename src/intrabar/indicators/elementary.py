"""Our own `exp`, `tanh` and `log`: the same bits on every machine, in a loop and by themselves.

The C library's differ from one version to the next, and from their own vectorised forms, in the
last bits. These use `+ - * /` and shifts of bits alone, each of which IEEE 754 rounds in one way,
without a branch, so that a loop over them becomes vectors. Relative error: at most 3.3e-16.

Sources: `exp` and `log` are the rational forms of Sun's fdlibm (`e_exp.c`, `e_log.c`), `tanh` near
0 is that of Moshier, Methods and Programs for Mathematical Functions (1989).
"""

from __future__ import annotations

import math

import numpy as np

from intrabar.kernel import inlined

UNSIGNED = np.uint64(0x7FFF_FFFF_FFFF_FFFF)
MANTISSA = np.uint64(0x000F_FFFF_FFFF_FFFF)
TO_EXPONENT = np.uint64(52)  # bits
ROOT_HALF = np.uint64(0x3FE6_A09E_0000_0000)  # sqrt(1/2), cut
TO_ONE = np.uint64(0x3FF0_0000_0000_0000) - ROOT_HALF
WHOLE = 2.0**52  # a number of its binade has its whole part in its last bits
BIASED = WHOLE + 1023.0
NEAREST = 1.5 * WHOLE  # added and taken away: the nearest whole number, of either sign
WHOLE_BITS = np.float64(WHOLE).view(np.uint64)

# ln 2 in two parts; the first has so few bits that its product with an exponent is exact.
LN2, LN2_REST = 6.93147180369123816490e-01, 1.90821492927058770002e-10
LEAST_NORMAL = 2.0**-1022


@inlined
def number(bits: np.uint64) -> float:
    """The number that has these bits."""
    return float(np.uint64(bits).view(np.float64))


@inlined
def two_to(power: float) -> float:
    """2 to a whole power, -1022 to 1023."""
    return number(np.float64(power + BIASED).view(np.uint64) << TO_EXPONENT)


@inlined
def exp(x: float) -> float:
    """Euler's number to the power of `x`; 0 below -745.2, infinite above 709.8, NaN of NaN."""
    x = float(np.float64(x))
    x = 710.0 if x > 710.0 else x
    x = -746.0 if x < -746.0 else x
    power = x * 1.4426950408889634 + NEAREST - NEAREST
    high, low = x - power * LN2, power * LN2_REST
    r = high - low
    z = r * r
    c = (4.13813679705723846039e-08 * z - 1.65339022054652515390e-06) * z
    c = ((c + 6.61375632143793436117e-05) * z - 2.77777777770155933842e-03) * z
    c = r - (c + 1.66666666666666019037e-01) * z
    value = 1.0 - ((low - r * c / (2.0 - c)) - high)
    # By two factors: the power may be that of a subnormal number, or one above the largest.
    half = power * 0.5 + NEAREST - NEAREST
    return value * two_to(half) * two_to(power - half)


@inlined
def tanh(x: float) -> float:
    """The hyperbolic tangent of `x`; NaN of NaN."""
    size = abs(float(np.float64(x)))
    far = 1.0 - 2.0 / (exp(2.0 * size) + 1.0)
    # The square of what is not near is not used; it must not overflow.
    small = size if size < 0.625 else 0.0
    square = small * small
    over = (-9.64399179425052238628e-1 * square - 9.92877231001918586564e1) * square
    over = over - 1.61468768441708447952e3
    under = (square + 1.12811678491632931402e2) * square + 2.23548839060100448583e3
    under = under * square + 4.84406305325125486048e3
    near = small + small * square * (over / under)
    return math.copysign(near if size < 0.625 else far, x)


@inlined
def log(x: float) -> float:
    """The natural logarithm of `x`; -infinite of 0, NaN below it and of NaN."""
    x = float(np.float64(x))
    lifted = x * 2.0**54 if x < LEAST_NORMAL else x
    bits = (np.float64(lifted).view(np.uint64) & UNSIGNED) + TO_ONE
    # x = 2^power * (1 + f), with 1 + f from sqrt(1/2) to sqrt(2)
    power = number((bits >> TO_EXPONENT) | WHOLE_BITS) - BIASED
    power = power - 54.0 if x < LEAST_NORMAL else power
    f = number((bits & MANTISSA) + ROOT_HALF) - 1.0
    half = 0.5 * f * f
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    even = w * (
        3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01)
    )
    odd = 2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)
    series = even + z * (6.666666666666735130e-01 + w * odd)
    value = s * (half + series) + power * LN2_REST - half + f + power * LN2
    value = value if x < math.inf else x  # infinity, and NaN
    value = value if x != 0.0 else -math.inf
    return math.nan if x < 0.0 else value
