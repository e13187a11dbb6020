"""Stamps that stand beside values: the index of a series, a column of a frame, a list of dates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, Times
from intrabar.model.values import shown

EPOCH = datetime(1970, 1, 1)
FIRST, LAST = datetime(1678, 1, 1), datetime(2262, 1, 1)  # what nanoseconds can hold


@dataclass(frozen=True, eq=False)
class Stamps:
    """Stamps of some values.

    Parameters
    ----------
    wall : (k,) int64, ns
        Date and time as they are written, without regard to a zone.
    utc : (k,) int64, ns UTC, or None
        None where they carry no zone.
    """

    wall: Times
    utc: Times | None = None

    @property
    def are_dates(self) -> bool:
        """Whether no stamp has a time of day other than midnight."""
        return not (self.wall % DAY_NS).any()

    def text(self, k: int) -> str:
        """One of them, as it is written."""
        stamp = str(np.datetime64(int(self.wall[k]), "ns"))[:19].replace("T", " ")
        return stamp.removesuffix(" 00:00:00") if self.are_dates else stamp

    def at(self, zone: str | tzinfo) -> Stamps:
        """The same with the instants that they are in a zone, where they carry none.

        Raises
        ------
        ConfigError
            There is no such zone, or its clocks do not tell which instant is meant.
        """
        if self.utc is not None:
            return self
        try:
            known = ZoneInfo(str(zone))
        except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
            raise ConfigError(
                f"unknown time zone {shown(zone)}; use an IANA name such as America/New_York or UTC"
            ) from None
        # The offset changes on whole quarters of an hour only.
        quarters, places = np.unique(self.wall // QUARTER, return_inverse=True)
        offsets = np.zeros(len(quarters), np.int64)
        for k, quarter in enumerate(quarters.tolist()):
            local = datetime.fromtimestamp(quarter * 900, UTC).replace(tzinfo=known)
            first, second = local.utcoffset(), local.replace(fold=1).utcoffset()
            if first != second:
                at = int(np.flatnonzero(places == k)[0])
                raise ConfigError(
                    f"{self.text(at)} is no single instant in {zone}, where clocks change; "
                    "give stamps with a zone"
                )
            offsets[k] = int(first.total_seconds()) * 1_000_000_000 if first else 0
        return Stamps(self.wall, self.wall - offsets[places])


QUARTER = 900_000_000_000


def stamps_of(column: Any, place: str) -> Stamps:
    """The stamps in a column, an index or a list.

    Parameters
    ----------
    column : pandas index or series, polars series, array or list
        Of stamps, dates, or texts as ISO 8601 writes them.
    place : str
        For messages.

    Raises
    ------
    ConfigError
        Something in it is no stamp.
    """
    if hasattr(column, "to_physical"):  # polars
        return _of_polars(column, place)
    kind = getattr(getattr(column, "dtype", None), "kind", "")
    if getattr(column, "shape", None) == ():
        raise ConfigError(f"{place} is {shown(column)}, must be stamps, one a row")
    if kind != "M":
        return _of_objects(column, place)
    zone = getattr(column.dtype, "tz", None)
    if zone is None:
        return Stamps(_nanoseconds(np.asarray(column), place))
    import pandas as pd

    index = pd.DatetimeIndex(column)
    wall = _nanoseconds(index.tz_localize(None).to_numpy(), place)
    return Stamps(wall, _nanoseconds(index.tz_convert("UTC").tz_localize(None).to_numpy(), place))


def _nanoseconds(stamps: Any, place: str) -> Times:
    if np.isnat(stamps).any():
        raise ConfigError(f"{place}: stamp {int(np.argmax(np.isnat(stamps)))} is missing (NaT)")
    years = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
    if len(years) and (years.min() < FIRST.year or years.max() >= LAST.year):
        raise ConfigError(f"{place}: a stamp is outside of the years 1678 to 2261")
    return np.asarray(stamps.astype("datetime64[ns]").astype(np.int64))


def _of_polars(column: Any, place: str) -> Stamps:
    import polars as pl

    if column.dtype != pl.Date and not isinstance(column.dtype, pl.Datetime):
        return _of_objects(column.to_list(), place)
    if column.null_count():
        raise ConfigError(f"{place}: stamp {column.is_null().arg_max()} is missing (null)")
    if column.dtype == pl.Date:
        return Stamps(column.to_physical().to_numpy().astype(np.int64) * DAY_NS)
    fine = column.dt.cast_time_unit("ns")
    wall = fine.dt.replace_time_zone(None).to_physical().to_numpy().astype(np.int64)
    aware = getattr(column.dtype, "time_zone", None) is not None
    return Stamps(wall, fine.to_physical().to_numpy().astype(np.int64) if aware else None)


def _of_objects(values: Iterable[Any], place: str) -> Stamps:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise ConfigError(f"{place} is {shown(values)}, must be stamps")
    walls, instants = [], []
    for k, value in enumerate(values):
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        except ValueError:
            moment = None
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
        if not isinstance(moment, datetime) or moment != moment:
            raise ConfigError(
                f"{place}: stamp {k} is {shown(value)}, must be a date or a time such as "
                "2024-01-31 or 2024-01-31 09:30 (pandas.to_datetime makes stamps of other texts)"
            )
        wall = moment.replace(tzinfo=None)
        if not FIRST <= wall < LAST:
            raise ConfigError(f"{place}: {value} is outside of the years 1678 to 2261")
        walls.append(_since_epoch(wall))
        offset = moment.utcoffset()
        if offset is not None:
            instants.append(_since_epoch(wall - offset))
    if instants and len(instants) < len(walls):
        raise ConfigError(f"{place}: some stamps have a zone and some have none")
    wall_ns = np.array(walls, np.int64)
    return Stamps(wall_ns, np.array(instants, np.int64) if instants else None)


def _since_epoch(moment: datetime) -> int:
    step = moment - EPOCH
    return ((step.days * 86_400 + step.seconds) * 1_000_000 + step.microseconds) * 1_000
