"""The journal of a session at a broker gives it again: with faults, with kills, without silence."""

from __future__ import annotations

import itertools
from random import Random

import pytest

from intrabar.engine.session.rerun import rerun, turns_of
from intrabar.journal.record import body_of, text_of
from intrabar.model.entry import Entry
from tests.brokers.faults import SCRIPTS
from tests.brokers.long_schedules import schedules
from tests.brokers.session_faults import FaultySession, faults_of, through, world_of

SILENT = ("timer", "quote")


def faulty(name: str, seed: int, nets: bool) -> FaultySession:
    faults = faults_of(through(name, {}, nets).kinds)
    (schedule,) = schedules(faults, 2, Random(seed), 1)
    return through(name, schedule, nets)


def in_journal(entries: list[Entry]) -> list[Entry]:
    return [Entry(e.at, e.bar, e.step, e.kind, body_of(text_of(e.body))) for e in entries]


@pytest.mark.parametrize("nets", [True, False], ids=["nets", "nets nothing"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_journal_with_faults_gives_the_same_records_again(name: str, nets: bool) -> None:
    for seed in range(3):
        lived = faulty(name, seed, nets)
        made = rerun(world_of(name, nets)[0], in_journal(lived.journal))
        assert made.difference is None, (seed, str(made.difference))
        assert made.session.machine.digest() == lived.session.machine.digest()


def test_a_timer_whose_turn_made_no_record_left_nothing_behind() -> None:
    left_out = 0
    for name, seed in itertools.product(SCRIPTS, range(3)):
        lived, kept = faulty(name, seed, False), list[Entry]()
        for event, records, _ in turns_of(lived.journal):
            if event.kind in SILENT and not records:
                left_out += 1
            else:
                kept += [event, *records]
        made = rerun(world_of(name, False)[0], in_journal(kept))
        assert made.difference is None, (seed, str(made.difference))
        assert made.session.machine.digest() == lived.session.machine.digest()
    assert left_out > 0
