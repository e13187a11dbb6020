"""The benchmark's workloads trade as loops in C that know no order book and share no code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import Any

import pytest

from tests.docs.blocks import ROOT

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="the floor needs gcc")

SIZES = {"W1": 40_000, "W2": 40_000, "W3": 8, "W4": 80}


def answers(script: str, *questions: tuple[str, int]) -> list[dict[str, Any]]:
    """What an engine's process says to some workloads."""
    asked = [{"prepare": name, "size": size, "rules": ""} for name, size in questions]
    said = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / script],
        input="".join(json.dumps(one) + "\n" for one in asked),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
    )
    return [json.loads(line) for line in said.stdout.splitlines()[1:]]


def test_our_trades_are_those_of_the_floor() -> None:
    floor = dict(zip(SIZES, answers("floor.py", *SIZES.items()), strict=True))
    python = {f"{name} Python": SIZES[name] for name in ("W1", "W2")}
    ours = zip([*SIZES, *python], answers("ours.py", *(SIZES | python).items()), strict=True)
    for name, got in ours:
        wanted = floor[name.removesuffix(" Python")]
        assert got["fills"] == wanted["fills"] > 100, name
        # The floor has no tick grid: its prices are not rounded to 0.000001.
        assert got["equity"] == pytest.approx(wanted["equity"], rel=1e-6), name


def test_a_question_that_fails_is_answered_with_the_error() -> None:
    (answer,) = answers("floor.py", ("W9", 10))
    assert answer == {"error": "KeyError: 'W9'"}
