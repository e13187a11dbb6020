"""On which bar a prediction was made: told by the prices.

`predicted_price / (1 + predicted_return)` is the close of that bar. `Time` is its end, its start,
or the end of the bar that is predicted; the one at which nearly all of these closes are those of
the bars is it. A prediction is never used before that close.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from intrabar.data.prediction_bars import (
    BarsOf,
    coverage,
    latest,
    part,
    require_known,
    require_rising,
    require_untrained,
    trained_until,
    training,
)
from intrabar.data.prediction_file import PredictionFile, stamp_text
from intrabar.data.prediction_prices import factors, moved
from intrabar.data.stamps import Stamps, to_utc
from intrabar.errors import DataError, FileError
from intrabar.indicators.given import PLACES
from intrabar.model.bars import DAY_NS, Times
from intrabar.model.remark import Remark

ENOUGH = 0.99


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The rows of a file on the bars of a run.

    Parameters
    ----------
    file : PredictionFile
    horizon : bars
    rows : mapping of symbol to (k,) int64
        Rows of the file.
    close_time : mapping of symbol to (k,) int64, ns UTC
        Of the bar on which each was made; rising.
    trained_until : mapping of symbol to (k,) int64, ns UTC
        Empty where the file does not say it.
    time_is : str
    remarks : tuple of Remark
    """

    file: PredictionFile
    horizon: int
    rows: Mapping[str, Times]
    close_time: Mapping[str, Times]
    trained_until: Mapping[str, Times]
    time_is: str
    remarks: tuple[Remark, ...]

    @property
    def key(self) -> str:
        """Hash of what stands where."""
        digest = hashlib.sha256(self.file.sha256.encode())
        for symbol, rows in self.rows.items():
            digest.update(symbol.encode() + rows.tobytes() + self.close_time[symbol].tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """The rows of one instrument, and the bar that each place names; -1: none."""

    rows: Times
    bars: BarsOf
    at: dict[str, Times]
    is_dates: bool

    @property
    def has_known(self) -> bool:
        """Whether a row may be of a bar that has closed."""
        return any(np.isfinite(self.bars.close[at[at >= 0]]).any() for at in self.at.values())


def place(
    file: PredictionFile,
    horizon: int,
    time_is: str | None,
    zone: str | None,
    bars: Mapping[str, BarsOf],
    is_open: bool = False,
) -> Placement:
    """Tell on which bars the rows of a horizon were made.

    Parameters
    ----------
    is_open : bool
        More bars come, so that all of its rows may be of those; `time_is` must be said then.

    Raises
    ------
    FileError
        They are of other bars, or it is not to be told on which they were made.
    """
    try:
        found, zones = _in_zone(file, horizon, zone, bars, is_open)
        if is_open and not any(one.has_known for one in found.values()):
            _require_said(file, time_is, zone, bars)
        chosen, told = _chosen(file, found, time_is, zone)
        rows, times = {}, {}
        for symbol, one in found.items():
            at = one.at[chosen]
            own, at = one.rows[at >= 0], at[at >= 0]
            rows[symbol], times[symbol] = own, one.bars.close_time[at]
            require_rising(file, symbol, own, at)
            require_known(file, own, at, one.bars, zone)
        if not is_open and not any(len(own) for own in rows.values()):
            raise DataError(
                f"none of its rows was made on a bar of {', '.join(bars)}: "
                f"{file.first(_first(found))}"
            )
        exchanges = [own.zone for own in bars.values()]
        trained = trained_until(file, rows, zones, exchanges)
        require_untrained(file, rows, times, trained)
    except FileError:
        raise
    except DataError as error:
        raise FileError(f"{file.name}: {error}") from None
    told += _left_out(file, horizon, found, rows)
    remarks = [Remark(f"{file.name}: {text}") for text in (*file.remarks, *told)]
    remarks += coverage(file, rows, bars)
    remarks += training(file, rows)
    return Placement(file, horizon, rows, times, trained, chosen, tuple(remarks))


def _require_said(
    file: PredictionFile, time_is: str | None, zone: str | None, bars: Mapping[str, BarsOf]
) -> None:
    """Refuse rows that are all of bars to come, where nobody says how they stand on them."""
    zones = {own.zone or "UTC" for own in bars.values()}
    unsaid = [] if time_is else [f"time_is: {', '.join(PLACES)}"]
    has_zone = zone or file.time.aware.all() or file.time.dates_only or zones == {"UTC"}
    if not has_zone:
        unsaid.append("zone")
    if unsaid:
        raise DataError(
            f"none of its rows is of the bars up to now, so that no price tells on which bars "
            f"they are made; write {', and '.join(unsaid)}"
        )


def _in_zone(
    file: PredictionFile,
    horizon: int,
    zone: str | None,
    bars: Mapping[str, BarsOf],
    is_open: bool,
) -> tuple[dict[str, _Found], dict[str, str]]:
    """What each place makes of the rows, in the zone that their prices tell, or their times.

    And that zone of each instrument, as far as it is told.
    """
    exchange = {symbol: own.zone or "UTC" for symbol, own in bars.items()}
    modes = [dict.fromkeys(bars, zone)] if zone else [exchange, dict.fromkeys(bars, "UTC")]
    if file.time.aware.all() or modes[0] == modes[-1]:
        modes = modes[:1]
    read: list[tuple[float, int, dict[str, _Found], dict[str, str]]] = []
    problems = []
    for mode in modes:
        try:
            found = _found(file, horizon, mode, bars, is_open)
        except DataError as error:
            problems.append(error)
            continue
        hits = max(
            sum(int((one.at[p] >= 0).sum()) for one in found.values() if p in one.at)
            for p in PLACES
        )
        read.append((_best_fit(file, found), hits, found, mode))
    if not read:
        raise problems[0]
    read.sort(key=lambda one: one[:2], reverse=True)
    _, _, best, zones = read[0]
    is_same = len(read) > 1 and _are_equal(best, read[1][2])
    if len(read) > 1 and read[0][:2] == read[1][:2] and not is_same:
        both = " and in ".join(dict.fromkeys([*exchange.values(), "UTC"]))
        raise DataError(f"its times carry no zone and fit the bars in {both}; write zone:")
    if not zone and (is_same or file.time.aware.all()):
        zones = {}
    return best, zones


def _best_fit(file: PredictionFile, found: Mapping[str, _Found]) -> float:
    """The share of prices that fit the best place."""
    places = [p for p in PLACES if all(p in one.at for one in found.values())]
    for is_adjusted in (False, True):
        best = max(_share(file, found, p, is_adjusted) or 0.0 for p in places)
        if best >= ENOUGH:
            break
    return best


def _are_equal(a: Mapping[str, _Found], b: Mapping[str, _Found]) -> bool:
    return all(
        np.array_equal(one.rows, b[symbol].rows)
        and all(np.array_equal(at, b[symbol].at[p]) for p, at in one.at.items())
        for symbol, one in a.items()
        if symbol in b
    )


def _left_out(
    file: PredictionFile, horizon: int, found: Mapping[str, _Found], rows: Mapping[str, Times]
) -> list[str]:
    """The rows that are on no bar."""
    told = []
    for symbol, one in found.items():
        outside = len(file.chosen(symbol, horizon)) - len(one.rows)
        if outside:
            told.append(f"{outside:,} rows of {symbol} lie outside of its bars")
        between = np.setdiff1d(one.rows, rows[symbol])
        if between.size:
            told.append(f"{between.size:,} rows are on no bar of {symbol}: {file.first(between)}")
    return told


def _found(
    file: PredictionFile,
    horizon: int,
    zones: Mapping[str, str],
    bars: Mapping[str, BarsOf],
    is_open: bool,
) -> dict[str, _Found]:
    """What each place makes of the rows, those outside of the bars left out."""
    if file.symbol is None and len(bars) > 1:
        raise DataError(
            f"it has no column symbol, and the run trades {', '.join(bars)}; name the instrument "
            "of each row"
        )
    found = {}
    for symbol, own in bars.items():
        rows = file.chosen(symbol, horizon)
        if len(rows):
            time = to_utc(part(file.time, rows), zones[symbol], file.rows[rows])
            found[symbol] = _edges(file.time, time, rows, own, horizon)
    if not found:
        raise DataError(
            f"its predictions are of {', '.join(file.symbols)}, and the run trades "
            f"{', '.join(bars)}: {file.first(np.arange(len(file.rows)))}"
        )
    if not is_open and not any(len(one.rows) for one in found.values()):
        own = next(iter(bars.values()))
        first, last = (str(np.datetime64(int(t), "ns"))[:19] for t in own.close_time[[0, -1]])
        raise DataError(
            f"its predictions are of another period: they run from {stamp_text(file.time, 0)} to "
            f"{stamp_text(file.time, -1)}, the bars from {first}Z to {last}Z"
        )
    return found


def _edges(stamps: Stamps, time: Times, rows: Times, bars: BarsOf, horizon: int) -> _Found:
    is_dates = bars.is_daily and stamps.dates_only
    end = _at(time, bars.close_time)
    day = stamps.wall[rows] // DAY_NS
    date = _at(day, bars.session)
    # Where the bars themselves end at midnight a date may be such an end.
    if is_dates and not 2 * (end >= 0).sum() > (date >= 0).sum():
        inside = (day >= bars.session[0]) & (day <= bars.session[-1])
        at = {"made": date, "target": np.where(date >= horizon, date - horizon, -1)}
    else:
        inside = (time >= bars.open_time[0]) & (time <= bars.close_time[-1])
        at = {
            "made": end,
            "start": _at(time, bars.open_time),
            "target": np.where(end >= horizon, end - horizon, -1),
        }
    return _Found(rows[inside], bars, {name: x[inside] for name, x in at.items()}, is_dates)


def _at(keys: Times, edges: Times) -> Times:
    """The last bar with this edge; -1 where there is none."""
    place = np.searchsorted(edges, keys, "right") - 1
    return np.where((place >= 0) & (edges[np.maximum(place, 0)] == keys), place, -1)


def _chosen(
    file: PredictionFile, found: Mapping[str, _Found], said: str | None, zone: str | None
) -> tuple[str, list[str]]:
    """The place that the prices tell, or that is said; and what there is to say of it."""
    places = [p for p in PLACES if all(p in one.at for one in found.values())]
    said = "made" if said == "start" and said not in places else said
    shares = {p: _share(file, found, p, is_adjusted=False) for p in places}
    if all(share is None for share in shares.values()):
        return _without_prices(file, found, said, zone)
    fit = {p: share or 0.0 for p, share in shares.items()}
    told = []
    if max(fit.values()) < ENOUGH:
        adjusted = {p: _share(file, found, p, is_adjusted=True) or 0.0 for p in places}
        if max(adjusted.values()) >= ENOUGH:
            fit = adjusted
            told.append("its prices are adjusted: a constant factor apart from those of the bars")
    good = [p for p in places if fit[p] >= ENOUGH]
    shown = "; ".join(f"{fit[p]:.1%} if Time is {PLACES[p]} ({p})" for p in places)
    if said is None and len(good) != 1:
        raise DataError(
            f"on which bars its rows were made is not to be told: by its prices {shown}; "
            f"{'no' if not good else 'more than one'} place fits {ENOUGH:.0%} of them. Write "
            f"time_is: {', '.join(PLACES)}. The first rows: {file.first(_first(found))}"
        )
    if said is not None and fit[said] < ENOUGH and len(good) == 1:
        raise DataError(
            f"time_is is {said}, which its prices contradict: {shown}. The first rows: "
            f"{file.first(_first(found))}"
        )
    chosen = said or good[0]
    told.append(f"Time is {PLACES[chosen]} ({fit[chosen]:.1%} of its prices fit)")
    return chosen, told


def _first(found: Mapping[str, _Found]) -> Times:
    return next(one.rows for one in found.values() if len(one.rows))


def _without_prices(
    file: PredictionFile, found: Mapping[str, _Found], said: str | None, zone: str | None
) -> tuple[str, list[str]]:
    """Where no close is to be told: `made`, or the bar that closes first after `made_at`."""
    if said == "target":
        raise DataError(
            "time_is: target needs predicted_price, by which it can be seen; without prices write "
            "the time at which each row was made"
        )
    if said is None and file.made_at is not None:
        for one in found.values():
            known = latest(file.made_at, file.rows, zone, [one.bars.zone])[one.rows]
            at = np.searchsorted(one.bars.close_time, known)
            is_there = file.made_at.readable[one.rows] & (at < len(one.bars.close_time))
            one.at["made"] = np.where(is_there, at, -1)
        return "made", ["a row was made on the first bar that closes at or after its made_at"]
    chosen = said or "made"
    if said is None and any(one.is_dates and "start" in one.at for one in found.values()):
        chosen = "start"  # a date that is also the end of the day before: the later bar
    rows = sum(len(one.rows) for one in found.values())
    hits = sum(int((one.at[chosen] >= 0).sum()) for one in found.values())
    if hits < ENOUGH * rows and (said is None or hits == 0):
        raise DataError(
            f"only {hits:,} of {rows:,} of its times are {PLACES[chosen]}, and it has no prices "
            f"that would tell which bars are meant; the first rows: {file.first(_first(found))}"
        )
    return chosen, [f"no prices tell on which bars its rows were made: Time is {PLACES[chosen]}"]


def _share(
    file: PredictionFile, found: Mapping[str, _Found], name: str, is_adjusted: bool
) -> float | None:
    """Of the rows with a price, those whose close is that of the bar; None without prices."""
    rows = fits = 0
    for one in found.values():
        if file.predicted_price is None:
            return None
        growth = 1.0 + file.predicted_return[one.rows]
        price = file.predicted_price[one.rows]
        at = one.at[name]
        to_come = (at >= 0) & np.isnan(one.bars.close[at])
        told = np.isfinite(price) & np.isfinite(growth) & ~to_come
        rows += int(told.sum())
        use = told & (at >= 0)
        close, implied = one.bars.close[at[use]], (price / growth)[use]
        slack = 0.5 * one.bars.tick + moved(file, price[use], growth[use]) + 1e-9 * close
        factor = np.ones(len(close))
        if is_adjusted:
            factor = factors(implied / close, at[use], one.bars.splits)
            slack = 2.0 * slack * np.maximum(factor, 1.0)  # the factor is rounded too
        fits += int((np.abs(implied - factor * close) <= slack).sum())
    return fits / rows if rows else None
