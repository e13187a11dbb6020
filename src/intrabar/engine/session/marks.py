"""Rates of exchange of a session: last closes of pairs that are traded, else of the history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import NamedTuple

from intrabar.data.instruments import pair_of
from intrabar.data.rates import Pair, links
from intrabar.errors import ConfigError


class Known(NamedTuple):
    """A rate that the history ends with, and the close time (ns UTC) that it is of."""

    rate: float
    time: int


class Leg(NamedTuple):
    """A pair on the way from an instrument's currency to the account's.

    Parameters
    ----------
    pair : (base, quote)
    inverted : bool
    column : int
        Of the instrument that is the pair; -1 where it is not traded.
    known : Known or None
        Of the history; None where a traded pair has none.
    """

    pair: Pair
    inverted: bool
    column: int
    known: Known | None


class Marks:
    """What a unit of each instrument's currency is worth in the account's, row by row.

    Parameters
    ----------
    symbols, currencies : sequence of str
        Of the instruments.
    account : str
    rates : mapping of (base, quote) to Known

    Raises
    ------
    ConfigError
        No pair leads from a currency to the account's.
    """

    def __init__(
        self,
        symbols: Sequence[str],
        currencies: Sequence[str],
        account: str,
        rates: Mapping[Pair, Known],
    ) -> None:
        traded = {pair_of(symbol): j for j, symbol in reversed([*enumerate(symbols)])}
        pairs = [*(pair for pair in traded if pair is not None), *rates]
        self._legs: list[tuple[Leg, ...]] = [
            ()
            if currency == account
            else tuple(
                Leg(pair, inverted, traded.get(pair, -1), rates.get(pair))
                for pair, inverted in links(currency, account, pairs)
            )
            for currency in currencies
        ]
        self.is_one = not any(self._legs)
        self.of_history = {
            leg.pair: leg.known
            for legs in self._legs
            for leg in legs
            if leg.column < 0 and leg.known is not None
        }

    def require_all(self, closes: Sequence[float]) -> None:
        """Refuse to start without a rate of exchange.

        Raises
        ------
        ConfigError
        """
        for worth, legs in zip(self.at(closes), self._legs, strict=True) if not self.is_one else ():
            if isnan(worth):
                names = " and ".join("".join(leg.pair) for leg in legs)
                raise ConfigError(
                    f"rates: there is no rate of exchange {names} at the start; give the history "
                    "of it, as warm-up or under rates"
                )

    def at(self, closes: Sequence[float]) -> tuple[float, ...]:
        """Worth of a unit of each currency, by the last closes; () where all are 1.

        NaN where a traded pair has neither a bar nor a rate of the history.
        """
        if self.is_one:
            return ()
        found = []
        for legs in self._legs:
            worth = 1.0
            for leg in legs:
                rate = closes[leg.column] if leg.column >= 0 else nan
                if isnan(rate) and leg.known is not None:
                    rate = leg.known.rate
                worth *= 1.0 / rate if leg.inverted else rate
            found.append(worth)
        return tuple(found)
