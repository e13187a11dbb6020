"""Which of several columns is the stamp, and which the time of day beside a date."""

from __future__ import annotations

import numpy as np
import polars as pl

from intrabar.data.formats import Format
from intrabar.data.reading.words import HOURS, PARTS, plain
from intrabar.data.stamps import is_clock, parse_stamps
from intrabar.errors import DataError


def stamp_columns(frame: pl.DataFrame, form: Format) -> tuple[str, str]:
    """The column of the stamp and that of the time of day, "" where there is none."""
    _refuse_parts(frame, form)
    clocks = [c for c in form.clocks if is_clock(frame[c])]
    times = [c for c in form.times if c not in clocks or len(form.times) == 1]
    times = [c for c in times if len(times) == 1 or not is_clock(frame[c])] or list(form.times)
    looks = {c: _look(frame[c]) for c in times} if len(times) > 1 or clocks else {}
    dates = [c for c in times if looks.get(c) == 1]
    # Dates alone that differ from row to row are daily bars, whatever stands beside them.
    daily = [c for c in dates if frame[c].n_unique() >= 0.9 * frame.height]
    instants = [c for c in times if looks.get(c) == 3]
    if clocks and dates and (daily or not instants):
        return dates[0], clocks[0]
    if daily:
        return daily[0], ""
    if not looks or len(times) == 1:
        return times[0], ""
    opening = [c for c in times if plain(c) in ("open time", "time open", "timeopen", "opentime")]
    if opening and looks[opening[0]] > 1:
        return opening[0], ""
    return max(times, key=lambda c: looks[c]), ""


def _refuse_parts(frame: pl.DataFrame, form: Format) -> None:
    """Refuse a date or a time of day whose parts stand in columns of their own."""
    names = {plain(c): c for c in frame.columns}
    parts = [names[w] for w in PARTS if w in names]
    of_time = [c for c in parts if plain(c) in ("minute", "minutes", "second")]
    has_hour = any(w in names for w in HOURS)
    only_parts = all(plain(c) in PARTS for c in form.times)
    if (of_time and has_hour) or (only_parts and len(parts) >= 3):
        raise DataError(
            f"the stamp is in parts, in the columns {', '.join(map(repr, parts))}; join them in "
            "one column, such as 2024-03-12 09:30"
        )


def _look(column: pl.Series) -> int:
    """How much a column of stamps tells: 3 instants, 2 times without a zone, 1 dates, 0 nothing."""
    some = column.drop_nulls()
    some = pl.concat([some.head(100), some.tail(100)])
    if not len(some):
        return 0
    try:
        stamps = parse_stamps(some, zone_given=True)
    except DataError:  # two readings: of a date, or of a date and time
        return 2 if some.cast(pl.String).str.contains(":").any() else 1
    if 2 * np.count_nonzero(stamps.readable) <= len(some):
        return 0
    if stamps.aware[stamps.readable].all():
        return 3
    return 1 if stamps.dates_only else 2
