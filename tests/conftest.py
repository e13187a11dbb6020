"""How Hypothesis draws: without a deadline, and in CI the same examples every time.

No deadline, because the first example of a test may compile a kernel. What tests share asserts
under `python -O` too, as the tests themselves do.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest.register_assert_rewrite(
    "tests.assembly", "tests.oracles", "tests.engine.replay.replays", "tests.own_process"
)

settings.register_profile("intrabar", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("intrabar")
