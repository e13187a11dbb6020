"""Every example runs as it stands, is short, and says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.own_process import python

FOLDER = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(FOLDER.glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_runs_as_it_stands(example: Path, tmp_path: Path) -> None:
    campaigns = int(python(str(example), folder=tmp_path).split(" campaigns")[0].split()[-1])
    assert campaigns > 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda p: p.stem)
def test_an_example_is_short_and_says_what_and_why(example: Path) -> None:
    text = example.read_text()
    assert len(text.splitlines()) <= 50
    assert len((ast.get_docstring(ast.parse(text)) or "").split()) >= 15


def test_there_are_five_examples() -> None:
    assert len(EXAMPLES) == 5
