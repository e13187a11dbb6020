"""From settings to a run: the one place where bars, instruments, strategies and money meet.

A configuration, a call, a sweep and a run in chunks each make a `Recipe`, and take from it what
they run. What is found out while bars are read never goes back into the configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.app.compose.bars import around_of, series_in, with_around
from intrabar.app.compose.kept_bars import Read, without_bars
from intrabar.app.compose.options import (
    RunOptions,
    around_given,
    config_and_account,
    make_account,
    rates_given,
)
from intrabar.app.compose.run_inputs import RunInputs, Store
from intrabar.app.compose.sources import nanoseconds, rate_sources, request_of, sources_of
from intrabar.app.compose.strategies import in_zone, make_strategies
from intrabar.app.config.model import Config
from intrabar.data.feeds import Fed, fed, rates_for, read_feeds
from intrabar.data.market import market_of, require_detail, settled, settling
from intrabar.data.pieces import WholeFeed
from intrabar.data.series import Origin, Series
from intrabar.data.series_reading import read_series
from intrabar.data.traded import Said, traded
from intrabar.engine.chunks.setup import ChunkedSetup
from intrabar.engine.run import Setup
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars, Market, Times
from intrabar.model.enums import PathPolicy
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.research.look_ahead.audit import Make
from intrabar.sim.account import Account
from intrabar.strategy.registry import AnyStrategy


@dataclass(frozen=True, eq=False)
class Composed:
    """A run that can begin, where its bars came from, and what its file asks for in vain."""

    setup: Setup
    origins: list[Origin]
    remarks: list[str]


@dataclass(frozen=True, eq=False)
class ComposedChunks:
    """The same of a run in chunks."""

    setup: ChunkedSetup
    origins: list[Origin]
    remarks: list[str]


class Terms(NamedTuple):
    """What is known of a run before its bars are laid out.

    Parameters
    ----------
    instruments : tuple of Instrument
        In the order of the bars.
    currency : str
        Of the account.
    remarks : tuple of Remark
    """

    instruments: tuple[Instrument, ...]
    currency: str
    remarks: tuple[Remark, ...]


class TradedMarket(NamedTuple):
    """The bars of a run on one market, and what trades them.

    Parameters
    ----------
    market : Market
    instruments : tuple of Instrument
        In the order of its columns.
    account : Account
        Its currency is settled.
    series : tuple of Series
    origins : tuple of Origin
        Of the rates of exchange that were read.
    remarks : tuple of Remark
    """

    market: Market
    instruments: tuple[Instrument, ...]
    account: Account
    series: tuple[Series, ...]
    origins: tuple[Origin, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, eq=False)
class Recipe:
    """All that decides a run, before any bars are read.

    Parameters
    ----------
    config : Config
    strategies : {label: strategy}
    account : Account
        Its currency, where nobody says it, is settled by the instruments.
    said : {symbol: Said}
        Of instruments.
    series : tuple of Series or None
        Bars that a program gives; None: those that the configuration names are read.
    around : {"actions", "margins", "detail": {symbol: what is around its bars}}
        What a program gives of it.
    rates : tuple of Bars
        Currency pairs that go before those of the configuration.
    remarks : tuple of str
        What the configuration asks for in vain.
    store : callable or None
        Stores a run of it; None where whoever runs it does that.
    """

    config: Config
    strategies: Mapping[str, AnyStrategy]
    account: Account
    said: Mapping[str, Said]
    series: tuple[Series, ...] | None = None
    around: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rates: tuple[Bars, ...] = ()
    remarks: tuple[str, ...] = ()
    store: Store | None = None

    @classmethod
    def of_config(cls, config: Config, remarks: Sequence[str] = ()) -> Recipe:
        """The run that a configuration describes.

        Raises
        ------
        UsageError
            A name or a value is wrong; the message names its place.
        """
        strategies = make_strategies(config.strategies)
        account = make_account(config.account)
        return cls(config, strategies, account, config.instruments, remarks=tuple(remarks))

    @classmethod
    def of_call(
        cls,
        strategies: Mapping[str, AnyStrategy] | None,
        data: Any,
        given: RunOptions,
        store: Store | None = None,
    ) -> Recipe:
        """The run that a call in Python describes.

        Parameters
        ----------
        strategies : {label: strategy} or None
            None: those of the configuration.
        data : as in `backtest`
        given : RunOptions
        store : callable, optional

        Raises
        ------
        UsageError, DataError
        """
        config, account, said = config_and_account(given)
        around = around_given(given)
        series = None if data is None else tuple(series_in(data, config))
        rates = rates_given(around.pop("rates"), config)
        if strategies is None:
            strategies = make_strategies(config.strategies)
        return cls(config, strategies, account, said, series, around, rates, store=store)

    @property
    def symbols(self) -> list[str]:
        """The traded ones, in order."""
        if self.series is None:
            return self.config.traded
        return self.config.symbols or [one.symbol for one in self.series]

    def whole(self, make: Make | None = None) -> Composed:
        """The run at one go.

        Parameters
        ----------
        make : function of the market, optional
            Its strategies, in the place of those of the recipe.

        Raises
        ------
        UsageError
            A name or a value is wrong; the message names its place.
        DataError
            The bars cannot be used.
        """
        base = self.traded_market()
        strategies = self.strategies if make is None else make(base.market)
        setup = Setup(
            base.market,
            base.instruments,
            in_zone(strategies, self.config.zone),
            base.account,
            is_open,
            remarks=base.remarks,
            given=self.memory(
                base.account.currency, [without_bars(s) for s in base.series], base.origins
            ),
            trade_from=nanoseconds(self.config.trade_from),
            risk=self.config.limits,
        )
        origins = [*(s.origin for s in base.series), *base.origins]
        return Composed(setup, origins, list(self.remarks))

    def chunked(self, chunk: int) -> ComposedChunks:
        """The run in chunks of so many bars, which are read as they come.

        Raises
        ------
        UsageError, DataError
            As `whole`.
        """
        if self.config.calibrated:
            raise ConfigError(
                "calibrated: the expected result needs the run many times over; run without chunk"
            )
        found = self._feeds()
        terms = self._terms(found)
        if self.account.path_policy is PathPolicy.DETAIL:
            there = [one.alongside.detail is not None for one in found]
            require_detail(there, [one.symbol for one in found])
        pairs, origins = rates_for(
            found,
            terms.instruments,
            terms.currency,
            rate_sources(self.config),
            [WholeFeed(bars) for bars in self.rates],
        )
        setup = ChunkedSetup(
            tuple(one.feed for one in found),
            terms.instruments,
            in_zone(self.strategies, self.config.zone),
            replace(self.account, currency=terms.currency),
            chunk,
            is_open,
            tuple(one.alongside for one in found),
            pairs,
            terms.remarks,
            self.config.session_end,
            self.config.limits,
            nanoseconds(self.config.trade_from),
        )
        return ComposedChunks(setup, [*(one.origin for one in found), *origins], list(self.remarks))

    def traded_market(self) -> TradedMarket:
        """The bars on one market, with what trades them.

        Raises
        ------
        UsageError, DataError
        """
        series = self._series()
        terms = self._terms(series)
        market, origins, guesses = market_of(
            series,
            terms.instruments,
            terms.currency,
            rate_sources(self.config),
            self.rates,
            self.account.path_policy is PathPolicy.DETAIL,
            self.config.session_end,
        )
        remarks = dict.fromkeys((*terms.remarks, *map(Remark, guesses)))
        account = replace(self.account, currency=terms.currency)
        return TradedMarket(
            market, terms.instruments, account, tuple(series), tuple(origins), tuple(remarks)
        )

    def memory(
        self, currency: str, bars: Sequence[Series | Read], origins: Sequence[Origin]
    ) -> RunInputs | None:
        """From what a run is made again; None where whoever runs it stores it."""
        if self.store is None:
            return None
        money = self.config.account.model_copy(update={"currency": currency})
        config = self.config.model_copy(update={"account": money})
        return RunInputs(config, tuple(bars), self.said, self.rates, tuple(origins), self.store)

    def _series(self) -> list[Series]:
        """The bars of every traded symbol, between the dates, with what is around them."""
        request = request_of(self.config, self.said)
        if self.series is None:
            found = read_series(sources_of(self.config), request)
        else:
            found = [
                replace(one, bars=one.bars.between(request.first, request.last))
                for one in chosen(self.series, self.config.symbols)
            ]
        return [with_around(one, self.config, self.around) for one in found]

    def _feeds(self) -> list[Fed]:
        """The same, read as they come where they can be."""
        if self.series is not None:
            return [fed(one) for one in self._series()]
        found = []
        for one in read_feeds(sources_of(self.config), request_of(self.config, self.said)):
            own = around_of(one.symbol, self.config, self.around)
            if "detail" in own:
                own["detail"] = WholeFeed(own["detail"])
            found.append(replace(one, alongside=replace(one.alongside, **own)))
        return found

    def _terms(self, found: Sequence[Series | Fed]) -> Terms:
        """The instruments of bars, the account's currency, and what there is to say of both."""
        symbols = [one.symbol for one in found]
        require_traded(symbols, {"instruments": self.said, **self.around})
        instruments, told = traded([one.seen for one in found], self.said)
        said = "currency" in self.config.account.model_fields_set
        currency = settled(
            self.account.currency,
            said,
            [x.currency for x in instruments],
            symbols,
            rate_sources(self.config),
            [bars.symbol for bars in self.rates],
        )
        remarks = [*(remark for one in found for remark in one.odd), *told]
        if currency != self.account.currency:
            remarks.append(settling(currency, self.account.cash, symbols))
        return Terms(instruments, currency, tuple(dict.fromkeys(remarks)))


def chosen(series: Sequence[Series], symbols: Sequence[str]) -> list[Series]:
    """The series of symbols, or all where none is named.

    Raises
    ------
    NotFoundError
        There is none of a symbol.
    """
    known = {one.symbol: one for one in series}
    for symbol in symbols:
        if symbol not in known:
            raise NotFoundError("symbol", symbol, known)
    return [known[symbol] for symbol in symbols] if symbols else list(series)


def require_traded(symbols: Sequence[str], named: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse what is said of a symbol that is not traded.

    Parameters
    ----------
    symbols : sequence of str
        The traded ones.
    named : {place: {symbol: anything}}

    Raises
    ------
    NotFoundError
    """
    for place, by_symbol in named.items():
        for symbol in by_symbol:
            if symbol not in symbols:
                raise NotFoundError(f"symbol in {place}", symbol, symbols)


def is_open(calendar: str, instants: Times) -> NDArray[np.bool_]:
    """Whether instants lie in a session; calendars are loaded when a gate first asks."""
    from intrabar.data import calendars

    return calendars.is_open(calendar, instants)
