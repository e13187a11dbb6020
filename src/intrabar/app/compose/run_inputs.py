"""The memory of a recipe: what a run was made from, beside its result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from intrabar.app.compose.kept_bars import Read
from intrabar.app.config.model import Config
from intrabar.data.series import Origin, Series
from intrabar.data.traded import Said
from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Bars

Store = Callable[[Any, Result, Path | str | None, str, bool], Path]
"""Stores a run: what it was made from, its result, the folder, a title, whether with a report."""


@dataclass(frozen=True, eq=False)
class RunInputs:
    """What a call was given: from it the run is made again.

    Parameters
    ----------
    config : Config
        With the arguments in it; its data and strategies are not looked at.
    bars : tuple of Series or Read
        Those that a program gave, and where the others were read.
    said : mapping of symbol to Said
        What was said of instruments.
    rates : tuple of Bars
        Currency pairs that were given.
    more : tuple of Origin
        Of those that were read.
    store : callable
        Stores a run of it.
    """

    config: Config
    bars: tuple[Series | Read, ...]
    said: Mapping[str, Said]
    rates: tuple[Bars, ...]
    more: tuple[Origin, ...]
    store: Store

    def save(self, result: Result, out: Path | str | None, name: str, report: bool) -> Path:
        """Store a run of these bars as `intrabar backtest` does.

        Raises
        ------
        RunError
            It could not be written; nothing is left behind.
        """
        return self.store(self, result, out, name, report)
