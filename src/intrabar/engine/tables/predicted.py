"""Predictions that the strategies of a run read, on its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from intrabar.data.calendars import zone_of
from intrabar.data.heard import Heard
from intrabar.data.prediction_bars import BarsOf
from intrabar.data.prediction_file import read_predictions
from intrabar.data.prediction_place import Placement
from intrabar.data.predictions import names_of, placed, placement, requests_in
from intrabar.errors import ConfigError
from intrabar.indicators import Indicator
from intrabar.indicators.given import Request, request_of
from intrabar.indicators.indicator import predicted
from intrabar.model.bars import DAY_NS, Action, DatedTimeline, Floats
from intrabar.model.enums import ActionKind
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.strategy.blame import indicators_of
from intrabar.strategy.bot import Bot
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import Strategy


class PricedTimeline(DatedTimeline, Protocol):
    """A timeline that knows its closes and what happens before its opens; `Market` has it."""

    @property
    def close(self) -> Floats: ...  # noqa: D102
    @property
    def actions(self) -> tuple[Action, ...]: ...  # noqa: D102


def placements(
    strategies: Mapping[str, AnyStrategy],
    timeline: PricedTimeline,
    instruments: Sequence[Instrument],
    known: Mapping[Request, Placement | Heard],
) -> tuple[dict[Request, Placement | Heard], list[Remark]]:
    """On which bars the predictions were made that strategies read, and what there is to say of it.

    Parameters
    ----------
    strategies : mapping
    timeline : PricedTimeline
    instruments : sequence
        In the order of its columns.
    known : mapping of Request to Placement
        What was told before: by these bars, or by the same ones with another future.

    Raises
    ------
    FileError, ConfigError
        A file cannot be used, is of other bars, or does not tell on which it was made.
    """
    found, told = dict(known), list[Remark]()
    bars: dict[str, BarsOf] = {}
    for name, strategy in strategies.items():
        indicators = all_of(name, strategy, found).values()
        for request in [x for indicator in indicators for x in requests_in(indicator)]:
            if request not in found:
                bars = bars or bars_of(timeline, instruments)
                found[request] = one = placement(request, bars)
                told += one.remarks
        for indicator in indicators:  # a confidence that is not to be had is told here
            placed(indicator, found)
    return found, told


def read_by(
    name: str, strategy: AnyStrategy, known: Mapping[Request, Placement | Heard]
) -> dict[str, Indicator]:
    """What a strategy reads by name, its predictions on the bars of the run."""
    return {key: placed(x, known) for key, x in all_of(name, strategy, known).items()}


def all_of(
    name: str,
    strategy: AnyStrategy,
    known: Mapping[Request, Placement | Heard] = MappingProxyType({}),
) -> dict[str, Indicator]:
    """The indicators of a strategy, and the columns of the predictions that it is given.

    Which columns there are, its file tells where it is not known already.

    Raises
    ------
    ConfigError
        An indicator of its own has the name of such a column.
    """
    own = indicators_of(name, strategy)
    if not isinstance(strategy, Bot | Strategy) or strategy.predictions_file is None:
        return own
    request = request_of(strategy.predictions_file)
    there = known.get(request)
    names = there.names if isinstance(there, Heard) else names_of(read_predictions(request.file))
    for key in names:
        column = predicted(key, request)
        if own.setdefault(key, column) != column:
            raise ConfigError(
                f"{name}: {key!r} is {own[key]} to the strategy, and its predictions have a column "
                "of that name; give the indicator another one"
            )
    return own


def requests_of(strategies: Mapping[str, AnyStrategy]) -> tuple[Request, ...]:
    """The predictions that strategies read, each once, in their order; no file is read."""
    found: dict[Request, None] = {}
    for name, one in strategies.items():
        own = indicators_of(name, one).values()
        found |= dict.fromkeys(request for x in own for request in requests_in(x))
        if isinstance(one, Bot | Strategy) and one.predictions_file is not None:
            found[request_of(one.predictions_file)] = None
    return tuple(found)


def files_of(name: str, strategy: AnyStrategy) -> dict[str, str]:
    """The hashes of the files of predictions that a strategy reads, by path."""
    wanted = [x for one in all_of(name, strategy).values() for x in requests_in(one)]
    return {x.file: read_predictions(x.file).sha256 for x in wanted}


def predicted_by(name: str, strategy: AnyStrategy) -> dict[str, Any]:
    """By path, the models of the files of predictions that a strategy reads."""
    read = {file: read_predictions(file) for file in files_of(name, strategy)}
    return {
        path: {"models": list(file.model), "hyperparameters_sha256": file.hyperparameters}
        for path, file in read.items()
        if file.model
    }


def bars_of(timeline: PricedTimeline, instruments: Sequence[Instrument]) -> dict[str, BarsOf]:
    """The real bars of each instrument, as far as predictions are placed by them."""
    day = timeline.time // DAY_NS if timeline.day is None else np.asarray(timeline.day)
    found = {}
    for j, instrument in enumerate(instruments):
        rows = np.flatnonzero(~np.isnan(timeline.open[:, j]))
        splits = [
            int(np.searchsorted(rows, action.bar))
            for action in timeline.actions
            if action.instrument == j and action.kind is ActionKind.SPLIT
        ]
        if len(rows):
            found[instrument.symbol] = BarsOf(
                timeline.time[rows],
                timeline.open_time[rows, j],
                timeline.close[rows, j],
                day[rows],
                tuple(splits),
                instrument.tick_size,
                zone_of(instrument.calendar),
                timeline.period >= DAY_NS,
            )
    return found
