"""Cover and the ladder: what loses less when it is wrong."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from intrabar.brokers.chain import SECOND, Chain
from intrabar.brokers.cover import Climb, Sight, climb, cover, is_naked, need, proven
from intrabar.brokers.tickets import State, Terms, Ticket

STOP = Ticket("abc123-2-0", 2, "s", "A", -1, "stop", Terms(10.0), 0)
NOW = 1_000 * SECOND


@pytest.mark.parametrize(
    ("position", "broker", "in_doubt", "sure"),
    [
        (10.0, None, False, 10.0),
        (10.0, 4.0, False, 10.0),  # without doubt the book counts
        (10.0, 4.0, True, 4.0),
        (4.0, 10.0, True, 4.0),
        (-5.0, -3.0, True, 3.0),
        (5.0, -3.0, True, 0.0),  # the other side: nothing that we know is there
        (5.0, 0.0, True, 0.0),
        (5.0, None, True, None),
    ],
)
def test_what_is_sure(
    position: float, broker: float | None, in_doubt: bool, sure: float | None
) -> None:
    assert proven(position, broker, in_doubt) == sure


def test_what_nobody_knows_needs_cover_for_all_of_it() -> None:
    assert need(None, -5.0, False, True) == 5.0
    assert need(3.0, -5.0, True, False) == 3.0
    assert need(3.0, -5.0, False, False) == 0.0


def test_only_what_the_broker_will_trigger_covers() -> None:
    for state in State:
        rests = state in (State.WORKING, State.PARTIAL)
        stop = replace(STOP, state=state, booked=4.0)
        assert cover([stop], 6.0, None, 0.0, NOW) == (6.0 if rests else 0.0)
    partial = replace(STOP, state=State.PARTIAL, booked=4.0)
    assert cover([partial, partial], 6.0, None, 1.0, NOW) == 13.0  # more than needed is cut
    assert cover([], -6.0, Chain(3, bare_since=NOW), 0.0, NOW + 15 * SECOND) == 6.0
    assert cover([], -6.0, Chain(3, bare_since=NOW), 0.0, NOW + 16 * SECOND) == 0.0


def test_naked_is_counted_from_the_fill() -> None:
    assert not is_naked(10.0, 4.0, NOW, NOW + 5 * SECOND, 5.0)
    assert is_naked(10.0, 4.0, NOW, NOW + 5 * SECOND + 1, 5.0)
    assert not is_naked(10.0, 10.0, NOW, NOW + 60 * SECOND, 5.0)


def walked(
    seconds: float, exits: bool = False, found: bool = False, **sight: object
) -> list[tuple[float, str]]:
    """What the ladder does in a time, tenth by tenth; each look-up is answered at once."""
    at, looked, done = Climb(NOW, NOW), 0, []
    for tenth in range(int(seconds * 10) + 1):
        now = NOW + tenth * SECOND // 10
        at, rung = climb(at, Sight(looked_up=looked, **sight), exits, now)  # type: ignore[arg-type]
        if rung == "look_up":
            looked = now
        if rung:
            done.append((tenth / 10, rung))
        if found and rung == "attempt":
            break
    return done


def test_a_stop_that_is_refused_climbs() -> None:
    rungs = walked(70.0)
    attempts = [at for at, rung in rungs if rung == "attempt"]
    looks = [at for at, rung in rungs if rung == "look_up"]
    assert [round(b - a, 1) for a, b in itertools.pairwise([0.0, *attempts[:3]])] == [0.6, 1.1, 2.1]
    assert len(looks) == len(attempts)  # each after a look-up
    assert [rung for _, rung in rungs].count("watch") == 1
    assert attempts[3] - attempts[2] > 30.0  # watched, it is tried again each half minute


def test_a_market_that_is_through_the_level_is_left_at_once() -> None:
    assert walked(5.0, is_through=True) == [(0.0, "exit")]


def test_an_own_order_in_the_way_goes_first() -> None:
    assert {rung for _, rung in walked(5.0, is_blocked=True)} == {"unblock"}


def test_on_stop_refused_exit_watches_nothing() -> None:
    rungs = [rung for _, rung in walked(70.0, exits=True)]
    assert "watch" not in rungs
    assert rungs[-1] == "exit"
    assert rungs.count("exit") == 1


def test_watching_ends_in_an_exit_after_fifteen_minutes_or_when_it_fails() -> None:
    rungs = walked(16 * 60.0)
    assert rungs[-1][1] == "exit"
    assert 15 * 60 < rungs[-1][0] < 15 * 60 + 10
    watched = Climb(NOW, NOW, attempts=3, watched_since=NOW)
    assert climb(watched, Sight(can_watch=False), False, NOW + 1)[1] == "exit"
    assert walked(70.0, can_watch=False)[-1][1] == "exit"


def test_no_sight_leaves_a_stop_without_an_answer() -> None:
    """Whatever is seen, in a quarter of an hour it rests again, or it has left."""
    for flags in itertools.product([False, True], repeat=3):
        through, can_watch, exits = flags
        rungs = walked(16 * 60.0, exits=exits, is_through=through, can_watch=can_watch)
        assert rungs[-1][1] == "exit"
