"""Instants as nanoseconds since 1970 UTC, whatever the time zone of the machine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_ns(stamp: datetime) -> int:
    """Nanoseconds of a stamp; one without a zone is in UTC."""
    known = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    return int((known - _EPOCH) // timedelta(microseconds=1)) * 1_000
