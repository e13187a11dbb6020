"""What every source promises, of recorded and of polled bars."""

from __future__ import annotations

from intrabar.data.live.conformance import Case, SourceConformance
from intrabar.data.live.polling import Polled
from intrabar.data.live.recorded import Recorded
from intrabar.links.clock import LoopClock
from tests.data.live.samples import MINUTE, Scripted, minutes, ns, rows


def recorded(*, opens: bool = False) -> Case:
    clock = LoopClock(ns("2026-03-02T10:30:20"))
    bars = [minutes(s, "2026-03-02T10:00", 60) for s in ("ACME", "BETA")]
    source = Recorded(bars, clock, opens=opens)
    return Case(source, clock, ("ACME", "BETA"), MINUTE, ns("2026-03-02T10:00"))


def polled() -> Case:
    clock = LoopClock(ns("2026-03-02T15:30:20"))  # NYSE opened at 14:30
    table = {s: rows("2026-03-02", MINUTE, 390) for s in ("IBM", "MSFT")}
    return Case(
        Polled(Scripted(clock, table), clock),
        clock,
        ("IBM", "MSFT"),
        MINUTE,
        ns("2026-03-02T14:30"),
        unknown="AAPL",
    )


class TestRecorded(SourceConformance):
    make = staticmethod(recorded)


class TestRecordedWithOpens(SourceConformance):
    make = staticmethod(lambda: recorded(opens=True))


class TestPolled(SourceConformance):
    make = staticmethod(polled)
