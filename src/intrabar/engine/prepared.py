"""A market made ready for runs: what many runs over the same bars need to work out only once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.analysis.lean_sheet import Calendar
from intrabar.data.clock import ExchangeClock
from intrabar.engine.adjusted import Adjusted
from intrabar.engine.columns import Named, compute_columns
from intrabar.engine.tables.feature_table import FeatureTables, feature_tables, require_rows
from intrabar.engine.time_frames import TimeFrames
from intrabar.indicators.features import Features
from intrabar.model.bars import Floats, Market

KEPT_BYTES = 256 * 1024**2


class Prepared:
    """The adjusted prices, the higher time frames, the indicators and feature tables of a market.

    Several threads may ask at once.

    Parameters
    ----------
    market : Market
    calendars : sequence of str
        Exchange calendar of each instrument.
    keeps : bool
        Indicators, feature tables and the arms of policies are kept for the next run, the latest
        `KEPT_BYTES` of them.
    """

    def __init__(self, market: Market, calendars: Sequence[str], keeps: bool = False) -> None:
        self.market = market
        self.adjusted = Adjusted(market)
        self.frames = TimeFrames(self.adjusted.market, calendars)
        self.clock = ExchangeClock(calendars)
        self._clock_columns: dict[str, Floats] = {}
        self._keeps = keeps
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        # Indicators are worked out again where they are needed.
        kept = {name: value for name, value in self.__dict__.items() if name != "_lock"}
        return {**kept, "_kept": OrderedDict(), "_kept_bytes": 0, "_clock_columns": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = Lock()

    @cached_property
    def calendar(self) -> Calendar:
        """What the figures of a run read of the timeline."""
        return Calendar(self.market)

    def columns(self, named: Named) -> dict[str, dict[str, Floats]]:
        """The indicators of strategies as they see them: (t, n) float64 each.

        Raises
        ------
        ConfigError
            An indicator needs more bars than there are, or stands in no power of the price.
        """
        if not self._keeps:
            return self._computed(named)
        with self._lock:
            wanted = {x for own in named.values() for x in own.values()}
            missing = {str(k): x for k, x in enumerate(wanted) if x not in self._kept}
            fresh = self._computed({"": missing})[""] if missing else {}
            found = {x: fresh[name] for name, x in missing.items()}
            found |= {x: self._kept[x] for x in wanted - found.keys()}
            self._keep(found)
        return {
            owner: {name: found[x] for name, x in indicators.items()}
            for owner, indicators in named.items()
        }

    def feature_tables(self, features: Features) -> FeatureTables:
        """What models with these features read, kept by their hash.

        Raises
        ------
        ConfigError
            There are too few bars for one window.
        """
        if not self._keeps:
            return self._tables(features)
        with self._lock:
            found: FeatureTables = self._kept.get(features.hash) or self._tables(features)
            self._keep({features.hash: found})
        return found

    def chosen(self, tables: FeatureTables, by: Hashable) -> tuple[NDArray[np.int32], ...]:
        """Where runs note for each other which arm was chosen at a row, 0 for none yet.

        Parameters
        ----------
        tables : FeatureTables
            What is read.
        by : hashable
            All that decides beside it: the policies, and when each is ready.

        Returns
        -------
        (1 + m, 2) int32 of each instrument
            A row more than there are bars; none at all where nothing is kept for another run.
        """
        if not self._keeps:
            return ()
        sizes = [1 + len(table) for table in tables.tables]
        with self._lock:
            noted = self._kept.get(by)
            if noted is None:
                noted = np.zeros((sum(sizes), 2), np.int32)
            self._keep({by: noted})
        return tuple(np.split(noted, np.cumsum(sizes)[:-1]))

    def _tables(self, features: Features) -> FeatureTables:
        require_rows(features, self.adjusted.market, self.frames)
        return feature_tables(features, self.adjusted, self.frames, self.clock)

    def clock_columns(self, names: Sequence[str]) -> dict[str, Floats]:
        """Fields of the clock that rules read: (t, n) float64 each, kept for the next run."""
        missing = [name for name in names if name not in self._clock_columns]
        self._clock_columns |= self.clock.columns(missing, self.market)
        return {name: self._clock_columns[name] for name in names}

    def _computed(self, named: Named) -> dict[str, dict[str, Floats]]:
        own = compute_columns(named, self.adjusted.market, self.frames)
        return {name: self.adjusted.shown(own[name], named[name]) for name in named}

    def _keep(self, found: Mapping[Any, Any]) -> None:
        for key, value in found.items():
            if key not in self._kept:
                self._kept_bytes += value.nbytes
                self._kept[key] = value
            self._kept.move_to_end(key)
        while self._kept_bytes > KEPT_BYTES:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
