"""Facts and the hours at which they come, for tests of sealed rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from intrabar.engine.session.row import ClosedRow
from intrabar.engine.session.seal import Note, Sealer
from intrabar.model.facts import BarClosed, Fact, SourceCan
from intrabar.model.instrument import Instrument

S = 1_000_000_000
M = 60 * S
H = 60 * M
STREAM = SourceCan("none", 0.0, corrects=True, quotes=False)


def ny(text: str) -> int:
    """Ns UTC of a time in New York: "2024-07-03 13:00"."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/New_York"))
    return round(local.timestamp() * 1000) * 1_000_000


def utc(text: str) -> int:
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("UTC"))
    return round(local.timestamp() * 1000) * 1_000_000


def bar(symbol: str, time: int, price: float = 100.0, **changes: Any) -> BarClosed:
    values = {
        "open": price,
        "high": price + 1.0,
        "low": price - 1.0,
        "close": price,
        "volume": 10.0,
    }
    return BarClosed(symbol, time, **{**values, **changes})


def sealer(*calendars: str, period: int = M, started: int = 0, **options: Any) -> Sealer:
    """Of instruments A, B, ... on these exchanges, with a tick of 0.01."""
    instruments = [Instrument(chr(65 + j), calendar=name) for j, name in enumerate(calendars)]
    return Sealer(instruments, period, options.pop("can", STREAM), started, **options)


def drive(
    of: Sealer, arrivals: Iterable[tuple[int, Fact]], until: int | None = None
) -> tuple[list[ClosedRow], list[Note]]:
    """Let facts come at their times, and timers go off between them and up to an instant."""
    rows: list[ClosedRow] = []
    notes: list[Note] = []

    def look(now: int) -> None:
        found, told = of.due(now)
        rows.extend(found)
        notes.extend(told)

    def go_on(to: int) -> None:
        now = 0
        while (at := of.next_timer(now)) is not None and at <= to:
            now = at
            look(now)

    for at, fact in arrivals:
        go_on(at)
        notes.extend(of.take(fact, at))
        look(at)
    if until is not None:
        go_on(until)
    return rows, notes


def times(rows: Sequence[ClosedRow]) -> list[int]:
    return [row.time for row in rows]


def kinds(notes: Sequence[Note]) -> list[str]:
    return [note.kind for note in notes]
