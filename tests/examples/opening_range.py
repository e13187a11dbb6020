"""The example of the opening range, as a module that tests can call."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "opening_range_oco.py"


def opening_range(bars: int) -> Any:
    """The strategy of the example, with a range of so many bars."""
    spec = importlib.util.spec_from_file_location("opening_range_oco", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["opening_range_oco"] = module
    spec.loader.exec_module(module)
    return module.OpeningRange(bars)
