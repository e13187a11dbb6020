"""From the values of a trial to a run, and to its key.

The key is the content hash of all that decides the run, so that the same variant has the same key
in every sweep.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import product
from typing import Any

from intrabar.app.compose.factories import Maker, state_of
from intrabar.app.compose.market_cache import MarketCache
from intrabar.app.compose.parameter_paths import Path as Place
from intrabar.app.compose.parameter_paths import canonical, paths_of, tree_of
from intrabar.app.compose.recipe import Recipe, is_open
from intrabar.app.compose.strategies import in_zone
from intrabar.engine.run import Setup
from intrabar.engine.tables.lessons import content_of
from intrabar.model.instrument import Instrument
from intrabar.research.sweep.lean import Variant
from intrabar.research.sweep.ledger import Data
from intrabar.research.sweep.space import Axis
from intrabar.research.sweep.trial import Value
from intrabar.sources import package_code


class Variants:
    """The runs of a sweep.

    Parameters
    ----------
    recipe : Recipe
        Of everything but the strategies.
    makers : sequence of Maker
        Of the strategies, in the order in which they act.
    places : sequence of str
        The parameters that are swept.
    symbols : sequence of str
        All that may be traded.

    Raises
    ------
    NotFoundError
        There is no such parameter.
    """

    def __init__(
        self,
        recipe: Recipe,
        makers: Sequence[Maker],
        places: Sequence[str],
        symbols: Sequence[str],
    ) -> None:
        self.makers = list(makers)
        self.zone = zone = recipe.config.zone
        self.grounds = MarketCache(recipe)
        every = {place: paths_of(place, self.makers, symbols) for place in places}
        # Most trials change strategies alone.
        self._of_strategies = {
            place: [path[1:] for path in paths if path[0] == "strategies"]
            for place, paths in every.items()
        }
        self._of_ground = {
            place: own
            for place, paths in every.items()
            if (own := [path for path in paths if path[0] != "strategies"])
        }
        named = {place: [canonical(path) for path in paths] for place, paths in every.items()}
        told = _told(recipe, self.makers)
        told |= {} if zone is None else {"zone": str(zone)}
        told |= {name: "" for names in named.values() for name in names}
        self._lines = [f"{name}={text}" for name, text in sorted(told.items())]
        at = {name: row for row, name in enumerate(sorted(told))}
        self._rows = {place: [(at[n], n) for n in names] for place, names in named.items()}

    def key(self, parameters: Mapping[str, Value]) -> str:
        """Content hash of code, data, configuration and parameters."""
        lines = self._lines.copy()
        for place, value in parameters.items():
            text = _text(value)
            text += content_of(place, value)
            for row, name in self._rows[place]:
                lines[row] = f"{name}={text}"
        data, around = self.grounds.known(self._tree(parameters))
        lines.append(f"{data.hash} {around}")
        return sha256("\n".join(lines).encode()).hexdigest()

    def data(self, parameters: Mapping[str, Value]) -> Data:
        """The bars that these values run on."""
        return self.grounds.known(self._tree(parameters)).data

    def make(self, parameters: Mapping[str, Value]) -> Variant:
        """The run of these values.

        Raises
        ------
        UsageError, DataError, StrategyError
            They make none.
        """
        ground = self.grounds.of(self._tree(parameters))
        over = tree_of(
            (path, value)
            for place, value in parameters.items()
            for path in self._of_strategies[place]
        )
        strategies = {
            maker.label: maker.make(over.get(k, {}), ground.prepared)
            for k, maker in enumerate(self.makers)
        }
        market = ground.prepared.market
        dated = in_zone(strategies, self.zone)
        setup = Setup(
            market,
            ground.instruments,
            dated,
            ground.account,
            is_open,
            given=ground.given,
            trade_from=ground.trade_from,
            risk=ground.risk,
        )
        return Variant(setup, ground.prepared)

    def read_markets(self, axes: Sequence[Axis]) -> None:
        """Read the bars of all trials now, for machines that do not have our files."""
        own = [a for a in axes if a.place in self._of_ground]
        points = product(*(a.values or (a.low,) for a in own))
        self.grounds.read(
            self._tree({a.place: value for a, value in zip(own, point, strict=True)})
            for point in points
        )

    def _tree(self, parameters: Mapping[str, Value]) -> dict[Any, Any]:
        """The changes to anything but strategies."""
        if not self._of_ground:
            return {}
        return tree_of(
            (path, parameters[place]) for place, paths in self._of_ground.items() for path in paths
        )


def _told(recipe: Recipe, makers: Sequence[Maker]) -> dict[str, str]:
    """What decides every run beside data and parameters, place by place."""
    values = recipe.config.model_dump(mode="json", by_alias=True)
    told = {"code": package_code()}
    told |= _leaves(("account",), values["account"])
    if values["risk"] is not None:
        told |= _leaves(("risk",), values["risk"])
    if values["trade_from"] is not None:
        told["trade_from"] = str(values["trade_from"])
    told |= _leaves(("instruments",), values["instruments"])
    for symbol, one in recipe.said.items():
        if isinstance(one, Instrument):
            told |= _leaves(("instruments", symbol), state_of(one))
    for k, maker in enumerate(makers):
        told[f"strategies[{k}]"] = maker.label
        told |= _leaves(("strategies", k), maker.told())
    return told


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
