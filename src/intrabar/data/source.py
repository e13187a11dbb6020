"""Where bars are and how they are read, in plain values: no file of settings is known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where the bars of a symbol come from: files, the demo's package, or else the catalogue.

    Parameters
    ----------
    symbol : str
    file, catalogue : path or None
    sample : bool
        Bars of the package `bokeh_sampledata`, adjusted.
    format, zone, label, period, calendar, side, columns, only, time_format, ambiguous, decimal, \
scale, sort
        How a file is read; what is left out is told by the file.
    actions, margins, detail : path or None
        What happens around the bars.
    adjustment : {"raw", "split", "all"} or None
        What was done to the prices; None: what the catalogue knows, or raw.
    contracts : {symbol: path}
        Of a continuous future; "" for the catalogue's.
    roll : "volume", int or list of dates
        When a contract gives way to the next one.
    """

    symbol: str
    file: str | None = None
    catalogue: str | None = None
    sample: bool = False
    format: str | None = None
    zone: str | None = None
    label: str | None = None
    period: str | None = None
    calendar: str | None = None
    side: str = "mid"
    columns: Mapping[str, str] | list[str] | None = None
    only: Mapping[str, str] = field(default_factory=dict)
    time_format: str | None = None
    ambiguous: str = "raise"
    decimal: str | None = None
    scale: float | None = None
    sort: bool = False
    actions: str | None = None
    adjustment: str | None = None
    margins: str | None = None
    detail: str | None = None
    contracts: Mapping[str, str] = field(default_factory=dict)
    roll: Any = None

    @property
    def is_stored(self) -> bool:
        """Whether the bars are of the catalogue as they are."""
        return not (self.file or self.sample or self.contracts)


@dataclass(frozen=True, slots=True)
class BarsRequest:
    """What a run asks of all its sources.

    Parameters
    ----------
    first, last : int or None, ns UTC
        The bars that close between them, both included.
    period, zone, calendar : str or None
        Where a source names none.
    said : {symbol: Instrument or parameters}
        Of instruments, as far as it tells their calendar.
    with_detail : bool
        Lower bars are read too.
    """

    first: int | None = None
    last: int | None = None
    period: str | None = None
    zone: str | None = None
    calendar: str | None = None
    said: Mapping[str, Any] = field(default_factory=dict)
    with_detail: bool = False
