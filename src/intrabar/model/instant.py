"""Instants as nanoseconds since 1970 UTC, whatever the time zone of the machine."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_ns(stamp: datetime) -> int:
    """Nanoseconds of a stamp; one without a zone is in UTC."""
    known = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    return int((known - _EPOCH) // timedelta(microseconds=1)) * 1_000


def instant_text(ns: int) -> str:
    """An instant as files write it: 2024-01-31T21:00:00Z, or with a fraction of the second."""
    return str(np.datetime64(ns, "ns")).rstrip("0").rstrip(".") + "Z"


def instant_ns(text: str) -> int:
    """Nanoseconds of what `instant_text` has written.

    Raises
    ------
    ValueError
        It is none.
    """
    if not text.endswith("Z"):
        raise ValueError(f"instant {text!r}, expected one such as 2024-01-31T21:00:00Z,")
    return int(np.datetime64(text[:-1], "ns").astype(np.int64))


def python_date(stamp: np.datetime64) -> date | datetime | None:
    """The date, or the datetime, of a stamp of NumPy; None where Python has no such year."""
    year = 1970 + int(stamp.astype("datetime64[Y]").astype(np.int64))
    if not 1 <= year <= 9999:
        return None
    is_date = stamp.dtype == np.dtype("datetime64[D]")
    exact = (stamp if is_date else stamp.astype("datetime64[us]")).item()
    return exact if isinstance(exact, date) else None
