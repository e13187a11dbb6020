"""Instants as TWS writes them and wants them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from intrabar.errors import BadAnswer

SECOND_NS = 1_000_000_000
_FORM = re.compile(r"(\d{8})(-| {1,2})(\d\d:\d\d:\d\d)(?: (\S.*))?")


def instant(text: str, local: tzinfo | None) -> int:
    """A time of TWS, ns since 1970.

    Parameters
    ----------
    text : str
        `20250415 19:38:31 US/Eastern`, `20250415-19:38:31` (UTC), seconds since 1970, or without a
        zone, in that of TWS.
    local : tzinfo or None
        The zone of TWS; None: this machine's.

    Raises
    ------
    BadAnswer
        It is none of these, or its zone is not known.
    """
    if text.isdigit() and len(text) > 8:
        return int(text) * SECOND_NS
    found = _FORM.fullmatch(text)
    if found is None:
        raise BadAnswer(f"{text[:40]!r} is no time of TWS")
    day, between, clock, zone = found.groups()
    try:
        plain = datetime.strptime(day + clock, "%Y%m%d%H:%M:%S")
        where = UTC if between == "-" else ZoneInfo(zone) if zone else local
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadAnswer(f"{text[:40]!r} is no time that can be read") from None
    return round(plain.replace(tzinfo=where).timestamp()) * SECOND_NS


def utc_text(at: int) -> str:
    """An instant (ns since 1970) as TWS takes it: `20250415-19:38:31`, UTC."""
    return datetime.fromtimestamp(at // SECOND_NS, UTC).strftime("%Y%m%d-%H:%M:%S")
