"""What stands behind the time of day: Z, +02:00, GMT+0200, US/Eastern, EDT."""

from __future__ import annotations

import re
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from intrabar.errors import DataError

_HOUR = 3_600_000_000_000

# Behind a time only: "2024-03-12" has no offset of -12 hours.
_TAIL = (
    r"(?i)(?:\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?|[ T]\d{4}(?:\d{2}(?:\.\d+)?)?)"
    r"(?:\s*[ap]\.?m\.?)?"
    r"\s*((?:z|utc|gmt|ut)?\s*[+-]\d{1,2}(?::?\d{2})?|z|[a-z][a-z_]+(?:/[a-z_0-9+\-]+)*)$"
)

_FIXED = {
    "Z": 0.0, "UTC": 0.0, "GMT": 0.0, "UT": 0.0, "EST": -5.0, "EDT": -4.0, "CDT": -5.0,
    "MST": -7.0, "MDT": -6.0, "PST": -8.0, "PDT": -7.0, "WET": 0.0, "WEST": 1.0, "CET": 1.0,
    "CEST": 2.0, "EET": 2.0, "EEST": 3.0, "MSK": 3.0, "JST": 9.0, "KST": 9.0, "HKT": 8.0,
    "SGT": 8.0, "AEST": 10.0, "AEDT": 11.0, "NZST": 12.0, "NZDT": 13.0,
}  # fmt: skip
_LOCAL = {"ET": "America/New_York", "EASTERN": "America/New_York", "NY": "America/New_York"}
_SEVERAL = {
    "CST": "America/Chicago or Asia/Shanghai",
    "IST": "Asia/Kolkata, Asia/Jerusalem or Europe/Dublin",
    "BST": "Europe/London or Asia/Dhaka",
    "AST": "America/Halifax or Asia/Riyadh",
    "SST": "Asia/Singapore or Pacific/Pago_Pago",
    "GST": "Asia/Dubai or Atlantic/South_Georgia",
    "CT": "America/Chicago",
    "PT": "America/Los_Angeles",
    "MT": "America/Denver",
}


class Tails(NamedTuple):
    """Stamps without what stood behind them, and what that was."""

    text: pl.Series
    offset: pl.Series  # (n,) int64 ns, null where there is none
    zone: pl.Series  # (n,) IANA name, null where there is none


def split_tails(text: pl.Series, zone_given: bool = False) -> Tails | None:
    """Take offsets and zones off stamps; None where no stamp has any.

    Parameters
    ----------
    text : Series of text
    zone_given : bool
        The zone is named anyway: letters that may be several zones are passed over.

    Raises
    ------
    DataError
        Letters that may be several zones.
    """
    tail = text.str.extract(_TAIL, 1).str.strip_chars()
    known = [t for t in tail.unique().to_list() if t is not None]
    offsets: dict[str, int] = {}
    zones: dict[str, str] = {}
    bare: list[str] = []
    upper = {t.upper() for t in known}
    for one in known:
        found = _meaning(one, upper, zone_given)
        if isinstance(found, bool):
            bare += [one] if found else []
        elif isinstance(found, int):
            offsets[one] = found
        else:
            zones[one] = found
    every = [*offsets, *zones, *bare]
    if not every:
        return None
    mine = tail.is_in(every).fill_null(False)
    size = text.str.len_chars().cast(pl.Int64) - tail.str.len_chars().cast(pl.Int64)
    plain = text.str.slice(0, 0) if not len(text) else _cut(text, size)
    return Tails(
        plain.str.strip_chars().zip_with(mine, text),
        tail.replace_strict(offsets, default=None, return_dtype=pl.Int64),
        tail.replace_strict(zones, default=None, return_dtype=pl.String),
    )


def zone_named(word: str) -> str | None:
    """IANA zone of a word in a header or a note: "EET", "gmt", "US/Eastern"; None if none.

    Raises
    ------
    DataError
        Letters that may be several zones.
    """
    name = word.strip().upper()
    if name in ("GMT", "UTC", "Z", "UT"):
        return "UTC"
    if offset := re.fullmatch(r"(?:GMT|UTC)([+-])0?(\d{1,2})(?::?00)?", name):
        return f"Etc/GMT{'-' if offset[1] == '+' else '+'}{offset[2]}"  # Etc's signs are reversed
    if name in _LOCAL:
        return _LOCAL[name]
    if name in _SEVERAL:
        raise DataError(
            f"the header says {word.upper()}, which may be {_SEVERAL[name]}; name the zone: --zone "
            f"{_SEVERAL[name].split()[0].rstrip(',')}"
        )
    if name in ("EST", "EDT"):
        return "Etc/GMT+5" if name == "EST" else "Etc/GMT+4"
    for form in (word.strip(), name, word.strip().title()):
        if _is_zone(form):
            return form
    return None


def _meaning(tail: str, all_tails: set[str], zone_given: bool) -> int | str | bool:
    """Offset in ns, name of a zone, True for letters to pass over, False for none of these."""
    name = tail.upper()
    found = re.fullmatch(r"(?:Z|UTC|GMT|UT)?\s*([+-])(\d{1,2}):?(\d{2})?", name)
    if found:
        hours = int(found[2]) + int(found[3] or 0) / 60
        return round((-hours if found[1] == "-" else hours) * _HOUR) if hours <= 15 else False
    if name in ("AM", "PM", "A", "P"):
        return False
    if name == "CST" and "CDT" in all_tails:
        return round(-6 * _HOUR)
    if name in _FIXED:
        return round(_FIXED[name] * _HOUR)
    if name in _LOCAL:
        return _LOCAL[name]
    if "/" in tail and _is_zone(tail):
        return tail
    if name in _SEVERAL:
        if zone_given:
            return True
        raise DataError(
            f"the stamps end in {tail}, which may be {_SEVERAL[name]}; name the zone: --zone "
            f"{_SEVERAL[name].split()[0].rstrip(',')}"
        )
    return False


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return bool(name)


def _cut(text: pl.Series, size: pl.Series) -> pl.Series:
    frame = pl.DataFrame({"text": text, "size": size})
    return frame.select(pl.col("text").str.slice(0, pl.col("size"))).to_series()
