"""Where the bars of a configuration are, in the plain values that `data` reads by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import numpy as np

from intrabar.app.config import model
from intrabar.app.config.model import Config
from intrabar.data.market import RateSources
from intrabar.data.periods import parse_period
from intrabar.data.schedules import calendar_named
from intrabar.data.source import BarsRequest, Source
from intrabar.data.stamps import known_zone
from intrabar.data.traded import Said
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import DAY_NS
from intrabar.model.instant import utc_ns


def plain(source: model.Source) -> Source:
    """A source of a configuration."""
    return Source(**{field.name: getattr(source, field.name) for field in fields(Source)})


def written(source: Source) -> model.Source:
    """A source as a configuration writes it."""
    return model.Source(**asdict(source))


def sources_of(config: Config) -> list[Source]:
    """Where the bars of every traded symbol are, in order.

    Raises
    ------
    UsageError
        No symbol, one that is there twice or has no data, or a name of nothing.
    """
    _require_names(config)
    symbols = config.traded
    if not symbols:
        raise ConfigError("symbols: there is no symbol; name one, or a file under data")
    twice = next((symbol for symbol in symbols if symbols.count(symbol) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice} is there twice; each instrument has one series of bars")
    known = {source.symbol: source for source in config.data}
    for symbol in symbols:
        if config.data and symbol not in known:
            raise NotFoundError("symbol", symbol, known)
    return [plain(known[s]) if s in known else Source(symbol=s) for s in symbols]


def request_of(config: Config, said: Mapping[str, Said] | None = None) -> BarsRequest:
    """What a configuration asks of all its sources.

    Parameters
    ----------
    config : Config
    said : {symbol: Said}, optional
        Of instruments, over those of the configuration.
    """
    return BarsRequest(
        first=nanoseconds(config.start),
        last=nanoseconds(config.end, end=True),
        period=config.period,
        zone=config.zone,
        calendar=config.calendar,
        said=config.instruments if said is None else said,
        with_detail=config.account.path_policy == "detail",
    )


def rate_sources(config: Config) -> RateSources:
    """Where a configuration has its rates of exchange."""
    catalogue = next((source.catalogue for source in config.data if source.catalogue), None)
    return RateSources([plain(source) for source in config.rates], catalogue, request_of(config))


def nanoseconds(day: Any, *, end: bool = False) -> int | None:
    """A date or a time of a configuration as ns UTC.

    Notes
    -----
    A date stands for the bars that close after its midnight and up to the next one.
    """
    if day is None:
        return None
    if not 1700 <= day.year < 2262:
        raise ConfigError(f"{day}: dates go from 1700-01-01 to 2261-12-31")
    if isinstance(day, datetime):
        return utc_ns(day)
    days = int(np.datetime64(day, "D").astype(np.int64))
    return (days + 1) * DAY_NS if end else days * DAY_NS + 1


def _require_names(config: Config) -> None:
    """Refuse a zone, a period or a calendar that there is not, also where a nearer one is said."""
    named: list[Config | model.Source] = [config, *config.data, *config.rates]
    for one in named:
        if one.zone is not None:
            known_zone(one.zone)
        if one.period is not None:
            parse_period(one.period)
        calendar_named(one.calendar)
