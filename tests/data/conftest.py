from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def real_file() -> Callable[[str], Path]:
    """Path of a real data file; the test is skipped where the collection is absent."""

    def find(name: str) -> Path:
        root = os.environ.get("INTRABAR_TEST_DATA", "")
        path = Path(root) / name
        if not root or not path.exists():
            pytest.skip(f"INTRABAR_TEST_DATA has no {name}")
        return path

    return find


def ns(text: str) -> int:
    """UTC nanoseconds of an ISO text without a zone."""
    return int(np.datetime64(text, "ns").astype(np.int64))


def day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))
