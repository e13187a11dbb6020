"""The build hook: when it builds, when it does not, and what it says when it cannot."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with sources and no page."""
    (tmp_path / "frontend" / "src").mkdir(parents=True)
    (tmp_path / "frontend" / "src" / "main.ts").write_text("1;\n")
    (tmp_path / "frontend" / "package-lock.json").write_text("{}")
    (tmp_path / "src" / "intrabar" / "web" / "static").mkdir(parents=True)
    return tmp_path


def hook(build: ModuleType, root: Path) -> Any:
    return build.FrontEndHook(str(root), {}, None, None, str(root / "dist"), "wheel")


def put_page(build: ModuleType, root: Path) -> None:
    static = root / "src" / "intrabar" / "web" / "static"
    for page in build.PAGES:
        (static / page).write_text("page")
    (static / "sources.sha256").write_text(hook(build, root)._digest() + "\n")


def test_page_of_these_sources_needs_no_node(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_page(build, project)
    monkeypatch.setattr(build, "_machine_node", lambda: None)
    assert hook(build, project).dependencies() == []
    hook(build, project).initialize("standard", {})


@pytest.mark.parametrize("change", ["edit", "new file", "no page"])
def test_other_sources_are_built_again(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    put_page(build, project)
    if change == "edit":
        (project / "frontend" / "src" / "main.ts").write_text("2;\n")
    elif change == "new file":
        (project / "frontend" / "src" / "more.ts").write_text("")
    else:
        (project / "src" / "intrabar" / "web" / "static" / "sweep.html").unlink()
    monkeypatch.setattr(build, "_machine_node", lambda: None)
    assert hook(build, project).dependencies() == [build.NODE_WHEEL]


def test_line_endings_are_no_change(build: ModuleType, project: Path) -> None:
    put_page(build, project)
    (project / "frontend" / "src" / "main.ts").write_bytes(b"1;\r\n")
    assert hook(build, project)._is_built()


def test_failed_build_shows_what_the_tool_said(
    build: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    false = ["sh", "-c", "echo no such package; exit 3"]
    monkeypatch.setattr(build, "_machine_node", lambda: ("/bin/sh", false))
    with pytest.raises(RuntimeError, match=r"(?s)returned 3.*no such package"):
        hook(build, project).initialize("standard", {})


def test_missing_sources_are_explained(build: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="git checkout"):
        hook(build, tmp_path).initialize("standard", {})
