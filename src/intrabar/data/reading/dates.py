"""Dates and times of day, from text to nanoseconds of a clock on the wall.

Which of two numbers is the day is told by the other rows: a reading must be valid in all of
them, and its dates must be sessions, a few days apart and not in the future. Where two readings
fit or none does, the reader asks.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import polars as pl

from intrabar.errors import ConfigError, DataError
from intrabar.model.bars import DAY_NS, Times

Fits = Callable[[Times], bool]
"""Whether dates (days since 1970, each once) may be those of bars."""

YEAR_FIRST = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y.%m.%d")
_NAMED = (
    "%d-%B-%Y", "%d-%B-%y", "%d %B %Y", "%d %B %y", "%B %d, %Y", "%B %d %Y", "%d/%B/%Y",
    "%d.%B.%Y", "%d%B%Y", "%B-%d-%Y", "%Y-%B-%d", "%d %B, %Y", "%B %d, %y", "%d/%B/%y",
)  # fmt: skip
CLOCKS = ("%H:%M:%S%.f", "%H:%M", "%H%M%S", "%H%M", "%I:%M:%S %p", "%I:%M %p")
_YEAR_LAST = r"^\d{1,2}[/.\-]\d{1,2}[/.\-](?:\d{4}|\d{2})(?: |$)"
_YEAR_SHORT = r"^\d{2}[/.\-]\d{1,2}[/.\-]\d{1,2}(?: |$)"
_TIDY = (
    (r"[\s\x{a0}\x{202f}]+", " "),
    (r"(\d)T(\d)", "${1} ${2}"),
    (r"^\"|\"$", ""),
    (r"(?i)^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? ", ""),
    (r"^(\d{4}):(\d{2}):(\d{2}) ", "${1}-${2}-${3} "),
    (r"^(\d{1,2}/[A-Za-z]{3}/\d{4}):", "${1} "),
    (r"(?i)(\d) ?([ap])\.?m\.?$", "${1} ${2}M"),
    (r"(?i)([ -])(\d{1,2})[ -]([ap]m)$", " ${2}:00 ${3}"),
    (r"^(\d{4}-\d{2}-\d{2}) (\d{1,2})$", "${1} ${2}:00"),
    (r"(:\d{2}),(\d+)", "${1}.${2}"),
    (r"(:\d{2}\.\d{6})\d+", "${1}"),
    (r" (\d{1,2})\.(\d{2})\.(\d{2})$", " ${1}:${2}:${3}"),
    (r" (\d{1,2})\.(\d{2})$", " ${1}:${2}"),
    (r"(?i)\bsept\b", "Sep"),
)


def parse_dates(text: pl.Series, fits: Fits) -> pl.Series:
    """Wall clock of text without offsets, int64 ns, null where it is no stamp.

    Raises
    ------
    DataError
        The day and the month cannot be told apart.
    """
    found = _nulls(len(text))
    found = _by_formats(text, found, _with_clocks(YEAR_FIRST))
    left = found.is_null() & text.is_not_null()
    if not left.any():
        return found
    tidy = text
    for pattern, instead in _TIDY:
        tidy = tidy.str.replace_all(pattern, instead)
    midnight = tidy.str.contains(r" 24:00(?::00(?:\.0+)?)?$").fill_null(False)
    tidy = tidy.str.replace(r" 24:00(?::00(?:\.0+)?)?$", " 00:00:00").str.strip_chars()
    late = midnight.cast(pl.Int64) * DAY_NS
    made = _by_formats(tidy, _nulls(len(text)), _with_clocks((*YEAR_FIRST, *_NAMED)))
    made = _year_last(tidy, made, fits)
    return found.zip_with(found.is_not_null(), made + late)


def parse_by_format(text: pl.Series, form: str) -> tuple[pl.Series, pl.Series | None]:
    """Wall clock by a format of the user, and UTC where it has an offset (`%z`).

    Raises
    ------
    ConfigError
        The format has a word that is unknown, or contradicts itself.
    """
    if "%z" in form or "%#z" in form or "%:z" in form:
        moment = _strptime(text, form)
        utc = moment.dt.replace_time_zone(None) if moment.dtype.time_zone else moment  # type: ignore[attr-defined]
        ns = in_years(utc)
        return ns, ns
    return _parsed(text, form), None


def _with_clocks(days: tuple[str, ...]) -> list[str]:
    return [f"{d} {c}" for d, c in itertools.product(days, CLOCKS)] + list(days)


def _by_formats(text: pl.Series, found: pl.Series, forms: list[str]) -> pl.Series:
    for form in forms:
        left = found.is_null() & text.is_not_null()
        if not left.any():
            break
        # A look at some of the open rows spares parsing the whole column in vain.
        if _parsed(_some(text.filter(left)), form).is_not_null().any():
            found = found.zip_with(found.is_not_null(), _parsed(text, form))
    return found


def _some(text: pl.Series) -> pl.Series:
    step = max(len(text) // 100, 1)
    return pl.concat([text.head(50), text.gather_every(step)])


def _year_last(text: pl.Series, found: pl.Series, fits: Fits) -> pl.Series:
    """Read 03/04/2024, 3.4.24 and the like, once it is known which number is the day."""
    left = found.is_null() & text.str.contains(_YEAR_LAST).fill_null(False)
    if not left.any():
        return found
    rows = text.filter(left)
    first = rows[0]
    sign = re.sub(r"\d", "", first)[0]
    rows = rows.str.replace(r"^(\d+)[/.\-](\d+)[/.\-]", f"${{1}}{sign}${{2}}{sign}")
    year = "%Y" if re.match(r"^\d+.\d+.\d{4}", first) else "%y"
    days = [f"%m{sign}%d{sign}{year}", f"%d{sign}%m{sign}{year}"]
    if year == "%y":
        days.append(f"%y{sign}%m{sign}%d")
    readings: dict[str, tuple[str, pl.Series]] = {}
    for day in days:
        made, clock = _best_clock(rows, day)
        readings[day] = (f"{day}{clock}", made)
    most = max(int(made.is_not_null().sum()) for _, made in readings.values())
    valid = {day: one for day, one in readings.items() if one[1].is_not_null().sum() == most}
    if most == 0:
        return found
    chosen = _chosen(valid, first, sign, fits)
    if found.is_not_null().any() and chosen == f"%d{sign}%m{sign}{year}":
        raise DataError(
            f"the date {first!r} has the day first, other rows are written in another way; write "
            "all dates in one way, such as 2024-03-08"
        )
    frame = pl.DataFrame({"at": left.arg_true(), "ns": valid[chosen][1]})
    filled = pl.DataFrame({"at": pl.arange(0, len(text), eager=True, dtype=pl.UInt32)})
    joined = filled.join(frame.with_columns(pl.col("at").cast(pl.UInt32)), on="at", how="left")
    return found.zip_with(found.is_not_null(), joined.sort("at")["ns"])


def _chosen(valid: dict[str, tuple[str, pl.Series]], first: str, sign: str, fits: Fits) -> str:
    if len(valid) == 1:
        return next(iter(valid))
    if sign == ".":
        return next((day for day in valid if day.startswith("%d")), next(iter(valid)))
    good = [day for day, (_, made) in valid.items() if _plausible(made, fits)]
    if len(good) == 1:
        return good[0]
    same = {tuple(made.head(1000).to_list()) for _, made in valid.values()}
    if len(same) == 1:
        return next(iter(valid))
    ways = {day: one for day, one in valid.items() if not good or day in good}
    shown = " or ".join(
        f"{_day_text(made)} (--time-format '{form}')" for form, made in ways.values()
    )
    raise DataError(f"{first!r} may be {shown}; say which by that option")


def _plausible(made: pl.Series, fits: Fits) -> bool:
    days = np.unique(made.drop_nulls().to_numpy() // DAY_NS)
    today = int(datetime.now(UTC).timestamp()) // 86_400
    if days[-1] > today + 1 or not fits(days):
        return False
    return days.size < 2 or bool(np.median(np.diff(days)) <= 5)


def _day_text(made: pl.Series) -> str:
    day = made.drop_nulls()[0]
    return datetime.fromtimestamp(day / 1e9, UTC).strftime("%d %B %Y").lstrip("0")


def _best_clock(rows: pl.Series, day: str) -> tuple[pl.Series, str]:
    found, name = _nulls(len(rows)), ""
    for clock in (*(f" {c}" for c in CLOCKS), ""):
        if found.is_not_null().all():
            break
        if not _parsed(_some(rows.filter(found.is_null())), day + clock).is_not_null().any():
            continue
        made = _parsed(rows, day + clock)
        if made.is_not_null().any():
            name = name or clock
            found = found.zip_with(found.is_not_null(), made)
    return found, name.replace("%S%.f", "%S")


def _parsed(text: pl.Series, form: str) -> pl.Series:
    dated = not any(word in form for word in ("%H", "%I", "%s", "%T", "%R", "%c", "%k", "%l", "%X"))
    if dated:
        form, text = f"{form} %H:%M", text + " 00:00"
    elif "%M" not in form and not any(word in form for word in ("%s", "%T", "%R", "%c", "%X")):
        form, text = f"{form}|%M", text + "|00"  # an hour alone is no time to the parser
    return in_years(_strptime(text, form))


def _strptime(text: pl.Series, form: str) -> pl.Series:
    try:
        return text.str.to_datetime(form, time_unit="us", strict=False)
    except pl.exceptions.PolarsError as error:
        raise ConfigError(
            f"--time-format: {form!r} is no format of a date and time ({str(error)[:80]}); write "
            "it in strftime's words, such as '%d/%m/%Y %H:%M' or '%m/%d/%Y %I:%M %p'"
        ) from error


def in_years(moment: pl.Series) -> pl.Series:
    """Ns of moments (us), null where nanoseconds cannot hold them."""
    ns = moment.to_physical() * 1000
    if not len(moment) or (_year(moment.min()) >= 1700 and _year(moment.max()) <= 2250):
        return ns
    year = moment.dt.year()
    sane = (year >= 1700) & (year <= 2250)
    return ns.zip_with(sane.fill_null(False), _nulls(1))


def _year(moment: object) -> int:
    return moment.year if isinstance(moment, datetime) else 1970


def _nulls(count: int) -> pl.Series:
    return pl.Series([None], dtype=pl.Int64).extend_constant(None, max(count - 1, 0)).head(count)
