"""Whether a bar that came can be: what is a hair wrong is put right, the rest has a reason."""

from __future__ import annotations

from math import inf, isfinite, isnan
from typing import NamedTuple

from intrabar.model.entry import in_json
from intrabar.model.facts import BarClosed

Prices = tuple[float, float, float, float, float]
"""Open, high, low, close and volume."""

_NEAR = 1.0 + 1e-4  # of a tick, within which prices are equal
_SHARE = 1e-6


class Sound(NamedTuple):
    """A bar that can be, and what was done to it.

    Parameters
    ----------
    prices : Prices
    clamped : bool
        Its open or close lay outside its low and high, by a tick at most.
    without_volume : bool
        Its volume was not known and is 0.
    """

    prices: Prices
    clamped: bool = False
    without_volume: bool = False


def sound(bar: BarClosed, tick: float) -> Sound | str:
    """The bar as a row takes it, or why it cannot be.

    Parameters
    ----------
    bar : BarClosed
        A volume of NaN is one that the vendor does not know.
    tick : price, >= 0
        0 where there is no grid: then a millionth of the price is as good as a tick.
    """
    o, h, l, c, v = bar.open, bar.high, bar.low, bar.close, bar.volume  # noqa: E741
    for name, price in (("open", o), ("high", h), ("low", l), ("close", c)):
        if not isfinite(price):
            return f"its {name} is {price}"
        if price <= 0.0:
            return f"its {name} is {price:g}, not above 0"
    unknown = isnan(v)
    if unknown:
        v = 0.0
    if v == inf or v < 0.0:
        return f"its volume is {v:g}"
    if h < l:
        return f"its high {h:g} is below its low {l:g}"
    for name, price in (("open", o), ("close", c)):
        edge = min(max(price, l), h)
        if abs(price - edge) > (tick or _SHARE * price) * _NEAR:
            return f"its {name} {price:g} lies outside its low {l:g} and high {h:g}"
    inside = (min(max(o, l), h), h, l, min(max(c, l), h), v)
    return Sound(inside, inside[0] != o or inside[3] != c, unknown)


def prices_told(bar: BarClosed) -> list[float | str]:
    """Open, high, low, close and volume of a bar, as a journal writes them."""
    return [in_json(x) for x in (bar.open, bar.high, bar.low, bar.close, bar.volume)]
