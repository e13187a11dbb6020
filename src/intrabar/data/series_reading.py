"""Series from files, the catalogue or the demo's package."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from intrabar.data.actions import Actions, kept_actions, read_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.checks import Finding, check
from intrabar.data.continuous import Roll, continuous, kept_rolls, rule_of
from intrabar.data.detail import detail_in
from intrabar.data.frames import UNNAMED
from intrabar.data.hours import under
from intrabar.data.manifest import Manifest, content_hash
from intrabar.data.margins import read_margins
from intrabar.data.readers import Reading, read_file
from intrabar.data.reading.dialects import in_configuration, in_keys
from intrabar.data.series import Series, origin
from intrabar.data.source import BarsRequest, Source
from intrabar.data.traded import calendar_by_name, calendar_for
from intrabar.errors import ConfigError, DataError, FileError
from intrabar.model.bars import Bars
from intrabar.model.remark import Remark

_TOLD = ("reading", "differing duplicate")


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    bars: Bars
    where: str
    calendar: str
    sha256: str = ""
    remarks: tuple[Remark, ...] = ()
    rolls: tuple[Roll, ...] = ()
    adjustment: str = "raw"


def read_series(sources: Sequence[Source], request: BarsRequest) -> list[Series]:
    """Read the bars of sources, trimmed to the dates, and what is around them.

    Raises
    ------
    ConfigError
        A name or a value is wrong.
    DataError
        Bars or tables that cannot be used, or no bars between the dates.
    """
    return [read_one(source, request) for source in sources]


def read_one(source: Source, request: BarsRequest) -> Series:
    """One series; lower bars are read where the path policy asks for them.

    Raises
    ------
    DataError
        The bars cannot be used; of a file a FileError, because the request names it.
    """
    try:
        return _series(source, request)
    except DataError as error:
        if source.file is None or isinstance(error, FileError):
            raise
        raise FileError(str(error)) from error


def _series(source: Source, request: BarsRequest) -> Series:
    read = _read(source, named_calendar(source, request), request)
    bars = read.bars.between(request.first, request.last)
    actions = known_actions(source, source.adjustment or read.adjustment)
    margins = read_margins(source.margins, source.symbol) if source.margins else None
    detail = None
    if request.with_detail:
        detail = _detail(source, request, bars.period)
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
    return replace(series, origin=replace(series.origin, around=series.around))


def named_calendar(source: Source, request: BarsRequest) -> str | None:
    """The calendar that is named for a source, wherever it is; None where none is."""
    said = request.said.get(source.symbol, {})
    return calendar_for(source.symbol, said, source.calendar, request.calendar)


def known_actions(source: Source, adjustment: str) -> Actions | None:
    """Splits and dividends of a source, as far as its bars are not adjusted for them."""
    if source.actions:
        found: Actions | None = read_actions(source.actions, source.symbol)
    elif not source.is_stored:
        return None
    else:
        found = kept_actions(Catalogue(source.catalogue), source.symbol)
    if found is None or adjustment == "raw":
        return found
    return found.without_splits if adjustment == "split" else None


def _detail(source: Source, request: BarsRequest, period: int) -> Bars | None:
    if source.detail:
        return given_detail(source, request)
    if not source.is_stored:
        return None
    return detail_in(Catalogue(source.catalogue), source.symbol, period)


def given_detail(source: Source, request: BarsRequest) -> Bars:
    """The lower bars of the file that a source names."""
    finer = replace(source, file=source.detail, period=None, contracts={})
    return _file(finer, named_calendar(source, request), replace(request, period=None)).bars


def _read(source: Source, calendar: str | None, request: BarsRequest) -> _Read:
    """The bars of a source; `calendar` is what was named, None for none."""
    if source.contracts:
        return _joined(source, calendar, request)
    if source.sample:
        from intrabar.data.sample import REMARK, sample_bars

        return _Read(
            under(sample_bars(source.symbol), "NYSE", calendar),
            "bokeh_sampledata.stocks",
            "NYSE" if calendar is None else calendar,
            remarks=(Remark(REMARK),),
            adjustment="all",
        )
    if source.file is None:
        return _from_catalogue(source, calendar, request.period)
    return _file(source, calendar, request)


def _joined(source: Source, calendar: str | None, request: BarsRequest) -> _Read:
    """A continuous future."""
    if source.roll is None:
        raise ConfigError(f"{source.symbol}: roll is missing; say volume, or when contracts roll")
    rule = rule_of(source.roll, f"{source.symbol}: roll")
    parts = [
        _read(
            replace(source, symbol=name, file=file or None, contracts={}),
            calendar,
            request,
        )
        for name, file in source.contracts.items()
    ]
    made = continuous(source.symbol, [part.bars for part in parts], rule)
    told = ", ".join(f"{name}" for name in source.contracts)
    digest = hashlib.sha256("".join(content_hash(part.bars) for part in parts).encode())
    odd = tuple(remark for part in parts for remark in part.remarks)
    hours = parts[0].calendar
    return _Read(made.bars, f"contracts {told}", hours, digest.hexdigest(), odd, made.rolls)


def _file(source: Source, named: str | None, request: BarsRequest) -> _Read:
    assert source.file is not None
    how = replace(
        reading_of(source, named, request),
        format=source.format,
        mapping=source.columns if isinstance(source.columns, Mapping) else None,
        columns=source.columns if isinstance(source.columns, list) else (),
        only=source.only,
        label=source.label,
        zone=source.zone or request.zone,
        period=source.period or request.period,
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


def reading_of(source: Source, named: str | None, request: BarsRequest) -> Reading:
    """How the bars of a symbol are read by what its name and its calendar say."""
    said = request.said.get(source.symbol, {})
    return Reading(
        symbol="" if source.symbol == UNNAMED else source.symbol,
        calendar=calendar_by_name(source.symbol, said) if named is None else named,
        suggested=named is None,
        zone=request.zone,
        period=request.period,
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
