"""What the pages show runs as it stands, and what they point to is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, runnable

PAGES = [ROOT / "README.md", ROOT / "docs" / "first-hour.md"]
DRAWN_FOR_A_RELEASE = {"docs/pictures/report.png"}


@pytest.mark.parametrize("place", list(runnable()))
def test_a_block_runs_as_it_stands(place: str, tmp_path: Path) -> None:
    file = tmp_path / "block.py"
    file.write_text(runnable()[place])
    done = subprocess.run(
        [sys.executable, str(file)], capture_output=True, text=True, cwd=tmp_path, timeout=240
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http") and target not in DRAWN_FOR_A_RELEASE:
            assert (page.parent / target).exists(), target


def test_the_readme_has_something_to_run() -> None:
    assert sum(place.startswith("README") for place in runnable()) == 2
