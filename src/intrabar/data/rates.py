"""Rates of exchange: what a unit of an instrument's currency is worth in the account's.

A rate comes from the closes of a currency pair, of its inverse, or of two pairs with one currency
between them. It is carried forward, never taken from the future; before the first there is the
first (fill model, Currencies). Nothing is carried for longer than `LONGEST`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

import numpy as np

from intrabar.data.instruments import pair_of
from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Bars, Floats, Times

LONGEST = 7 * DAY_NS

Pair = tuple[str, str]


class HasSymbol(Protocol):
    """Bars, or a feed of them."""

    @property
    def symbol(self) -> str: ...  # noqa: D102


Named = TypeVar("Named", bound=HasSymbol)


def pairs_of(bars: Sequence[Named]) -> dict[Pair, Named]:
    """Bars, or feeds, by base and quote currency; those that are no pair are left out."""
    named = {pair_of(b.symbol): b for b in reversed(bars)}
    return {pair: b for pair, b in named.items() if pair is not None}


def links(currency: str, into: str, pairs: Sequence[Pair]) -> list[tuple[Pair, bool]]:
    """Pairs that lead from a currency to another, each with whether it is to be inverted.

    Raises
    ------
    ConfigError
        None do.
    """

    def direct(a: str, b: str) -> tuple[Pair, bool] | None:
        return ((a, b), False) if (a, b) in pairs else ((b, a), True) if (b, a) in pairs else None

    if (one := direct(currency, into)) is not None:
        return [one]
    for middle in sorted({name for pair in pairs for name in pair}):
        first, second = direct(currency, middle), direct(middle, into)
        if first is not None and second is not None:
            return [first, second]
    raise ConfigError(
        f"rates: there is no rate of exchange from {currency} to {into}; put bars of "
        f"{currency}{into} or {into}{currency} into the catalogue, or name them under rates. "
        f"Or keep the account in {currency}: account: {{currency: {currency}}}, "
        f"--currency {currency}, in Python account={{'currency': '{currency}'}}"
    )


def rates_on(
    time: Times, currencies: Sequence[str], account: str, pairs: Mapping[Pair, Bars]
) -> Floats | None:
    """Rates on the timeline of a market, for `Market.fx`.

    Parameters
    ----------
    time : (t,) int64, ns UTC
    currencies : sequence of str
        Of the instruments.
    account : str
        Currency of the account.
    pairs : mapping of (base, quote) to Bars

    Returns
    -------
    (t, n) float64 or None
        None where all are in the account's currency.

    Raises
    ------
    ConfigError
        A rate is missing altogether.
    DataError
        A rate is missing for more than a week.
    """
    if all(currency == account for currency in currencies):
        return None
    found = np.ones((len(time), len(currencies)))
    for j, currency in enumerate(currencies):
        if currency != account:
            for pair, inverted in links(currency, account, list(pairs)):
                rate = carried(pairs[pair], time)
                found[:, j] *= 1.0 / rate if inverted else rate
    return found


def carried(bars: Bars, time: Times) -> Floats:
    """The last close at or before each time; before the first, the first, (t,).

    Raises
    ------
    DataError
        The nearest is more than a week away.
    """
    at = np.searchsorted(bars.close_time, time, "right") - 1
    age = np.abs(time - bars.close_time[np.maximum(at, 0)])
    if (age > LONGEST).any():
        bad = int(np.argmax(age > LONGEST))
        told = [
            str(np.datetime64(int(t), "D"))
            for t in (time[bad] // DAY_NS, bars.close_time[max(int(at[bad]), 0)] // DAY_NS)
        ]
        raise DataError(
            f"{bars.symbol}: there is no rate of exchange for {told[0]}; the nearest usable one is "
            f"of {told[1]}, more than {LONGEST // DAY_NS} days away; import the missing bars, or "
            "trade other dates (start, end)"
        )
    return bars.close[np.maximum(at, 0)]
