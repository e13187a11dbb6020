"""What the trials of a sweep stand on: markets, instruments and accounts, each made once.

A trial changes them through a tree of changes (`places.tree_of`); most change none of them.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from threading import RLock
from typing import Any, NamedTuple, TypeVar

import numpy as np

from intrabar.app.compose.kept_bars import Read, without_bars
from intrabar.app.compose.parameter_paths import changed
from intrabar.app.compose.run import assembled, make_account
from intrabar.app.compose.series import Origin, Series, hash_around, nanoseconds, read_series
from intrabar.app.compose.traded import Said, like
from intrabar.app.config.file import validated
from intrabar.app.config.model import Config
from intrabar.app.folders import saving
from intrabar.data.manifest import content_hash
from intrabar.engine.prepared import Prepared
from intrabar.errors import IntrabarError, NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.research.sweep.ledger import Data
from intrabar.sim.account import Account

T = TypeVar("T")
Tree = Mapping[Any, Any]

# Of an instrument: what the market is made of, beside what trading it costs.
OF_MARKET = ("calendar", "currency", "kind", "tick_size")
KEPT = 8  # grounds


class Base(NamedTuple):
    """What a trial stands on.

    Parameters
    ----------
    prepared : Prepared
    instruments : tuple of Instrument
    account : Account
    given : saving.RunInputs
        From which its runs are made again.
    """

    prepared: Prepared
    instruments: tuple[Instrument, ...]
    account: Account
    given: saving.RunInputs


class Known(NamedTuple):
    """What is known of the bars of a trial, also where they make no market."""

    data: Data
    around: str


class Told(NamedTuple):
    """What the bars of a market tell: instruments, the account's currency; where they are."""

    instruments: tuple[Instrument, ...]
    currency: str
    bars: tuple[Series | Read, ...]
    more: tuple[Origin, ...]


class MarketCache:
    """The grounds of a sweep.

    Parameters
    ----------
    config : Config
    series : sequence of Series, optional
        Bars that a program gives; None: read what the configuration names.
    rates : sequence of Bars
        Currency pairs that go before those of the configuration.
    instruments : {symbol: Instrument}
        Those that a program gives as objects.
    """

    def __init__(
        self,
        config: Config,
        series: Sequence[Series] | None,
        rates: Sequence[Bars],
        instruments: Mapping[str, Instrument],
    ) -> None:
        self._config, self._series, self._rates = config, series, rates
        self._instruments = instruments
        self._markets: OrderedDict[str, Prepared] = OrderedDict()
        self._grounds: OrderedDict[str, Base] = OrderedDict()
        self._known: dict[str, Known] = {}
        self._told: dict[str, Told] = {}
        self._most = KEPT
        self._lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = RLock()

    def of(self, tree: Tree) -> Base:
        """What the run of these changes stands on.

        Raises
        ------
        UsageError, DataError
            They make none.
        """
        name = _name(tree) if tree else ""
        with self._lock:
            return _once(self._grounds, name, lambda: self._new(tree), self._most)

    def known(self, tree: Tree) -> Known:
        """The bars of these changes; nameless ones where there are none."""
        name = self._market_name(tree)
        with self._lock:
            if name not in self._known:
                try:
                    self._market(tree, name)
                except IntrabarError:  # the trial will say so itself
                    self._known[name] = Known(Data(""), "")
            return self._known[name]

    def read(self, trees: Iterable[Tree]) -> None:
        """Make the markets of these changes, and keep them all."""
        for tree in trees:
            self._most = max(self._most, len(self._markets) + 1)
            with self._lock, suppress(IntrabarError):  # the trial will say so itself
                self._market(tree, self._market_name(tree))

    def _new(self, tree: Tree) -> Base:
        config = self._changed(tree)
        prepared = self._market(tree, self._market_name(tree))
        known = self._told[self._market_name(tree)]
        symbols = prepared.market.symbols
        said = dict(zip(symbols, self._said(config, tree, symbols), strict=True))
        instruments = tuple(
            like(base, one) for base, one in zip(known.instruments, said.values(), strict=True)
        )
        money = config.account.model_copy(update={"currency": known.currency})
        config = config.model_copy(update={"account": money})
        given = saving.RunInputs(config, known.bars, said, tuple(self._rates), known.more)
        return Base(prepared, instruments, make_account(money), given)

    def _changed(self, tree: Tree) -> Config:
        return validated(Config, changed(self._config, tree)) if tree else self._config

    def _market_name(self, tree: Tree) -> str:
        """The changes that make another market."""
        if not tree:
            return ""
        money = tree.get("account", {})
        costs = tree.get("instruments", {})
        own = {name: over for name, over in tree.items() if name not in ("account", "instruments")}
        own["currency"] = money.get("currency")
        policy = money.get("path_policy", self._config.account.path_policy)
        own["detail"] = policy == "detail"
        own["instruments"] = [
            [symbol, name, value]
            for symbol, over in costs.items()
            for name, value in over.items()
            if name in OF_MARKET
        ]
        unchanged = own == {
            "currency": None,
            "detail": self._config.account.path_policy == "detail",
            "instruments": [],
        }
        return "" if unchanged else _name(own)

    def _market(self, tree: Tree, name: str) -> Prepared:
        return _once(self._markets, name, lambda: self._new_market(tree, name), self._most)

    def _new_market(self, tree: Tree, name: str) -> Prepared:
        config = self._changed(tree)
        series = read_series(config) if self._series is None else self._given(config)
        symbols = [s.bars.symbol for s in series]
        said = dict(zip(symbols, self._said(config, tree, symbols), strict=True))
        market, instruments, config, more, _ = assembled(series, said, config, self._rates)
        bars = tuple(without_bars(s) for s in series)
        self._told[name] = Told(instruments, config.account.currency, bars, tuple(more))
        around = "".join(hash_around(s) for s in series)
        if market.fx is not None:
            around += sha256(market.fx.tobytes()).hexdigest()
        self._known[name] = Known(data_of(series), around)
        return Prepared(market, tuple(x.calendar for x in instruments), keeps=True)

    def _given(self, config: Config) -> list[Series]:
        assert self._series is not None
        first, last = nanoseconds(config.start), nanoseconds(config.end, end=True)
        given = {s.bars.symbol: s for s in self._series}
        for symbol in config.traded:
            if symbol not in given:
                raise NotFoundError("symbol", symbol, given)
        wanted = [given[symbol] for symbol in config.traded or given]
        return [replace(s, bars=s.bars.between(first, last)) for s in wanted]

    def _said(self, config: Config, tree: Tree, symbols: Sequence[str]) -> list[Said]:
        over = tree.get("instruments", {})
        return [
            replace(self._instruments[symbol], **over.get(symbol, {}))
            if symbol in self._instruments
            else config.instruments.get(symbol, {})
            for symbol in symbols
        ]


def _once(kept: OrderedDict[str, T], name: str, make: Callable[[], T], most: int) -> T:
    """Made at the first time that it is asked for; the latest are kept."""
    if name not in kept:
        kept[name] = make()
        if len(kept) > most:
            kept.popitem(last=False)
    kept.move_to_end(name)
    return kept[name]


def _name(what: Any) -> str:
    return json.dumps(what, sort_keys=True)


def data_hash(contents: Mapping[str, str]) -> str:
    """Content hash of the bars of several symbols, from that of each, in order."""
    told = "".join(f"{symbol} {content}\n" for symbol, content in contents.items())
    return sha256(told.encode()).hexdigest()


def data_of(series: Sequence[Series]) -> Data:
    """The record of the bars that a trial runs on."""
    contents = {s.bars.symbol: content_hash(s.bars) for s in series}
    first = min(int(s.bars.close_time[0]) for s in series)
    last = max(int(s.bars.close_time[-1]) for s in series)
    symbols = tuple(s.bars.symbol for s in series)
    bars = max(len(s.bars) for s in series)
    return Data(data_hash(contents), symbols, bars, _utc(first), _utc(last))


def _utc(ns: int) -> str:
    return f"{np.datetime64(ns // 10**9, 's')}Z"
