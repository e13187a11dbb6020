"""How a command is told to read a file of bars."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from intrabar.errors import ConfigError

if TYPE_CHECKING:
    from intrabar.data.readers import Reading

_FIELDS = "time|date|clock|open|high|low|close|volume"


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How to read a file; what is left out is told by the file.

    Parameters
    ----------
    format : str, optional
        tradestation, tradestation-export, yahoo, hourly, quotes or intrabar.
    zone : str, optional
        IANA zone of stamps without an offset, such as America/New_York; else the exchange's.
    label : {"start", "end"}, optional
        Edge of the bar that its stamp marks.
    period : str, optional
        Length of a bar: 1m, 5m, 1h, 1d; else the most common step.
    map : str, optional
        Columns that the header does not tell: time=When,close=Adjusted,volume=Lots. "volume="
        takes none.
    columns : str, optional
        Names of the columns of a file without a header: time,open,high,low,close,volume; clock
        for a time of day beside its date, - for what is not read.
    only : str, optional
        Rows of one instrument among several: ticker=BBB; the value * takes all.
    side : {"mid", "bid", "ask"}
        Prices to take from a file of quotes.
    time_format : str, optional
        How stamps are written, in strftime's words, such as %d/%m/%Y %H:%M.
    ambiguous : {"raise", "earliest", "latest"}
        Which of two equal local times is meant when clocks go back and the order does not tell.
    decimal : {".", ","}, optional
        What parts the decimals of a number; else told by the numbers.
    scale : float, optional
        What prices are multiplied by: 1e-9 for fixed point, 0.01 for cents.
    """

    format: str | None = None
    zone: str | None = None
    label: Literal["start", "end"] | None = None
    period: str | None = None
    map: str | None = None
    columns: str | None = None
    only: str | None = None
    side: Literal["mid", "bid", "ask"] = "mid"
    time_format: str | None = None
    ambiguous: Literal["raise", "earliest", "latest"] = "raise"
    decimal: Literal[".", ","] | None = None
    scale: float | None = None

    def reading(self) -> Reading:
        """The same for the reader."""
        from intrabar.data.readers import Reading

        return Reading(
            format=self.format,
            mapping=parse_mapping(self.map) if self.map else None,
            columns=parse_columns(self.columns) if self.columns else (),
            only=parse_only(self.only) if self.only else {},
            label=self.label,
            zone=self.zone,
            period=self.period,
            side=self.side,
            time_format=self.time_format,
            ambiguous=self.ambiguous,
            decimal=self.decimal,
            scale=self.scale,
        )


def parse_mapping(text: str) -> dict[str, str]:
    """Fields and columns of `open=Open,close=Last`.

    Notes
    -----
    A comma parts two pairs only where a field follows it, so that names may have commas; the
    name may be empty, which is that of an unnamed index, or no volume.

    Raises
    ------
    ConfigError
        A part is no pair, or a field is there twice.
    """
    found: dict[str, str] = {}
    for part in re.split(rf",(?=\s*(?:{_FIELDS})\s*=)", text):
        field, equals, column = part.partition("=")
        field = field.strip().lower()
        named = column.strip() or field in ("time", "date", "volume")
        if not equals or not field or not named:
            raise ConfigError(f"--map: {part!r} is no pair; write it like open=Open,close=Last")
        if field in found:
            raise ConfigError(f"--map names {field!r} twice")
        found[field] = column.strip().strip('"')
    return found


def parse_columns(text: str) -> tuple[str, ...]:
    """Names of columns of `time,open,high,low,close,volume`.

    Raises
    ------
    ConfigError
        Open, high, low, close or a stamp is missing, or a field is there twice.
    """
    names = tuple(name.strip().lower() for name in text.split(","))
    fields = [name for name in names if name in _FIELDS.split("|")]
    lost = [f for f in ("open", "high", "low", "close") if f not in fields]
    if not {"time", "date"} & set(fields):
        lost.insert(0, "time")
    if lost or len(set(fields)) != len(fields):
        what = f"{', '.join(lost)} is missing" if lost else "a field is there twice"
        raise ConfigError(
            f"--columns: {what}; write it like time,open,high,low,close,volume, with - for a "
            "column that is not read"
        )
    return tuple(n if n in _FIELDS.split("|") else f"column {i + 1}" for i, n in enumerate(names))


def parse_only(text: str) -> dict[str, str]:
    """Column and value of `ticker=BBB`.

    Raises
    ------
    ConfigError
        It is no pair.
    """
    column, equals, value = text.partition("=")
    if not equals or not value.strip():
        raise ConfigError(f"--only: {text!r} is no pair; write it like ticker=BBB")
    return {column.strip(): value.strip()}
