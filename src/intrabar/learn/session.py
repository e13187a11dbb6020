"""Forecasters in a session: the rows that come, and what the models of a registry say of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.data.clock import ExchangeClock
from intrabar.data.heard import Heard, name_of
from intrabar.engine.adjusted import Adjusted, CarriedFactors
from intrabar.engine.chunks.carried_frames import CarriedFrames
from intrabar.engine.chunks.carried_tables import CarriedTables
from intrabar.engine.columns import RealBars, real_rows
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.predicting import Told, nothing, prediction
from intrabar.engine.session.row import ClosedRow, market_of
from intrabar.errors import ConfigError, StateError
from intrabar.indicators import atr
from intrabar.indicators.elementwise import known_rows
from intrabar.indicators.features import Features
from intrabar.indicators.given import Request
from intrabar.learn.model import Model, newest
from intrabar.learn.predicting import quantile_name, told_by
from intrabar.learn.registry import INDEX, Registry
from intrabar.learn.samples import COLUMNS, PERIOD, Samples, Series
from intrabar.model.bars import Action, Floats
from intrabar.model.instant import instant_text

PIECE = 1_000  # rows that are laid at once

Models = Callable[[], list[Model]]
"""All that are registered now, by rising `trained_until`."""


class LivedSamples:
    """The samples of rows that come piece by piece: the bits of those of the whole.

    Parameters
    ----------
    features : Features
    plan : Plan
        Whose rows they are.
    """

    def __init__(self, features: Features, plan: Plan) -> None:
        calendars = [x.calendar for x in plan.instruments]
        self._plan, self._window = plan, features.window
        self._factors = CarriedFactors()
        self._frames = CarriedFrames(calendars, plan.phases)
        symbols = plan.symbols
        self._tables = CarriedTables(features, symbols, self._frames, ExchangeClock(calendars))
        self._atr = [self._frames.carried(atr(PERIOD), s, j) for j, s in enumerate(symbols)]
        self._last: list[Series | None] = [None] * len(symbols)
        self._closes = [float("nan")] * len(symbols)
        self._actions: tuple[Action, ...] = ()
        self._count = 0

    def advance(self, rows: Sequence[ClosedRow], horizons: tuple[int, ...]) -> Samples:
        """The samples of the next rows."""
        symbols = self._plan.symbols
        market = market_of(rows, symbols, self._plan.period, self._closes, self._count)
        self._closes = market.close[-1].tolist()
        self._count += len(rows)
        self._actions += market.actions
        adjusted = Adjusted(replace(market, actions=self._actions), self._factors)
        self._frames.show(adjusted.market)
        tables = self._tables.advance(adjusted)
        turned: dict[str, Floats] = {}
        series, fresh = [], []
        for j, is_real in enumerate(real_rows(market)):
            own = np.flatnonzero(is_real)
            bars = RealBars(adjusted.market, j, own, turned)
            close = np.asarray(bars.close)
            price = shares = np.ones(len(own))
            if adjusted.price is not None:
                price, shares = adjusted.price[own, j], adjusted.shares[own, j]
            made = Series(
                symbols[j],
                tables.tables[j],
                np.column_stack([getattr(bars, x) for x in COLUMNS]),
                market.time[own],
                market.close[own, j],
                self._atr[j].advance(bars) / close,
                price,
                shares,
            )
            series.append(self._behind(j, made))
            fresh.append(len(own))
        return _samples(series, fresh, self._window, horizons)

    def _behind(self, j: int, made: Series) -> Series:
        """What came behind the last rows of an instrument; its table has them already."""
        last = self._last[j]
        if last is not None:
            joined: dict[str, Any] = {
                x: np.concatenate([getattr(last, x), getattr(made, x)]) for x in PARTS
            }
            made = replace(made, **joined)
        count = len(made.time)
        made = replace(made, table=made.table[len(made.table) - count :])
        kept = min(self._window, count)
        tails: dict[str, Any] = {x: getattr(made, x)[count - kept :] for x in (*PARTS, "table")}
        self._last[j] = replace(made, **tails)
        return made


PARTS = ("bars", "time", "close", "unit", "factor", "shares")


def _samples(
    series: Sequence[Series], fresh: Sequence[int], window: int, horizons: tuple[int, ...]
) -> Samples:
    whose, rows, times = [], [], []
    for j, one in enumerate(series):
        known = known_rows(np.ascontiguousarray(one.table), window) & (one.unit > 0.0)
        own = np.flatnonzero(known)
        own = own[own >= len(one.time) - fresh[j]]
        whose.append(np.full(len(own), j))
        rows.append(own)
        times.append(one.time[own])
    instrument, row, time = (np.concatenate(x) for x in (whose, rows, times))
    order = np.lexsort((instrument, time))
    n = len(order)
    never = np.full(n, np.iinfo(np.int64).max)
    targets = np.full((n, len(horizons)), np.nan)
    return Samples(
        tuple(series), window, horizons, instrument[order], row[order], time[order], never,
        targets, np.ones(n),
    )  # fmt: skip


class Asked:
    """One request of a session, answered by the models of a registry.

    Parameters
    ----------
    request : Request
    registry : str
        Its name.
    models : callable
    plan : Plan
    is_recorded : bool
        The bars are of the past: a model may have been registered after them.
    asks_chance : bool
        A strategy reads how likely a side is.

    Raises
    ------
    ConfigError
        The models have no such horizon, or not the quantiles that are asked for.
    """

    def __init__(
        self,
        request: Request,
        registry: str,
        models: Models,
        plan: Plan,
        is_recorded: bool,
        asks_chance: bool = False,
    ) -> None:
        self.name = name_of(request)
        self._request, self._registry, self._models = request, registry, models
        self._plan, self._is_recorded = plan, is_recorded
        known = models()
        horizons = known[0].forecaster.horizons
        self._horizon = horizons[0] if request.horizon is None else request.horizon
        if self._horizon not in horizons:
            raise ConfigError(
                f"horizon: is {self._horizon}, and the models of {registry} have "
                f"{', '.join(map(str, horizons))}"
            )
        count = len(known[0].forecaster.outputs) // len(horizons) - 1
        if asks_chance and count < 2:
            raise ConfigError(
                f"min_confidence: the models of {registry} have {count} quantiles, and two are "
                "needed to tell how likely a side is; leave it out, or train with quantiles"
            )
        self._features = known[0].features
        self._samples = LivedSamples(self._features, plan)
        self._model: Model | None = None
        self._day: int | None = None

    def history(self, rows: Sequence[ClosedRow]) -> list[Told]:
        """What is said of rows before the first that is traded."""
        return [told for row in rows for told in self.row(row)]

    def resume(self, rows: Sequence[ClosedRow], models: Mapping[str, str]) -> None:
        """Rows that were lived already: no model is called.

        Raises
        ------
        StateError
            The model that was in use is in the registry no more.
        """
        model = models.get(self.name)
        for first in range(0, len(rows), PIECE):
            self._samples.advance(rows[first : first + PIECE], (self._horizon,))
        if rows:
            self._day = rows[-1].day
        if model is not None:
            self._model = next((x for x in self._models() if x.hash == model), None)
            if self._model is None:
                raise StateError(
                    f"the model {model[:12]} of this session is in the registry "
                    f"{self._registry} no more; put it back, or begin another session"
                )

    def changes(self, heard: Mapping[Request, Heard], until: int) -> list[Told]:
        """Nothing: what a model has said stays."""
        return []

    def row(self, row: ClosedRow) -> list[Told]:
        """What the model in use says of a row; the newest at the first row of a day."""
        told: list[Told] = []
        if row.day != self._day:
            self._day = row.day
            told += self._change(row)
        samples = self._samples.advance([row], (self._horizon,))
        if not row.bars:
            return told
        if self._model is None:
            why = "no model was trained and registered by then"
            return [*told, nothing(self._request, self._plan.symbols, row, why)]
        return [*told, self._said(row, samples, self._model)]

    def _change(self, row: ClosedRow) -> list[Told]:
        models = [x for x in self._models() if self._is_recorded or x.made_at < row.time]
        place = int(newest(models, np.array([row.time]))[0]) if models else -1
        if place < 0 or (self._model is not None and models[place].hash == self._model.hash):
            return []
        one = self._model = models[place]
        body = {
            "request": self.name,
            "registry": self._registry,
            "hash": one.hash,
            "trained_until": instant_text(one.trained_until),
            "trained_until_is": "declared" if one.is_declared else "witnessed",
            "made_at": instant_text(one.made_at),
        }
        return [("model", body)]

    def _said(self, row: ClosedRow, samples: Samples, model: Model) -> Told:
        rows = np.arange(len(samples))
        said = told_by(model, samples, rows, with_rival=False)[0] if len(rows) else None
        names = {
            k: "predicted_return" if x.quantile is None else quantile_name(x.quantile)
            for k, x in enumerate(model.forecaster.outputs)
            if x.horizon == self._horizon
        }
        by_column: dict[int, dict[str, float | None]] = {}
        for i in rows:
            assert said is not None
            numbers = {name: float(said[i, k]) for k, name in names.items()}
            by_column[int(samples.instrument[i])] = {
                name: x if np.isfinite(x) else None for name, x in numbers.items()
            }
        empty: dict[str, float | None] = {"predicted_return": None}
        told: list[Any] = [
            [self._plan.symbols[bar.column], row.time, by_column.get(bar.column, empty)]
            for bar in row.bars
        ]
        until = instant_text(model.trained_until)
        return prediction(self._request, told, model=model.hash, trained_until=until)


def registered_models(registry: Registry, home: Path) -> Models:
    """What stands in a registry, each model read once and the index where it has changed."""
    known: dict[str, Model] = {}
    stamp: list[int] = []

    def models() -> list[Model]:
        now = [(registry.folder / INDEX).stat().st_mtime_ns]
        if now != stamp:
            for entry in registry.index()["models"]:
                if entry["hash"] not in known:
                    known[entry["hash"]] = registry.read(entry, home)
            stamp[:] = now
        return sorted(known.values(), key=lambda x: (x.trained_until, x.made_at))

    return models
