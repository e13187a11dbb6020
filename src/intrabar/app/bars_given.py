"""Bars that a program gives: `Bars`, frames and files, and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from intrabar.app.bars_in import Series, nanoseconds, read_series
from intrabar.app.config import Config
from intrabar.app.config_file import absolute, validated
from intrabar.data.actions import actions_of, read_actions
from intrabar.data.frames import bars_from_frame
from intrabar.data.margins import read_margins
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars


def bars_of(data: Any, config: Config, zone: str | None) -> list[Bars]:
    """The bars of every symbol, between the dates of the configuration.

    Parameters
    ----------
    data : Bars, frame, path, list or {symbol: any of these}
    config : Config
    zone : str
        IANA zone of stamps that carry none.

    Raises
    ------
    UsageError, DataError
    """
    first, last = nanoseconds(config.start), nanoseconds(config.end, end=True)
    bars = _bars(data, config, zone)
    return [b if first is None and last is None else b.between(first, last) for b in bars]


def one_of(data: Any, symbol: str, config: Config, zone: str | None) -> Bars:
    """The bars in one of the things that bars may be in."""
    if isinstance(data, Bars):
        return data if data.symbol == symbol or symbol == "ASSET" else replace(data, symbol=symbol)
    if isinstance(data, str | Path):
        source = {"symbol": symbol, "file": str(data), "zone": zone, "period": config.period}
        one = absolute(validated(Config, {"data": [source]}), Path())
        return read_series(one.model_copy(update={"instruments": config.instruments}))[0].bars
    if not hasattr(data, "columns"):
        raise ConfigError(f"data: bars, a frame or a file is needed, not {type(data).__name__}")
    own = config.instruments.get(symbol, {}).get("calendar", "")
    return bars_from_frame(data, symbol, zone=zone, period=config.period, calendar=str(own))


def with_around(
    series: Series, config: Config, around: Mapping[str, Mapping[str, Any]], zone: str | None
) -> Series:
    """A series with its actions, margins and lower bars among what is given around bars."""
    return replace(series, **around_of(series.bars.symbol, config, around, zone))


def around_of(
    symbol: str, config: Config, around: Mapping[str, Mapping[str, Any]], zone: str | None
) -> dict[str, Any]:
    """The actions, margins and lower bars of a symbol, as far as they are given."""
    given = {name: named[symbol] for name, named in around.items() if symbol in named}
    made: dict[str, Any] = {}
    if "actions" in given:
        of = read_actions if isinstance(given["actions"], str | Path) else actions_of
        made["actions"] = of(given["actions"], symbol)
    if "margins" in given:
        made["margins"] = read_margins(given["margins"], symbol)
    if "detail" in given:
        finer = config.model_copy(update={"period": None})
        made["detail"] = one_of(given["detail"], symbol, finer, zone)
    return made


def _bars(data: Any, config: Config, zone: str | None) -> list[Bars]:
    if isinstance(data, Mapping):
        wanted = config.symbols or list(data)
        for symbol in wanted:
            if symbol not in data:
                raise NotFoundError("symbol", symbol, data)
        return [one_of(data[symbol], symbol, config, zone) for symbol in wanted]
    if isinstance(data, list | tuple):
        if not all(isinstance(one, Bars) for one in data):
            raise ConfigError("data: a list must hold Bars; give frames as {symbol: frame}")
        return list(data)
    symbol = config.symbols[0] if config.symbols else "ASSET"
    return [one_of(data, symbol, config, zone)]
