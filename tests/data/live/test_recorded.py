"""Recorded bars: when they come, and with which faults."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence

import pytest

from intrabar.data.live.recorded import BAD, KINDS, Fault, Recorded
from intrabar.errors import ConfigError, DataError, NotFoundError
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.model.bars import Bars
from intrabar.model.facts import BarClosed, BarOpened, Fact, Heartbeat, LinkFact
from tests.data.live.samples import MINUTE, SECOND, minutes, ns

START = ns("2026-03-02T10:00")


def lived(
    bars: Sequence[Bars], faults: Sequence[Fault] = (), *, opens: bool = False, speed: float = 0.0
) -> list[tuple[float, Fact]]:
    """Everything that comes, with the seconds since the first bar began."""

    async def main() -> list[tuple[float, Fact]]:
        clock = LoopClock(START)
        source = Recorded(bars, clock, opens=opens, faults=faults, speed=speed)
        events = source.events(tuple(b.symbol for b in bars), MINUTE)
        return [((clock.now() - START) / SECOND, fact) async for fact in events]

    return run(main())


def closes(told: list[tuple[float, Fact]], symbol: str = "ACME") -> list[tuple[float, int]]:
    """When bars were told, and which minute they are."""
    return [
        (at, (f.time - START) // MINUTE)
        for at, f in told
        if isinstance(f, BarClosed) and f.symbol == symbol
    ]


def test_bars_come_at_their_close_and_symbols_in_their_order() -> None:
    told = lived([minutes("ACME", "2026-03-02T10:00", 3), minutes("BETA", "2026-03-02T10:00", 3)])
    kinds = [(at, type(f).__name__, getattr(f, "symbol", "")) for at, f in told]
    assert kinds[0][1] == "LinkFact"
    assert kinds[1:4] == [
        (60.0, "Heartbeat", ""),
        (60.0, "BarClosed", "ACME"),
        (60.0, "BarClosed", "BETA"),
    ]
    assert [at for at, *_ in kinds[1:]] == [60.0] * 3 + [120.0] * 3 + [180.0] * 3


def test_opens_come_when_bars_begin_after_the_closes_of_that_instant() -> None:
    told = lived([minutes("ACME", "2026-03-02T10:00", 2)], opens=True)
    assert [(at, type(f)) for at, f in told if not isinstance(f, Heartbeat | LinkFact)] == [
        (0.0, BarOpened),
        (60.0, BarClosed),
        (60.0, BarOpened),
        (120.0, BarClosed),
    ]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(1, "ACME", "late", seconds=90.0), [(60, 1), (180, 3), (210, 2), (240, 4)]),
        (Fault(1, "ACME", "early", seconds=70.0), [(50, 2), (60, 1), (180, 3), (240, 4)]),
        (Fault(1, "ACME", "missing"), [(60, 1), (180, 3), (240, 4)]),
        (Fault(1, "ACME", "doubled"), [(60, 1), (120, 2), (120, 2), (180, 3), (240, 4)]),
        (Fault(1, "ACME", "down", seconds=100.0), [(60, 1), (220, 2), (220, 3), (240, 4)]),
        (Fault(1, "ACME", "other_symbol"), [(60, 1), (180, 3), (240, 4)]),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else "",
)
def test_a_fault_is_carried_out_and_the_rest_is_as_it_was(
    fault: Fault, expected: list[tuple[float, int]]
) -> None:
    told = lived([minutes("ACME", "2026-03-02T10:00", 4)], [fault])
    assert closes(told) == expected


def test_a_fault_may_be_named_by_its_instant() -> None:
    bars = [minutes("ACME", "2026-03-02T10:00", 4)]
    by_row, by_time = Fault(2, "ACME", "late"), Fault(START + 3 * MINUTE, "ACME", "late")
    assert lived(bars, [by_row]) == lived(bars, [by_time])


def test_a_correction_comes_later_and_says_so() -> None:
    bars = minutes("ACME", "2026-03-02T10:00", 3)
    told = lived([bars], [Fault(0, "ACME", "corrected", seconds=75.0, value=1.1)])
    first, right = [f for _, f in told if isinstance(f, BarClosed) and f.time == START + MINUTE]
    assert (first.corrected, right.corrected) == (False, True)
    assert first.close == pytest.approx(1.1 * right.close)
    assert first.low <= first.close <= first.high
    assert right.close == bars.close[0]


@pytest.mark.parametrize("how", BAD)
def test_bad_bars_cannot_be(how: str) -> None:
    told = lived([minutes("ACME", "2026-03-02T10:00", 2)], [Fault(0, "ACME", "bad", how=how)])
    bar = next(f for _, f in told if isinstance(f, BarClosed))
    sound = (
        all(map(math.isfinite, (bar.open, bar.high, bar.low, bar.close, bar.volume)))
        and bar.low <= min(bar.open, bar.close)
        and bar.high >= max(bar.open, bar.close)
        and bar.volume >= 0.0
        and bar.low > 0.0
    )
    assert not sound


def test_while_one_symbol_is_down_no_other_comes() -> None:
    bars = [minutes(s, "2026-03-02T10:00", 4) for s in ("ACME", "BETA")]
    told = lived(bars, [Fault(1, "BETA", "down", seconds=70.0)])
    states = [(at, f.state) for at, f in told if isinstance(f, LinkFact)]
    assert states == [(0.0, "up"), (120.0, "down"), (190.0, "up")]
    assert closes(told, "ACME") == closes(told, "BETA") == [(60, 1), (190, 2), (190, 3), (240, 4)]
    assert not [at for at, f in told if 120.0 < at < 190.0]


def test_an_open_that_nobody_heard_is_not_told_later() -> None:
    bars = [minutes("ACME", "2026-03-02T10:00", 4)]
    told = lived(bars, [Fault(0, "ACME", "down", seconds=90.0)], opens=True)
    opens = [(at, (f.time - START) // MINUTE) for at, f in told if isinstance(f, BarOpened)]
    assert opens == [(0.0, 1), (180.0, 4)]
    assert closes(told) == [(150.0, 1), (150.0, 2), (180.0, 3), (240.0, 4)]


def test_any_two_faults_leave_the_bars_in_the_order_of_their_arrival() -> None:
    bars = minutes("ACME", "2026-03-02T10:00", 5)
    for one, two in itertools.product(KINDS, KINDS):
        for opens in (False, True):
            faults = [Fault(1, "ACME", one, seconds=95.0), Fault(2, "ACME", two, seconds=40.0)]
            source = Recorded([bars], LoopClock(START), opens=opens, faults=faults)
            came = list(source.arrivals(("ACME",), MINUTE, START))
            assert came == sorted(came, key=lambda a: a[:2]), (one, two, opens)
            assert repr(came) == repr(list(source.arrivals(("ACME",), MINUTE, START)))


def test_a_year_of_minutes_takes_no_year() -> None:
    started = time.monotonic()
    told = lived([minutes("ACME", "2026-03-02T10:00", 20_000)])
    assert len(closes(told)) == 20_000
    assert time.monotonic() - started < 20.0


def test_speed_is_real_seconds_while_the_record_has_its_own() -> None:
    started = time.monotonic()
    told = lived([minutes("ACME", "2026-03-02T10:00", 3)], speed=100.0)
    assert closes(told) == [(60, 1), (120, 2), (180, 3)]
    assert time.monotonic() - started >= 0.03


def test_a_subscription_in_the_middle_begins_with_the_last_bar_that_was_over() -> None:
    async def main() -> list[int]:
        clock = LoopClock(START + 2 * MINUTE + 30 * SECOND)
        source = Recorded([minutes("ACME", "2026-03-02T10:00", 4)], clock)
        return [
            (f.time - START) // MINUTE
            async for f in source.events(("ACME",), MINUTE)
            if isinstance(f, BarClosed)
        ]

    assert run(main()) == [2, 3, 4]


@pytest.mark.parametrize(
    ("faults", "error", "text"),
    [
        ([Fault(9, "ACME", "late")], ConfigError, "row 9 of ACME, which has 3"),
        ([Fault(-1, "ACME", "late")], ConfigError, "row -1"),
        ([Fault(START + 1, "ACME", "late")], ConfigError, "no bar of ACME closes at"),
        ([Fault(0, "ACME", "late"), Fault(0, "ACME", "bad")], ConfigError, "two faults"),
        ([Fault(0, "ACMY", "late")], NotFoundError, "did you mean 'ACME'"),
        ([Fault(0, "ACME", "lost")], ConfigError, "kinds are late, early"),  # type: ignore[arg-type]
        ([Fault(0, "ACME", "bad", how="odd")], ConfigError, "bad bars are nan"),
    ],
)
def test_a_fault_that_fits_nothing_is_refused(
    faults: list[Fault], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        Recorded([minutes("ACME", "2026-03-02T10:00", 3)], LoopClock(START), faults=faults)


def test_bars_of_two_periods_are_refused() -> None:
    minute = minutes("ACME", "2026-03-02T10:00", 3)
    second = Bars(
        "BETA", minute.close_time * 1, minute.open, minute.high, minute.low, minute.close,
        minute.volume, MINUTE // 2, minute.close_time - MINUTE // 2, minute.session,
    )  # fmt: skip
    with pytest.raises(ConfigError, match="ACME 1m, BETA 30s"):
        Recorded([minute, second], LoopClock(START))
    with pytest.raises(DataError, match="bars of 1m are recorded, not of 5m"):
        list(Recorded([minute], LoopClock(START)).arrivals(("ACME",), 5 * MINUTE, START))
