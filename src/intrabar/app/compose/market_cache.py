"""What the trials of a sweep stand on: markets, instruments and accounts, each made once.

A trial changes them through a tree (`parameter_paths.tree_of`); most change none of them.
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
from intrabar.app.compose.options import make_account
from intrabar.app.compose.parameter_paths import changed
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.run_inputs import RunInputs
from intrabar.app.compose.sources import nanoseconds
from intrabar.app.config.file import validated
from intrabar.app.config.model import Config
from intrabar.data.manifest import content_hash
from intrabar.data.series import Origin, Series
from intrabar.data.traded import Said, like
from intrabar.engine.prepared import Prepared
from intrabar.errors import IntrabarError
from intrabar.model.instrument import Instrument
from intrabar.research.sweep.ledger import Data
from intrabar.risk.limits import Limits
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
    given : RunInputs or None
        From which its runs are made again.
    risk : Limits or None
    trade_from : int, ns UTC, or None
    """

    prepared: Prepared
    instruments: tuple[Instrument, ...]
    account: Account
    given: RunInputs | None
    risk: Limits | None
    trade_from: int | None


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
    recipe : Recipe
        The run that the changes are made to; its strategies are not looked at.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
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
        recipe, name = self._changed(tree), self._market_name(tree)
        prepared = self._market(tree, name)
        known = self._told[name]
        instruments = tuple(
            like(base, recipe.said.get(base.symbol, {})) for base in known.instruments
        )
        account = replace(recipe.account, currency=known.currency)
        memory = recipe.memory(known.currency, known.bars, known.more)
        begins = nanoseconds(recipe.config.trade_from)
        return Base(prepared, instruments, account, memory, recipe.config.limits, begins)

    def _changed(self, tree: Tree) -> Recipe:
        """The recipe with changes, and of what is said of symbols that which concerns its own."""
        recipe = self._recipe
        if tree:
            config = validated(Config, changed(recipe.config, tree))
            recipe = replace(recipe, config=config, account=make_account(config.account))
        over = tree.get("instruments", {})
        said = {s: self._said(recipe.config, s, over) for s in recipe.symbols}
        around = {
            place: {s: one for s, one in by_symbol.items() if s in said}
            for place, by_symbol in recipe.around.items()
        }
        return replace(recipe, said=said, around=around)

    def _said(self, config: Config, symbol: str, over: Mapping[str, Any]) -> Said:
        own = self._recipe.said.get(symbol)
        if isinstance(own, Instrument):
            return replace(own, **over.get(symbol, {}))
        return config.instruments.get(symbol, {})

    def _market_name(self, tree: Tree) -> str:
        """The changes that make another market."""
        if not tree:
            return ""
        money = tree.get("account", {})
        costs = tree.get("instruments", {})
        other = ("account", "instruments", "risk")
        own = {name: over for name, over in tree.items() if name not in other}
        own["currency"] = money.get("currency")
        policy = money.get("path_policy", self._recipe.config.account.path_policy)
        own["detail"] = policy == "detail"
        own["instruments"] = [
            [symbol, name, value]
            for symbol, over in costs.items()
            for name, value in over.items()
            if name in OF_MARKET
        ]
        unchanged = own == {
            "currency": None,
            "detail": self._recipe.config.account.path_policy == "detail",
            "instruments": [],
        }
        return "" if unchanged else _name(own)

    def _market(self, tree: Tree, name: str) -> Prepared:
        return _once(self._markets, name, lambda: self._new_market(tree, name), self._most)

    def _new_market(self, tree: Tree, name: str) -> Prepared:
        recipe = self._changed(tree)
        made = recipe.traded_market()
        bars = tuple(without_bars(s) for s in made.series)
        self._told[name] = Told(made.instruments, made.account.currency, bars, made.origins)
        around = "".join(s.around for s in made.series)
        if made.market.fx is not None:
            around += sha256(made.market.fx.tobytes()).hexdigest()
        if recipe.config.session_end != "bars":
            around += recipe.config.session_end
        self._known[name] = Known(data_of(made.series), around)
        return Prepared(made.market, tuple(x.calendar for x in made.instruments), keeps=True)


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
