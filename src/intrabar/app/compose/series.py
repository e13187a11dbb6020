"""The bars of a run and what happens around them: from files, the catalogue or the demo's package.

Each is accounted for, so that a later run can be held against it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.app.compose.traded import calendar_by_name, calendar_for
from intrabar.app.config.model import Config, Source
from intrabar.data.actions import Actions, kept_actions, read_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.checks import Finding, check
from intrabar.data.continuous import Roll, continuous, kept_rolls, rule_of
from intrabar.data.contradictions import Seen
from intrabar.data.detail import detail_in
from intrabar.data.frames import UNNAMED
from intrabar.data.hours import under
from intrabar.data.manifest import Manifest, content_hash
from intrabar.data.margins import Margins, read_margins
from intrabar.data.periods import parse_period
from intrabar.data.pieces import WholeFeed
from intrabar.data.readers import Reading, read_file
from intrabar.data.reading.dialects import in_configuration, in_keys
from intrabar.data.schedules import calendar_named
from intrabar.data.stamps import known_zone
from intrabar.errors import ConfigError, DataError, FileError, NotFoundError
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.instant import utc_ns
from intrabar.model.remark import Remark

_TOLD = ("reading", "differing duplicate")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the bars of a symbol came from, so that a later run can be held against it.

    Parameters
    ----------
    symbol, source : str
        `source` is a path, or words where there is no file.
    sha256 : str
        Of the file; "" where there is none.
    content : str
        Hash of the bars as they were traded.
    bars : int
    first, last : str, UTC
    around : str
        Hash of splits, dividends, margins, rolls and lower bars; "" where there are none.
    """

    symbol: str
    source: str
    sha256: str
    content: str
    bars: int
    first: str
    last: str
    around: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return asdict(self)


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """The bars of a symbol, and what happens around them."""

    bars: Bars
    origin: Origin
    calendar: str = ""
    remarks: tuple[Remark, ...] = ()
    actions: Actions | None = None
    margins: Margins | None = None
    rolls: tuple[Roll, ...] = ()
    detail: Bars | None = None
    adjustment: str = "raw"  # what was done to the prices: raw, split or all
    source: Source | None = None  # where all of it was read; None: a program gave some of it

    @property
    def seen(self) -> Seen:
        """What the bars tell of their instrument."""
        return Seen(WholeFeed(self.bars), self.calendar)


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    bars: Bars
    where: str
    calendar: str
    sha256: str = ""
    remarks: tuple[Remark, ...] = ()
    rolls: tuple[Roll, ...] = ()
    adjustment: str = "raw"


def read_series(config: Config) -> list[Series]:
    """Read the bars of every traded symbol, trimmed to the dates, and what is around them.

    Raises
    ------
    ConfigError, NotFoundError
        No symbol, or one without data.
    DataError
        Bars or tables that cannot be used, or no bars between the dates.
    """
    require_names(config)
    symbols = config.traded
    if not symbols:
        raise ConfigError("symbols: there is no symbol; name one, or a file under data")
    twice = next((symbol for symbol in symbols if symbols.count(symbol) > 1), None)
    if twice is not None:
        raise ConfigError(f"{twice} is there twice; each instrument has one series of bars")
    sources = {source.symbol: source for source in config.data}
    found = []
    for symbol in symbols:
        source = sources.get(symbol)
        if source is None and config.data:
            raise NotFoundError("symbol", symbol, sources)
        found.append(read_one(source or Source(symbol=symbol), config))
    return found


def require_names(config: Config) -> None:
    """Refuse a zone, a period or a calendar that there is not, also where a nearer one is said.

    Raises
    ------
    UsageError
    """
    named: list[Config | Source] = [config, *config.data, *config.rates]
    for one in named:
        if one.zone is not None:
            known_zone(one.zone)
        if one.period is not None:
            parse_period(one.period)
        calendar_named(one.calendar)


def read_one(source: Source, config: Config) -> Series:
    """One series; lower bars are read where the path policy asks for them.

    Raises
    ------
    DataError
        The bars cannot be used; of a file a FileError, because the request names it.
    """
    try:
        return _series(source, config)
    except DataError as error:
        if source.file is None or isinstance(error, FileError):
            raise
        raise FileError(str(error)) from error


def _series(source: Source, config: Config) -> Series:
    read = _read(source, named_calendar(source, config), config)
    bars = read.bars.between(nanoseconds(config.start), nanoseconds(config.end, end=True))
    actions = known_actions(source, source.adjustment or read.adjustment)
    margins = read_margins(source.margins, source.symbol) if source.margins else None
    detail = None
    if config.account.path_policy == "detail":
        detail = _detail(source, config, bars.period)
    series = Series(
        bars,
        origin(bars, read.where, read.sha256),
        read.calendar,
        read.remarks,
        actions,
        margins,
        read.rolls,
        detail,
        source.adjustment or read.adjustment,
        source,
    )
    return replace(series, origin=replace(series.origin, around=hash_around(series)))


def given_series(bars: Bars, calendar: str, remarks: tuple[Remark, ...] = ()) -> Series:
    """Bars that a program gives, which no later run is held against."""
    origin = Origin(bars.symbol, "given", "", "", len(bars), "", "")
    return Series(bars, origin, calendar, remarks)


def hash_around(series: Series) -> str:
    """Hash of what is around the bars of a series; "" where there is nothing."""
    parts: list[Any] = [
        series.actions and series.actions.content_sha256,
        series.margins and series.margins.rows,
    ]
    parts += [series.rolls, series.detail and content_hash(series.detail)]
    return hashlib.sha256(repr(parts).encode()).hexdigest() if any(parts) else ""


def named_calendar(source: Source, config: Config) -> str | None:
    """The calendar that is named for a source, wherever it is; None where none is."""
    said = config.instruments.get(source.symbol, {})
    return calendar_for(source.symbol, said, source.calendar, config.calendar)


def calendar_of_source(source: Source, config: Config) -> str:
    """The same, or else that of the symbol's kind or name."""
    named = named_calendar(source, config)
    said = config.instruments.get(source.symbol, {})
    return calendar_by_name(source.symbol, said) if named is None else named


def known_actions(source: Source, adjustment: str) -> Actions | None:
    """Splits and dividends of a source, as far as its bars are not adjusted for them."""
    if source.actions:
        found: Actions | None = read_actions(source.actions, source.symbol)
    elif source.file or source.sample or source.contracts:
        return None
    else:
        found = kept_actions(Catalogue(source.catalogue), source.symbol)
    if found is None or adjustment == "raw":
        return found
    return found.without_splits if adjustment == "split" else None


def _detail(source: Source, config: Config, period: int) -> Bars | None:
    if source.detail:
        return given_detail(source, config)
    if source.file or source.sample or source.contracts:
        return None
    return detail_in(Catalogue(source.catalogue), source.symbol, period)


def given_detail(source: Source, config: Config) -> Bars:
    """The lower bars of the file that a source names."""
    finer = source.model_copy(update={"file": source.detail, "period": None, "contracts": {}})
    return _file(finer, named_calendar(source, config), config, None).bars


def _read(source: Source, calendar: str | None, config: Config) -> _Read:
    """The bars of a source; `calendar` is what was named, None for none."""
    if source.contracts:
        return _joined(source, calendar, config)
    if source.sample:
        from intrabar.app.compose.sample import REMARK, sample_bars

        return _Read(
            under(sample_bars(source.symbol), "NYSE", calendar),
            "bokeh_sampledata.stocks",
            "NYSE" if calendar is None else calendar,
            remarks=(Remark(REMARK),),
            adjustment="all",
        )
    if source.file is None:
        return _from_catalogue(source, calendar, config.period)
    return _file(source, calendar, config, config.period)


def _joined(source: Source, calendar: str | None, config: Config) -> _Read:
    """A continuous future."""
    if source.roll is None:
        raise ConfigError(f"{source.symbol}: roll is missing; say volume, or when contracts roll")
    rule = rule_of(source.roll, f"{source.symbol}: roll")
    parts = [
        _read(
            source.model_copy(update={"symbol": name, "file": file or None, "contracts": {}}),
            calendar,
            config,
        )
        for name, file in source.contracts.items()
    ]
    made = continuous(source.symbol, [part.bars for part in parts], rule)
    told = ", ".join(f"{name}" for name in source.contracts)
    digest = hashlib.sha256("".join(content_hash(part.bars) for part in parts).encode())
    odd = tuple(remark for part in parts for remark in part.remarks)
    hours = parts[0].calendar
    return _Read(made.bars, f"contracts {told}", hours, digest.hexdigest(), odd, made.rolls)


def _file(source: Source, named: str | None, config: Config, period: str | None) -> _Read:
    assert source.file is not None
    how = replace(
        reading_of(source, named, config),
        format=source.format,
        mapping=source.columns if isinstance(source.columns, dict) else None,
        columns=source.columns if isinstance(source.columns, list) else (),
        only=source.only,
        label=source.label,
        zone=source.zone or config.zone,
        period=source.period or period,
        side=source.side,
        time_format=source.time_format,
        ambiguous=source.ambiguous,
        decimal=source.decimal,
        scale=source.scale,
    )
    try:
        raw = read_file(source.file, how)
        checked = check(raw, source.symbol, sort=source.sort)
    except FileError:
        raise
    except DataError as error:
        name = Path(source.file).name
        beside = f"data: [{{symbol: {source.symbol}, file: {name}, ...}}]"
        raise DataError(
            f"{name}: {in_configuration(str(error).removeprefix(f'{name}: '), beside)}"
        ) from error
    remarks = remarks_of(checked.findings, source.symbol)
    return _Read(checked.bars, source.file, raw.calendar, raw.sha256, remarks)


def reading_of(source: Source, named: str | None, config: Config) -> Reading:
    """How the bars of a symbol are read by what its name and its calendar say."""
    said = config.instruments.get(source.symbol, {})
    return Reading(
        symbol="" if source.symbol == UNNAMED else source.symbol,
        calendar=calendar_by_name(source.symbol, said) if named is None else named,
        suggested=named is None,
        zone=config.zone,
        period=config.period,
    )


def remarks_of(
    findings: Iterable[Finding], symbol: str, words: Callable[[str], str] = in_keys
) -> tuple[Remark, ...]:
    """What was set aside, guessed or left out on the way from a source to bars."""
    told = [f for f in findings if f.severity == "error" or (f.count and f.rule in _TOLD)]
    return tuple(Remark(f"{symbol}: {words(f.text)}", severe=f.rule != "reading") for f in told)


def stored_remarks(manifest: Manifest) -> tuple[Remark, ...]:
    """The same of bars of the catalogue, as their import told it."""
    return remarks_of((Finding(**check) for check in manifest.checks), manifest.symbol)


def _from_catalogue(source: Source, calendar: str | None, period: str | None) -> _Read:
    catalogue = Catalogue(source.catalogue)
    if not catalogue.list():
        raise DataError(
            f"{source.symbol}: the catalogue {catalogue.root.absolute()} is empty; fill it with "
            "'intrabar data import FILE', or name a file of bars as data"
        )
    found = catalogue.show(source.symbol, source.period or period)
    bars = catalogue.read(source.symbol, source.period or period)
    where = f"catalogue {catalogue.root}, {found[0].period}, from {found[0].source}"
    rolls = kept_rolls(catalogue, found[0])
    own = found[0].calendar
    return _Read(
        under(bars, own, calendar),
        where,
        own if calendar is None else calendar,
        found[0].source_sha256,
        stored_remarks(found[0]),
        rolls,
        adjustment_of(found[0]),
    )


def adjustment_of(manifest: Manifest) -> str:
    """What the prices of a dataset are adjusted for: raw, split or all."""
    return manifest.adjustment if manifest.adjustment in ("raw", "split") else "all"


def origin(bars: Bars, source: str, sha256: str = "") -> Origin:
    """The record of bars that are about to be traded."""
    first, last = (str(np.datetime64(int(t), "s")) for t in bars.close_time[[0, -1]] // 10**9)
    return Origin(
        bars.symbol, source, sha256, content_hash(bars), len(bars), f"{first}Z", f"{last}Z"
    )


def nanoseconds(day: Any, *, end: bool = False) -> int | None:
    """A date or a time of a configuration as ns UTC.

    Notes
    -----
    A date stands for the bars that close after its midnight and up to the next one.
    """
    from datetime import datetime

    if day is None:
        return None
    if not 1700 <= day.year < 2262:
        raise ConfigError(f"{day}: dates go from 1700-01-01 to 2261-12-31")
    if isinstance(day, datetime):
        return utc_ns(day)
    days = int(np.datetime64(day, "D").astype(np.int64))
    return (days + 1) * DAY_NS if end else days * DAY_NS + 1
