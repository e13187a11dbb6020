"""Every example runs as it stands, is short, and says what it is for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_runs_as_it_stands(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(example)], capture_output=True, text=True, cwd=tmp_path, timeout=240
    )
    assert done.returncode == 0, done.stderr
    campaigns = int(done.stdout.split(" campaigns")[0].split()[-1])
    assert campaigns > 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_short_and_says_what_and_why(example: Path) -> None:
    text = example.read_text()
    assert len(text.splitlines()) <= 50
    assert len((ast.get_docstring(ast.parse(text)) or "").split()) >= 15


def test_there_are_five_examples() -> None:
    assert len(EXAMPLES) == 5
