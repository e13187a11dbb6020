"""`result.save()`: a run of Python stored like one of the command line, to be made again from."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.app.compose.described import described, keep_arrays
from intrabar.app.compose.kept_bars import (
    keep_bars,
    keep_series,
    origin_of,
    source_of,
    source_of_rate,
)
from intrabar.app.compose.recipe import Composed, Recipe
from intrabar.app.compose.run_inputs import RunInputs
from intrabar.app.config.file import absolute, validated, with_catalogue
from intrabar.app.config.model import Config, StrategyConfig
from intrabar.data.series import Series
from intrabar.data.traded import Said
from intrabar.engine.outcome.result import Result
from intrabar.engine.run import Setup
from intrabar.errors import IntrabarError, RunError
from intrabar.model.bars import Detail, Market
from intrabar.model.instrument import Instrument
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights

ARRAYS = "signals"
"""The folder, in that of a run, of arrays that were given."""


def save(
    inputs: RunInputs, result: Result, out: Path | str | None, name: str, report: bool
) -> Path:
    """Store a run as `intrabar backtest` does, with the bars and arrays that were given.

    Raises
    ------
    RunError
        It could not be written; nothing is left behind.
    """
    from intrabar.app.folders.run_folder import make_home, store  # a run alone needs no report

    home = Path(inputs.config.out if out is None else out)
    make_home(home)
    setup = result.setup
    strategies, lost = _strategies(setup)
    config = inputs.config.model_copy(
        update={
            "name": name or inputs.config.name,
            "out": str(home),
            "report": report,
            "chunk": None,
            "data": [source_of(one) for one in inputs.bars],
            "symbols": [],
            "rates": [*inputs.config.rates, *map(source_of_rate, inputs.rates)],
            "instruments": {symbol: _values(x) for symbol, x in inputs.said.items()},
            "strategies": strategies,
        }
    )
    config = with_catalogue(config)
    origins = [*map(origin_of, inputs.bars), *inputs.more]

    def keep(folder: Path) -> str:
        for one in inputs.bars:
            if isinstance(one, Series):
                keep_series(one, folder)
        for bars in inputs.rates:
            keep_bars(bars, "", folder)
        for k, strategy in enumerate(setup.strategies.values()):
            if isinstance(strategy, Signals | Weights):
                keep_arrays(strategy, setup.market, folder / _file(k))
        told = lost or _not_again(setup, absolute(config, folder))
        if told:
            print(f"note: {told}", file=sys.stderr)
        return told

    return store(Composed(setup, origins, []), result, config, keep)


def _strategies(setup: Setup) -> tuple[list[StrategyConfig], str]:
    """The strategies as a configuration names them, and why one cannot be."""
    made, lost = [], ""
    for k, (label, strategy) in enumerate(setup.strategies.items()):
        try:
            one = described(label, strategy, _file(k))
        except RunError as error:
            one = {"name": type(strategy).__qualname__, "as": label}
            lost = lost or str(error)
        made.append(validated(StrategyConfig, one))
    return made, lost


def _file(number: int) -> str:
    return f"{ARRAYS}/{number}.npz"


def _values(said: Said) -> dict[str, Any]:
    """What was said of an instrument, as a configuration writes it."""
    if isinstance(said, Instrument):
        values = {f.name: getattr(said, f.name) for f in fields(said) if f.name != "symbol"}
        values["tiers"] = [list(tier) for tier in said.tiers]
        values["calendar"] = said.calendar or None
        return values
    return dict(said)


def _not_again(setup: Setup, config: Config) -> str:
    """Why a configuration does not make the run of a setup; "" where it does."""
    try:
        made = Recipe.of_config(config).whole().setup
    except IntrabarError as error:
        return f"it cannot be made again: {error}"
    if made.instruments != setup.instruments:
        return "it cannot be made again: its instruments would be others"
    if made.account != setup.account:
        return "it cannot be made again: its account would be another"
    if made.risk != setup.risk:
        return "it cannot be made again: its limits would be others"
    if not _same(made.market, setup.market):
        return "it cannot be made again: its market would be another"
    return ""


def _same(a: Any, b: Any) -> bool:
    """Whether two markets, or parts of them, hold the same."""
    if isinstance(a, Market | Detail) and isinstance(b, Market | Detail):
        names = [f.name for f in fields(a)]
        return all(_same(getattr(a, name), getattr(b, name)) for name in names)
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return repr(a) == repr(b)  # of actions: there is NaN in them
