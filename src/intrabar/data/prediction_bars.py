"""Predictions on bars: what no model could have known then, and at how many bars there is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from intrabar.data.prediction_file import PredictionFile, instants, stamp_text
from intrabar.data.stamps import Stamps, to_utc
from intrabar.errors import DataError
from intrabar.model.bars import DAY_NS, Floats, Times
from intrabar.model.remark import Remark

ZONES_APART = 14 * 3600 * 10**9
"""The most that a time without a zone may lie before what it says in UTC, ns."""


@dataclass(frozen=True, slots=True, eq=False)
class BarsOf:
    """The real bars of an instrument, as far as predictions are placed by them.

    Parameters
    ----------
    close_time, open_time : (n,) int64, ns UTC
    close : (n,) float64, price
    session : (n,) int64, days since 1970
    splits : tuple of int
        The bars before whose open there is a split.
    tick : price
        0 where there is no grid.
    zone : str
        Of the exchange.
    is_daily : bool
    """

    close_time: Times
    open_time: Times
    close: Floats
    session: Times
    splits: tuple[int, ...]
    tick: float
    zone: str
    is_daily: bool


def part(stamps: Stamps, rows: Times) -> Stamps:
    """The stamps of some rows."""
    arrays = {n: getattr(stamps, n)[rows] for n in ("wall", "utc", "readable", "aware")}
    return replace(stamps, **arrays)


def require_rising(file: PredictionFile, symbol: str, rows: Times, at: Times) -> None:
    """Refuse two rows of one bar."""
    twice = np.flatnonzero(np.diff(at) <= 0) + 1
    if twice.size:
        raise DataError(f"two rows were made on one bar of {symbol}: {file.first(rows[twice])}")


def latest(stamps: Stamps, rows: Times, zone: str | None, zones: Iterable[str]) -> Times:
    """The latest instants that stamps may mean: never too early where they carry no zone."""
    read = []
    for name in [zone] if zone else dict.fromkeys((*filter(None, zones), "UTC")):
        try:
            read.append(to_utc(stamps, name, rows, "latest"))
        except DataError:  # clocks of that zone skip one of them
            continue
    if not read:
        raise DataError(f"its times are none in {zone}; write another zone")
    return np.asarray(np.max(read, axis=0))


def require_known(
    file: PredictionFile, rows: Times, at: Times, bars: BarsOf, zone: str | None
) -> None:
    """Refuse rows that somebody could have known only after the next bar."""
    if file.made_at is None:
        return
    # Of the instants that it may mean the first: what is surely too late is refused.
    made = to_utc(part(file.made_at, rows), zone or "UTC", file.rows[rows])
    next_bar = np.append(bars.close_time[1:], np.iinfo(np.int64).max)[at]
    late = np.flatnonzero(file.made_at.readable[rows] & (made >= next_bar))
    if late.size:
        raise DataError(
            f"{late.size:,} rows were made (made_at) when the bar after theirs had closed: "
            f"{file.first(rows[late])}; made_at is when a row was known, and not when its file was "
            "written"
        )


def trained_until(
    file: PredictionFile, rows: Mapping[str, Times], zones: Mapping[str, str], exchanges: list[str]
) -> dict[str, Times]:
    """What the model of each row had seen, ns UTC: in the zone of its times where that is told."""
    until = file.trained_until
    if until is None:
        return {}
    if not until.clock:  # a date is all of its day
        until, exchanges = replace(until, wall=until.wall + (DAY_NS - 1)), []
    return {
        symbol: latest(part(until, own), file.rows[own], zones.get(symbol), exchanges)
        for symbol, own in rows.items()
    }


def require_untrained(
    file: PredictionFile,
    rows: Mapping[str, Times],
    times: Mapping[str, Times],
    trained: Mapping[str, Times],
) -> None:
    """Refuse rows of bars that their model was trained on, whatever their symbol and horizon.

    Rows on no bar here are judged as they are written: trained beyond their own `Time`.
    """
    until = file.trained_until
    if until is None:
        return
    own, close, known = (
        np.concatenate([of[symbol] for symbol in rows]) for of in (rows, times, trained)
    )
    late = own[until.readable[own] & (known >= close)]
    count = len(file.predicted_return)
    others = np.setdiff1d(np.arange(count), own)
    written = instants(until) + (0 if until.clock else DAY_NS - 1)
    least = written - np.where(until.aware == file.time.aware, 0, ZONES_APART)
    beyond = until.readable & file.time.readable & (least > instants(file.time))
    late = np.sort(np.append(late, others[beyond[others]]))
    if late.size:
        raise DataError(
            f"{late.size:,} of {count:,} rows are of bars that their model was trained on "
            f"(trained_until not before their own close), the first {file.text(int(late[0]))}, "
            f"trained until {stamp_text(until, int(late[0]))}; leave these rows out, or train on "
            "earlier bars"
        )


def coverage(
    file: PredictionFile, rows: Mapping[str, Times], bars: Mapping[str, BarsOf]
) -> list[Remark]:
    """At how many bars there is no prediction."""
    told = []
    for symbol, own in bars.items():
        count = len(own.close)
        there = int(np.isfinite(file.predicted_return[rows[symbol]]).sum()) if symbol in rows else 0
        if there < count:
            told.append(
                Remark(
                    f"{file.name}: {count - there:,} of {count:,} bars of {symbol} "
                    f"({1.0 - there / count:.1%}) have no prediction; nothing is decided by one "
                    "there",
                    severe=2 * there < count,
                )
            )
    return told


def training(file: PredictionFile, rows: Mapping[str, Times]) -> list[Remark]:
    """What is known of what its models had seen."""
    used = np.concatenate(list(rows.values()))
    known = np.zeros(len(used), np.bool_)
    if file.trained_until is not None:
        known = file.trained_until.readable[used]
    told = []
    if known.any():
        how = "witnessed here" if file.is_witnessed else "declared, not witnessed here"
        told.append(Remark(f"{file.name}: its trained_until is {how}"))
    if not known.all():
        told.append(
            Remark(
                f"{file.name}: unknown training: {np.count_nonzero(~known):,} of {len(used):,} "
                "rows have no trained_until, so that nothing shows that their model had not seen "
                "these bars",
                severe=True,
            )
        )
    return told
