"""Every schedule of faults up to length two: nothing lost, nothing twice, nothing bare."""

from __future__ import annotations

import itertools
import time

import pytest

from tests.brokers.faults import OF_FACTS, OF_REQUESTS, SCRIPTS, FaultyWorld, Schedule


def points(name: str) -> list[str]:
    """The messages of a script without faults: requests and facts, in order."""

    class Listening(FaultyWorld):
        def leave(self, sending: object) -> None:
            kinds.append("request")
            super().leave(sending)  # type: ignore[arg-type]

        def fault(self) -> str:
            if len(kinds) == self.message + 1:
                kinds.append("fact")
            return super().fault()

    kinds: list[str] = []
    world = Listening(SCRIPTS[name], {})
    world.run()
    world.check()
    return kinds


def through(name: str, schedule: Schedule) -> FaultyWorld:
    world = FaultyWorld(SCRIPTS[name], schedule)
    try:
        world.run()
        world.check()
    except Exception as error:
        raise AssertionError(f"{name} {schedule}: {type(error).__name__} {error}") from error
    return world


def faults_of(kinds: list[str]) -> list[tuple[int, str]]:
    return [
        (k, fault)
        for k, kind in enumerate(kinds)
        for fault in (OF_REQUESTS if kind == "request" else OF_FACTS)
    ]


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_schedule_of_one_fault(name: str) -> None:
    kinds = points(name)
    assert {"request", "fact"} == set(kinds)
    for point, fault in faults_of(kinds):
        assert through(name, {point: fault}).met[fault] == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_every_schedule_of_two_faults(name: str) -> None:
    count, began = 0, time.monotonic()
    for one, other in itertools.combinations(faults_of(points(name)), 2):
        if one[0] != other[0]:
            through(name, dict((one, other)))
            count += 1
    print(f"{name}: {count} schedules of two faults, {time.monotonic() - began:.1f} s")
    assert count > 500
