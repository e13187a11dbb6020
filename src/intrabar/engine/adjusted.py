"""Indicators over adjusted prices, in a market whose traded prices are raw.

The series that indicators read is `price * factor` with the forward factors of `data.adjust`, in
which no later action has a part. A value of bar T is then brought to the prices of T: an indicator
in units of price is divided by the factor of T, one in price squared by its square, one without a
unit is left. In which power of price, and of volume, an indicator stands is found by computing it
on a sample and on the sample with other units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from intrabar.data.adjust import factors
from intrabar.errors import ConfigError
from intrabar.indicators import Columns, Indicator, compute, lookback
from intrabar.model.bars import Floats, Market
from intrabar.model.enums import ActionKind

Degree = tuple[int, int]
"""Powers of price and of volume."""

COLUMN_DEGREES: dict[str, Degree] = {
    **dict.fromkeys(("open", "high", "low", "close"), (1, 0)),
    "volume": (0, 1),
}
POWERS = range(-3, 4)


Factors = tuple[Floats, Floats]
"""Of price and of shares, (t, n)."""


class CarriedFactors:
    """The forward factors of a market that may come piece by piece."""

    def __init__(self) -> None:
        self._bars = 0
        self._close: Floats | None = None
        self._last: list[tuple[float, float]] = []

    def advance(self, market: Market) -> Factors | None:
        """The factors of the next rows; None where nothing has moved a price so far.

        Parameters
        ----------
        market : Market
            Its actions are under the bar numbers of the whole; earlier ones do not matter.
        """
        first, n = self._bars, len(market.symbols)
        before = np.full(n, np.nan) if self._close is None else self._close
        self._bars, self._close = first + len(market), market.close[-1].copy()
        moving = [a for a in market.actions if a.kind is not ActionKind.MARGIN]
        if not moving:
            return None
        last = self._last or [(1.0, 1.0)] * n
        made = []
        for j in range(n):
            own = [replace(a, bar=a.bar - first + 1) for a in moving if a.instrument == j]
            now = [a for a in own if a.bar > 0]
            open_ = np.append(np.nan, market.open[:, j])
            close = np.append(before[j], market.close[:, j])
            made.append(factors(now, open_, close, last[j]))
        self._last = [(float(price[-1]), float(shares[-1])) for price, shares in made]
        price, shares = (np.stack([m[k][1:] for m in made], axis=1) for k in (0, 1))
        return price, shares


class Adjusted:
    """A market as indicators read it, and the way back to the prices of each bar.

    Parameters
    ----------
    market : Market
        Raw. Where it has no splits, dividends or rolls it is read as it is.
    carried : CarriedFactors, optional
        Those of the pieces before it; None: it is the whole.
    """

    def __init__(self, market: Market, carried: CarriedFactors | None = None) -> None:
        self.market = market
        self.price: Floats | None = None
        made = (carried or CarriedFactors()).advance(market)
        if made is None:
            return
        self.price, self.shares = made
        prices = {
            name: getattr(market, name) * self.price for name in ("open", "high", "low", "close")
        }
        self.market = replace(market, **prices, volume=market.volume / self.shares)

    def shown(
        self, columns: Mapping[str, Floats], indicators: Mapping[str, Indicator]
    ) -> dict[str, Floats]:
        """Indicators of the adjusted market, in the prices and shares of each bar.

        Parameters
        ----------
        columns : mapping of name to (t, n) float64
        indicators : mapping of name to Indicator

        Raises
        ------
        ConfigError
            An indicator that stands in no power of price and volume.
        """
        scales = self.scales(indicators)
        return {
            name: values / scales[name] if name in scales else values
            for name, values in columns.items()
        }

    def scales(self, indicators: Mapping[str, Indicator]) -> dict[str, Floats]:
        """`scales_of` the market's factors; none where its prices are read as they are."""
        if self.price is None:
            return {}
        return scales_of((self.price, self.shares), indicators)


def scales_of(made: Factors, indicators: Mapping[str, Indicator]) -> dict[str, Floats]:
    """What a value of a bar is multiplied with to stand beside those of other bars, (t, n).

    Of the columns of the market and of indicators; without those that have no unit.
    """
    price, shares = made
    degrees = {**COLUMN_DEGREES, **{name: degree_of(x) for name, x in indicators.items()}}
    return {name: price**a / shares**b for name, (a, b) in degrees.items() if a or b}


def degree_of(indicator: Indicator) -> Degree:
    """The powers of price and of volume in which an indicator stands: (1, 0) for `ema(20)`.

    Raises
    ------
    ConfigError
        It stands in none, or crosses one that stands in another.
    """
    if indicator.operands:
        a, b = (_found(operand.here) for operand in indicator.operands)
        if a is not None and b is not None and a != b:
            raise ConfigError(
                f"{indicator}: what crosses must be in one unit where prices are adjusted; a level "
                "in price means another thing after a split"
            )
        return 0, 0
    return _found(indicator.here) or (0, 0)


@cache
def _found(indicator: Indicator) -> Degree | None:
    """None for what is 0 everywhere: it stands in any power."""
    if indicator.given is not None:
        return (1 if indicator.given.is_price else 0, 0)
    size = 2 * lookback(indicator) + 300
    plain = compute(indicator, sample(size))
    by_price = _power(plain, compute(indicator, sample(size, price=2.0)))
    by_volume = _power(plain, compute(indicator, sample(size, volume=2.0)))
    if by_price is None or by_volume is None:
        raise ConfigError(
            f"{indicator} cannot be read from adjusted prices: it is in no power of the price, so "
            "its values before and after a split, dividend or roll cannot stand beside each other"
        )
    told = plain[~np.isnan(plain)]
    return None if not told.any() else (by_price, by_volume)


def _power(plain: Floats, other: Floats) -> int | None:
    told = ~np.isnan(plain) & ~np.isnan(other)
    scale = np.abs(plain[told]).max(initial=0.0)
    for power in sorted(POWERS, key=abs):
        if np.allclose(other[told], plain[told] * 2.0**power, rtol=1e-6, atol=1e-9 * scale):
            return power
    return None


def sample(size: int, price: float = 1.0, volume: float = 1.0) -> Columns:
    """Bars that wander, the same every time, in another unit of price or volume."""
    draw = np.random.default_rng(11)
    close = 100.0 * np.exp(np.cumsum(draw.normal(0.0, 0.02, size)))
    open_ = close * np.exp(draw.normal(0.0, 0.01, size))
    high = np.maximum(open_, close) * (1.0 + np.abs(draw.normal(0.0, 0.01, size)))
    low = np.minimum(open_, close) / (1.0 + np.abs(draw.normal(0.0, 0.01, size)))
    shares = np.asarray(draw.integers(1_000, 9_000, size) * volume, np.float64)
    time = np.arange(1, size + 1) * 86_400_000_000_000
    return Columns("SAMPLE", time, open_ * price, high * price, low * price, close * price, shares)
