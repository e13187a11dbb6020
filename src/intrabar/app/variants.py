"""From the values of a trial to a run: what a sweep changes of a configuration, and what it shares.

Markets, accounts and instruments are made once for the values that decide them. A trial's key is
the content hash of all that decides its run, so the same variant has the same key in every sweep.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from threading import RLock
from typing import Any

import numpy as np

from intrabar.app.around import market_of
from intrabar.app.bars_in import Series, hash_around, nanoseconds, read_series
from intrabar.app.compose import is_open, make_account, make_instrument
from intrabar.app.config import Config
from intrabar.app.config_file import validated
from intrabar.app.makers import Maker, state_of
from intrabar.app.places import Path as Place
from intrabar.app.places import canonical, changed, paths_of, tree_of
from intrabar.app.provenance import package_code
from intrabar.data.manifest import content_hash
from intrabar.engine.backtest import Setup
from intrabar.engine.prepared import Prepared
from intrabar.errors import NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.research.lean import Variant
from intrabar.research.ledger import Data
from intrabar.research.trial import Value

# Of an instrument: what the market is made of, beside what trading it costs.
OF_MARKET = ("calendar", "currency", "tick_size")


class Variants:
    """The runs of a sweep.

    Parameters
    ----------
    config : Config
    makers : sequence of Maker
        Of the strategies, in the order in which they act.
    places : sequence of str
        The parameters that are swept.
    symbols : sequence of str
        All that may be traded.
    series : sequence of Series, optional
        Bars that a program gives; None: read what the configuration names.
    rates : sequence of Bars
        Currency pairs that go before those of the configuration.
    instruments : {symbol: Instrument}
        Those that a program gives as objects.

    Raises
    ------
    NotFoundError
        There is no such parameter.
    """

    def __init__(
        self,
        config: Config,
        makers: Sequence[Maker],
        places: Sequence[str],
        symbols: Sequence[str],
        series: Sequence[Series] | None = None,
        rates: Sequence[Bars] = (),
        instruments: Mapping[str, Instrument] | None = None,
    ) -> None:
        self.config, self.makers = config, list(makers)
        self.paths: dict[str, tuple[Place, ...]] = {
            place: paths_of(place, self.makers, symbols) for place in places
        }
        self._series, self._rates = series, list(rates)
        self._instruments = dict(instruments or {})
        self._base = self._told()
        self._forget()

    def _forget(self) -> None:
        self._made: dict[str, Any] = {}
        self._lock = RLock()

    def __getstate__(self) -> dict[str, Any]:
        # What is worked out from the bars is worked out again where it is needed.
        kept = dict(self.__dict__)
        del kept["_lock"]
        kept["_made"] = {k: v for k, v in self._made.items() if isinstance(v, _Ground)}
        return kept

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = RLock()

    def key(self, parameters: Mapping[str, Value]) -> str:
        """Content hash of code, data, configuration and parameters."""
        told = dict(self._base)
        for place, value in parameters.items():
            for path in self.paths[place]:
                told[canonical(path)] = _text(value)
        ground = self._ground(self._tree(parameters))
        told |= {"data": ground.data.hash, "around": ground.around}
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def data(self, parameters: Mapping[str, Value]) -> Data:
        """The bars that these values run on."""
        return self._ground(self._tree(parameters)).data

    def make(self, parameters: Mapping[str, Value]) -> Variant:
        """The run of these values.

        Raises
        ------
        UsageError, DataError, StrategyError
            They make none.
        """
        tree = self._tree(parameters)
        ground = self._ground(tree)
        config = self._config(tree)
        money = self._once(("account", tree.get("account")), lambda: make_account(config.account))
        traded = self._once(
            ("instruments", ground.prepared.market.symbols, tree.get("instruments")),
            lambda: self._traded(config, tree, ground.prepared.market.symbols),
        )
        over = tree.get("strategies", {})
        strategies = {
            maker.label: maker.make(over.get(k, {}), ground.prepared)
            for k, maker in enumerate(self.makers)
        }
        setup = Setup(ground.prepared.market, traded, strategies, money, is_open)
        return Variant(setup, ground.prepared)

    def _tree(self, parameters: Mapping[str, Value]) -> dict[Any, Any]:
        return tree_of((p, v) for place, v in parameters.items() for p in self.paths[place])

    def _config(self, tree: Mapping[Any, Any]) -> Config:
        own = {name: over for name, over in tree.items() if name != "strategies"}
        if not own:
            return self.config
        made: Config = self._once(
            ("config", own), lambda: validated(Config, changed(self.config, own))
        )
        return made

    def _ground(self, tree: Mapping[Any, Any]) -> _Ground:
        """The market of a trial."""
        own = {name: over for name, over in tree.items() if name not in ("strategies", "account")}
        money = tree.get("account", {})
        own["account"] = {"currency": money.get("currency")}
        own["detail"] = money.get("path_policy") == "detail"
        own["instruments"] = {
            symbol: {name: value for name, value in over.items() if name in OF_MARKET}
            for symbol, over in own.get("instruments", {}).items()
        }
        made: _Ground = self._once(("ground", own), lambda: self._new_ground(tree))
        return made

    def _new_ground(self, tree: Mapping[Any, Any]) -> _Ground:
        config = self._config(tree)
        if self._series is None:
            series = read_series(config)
        else:
            first, last = nanoseconds(config.start), nanoseconds(config.end, end=True)
            given = {s.bars.symbol: s for s in self._series}
            for symbol in config.traded:
                if symbol not in given:
                    raise NotFoundError("symbol", symbol, given)
            wanted = [given[symbol] for symbol in config.traded or given]
            series = [replace(s, bars=s.bars.between(first, last)) for s in wanted]
        instruments = self._traded(config, tree, [s.bars.symbol for s in series])
        market, _, _ = market_of(series, instruments, config, self._rates)
        prepared = Prepared(market, tuple(x.calendar for x in instruments), keeps=True)
        around = "".join(hash_around(s) for s in series)
        if market.fx is not None:
            around += sha256(market.fx.tobytes()).hexdigest()
        return _Ground(prepared, _data(series), around)

    def _traded(
        self, config: Config, tree: Mapping[Any, Any], symbols: Sequence[str]
    ) -> tuple[Instrument, ...]:
        over = tree.get("instruments", {})
        return tuple(
            replace(self._instruments[symbol], **over.get(symbol, {}))
            if symbol in self._instruments
            else make_instrument(symbol, config.instruments.get(symbol, {}))
            for symbol in symbols
        )

    def _once(self, what: Any, make: Callable[[], Any]) -> Any:
        """Made at the first time that it is asked for."""
        name = json.dumps(what, sort_keys=True, default=str)
        with self._lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def _told(self) -> dict[str, str]:
        """What decides every run beside data and parameters, place by place."""
        config = self.config.model_dump(mode="json", by_alias=True)
        told = {"code": package_code()}
        told |= _leaves(("account",), config["account"])
        told |= _leaves(("instruments",), config["instruments"])
        for symbol, instrument in self._instruments.items():
            told |= _leaves(("instruments", symbol), state_of(instrument))
        for k, maker in enumerate(self.makers):
            told[f"strategies[{k}]"] = maker.label
            told |= _leaves(("strategies", k), maker.told())
        return told


class _Ground:
    """A market with what is known of its bars."""

    def __init__(self, prepared: Prepared, data: Data, around: str) -> None:
        self.prepared, self.data, self.around = prepared, data, around


def data_hash(contents: Mapping[str, str]) -> str:
    """Content hash of the bars of several symbols, from that of each, in order."""
    told = "".join(f"{symbol} {content}\n" for symbol, content in contents.items())
    return sha256(told.encode()).hexdigest()


def _data(series: Sequence[Series]) -> Data:
    contents = {s.bars.symbol: content_hash(s.bars) for s in series}
    first, last = series[0].bars.close_time[[0, -1]]
    return Data(
        data_hash(contents),
        tuple(s.bars.symbol for s in series),
        len(series[0].bars),
        _utc(first),
        _utc(last),
    )


def _utc(ns: int) -> str:
    return f"{np.datetime64(int(ns) // 10**9, 's')}Z"


def _leaves(path: Place, given: Any) -> dict[str, str]:
    if isinstance(given, Mapping) and given:
        found = {}
        for key, value in given.items():
            found.update(_leaves((*path, str(key)), value))
        return found
    return {canonical(path): _text(state_of(given))}


def _text(value: Any) -> str:
    """A value for a key; 3 and 3.0 are one."""
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)
