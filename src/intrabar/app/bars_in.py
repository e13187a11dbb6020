"""The bars of a run: from files, the catalogue or the demo's package, each accounted for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from intrabar.app.config import Config, Source
from intrabar.data.checks import check
from intrabar.data.instruments import instrument
from intrabar.data.manifest import content_hash
from intrabar.data.readers import Reading, read_file
from intrabar.errors import ConfigError, DataError, NotFoundError
from intrabar.model.bars import DAY_NS, Bars

JUMP = 0.4
"""A close that moves by more than this fraction may be an unadjusted split."""


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
    """

    symbol: str
    source: str
    sha256: str
    content: str
    bars: int
    first: str
    last: str

    def as_json(self) -> dict[str, Any]:
        """Plain values for the manifest."""
        return asdict(self)


def read_bars(config: Config) -> tuple[list[Bars], list[Origin], list[str]]:
    """Read the bars of every traded symbol, trimmed to the dates.

    Returns
    -------
    list of Bars
    list of Origin
    list of str
        What is odd about them.

    Raises
    ------
    ConfigError, NotFoundError
        No symbol, or one without data.
    DataError
        Bars that cannot be used, or none between the dates.
    """
    symbols = config.traded
    if not symbols:
        raise ConfigError("symbols: there is no symbol; name one, or a file under data")
    sources = {source.symbol: source for source in config.data}
    bars, origins, remarks = [], [], []
    for symbol in symbols:
        source = sources.get(symbol)
        if source is None and config.data:
            raise NotFoundError("symbol", symbol, sources)
        calendar = _calendar(config, symbol)
        read, where, sha256, told = _read(source or Source(symbol=symbol), calendar, config.period)
        read = read.between(nanoseconds(config.start), nanoseconds(config.end, end=True))
        bars.append(read)
        origins.append(origin(read, where, sha256))
        remarks += [*told, *jumps(read)]
    return bars, origins, remarks


def _calendar(config: Config, symbol: str) -> str:
    given = config.instruments.get(symbol, {}).get("calendar")
    return str(given) if given is not None else instrument(symbol).calendar


def _read(source: Source, calendar: str, period: str | None) -> tuple[Bars, str, str, list[str]]:
    """Bars, where from, the file's hash, remarks."""
    if source.sample:
        from intrabar.app.sample import REMARK, sample_bars

        return sample_bars(source.symbol), "bokeh_sampledata.stocks", "", [REMARK]
    if source.file is None:
        return _from_catalogue(source, period)
    how = Reading(
        format=source.format,
        mapping=source.columns,
        label=source.label,
        zone=source.zone,
        period=source.period or period,
        calendar=calendar if source.calendar is None else source.calendar.replace("none", ""),
        side=source.side,
        time_format=source.time_format,
    )
    raw = read_file(source.file, how)
    try:
        checked = check(raw, source.symbol, sort=source.sort)
    except DataError as error:
        raise DataError(f"{raw.source}: {error}") from error
    odd = [f"{source.symbol}: {f.text}" for f in checked.findings if f.severity == "error"]
    return checked.bars, source.file, raw.sha256, odd


def _from_catalogue(source: Source, period: str | None) -> tuple[Bars, str, str, list[str]]:
    from intrabar.data.catalogue import Catalogue

    catalogue = Catalogue(source.catalogue)
    if not catalogue.list():
        raise DataError(
            f"{source.symbol}: the catalogue {catalogue.root} is empty; fill it with "
            "'intrabar data import FILE', or name a file: --data FILE"
        )
    found = catalogue.show(source.symbol, source.period or period)
    bars = catalogue.read(source.symbol, source.period or period)
    where = f"catalogue {catalogue.root}, {found[0].period}, from {found[0].source}"
    return bars, where, found[0].source_sha256, []


def origin(bars: Bars, source: str, sha256: str = "") -> Origin:
    """The record of bars that are about to be traded."""
    first, last = (str(np.datetime64(int(t), "s")) for t in bars.close_time[[0, -1]] // 10**9)
    return Origin(
        bars.symbol, source, sha256, content_hash(bars), len(bars), f"{first}Z", f"{last}Z"
    )


def jumps(bars: Bars) -> list[str]:
    """Closes that move so far that a split may not have been adjusted."""
    moves = bars.close[1:] / bars.close[:-1] - 1.0
    far = np.flatnonzero(np.abs(moves) > JUMP)
    if not far.size:
        return []
    at = int(far[0]) + 1
    day = str(np.datetime64(int(bars.session[at]), "D"))
    more = f" and {far.size - 1} more like it" if far.size > 1 else ""
    return [
        f"{bars.symbol}: the close of {day} is {moves[at - 1]:+.0%} from the one before{more}; "
        "if that is a split, the bars are not adjusted and the result means nothing"
    ]


def nanoseconds(day: Any, *, end: bool = False) -> int | None:
    """A date or a time of a configuration as ns UTC.

    Notes
    -----
    A date stands for the bars that close after its midnight and up to the next one.
    """
    from datetime import UTC, datetime

    if day is None:
        return None
    if isinstance(day, datetime):
        stamp = day if day.tzinfo else day.replace(tzinfo=UTC)
        return int(stamp.timestamp()) * 1_000_000_000 + stamp.microsecond * 1000
    days = int(np.datetime64(day, "D").astype(np.int64))
    return (days + 1) * DAY_NS if end else days * DAY_NS + 1
