"""How a command is told to read a file of bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cyclopts import Parameter

from intrabar.errors import ConfigError

if TYPE_CHECKING:
    from intrabar.data.readers import Reading


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
        Columns of any other header: time=When,open=O,high=H,low=L,close=C,volume=V.
    side : {"mid", "bid", "ask"}
        Prices to take from a file of quotes.
    time_format : str, optional
        How stamps are written, in strftime's words, such as %d/%m/%Y %H:%M.
    ambiguous : {"raise", "earliest", "latest"}
        Which of two equal local times is meant when clocks go back and the order does not tell.
    """

    format: str | None = None
    zone: str | None = None
    label: Literal["start", "end"] | None = None
    period: str | None = None
    map: str | None = None
    side: Literal["mid", "bid", "ask"] = "mid"
    time_format: str | None = None
    ambiguous: Literal["raise", "earliest", "latest"] = "raise"

    def reading(self) -> Reading:
        """The same for the reader."""
        from intrabar.data.readers import Reading

        return Reading(
            format=self.format,
            mapping=parse_mapping(self.map) if self.map else None,
            label=self.label,
            zone=self.zone,
            period=self.period,
            side=self.side,
            time_format=self.time_format,
            ambiguous=self.ambiguous,
        )


def parse_mapping(text: str) -> dict[str, str]:
    """Fields and columns of `open=Open,close=Last`.

    Raises
    ------
    ConfigError
        A part is no pair, or a field is there twice.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        field, equals, column = part.partition("=")
        field = field.strip().lower()
        if not equals or not field or not column.strip():
            raise ConfigError(f"--map: {part!r} is no pair; write it like open=Open,close=Last")
        if field in found:
            raise ConfigError(f"--map names {field!r} twice")
        found[field] = column.strip()
    return found
