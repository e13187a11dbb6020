"""Series onto one market: bars, actions, rates of exchange and lower bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from intrabar.data.catalogue import Catalogue
from intrabar.data.continuous import placed
from intrabar.data.detail import detail_rows, guessed
from intrabar.data.instruments import pair_of
from intrabar.data.periods import parse_period, period_text
from intrabar.data.rates import Pair, links, pairs_of, rates_on
from intrabar.data.series import Origin, Series
from intrabar.data.series_reading import read_one
from intrabar.data.session_ends import SessionEnd
from intrabar.data.source import BarsRequest, Source
from intrabar.data.timeline import HasPeriod, market_from_bars
from intrabar.errors import ConfigError
from intrabar.model.bars import Action, Bars, Market
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark


@dataclass(frozen=True, slots=True)
class RateSources:
    """Where rates of exchange are, for what is not in the account's currency.

    Parameters
    ----------
    named : sequence of Source
        Those that a configuration names.
    catalogue : path or None
        Has others.
    request : BarsRequest
        What the run asks of its sources; rates are read from their first bar to their last.
    """

    named: Sequence[Source] = ()
    catalogue: str | None = None
    request: BarsRequest = field(default_factory=BarsRequest)

    @property
    def whole(self) -> BarsRequest:
        """What is asked of a rate: all of its bars, of any period, without lower ones."""
        return replace(self.request, first=None, last=None, period=None, with_detail=False)


def market_of(
    series: Sequence[Series],
    instruments: Sequence[Instrument],
    currency: str,
    rates: RateSources,
    given: Sequence[Bars] = (),
    with_detail: bool = False,
    session_end: SessionEnd = "bars",
) -> tuple[Market, list[Origin], list[str]]:
    """The market of a run.

    Parameters
    ----------
    series : sequence of Series
        In the order of the instruments.
    instruments : sequence of Instrument
    currency : str
        Of the account.
    rates : RateSources
    given : sequence of Bars
        Currency pairs that go before those of `rates`.
    with_detail : bool
        Lay the lower bars of the series under their bars.
    session_end : "bars" or "calendar"
        What ends the sessions of the instruments.

    Returns
    -------
    Market
    list of Origin
        Of the rates of exchange that were read.
    list of str
        Remarks.

    Raises
    ------
    ConfigError, DataError
        Rates of exchange or lower bars are missing.
    """
    calendars = [x.calendar for x in instruments] if session_end == "calendar" else None
    market = market_from_bars([s.bars for s in series], calendars)
    actions = [a for j, s in enumerate(series) for a in _actions(s, market, j)]
    actions.sort(key=lambda action: action.bar)
    currencies = [x.currency for x in instruments]
    bars = [s.bars for s in series]
    pairs, origins = pairs_for(bars, currencies, currency, rates, given, _bars_of)
    fx = rates_on(market.time, currencies, currency, pairs)
    market = replace(market, actions=tuple(actions), fx=fx)
    if not with_detail:
        return market, origins, []
    market, told = _with_detail(market, series, instruments)
    return market, origins, told


def _actions(series: Series, market: Market, column: int) -> list[Action]:
    """In the order in which they act on one bar: splits, dividends, margins, rolls."""
    bars, time = series.bars, market.time
    return [
        *(series.actions.placed(bars, time, column) if series.actions else ()),
        *(series.margins.placed(bars, time, column) if series.margins else ()),
        *placed(series.rolls, time, column),
    ]


Prices = TypeVar("Prices", bound=HasPeriod)
"""Bars, or a feed of them."""


def settled(
    currency: str,
    is_said: bool,
    currencies: Sequence[str],
    symbols: Sequence[str],
    rates: RateSources,
    given: Sequence[str] = (),
) -> str:
    """The currency that the account of a run is in.

    Where nobody says it, all instruments are in one, and no rate of exchange leads from it to the
    usual one, the account is in theirs.

    Parameters
    ----------
    currency : str
        That of the account as it is.
    is_said : bool
        Whether somebody said it.
    currencies : sequence of str
        Of the instruments.
    symbols, given : sequence of str
        Of the instruments, and of rates of exchange that a program gives.
    rates : RateSources
    """
    if is_said or len(set(currencies)) != 1 or currencies[0] == currency:
        return currency
    own = currencies[0]
    named = [*symbols, *given, *(source.symbol for source in rates.named)]
    pairs = [pair for name in named if (pair := pair_of(name)) is not None]
    try:
        links(own, currency, [*pairs, *_kept(rates.catalogue, 0)])
    except ConfigError:
        return own
    return currency


def settling(currency: str, cash: float, symbols: Sequence[str]) -> Remark:
    """That the account is in a currency which nobody said."""
    return Remark(
        f"the account is in {currency}, the currency of {', '.join(symbols[:5])}, because none was "
        f"said: cash {cash:,.0f} {currency}. Say it: account: {{currency: {currency}}}, "
        f"--currency {currency}; for another, give rates of exchange"
    )


def pairs_for(
    traded: Sequence[Prices],
    currencies: Sequence[str],
    into: str,
    rates: RateSources,
    given: Sequence[Prices],
    read: Callable[[Source, BarsRequest], tuple[Prices, Origin]],
) -> tuple[dict[Pair, Prices], list[Origin]]:
    """The pairs that lead to the account's currency: given, traded, or of the catalogue.

    Parameters
    ----------
    traded : sequence of bars or feeds
    currencies : sequence of str
        Of the instruments.
    into : str
        Currency of the account.
    rates : RateSources
    given : sequence of bars or feeds
        Pairs that go before all others.
    read : callable
        Reads a source.

    Raises
    ------
    ConfigError, DataError
        A pair is missing, or cannot be read.
    """
    foreign = sorted({currency for currency in currencies if currency != into})
    if not foreign:
        return {}, []
    known = [one.symbol for one in traded]
    told = [read(x, rates.whole) for x in rates.named if x.symbol not in known]
    found = {**pairs_of(traded), **pairs_of([one for one, _ in told]), **pairs_of(given)}
    origins = [origin for _, origin in told]
    for currency in foreign:
        try:
            links(currency, into, list(found))
        except ConfigError:
            kept = _kept(rates.catalogue, traded[0].period)
            for pair, _ in links(currency, into, [*found, *kept]):
                if pair not in found:
                    found[pair], origin = read(kept[pair], rates.whole)
                    origins.append(origin)
    return found, origins


def _bars_of(source: Source, request: BarsRequest) -> tuple[Bars, Origin]:
    one = read_one(source, request)
    return one.bars, one.origin


def _kept(root: str | None, period: int) -> dict[Pair, Source]:
    """The pairs of the catalogue, with bars of the run's length or else the shortest."""
    found: dict[Pair, Source] = {}
    listed = sorted(
        Catalogue(root).list(),
        key=lambda m: (m.period != period_text(period), parse_period(m.period)),
    )
    for manifest in listed:
        pair = pair_of(manifest.symbol)
        if pair is not None and pair not in found:
            found[pair] = Source(symbol=manifest.symbol, catalogue=root, period=manifest.period)
    return found


def require_detail(are_there: Sequence[bool], symbols: Sequence[str]) -> None:
    """Refuse the path policy `detail` where no instrument has lower bars.

    Raises
    ------
    ConfigError
        The message names the symbols.
    """
    if not any(are_there):
        raise ConfigError(
            f"account.path_policy: is 'detail', but there are no lower bars of "
            f"{', '.join(symbols)}; import some, or name a file: detail, beside the symbol under "
            "data"
        )


def _with_detail(
    market: Market,
    series: Sequence[Series],
    instruments: Sequence[Instrument],
) -> tuple[Market, list[str]]:
    bars = [s.detail for s in series]
    require_detail([one is not None for one in bars], market.symbols)
    detail, missing = detail_rows(market, bars, [x.tick_size for x in instruments])
    real = (~np.isnan(market.open)).sum(axis=0)
    return replace(market, detail=detail), guessed(market.symbols, missing, real)
