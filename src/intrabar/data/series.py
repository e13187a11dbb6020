"""The bars of a run and what happens around them.

Each series is accounted for, so that a later run can be held against it.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from intrabar.data.actions import Actions
from intrabar.data.continuous import Roll
from intrabar.data.contradictions import Seen
from intrabar.data.jumps import jumps
from intrabar.data.manifest import content_hash
from intrabar.data.margins import Margins
from intrabar.data.pieces import WholeFeed
from intrabar.data.source import Source
from intrabar.model.bars import Bars
from intrabar.model.remark import Remark


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
    """The bars of a symbol, and what happens around them.

    Parameters
    ----------
    bars : Bars
    origin : Origin
    calendar : str
        Under which they are; "" for none.
    remarks : tuple of Remark
        What was said while they were read.
    actions, margins, rolls, detail
        Splits and dividends, margins in the course of time, rolls, lower bars.
    adjustment : {"raw", "split", "all"}
        What was done to the prices.
    source : Source or None
        Where all of it was read; None: a program gave some of it.
    """

    bars: Bars
    origin: Origin
    calendar: str = ""
    remarks: tuple[Remark, ...] = ()
    actions: Actions | None = None
    margins: Margins | None = None
    rolls: tuple[Roll, ...] = ()
    detail: Bars | None = None
    adjustment: str = "raw"
    source: Source | None = None

    @property
    def seen(self) -> Seen:
        """What the bars tell of their instrument."""
        return Seen(WholeFeed(self.bars), self.calendar)

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.bars.symbol

    @property
    def around(self) -> str:
        """Hash of what is around the bars, as `Origin` has it."""
        detail = None if self.detail is None else content_hash(self.detail)
        return hash_around(self.actions, self.margins, self.rolls, detail)

    @property
    def odd(self) -> tuple[Remark, ...]:
        """What was said while they were read, and the closes that move too far."""
        return (*self.remarks, *jumps(self.bars, self.actions, self.adjustment))


def given_series(bars: Bars, calendar: str, remarks: tuple[Remark, ...] = ()) -> Series:
    """Bars that a program gives, which no later run is held against."""
    origin = Origin(bars.symbol, "given", "", "", len(bars), "", "")
    return Series(bars, origin, calendar, remarks)


def hash_around(
    actions: Actions | None, margins: Margins | None, rolls: tuple[Roll, ...], detail: str | None
) -> str:
    """Hash of what is around the bars of a symbol; "" where there is nothing.

    `detail` is the content hash of the lower bars.
    """
    parts: list[Any] = [
        actions and actions.content_sha256,
        margins and margins.rows,
        rolls,
        detail,
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest() if any(parts) else ""


def origin(bars: Bars, source: str, sha256: str = "") -> Origin:
    """The record of bars that are about to be traded."""
    first, last = (str(np.datetime64(int(t), "s")) for t in bars.close_time[[0, -1]] // 10**9)
    return Origin(
        bars.symbol, source, sha256, content_hash(bars), len(bars), f"{first}Z", f"{last}Z"
    )
