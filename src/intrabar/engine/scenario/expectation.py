"""Where a scenario's result differs from what its file expects, in words.

Only the fields that the expectation names are compared. Numbers agree within 1e-9 of their size:
the figures in a file are decimal, those of a run are binary.
"""

from __future__ import annotations

import math
from typing import Any

CLOSE = 1e-9


def differences(expect: dict[str, Any], result: dict[str, Any]) -> list[str]:
    """The differences, a line each, in the order of the expectation.

    Parameters
    ----------
    expect : dict
        Any part of a result: `fills`, `orders`, `equity`, `status`.
    result : dict
        As `run_scenario` returns it.
    """
    found: list[str] = []
    for name, value in expect.items():
        _compare(name, value, result.get(name), found)
    return found


def _compare(place: str, expected: Any, actual: Any, found: list[str]) -> None:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for name, value in expected.items():
            if name in actual:
                _compare(f"{place}.{name}", value, actual[name], found)
            else:
                found.append(f"{place}.{name}: expected {value!r}, a result has no such field")
    elif isinstance(expected, list) and isinstance(actual, list):
        for n, (a, b) in enumerate(zip(expected, actual, strict=False)):
            _compare(f"{place}[{n}]", a, b, found)
        if len(expected) != len(actual):
            shorter = min(len(expected), len(actual))
            rest = expected[shorter:] or actual[shorter:]
            word = "missing" if len(expected) > len(actual) else "not expected"
            found.append(
                f"{place}: expected {len(expected)}, got {len(actual)}; {word}: {rest[0]!r}"
            )
    elif not _equal(expected, actual):
        found.append(f"{place}: expected {_shown(expected)}, got {_shown(actual)}")


def _equal(expected: Any, actual: Any) -> bool:
    numbers = all(
        isinstance(x, int | float) and not isinstance(x, bool) for x in (expected, actual)
    )
    if numbers:
        return math.isclose(expected, actual, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(expected == actual)


def _shown(value: Any) -> str:
    """A figure to the digits that are compared; anything else as it is."""
    return f"{value:.11g}" if isinstance(value, float) else repr(value)
