"""The canaries of PPO hold for it as it is, and fall for what does not learn."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from intrabar.learn.canaries import CANARIES
from intrabar.learn.ppo_canaries import late_leak, leak, null, null_scores
from intrabar.learn.ppo_training import PpoSettings

SHORT = PpoSettings(steps=64)


def test_the_scores_of_each_start_are_learned_where_they_are_told() -> None:
    verdict = leak()
    assert verdict.holds, verdict.told


def test_the_next_return_is_learned_where_it_is_told() -> None:
    verdict = late_leak(settings=PpoSettings(steps=100_000))
    assert verdict.holds, verdict.told


def test_nothing_is_earned_on_a_walk() -> None:
    verdict = null(settings=PpoSettings(steps=50_000))
    assert verdict.holds, verdict.told


def test_who_does_not_learn_is_found_out() -> None:
    for canary in (leak, late_leak):
        verdict = canary(settings=SHORT, seeds=1)
        assert not verdict.holds, verdict.told


def test_all_are_asked_by_name() -> None:
    assert {"leak", "late leak", "null"} <= CANARIES.keys()


@pytest.mark.slow
def test_over_twenty_walks_nothing_is_earned() -> None:
    """Seeds are the date's: of the nights 1.6 % alarm falsely."""
    day, short = datetime.now(UTC).toordinal(), PpoSettings(steps=50_000)
    found = [null_scores(100 * day + 5 * k, short, 1)[0] for k in range(20)]
    assert sum(abs(z) <= 1.96 for z in found) >= 17, found
