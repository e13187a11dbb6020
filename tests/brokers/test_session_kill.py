"""A kill behind any row, with a fault behind it: flat at the broker, no order of ours, halted."""

from __future__ import annotations

from random import Random

import pytest

from tests.brokers.faults import SCRIPTS, Schedule
from tests.brokers.session_faults import HISTORY, QUIET, FaultySession, faults_of


class Killed(FaultySession):
    """A session that a person kills behind a row."""

    def __init__(self, name: str, schedule: Schedule, nets: bool, at: int) -> None:
        super().__init__(name, schedule, nets)
        self.at = at

    def settle(self) -> None:
        if self.row == self.at:
            self.handle(("command.person", {"kind": "kill", "reason": "enough", "who": "me"}))
        super().settle()


@pytest.mark.parametrize("nets", [True, False], ids=["nets", "nets nothing"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_kill_behind_any_row_ends_flat_and_halted(name: str, nets: bool) -> None:
    draw = Random(7)
    rows = range(HISTORY, HISTORY + len(SCRIPTS[name]["bars"]["A"]) + QUIET - 4)
    for at in rows:
        clean = Killed(name, {}, nets, at)
        clean.run()
        for schedule in ({}, dict([draw.choice(faults_of(clean.kinds))])):
            world = Killed(name, schedule, nets, at)
            world.run()
            world.check()
            told = (name, nets, at, schedule)
            assert not world.broker.machine.book.sleeves["qty"].any(), told
            assert not len(world.broker.machine.working()), told
            assert world.session.judge.breaker.level().word == "halted", told
