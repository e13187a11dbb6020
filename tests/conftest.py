"""How Hypothesis draws: without a deadline, and in CI the same examples every time.

No deadline, because the first example of a test may compile a kernel.
"""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("intrabar", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("intrabar")
