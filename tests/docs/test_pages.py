"""What the pages show runs as it stands, and what they point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, runnable
from tests.own_process import python

PAGES = [ROOT / "README.md", ROOT / "docs" / "first-hour.md"]
DRAWN_FOR_A_RELEASE = {"docs/pictures/report.png"}


@pytest.mark.parametrize("place", list(runnable()))
def test_a_block_runs_as_it_stands(place: str, tmp_path: Path) -> None:
    file = tmp_path / "block.py"
    file.write_text(runnable()[place])
    assert python(str(file), folder=tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        if not target.startswith("http") and target not in DRAWN_FOR_A_RELEASE:
            assert (page.parent / target).exists(), target


def test_the_readme_has_something_to_run() -> None:
    assert sum(place.startswith("README") for place in runnable()) == 2
