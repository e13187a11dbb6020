"""The pages' types in TypeScript are those of Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrabar.ui import typescript

FRONTEND = Path(__file__).parents[2] / "frontend" / "src"


@pytest.mark.parametrize("name", typescript.FILES)
def test_a_file_of_typescript_is_what_python_says(name: str) -> None:
    if not FRONTEND.is_dir():
        pytest.skip("the sources of the pages are not here")
    text = (FRONTEND / name).read_text(encoding="utf-8")
    assert text == typescript.typescript(name), "run python -m intrabar.ui.typescript"


def test_every_typed_dict_of_the_pages_is_written() -> None:
    text = typescript.typescript("report/view.ts")
    assert 'import type { Coded, Num } from "../coded";' in text
    assert "export interface ReportView {" in text
    assert "  end: (number | null)[];" in text
    assert "  values: (Num | string)[];" in text
    assert "  manifest: Record<string, unknown>;" in text
    assert "  band: BandView | null;" in text
