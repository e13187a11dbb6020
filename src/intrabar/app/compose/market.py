"""Series onto one market: bars, actions, rates of exchange and lower bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from intrabar.app.compose.series import Origin, Series, read_one
from intrabar.app.config.model import Config, Source
from intrabar.data.catalogue import Catalogue
from intrabar.data.continuous import placed
from intrabar.data.detail import detail_rows
from intrabar.data.instruments import pair_of
from intrabar.data.periods import parse_period, period_text
from intrabar.data.rates import Pair, links, pairs_of, rates_on
from intrabar.data.timeline import HasPeriod, market_from_bars
from intrabar.errors import ConfigError
from intrabar.model.bars import Action, Bars, Market, Times
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark


def market_of(
    series: Sequence[Series],
    instruments: Sequence[Instrument],
    config: Config,
    rates: Sequence[Bars] = (),
) -> tuple[Market, list[Origin], list[str]]:
    """The market of a run.

    Parameters
    ----------
    series : sequence of Series
        In the order of the instruments.
    instruments : sequence of Instrument
    config : Config
        Says the account and where rates of exchange are.
    rates : sequence of Bars
        Currency pairs that go before those of the configuration.

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
    market = market_from_bars([s.bars for s in series])
    actions = [a for j, s in enumerate(series) for a in _actions(s, market, j)]
    actions.sort(key=lambda action: action.bar)
    account = config.account.currency
    currencies = [x.currency for x in instruments]
    pairs, origins = pairs_for([s.bars for s in series], currencies, config, rates, _bars_of)
    fx = rates_on(market.time, currencies, account, pairs)
    market = replace(market, actions=tuple(actions), fx=fx)
    if config.account.path_policy != "detail":
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
    config: Config, currencies: Sequence[str], symbols: Sequence[str], given: Sequence[str] = ()
) -> tuple[Config, tuple[Remark, ...]]:
    """A configuration whose account is in a currency that the run can be settled in.

    Where nobody says the account's currency, all instruments are in one, and no rate of exchange
    leads from it to the usual one, the account is in theirs.

    Parameters
    ----------
    config : Config
    currencies : sequence of str
        Of the instruments.
    symbols, given : sequence of str
        Of the instruments, and of rates of exchange that a program gives.
    """
    account = config.account
    if "currency" in account.model_fields_set or set(currencies) in ({account.currency}, set()):
        return config, ()
    if len(set(currencies)) > 1:
        return config, ()
    own = currencies[0]
    named = [*symbols, *given, *(source.symbol for source in config.rates)]
    pairs = [pair for name in named if (pair := pair_of(name)) is not None]
    try:
        links(own, account.currency, [*pairs, *_kept(config, 0)])
    except ConfigError:
        text = (
            f"the account is in {own}, the currency of {', '.join(symbols[:5])}, because none was "
            f"said: cash {account.cash:,.0f} {own}. Say it: account: {{currency: {own}}}, "
            f"--currency {own}; for another, give rates of exchange"
        )
        money = account.model_copy(update={"currency": own})
        return config.model_copy(update={"account": money}), (Remark(text),)
    return config, ()


def pairs_for(
    traded: Sequence[Prices],
    currencies: Sequence[str],
    config: Config,
    given: Sequence[Prices],
    read: Callable[[Source, Config], tuple[Prices, Origin]],
) -> tuple[dict[Pair, Prices], list[Origin]]:
    """The pairs that lead to the account's currency: given, traded, or of the catalogue.

    Parameters
    ----------
    traded : sequence of bars or feeds
    currencies : sequence of str
        Of the instruments.
    config : Config
    given : sequence of bars or feeds
        Pairs that go before all others.
    read : callable
        Reads a source.

    Raises
    ------
    ConfigError, DataError
        A pair is missing, or cannot be read.
    """
    into = config.account.currency
    foreign = sorted({currency for currency in currencies if currency != into})
    if not foreign:
        return {}, []
    plain = config.account.model_copy(update={"path_policy": "worst"})  # needs no lower bars
    whole = {"start": None, "end": None, "period": None, "account": plain}
    open_ended = config.model_copy(update=whole)
    known = [one.symbol for one in traded]
    told = [read(x, open_ended) for x in config.rates if x.symbol not in known]
    found = {**pairs_of(traded), **pairs_of([one for one, _ in told]), **pairs_of(given)}
    origins = [origin for _, origin in told]
    for currency in foreign:
        try:
            links(currency, into, list(found))
        except ConfigError:
            kept = _kept(config, traded[0].period)
            for pair, _ in links(currency, into, [*found, *kept]):
                if pair not in found:
                    found[pair], origin = read(kept[pair], open_ended)
                    origins.append(origin)
    return found, origins


def _bars_of(source: Source, config: Config) -> tuple[Bars, Origin]:
    one = read_one(source, config)
    return one.bars, one.origin


def _kept(config: Config, period: int) -> dict[Pair, Source]:
    """The pairs of the catalogue, with bars of the run's length or else the shortest."""
    root = next((s.catalogue for s in config.data if s.catalogue), None)
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


def guessed(symbols: Sequence[str], missing: Times, real: Times) -> list[str]:
    """How many of the bars of each instrument have no lower bars, in words."""
    return [
        f"{symbol}: {none:,} of {all_:,} bars have no lower bars that agree with them; their path "
        "is the shortest"
        for symbol, none, all_ in zip(symbols, missing, real, strict=True)
        if none
    ]
