"""The locks say exactly what is installed, and nothing of where it came from."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
PINNED = re.compile(r"([a-z0-9-]+)==([^ ;\\]+)(?: ; ([^\\]+))?")


def entries(lock: Path) -> list[str]:
    """Each package with the lines that belong to it."""
    text = re.sub(r"^ *#.*\n", "", lock.read_text(), flags=re.MULTILINE)
    return [entry for entry in re.split(r"\n(?=\S)", text) if entry.strip()]


def packages(lock: Path) -> set[str]:
    return {entry.split("==")[0] for entry in entries(lock)}


def test_every_lock_is_there() -> None:
    assert {lock.stem for lock in LOCKS} >= {"core", "demo", "dev", "docs"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_every_package_has_its_version_and_hashes(lock: Path) -> None:
    assert len(entries(lock)) > 10
    for entry in entries(lock):
        assert PINNED.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_no_lock_names_a_place(lock: Path) -> None:
    assert not re.search(r"https?:|file:|@|index-url|find-links|(^|\s)/", lock.read_text())


def test_the_locks_agree() -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    for lock in LOCKS:
        for entry in entries(lock):
            pinned = PINNED.match(entry)
            assert pinned
            name, version, marker = pinned.groups()
            versions.setdefault((name, (marker or "").strip()), set()).add(version)
    assert {name for name, found in versions.items() if len(found) > 1} == set()


def test_the_locks_have_what_the_project_asks_for() -> None:
    for lock in LOCKS:
        if lock.stem != "docs":
            assert {"numpy", "numba", "polars", "ta-lib", "tzdata", "pyyaml"} <= packages(lock)
    assert "bokeh-sampledata" in packages(ROOT / "requirements" / "demo.lock")


def test_no_lock_has_torch_or_what_its_large_build_needs() -> None:
    large = re.compile(r"torch|triton|cuda-.*|nvidia-.*")
    for lock in LOCKS:
        assert not [name for name in packages(lock) if large.fullmatch(name)], lock.name
    assert {"stable-baselines3", "sympy", "networkx"} <= packages(ROOT / "requirements/dev.lock")
