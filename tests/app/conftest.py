"""What commands print hangs on what is tested alone.

An empty cache would add the sentence about compiling to the first test that compiles, and
pytest-xdist gives its workers the width of a terminal.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from numba.core import event

from intrabar.compiling import COMPILING


@pytest.fixture(scope="session", autouse=True)
def _alone() -> Iterator[None]:
    os.environ.pop("COLUMNS", None)
    event.unregister("numba:compile", COMPILING)  # type: ignore[no-untyped-call]
    yield
    event.register("numba:compile", COMPILING)  # type: ignore[no-untyped-call]
