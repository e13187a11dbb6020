"""Bars that a program gives: `Bars`, frames and files, and what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.app.compose.sources import request_of, sources_of
from intrabar.app.config.file import absolute, validated
from intrabar.app.config.model import Config
from intrabar.data.actions import actions_of, read_actions
from intrabar.data.calendars import trade_dates
from intrabar.data.frames import UNNAMED, frame_bars
from intrabar.data.margins import read_margins
from intrabar.data.reading.dialects import in_arguments
from intrabar.data.series import Series, given_series
from intrabar.data.series_reading import read_one, reading_of, remarks_of
from intrabar.data.source import Source
from intrabar.data.traded import calendar_by_name, calendar_for
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.remark import Remark
from intrabar.model.values import named, path, shown


def series_in(data: Any, config: Config) -> list[Series]:
    """The bars of every symbol.

    Parameters
    ----------
    data : Bars, frame, path, list or {symbol: any of these}
    config : Config

    Raises
    ------
    UsageError, DataError
    """
    if isinstance(data, Mapping):
        for symbol in data:
            named("data: a symbol of it", symbol)
        wanted = config.symbols or list(data)
        for symbol in wanted:
            if symbol not in data:
                raise NotFoundError("symbol", symbol, data)
        return [one_of(data[symbol], symbol, config) for symbol in wanted]
    if isinstance(data, list | tuple):
        if not all(isinstance(one, Bars) for one in data):
            raise ConfigError("data: a list must hold Bars; give frames as {symbol: frame}")
        return [_series_of_bars(one, config) for one in data]
    symbols = config.symbols or [UNNAMED]
    if len(symbols) > 1 and not _is_wide(data):
        raise ConfigError(
            f"symbols: {', '.join(symbols)} are traded, but data holds the bars of one; give "
            f"{{{symbols[0]!r}: ..., {symbols[1]!r}: ...}}"
        )
    return [one_of(data, symbol, config) for symbol in symbols]


def one_of(data: Any, symbol: str, config: Config, place: str = "data") -> Series:
    """The bars in one of the things that bars may be in; `place` is the argument they are of."""
    said = config.instruments.get(symbol, {})
    if isinstance(data, Bars):
        bars = data if data.symbol == symbol or symbol == UNNAMED else replace(data, symbol=symbol)
        return _series_of_bars(bars, config)
    if isinstance(data, str | Path):
        source = {"symbol": symbol, "file": str(path(f"{place}:", data)), "zone": config.zone}
        one = absolute(validated(Config, {"data": [source]}), Path())
        own = {name: getattr(config, name) for name in ("instruments", "period", "calendar")}
        one = one.model_copy(update=own)
        return read_one(sources_of(one)[0], request_of(one))
    if not hasattr(data, "columns"):
        raise ConfigError(f"{place}: is {shown(data)}, must be Bars, a frame or a path")
    named = calendar_for(symbol, said, config.calendar)
    how = reading_of(Source(symbol), named, request_of(config))
    checked, calendar = frame_bars(data, symbol, how)
    return given_series(checked.bars, calendar, remarks_of(checked.findings, symbol, in_arguments))


def _series_of_bars(bars: Bars, config: Config) -> Series:
    """Bars that a program has made: their sessions are its own, whatever a calendar says."""
    said = config.instruments.get(bars.symbol, {})
    named = calendar_for(bars.symbol, said, config.calendar)
    calendar = calendar_by_name(bars.symbol, said) if named is None else named
    if np.array_equal(trade_dates(calendar, bars.open_time), bars.session):
        return given_series(bars, calendar)
    if named is None:
        return given_series(bars, "")
    text = (
        f"{bars.symbol}: the sessions of its Bars are not those of {calendar}, by whose trade "
        "dates longer time frames and orders for the day go; make the bars of a frame or a file, "
        "or name no calendar"
    )
    return given_series(bars, calendar, (Remark(text, severe=True),))


def with_around(series: Series, config: Config, around: Mapping[str, Mapping[str, Any]]) -> Series:
    """A series with its actions, margins and lower bars among what is given around bars."""
    own = around_of(series.bars.symbol, config, around)
    return replace(series, **own, source=None) if own else series


def around_of(
    symbol: str, config: Config, around: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """The actions, margins and lower bars of a symbol, as far as they are given."""
    given = {name: named[symbol] for name, named in around.items() if symbol in named}
    made: dict[str, Any] = {}
    if "actions" in given:
        rows = given["actions"]
        if isinstance(rows, str | Path):
            made["actions"] = read_actions(path(f"actions.{symbol}:", rows), symbol)
        else:
            made["actions"] = actions_of(rows, symbol)
    if "margins" in given:
        made["margins"] = read_margins(path(f"margins.{symbol}:", given["margins"]), symbol)
    if "detail" in given:
        finer = config.model_copy(update={"period": None})
        made["detail"] = one_of(given["detail"], symbol, finer, f"detail.{symbol}").bars
    return made


def _is_wide(data: Any) -> bool:
    """Whether a frame's columns are pairs of field and symbol, as yfinance makes them."""
    return any(isinstance(name, tuple) for name in getattr(data, "columns", ()))
