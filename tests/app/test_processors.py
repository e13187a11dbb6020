"""How many processors there are to work with."""

from __future__ import annotations

import os
from typing import Any

import pytest

from intrabar.app.processors import processors, threads_of
from intrabar.errors import ConfigError


@pytest.mark.parametrize(("there", "found"), [(1, 1), (8, 8), (256, 256), (1_000, 256)])
def test_the_processors_of_this_process_and_no_more_than_can_be_used(
    monkeypatch: pytest.MonkeyPatch, there: int, found: int
) -> None:
    def allowed(pid: int) -> Any:
        return set(range(there))

    monkeypatch.setattr(os, "sched_getaffinity", allowed, raising=False)
    assert processors(256) == found


@pytest.mark.parametrize(("there", "found"), [(None, 1), (8, 8), (1_000, 256)])
def test_where_a_system_cannot_say_which_are_allowed(
    monkeypatch: pytest.MonkeyPatch, there: int | None, found: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: there)
    assert processors(256) == found


def test_threads_are_those_asked_for_or_one_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(1_000)), raising=False)
    assert threads_of(None) == 256
    assert threads_of(3) == 3
    for wrong in (0, 257, 1.5, "many"):
        with pytest.raises(ConfigError, match="threads"):
            threads_of(wrong)
