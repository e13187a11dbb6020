"""Values with dates, put on the rows of a timeline: each at the bar that its stamp names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.model.bars import DAY_NS, DatedTimeline, Floats, Times
from intrabar.strategy.labelled import Reading, bar_text, columns_of
from intrabar.strategy.stamped import Stamps


class Fit(NamedTuple):
    """Stamps found among the rows of a timeline in one way of reading them."""

    label: str
    zone: str
    rows: Times  # -1: outside of the bars, -2: between them


def aligned(
    values: Floats, stamps: Stamps, timeline: DatedTimeline, j: int, how: Reading
) -> tuple[Floats, list[str]]:
    """Values at the bars that their stamps name.

    Parameters
    ----------
    values : (k,) float64
    stamps : Stamps
    timeline : DatedTimeline
    j : int
        Column of the instrument.
    how : Reading

    Returns
    -------
    (t,) float64
        NaN at bars that no stamp names.
    list of str
        What was left out.

    Raises
    ------
    ConfigError
        A stamp fits no bar or is there twice, or it is not known which bars are meant.
    """
    keys = stamps.wall if stamps.utc is None else stamps.utc
    order = np.argsort(keys, kind="stable")
    twice = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    if twice.size:
        raise ConfigError(f"{how.place}: {stamps.text(order[twice[0]])} is there twice")
    if not len(keys):
        raise ConfigError(f"{how.place}: there are no rows")
    chosen, remarks = _chosen(_fits(stamps, timeline, j, how), stamps, timeline, how)
    inside = chosen.rows >= 0
    column = np.full(len(timeline), np.nan)
    column[chosen.rows[inside]] = values[inside]
    outside = np.flatnonzero(~inside)
    if outside.size:
        remarks.append(
            f"{how.place}: {outside.size:,} of {len(keys):,} fell outside of the bars and were "
            f"left out, the first at {stamps.text(outside[0])}; the bars run from "
            f"{bar_text(timeline, 0)} to {bar_text(timeline, -1)}"
        )
    without = np.ones(len(timeline), np.bool_)
    without[chosen.rows[inside]] = False
    without &= ~np.isnan(timeline.open[:, j])
    if without.any():
        rows = np.flatnonzero(without)
        told = "bar" if rows.size == 1 else "bars"
        remarks.append(
            f"{how.place}: {rows.size:,} {told} have none, from bar {rows[0]} "
            f"({bar_text(timeline, rows[0])}) to bar {rows[-1]} "
            f"({bar_text(timeline, rows[-1])}); nothing is asked there"
        )
    return column, remarks


def _chosen(
    fits: list[Fit], stamps: Stamps, timeline: DatedTimeline, how: Reading
) -> tuple[Fit, list[str]]:
    """The way of reading that fits; the fewest stamps outside go first."""
    bad = [int((fit.rows == -2).sum()) for fit in fits]
    hits = [int((fit.rows >= 0).sum()) for fit in fits]
    good = [f for f, wrong, hit in zip(fits, bad, hits, strict=True) if wrong == 0 and hit > 0]
    if not good:
        first = fits[0]
        at = int(np.argmax(first.rows < 0))
        for k in np.flatnonzero(first.rows == -2)[:1]:
            at = int(k)
        raise ConfigError(
            f"{how.place}: {stamps.text(at)} fits no bar; the bars run from "
            f"{bar_text(timeline, 0)} to {bar_text(timeline, -1)}" + _hint(stamps, timeline, how)
        )
    complete = [fit for fit in good if (fit.rows >= 0).all()]
    pool = complete or good
    zones = list(dict.fromkeys(fit.zone for fit in pool))
    if len(zones) > 1 and len({fit.rows.tobytes() for fit in pool if fit.label == "start"}) != 1:
        raise ConfigError(
            f"{how.place}: the stamps carry no zone and fit the bars in {' and in '.join(zones)}; "
            "write zone="
        )
    fit = pool[0]
    daily = timeline.period >= DAY_NS
    if not daily and how.label is None and stamps.are_dates and len(stamps.wall) > 1:
        hit = np.sort(fit.rows[fit.rows >= 0])
        if hit.size and hit[-1] - hit[0] >= hit.size:
            raise ConfigError(
                f"{how.place}: dates, but the bars are shorter than a day; write the time from "
                "which each holds, or label='start' if they are starts of bars at midnight"
            )
    if any(other.label != fit.label for other in pool):
        edge = "dates" if daily else "starts"
        return fit, [
            f"{how.place}: the stamps fit the {edge} of bars and the ends of others; they were "
            f"taken for {edge}, write label='end' or label='start' to say which they are"
        ]
    return fit, []


def _hint(stamps: Stamps, timeline: DatedTimeline, how: Reading) -> str:
    if timeline.period >= DAY_NS and not stamps.are_dates:
        return "; daily bars are named by their dates"
    if stamps.utc is None and how.zone is None and not stamps.are_dates:
        return "; the stamps carry no zone, write zone= to name it"
    return ""


def _fits(stamps: Stamps, timeline: DatedTimeline, j: int, how: Reading) -> list[Fit]:
    """Every way of reading that there may be, the likeliest first."""
    fits = []
    real = ~np.isnan(timeline.open)
    if timeline.period >= DAY_NS and stamps.are_dates and how.label != "end":
        days, rows = _days(timeline, real[:, j])
        fits.append(Fit("start", "", _found(stamps.wall // DAY_NS, days, rows)))
    zones = [""]
    if stamps.utc is None:
        exchange = (how.zone,) if how.zone else (how.zone_of(j), "UTC")
        zones = [] if fits else list(dict.fromkeys(map(str, exchange)))
    every = np.arange(len(timeline))
    starts = np.where(real, timeline.open_time, np.iinfo(np.int64).max).min(axis=1)
    edges = {"start": starts, "end": timeline.time}
    for zone in zones:
        try:
            instants = stamps.at(zone).utc if zone else stamps.utc
        except ConfigError:
            if len(zones) == 1:
                raise
            continue
        assert instants is not None
        for label, edge in edges.items():
            if how.label in (None, label):
                fits.append(Fit(label, zone, _found(instants, edge, every)))
    if not fits:
        raise ConfigError(f"{how.place}: the stamps carry no zone; write zone=")
    return fits


def _days(timeline: DatedTimeline, real: NDArray[np.bool_]) -> tuple[Times, Times]:
    """Dates of the sessions, rising, and the row of each: the own bar, else the last."""
    day = timeline.time // DAY_NS if timeline.day is None else timeline.day
    rank = np.lexsort((np.arange(len(day)), real, day))
    last = np.append(day[rank][1:] != day[rank][:-1], True)
    return day[rank][last], rank[last]


def _found(keys: Times, edges: Times, rows: Times) -> Times:
    """The row of each key; -1 outside of all, -2 between them."""
    place = np.minimum(np.searchsorted(edges, keys), len(edges) - 1)
    missing = np.where((keys < edges[0]) | (keys > edges[-1]), -1, -2)
    return np.where(edges[place] == keys, rows[place], missing)


def placed(
    values: Any,
    timeline: DatedTimeline,
    how: Reading,
    as_numbers: Callable[[Any, str], Floats],
) -> tuple[dict[str, Any], list[str]]:
    """What is said of each symbol, row by row, where it came with stamps or names of columns.

    Parameters
    ----------
    values : whatever `columns_of` takes
    timeline : DatedTimeline
    how : Reading
    as_numbers : callable
        Makes float64 of the values of a column; it is told their place too.

    Returns
    -------
    dict of symbol to (t,) float64, or to what was given where it has no stamps
    list of str
        What was left out.

    Raises
    ------
    ConfigError
    """
    made: dict[str, Any] = {}
    remarks: list[str] = []
    for symbol, (column, stamps) in columns_of(values, timeline.symbols, how).items():
        if stamps is None:
            made[symbol] = column
            continue
        if symbol not in timeline.symbols:
            raise ConfigError(f"{how.place} has {symbol!r}, which is not traded")
        own = f"{how.place} of {symbol}" if isinstance(values, Mapping) else how.place
        at = replace(how, place=own)
        numbers = as_numbers(column, at.place)
        j = timeline.symbols.index(symbol)
        made[symbol], more = aligned(numbers, stamps, timeline, j, at)
        remarks += more
    return made, list(dict.fromkeys(remarks))


def require_rows(array: NDArray[Any], rows: int) -> None:
    """Refuse rows that end before those of the market: a kernel would read behind them.

    A piece of a history stands under the numbers of the whole, so there may be more.

    Raises
    ------
    TypeError
    """
    if len(array) < rows:
        raise TypeError(f"an array of {len(array)} rows, where {rows} are read")
