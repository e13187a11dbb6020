"""Kernels that a wheel brings: which are taken, and how they come into the cache.

That a wheel made so starts at once and compiles what is changed is tried by `.ci/compiled-wheel`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import llvmlite.binding
import pytest
from numba.core.caching import UserProvidedCacheLocator

from intrabar import shipped

NAMES = ("intrabar.sim", "intrabar.strategy", shipped.RULES)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a wheel brought under the digest `d`, for both levels of processors."""
    for cpu in shipped.CPUS:
        for name in NAMES:
            folder = tmp_path / "compiled" / "d" / cpu / name
            folder.mkdir(parents=True)
            (folder / "loop.1.nbc").write_text(f"{cpu} {name}")
    monkeypatch.setattr(shipped, "SHIPPED", tmp_path / "compiled")
    return tmp_path


def processor(monkeypatch: pytest.MonkeyPatch, *features: str) -> None:
    has = {feature: feature in features for feature in shipped.CPUS["x86-64-v3"]}
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_features", lambda: has)


def test_the_best_that_the_processor_can_run(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    level = shipped.CPUS["x86-64-v3"]
    processor(monkeypatch, *level)
    assert shipped.shipped_cpu("d") == "x86-64-v3"
    for missing in level:
        processor(monkeypatch, *level - {missing})
        assert shipped.shipped_cpu("d") == "generic"


def test_another_digest_takes_nothing(wheel: Path) -> None:
    assert shipped.shipped_cpu("e") == ""


def numba_looks_in(source: Path) -> str:
    locator: Any = UserProvidedCacheLocator
    folder: str = locator.get_suitable_cache_subpath(str(source))
    return folder


def test_they_come_where_numba_looks(wheel: Path) -> None:
    cache = wheel / "cache"
    cache.mkdir()
    shipped.fill(cache, "d", "generic")
    sources = {
        "intrabar.sim": shipped.PACKAGE / "sim" / "loop.py",
        "intrabar.strategy": shipped.PACKAGE / "strategy" / "rules.py",
        shipped.RULES: cache / "rules" / "a.py",
    }
    for name, source in sources.items():
        kernel = cache / numba_looks_in(source) / "loop.1.nbc"
        assert kernel.read_text() == f"generic {name}"
    assert len(list(cache.iterdir())) == len(sources)


def test_what_is_there_stays(wheel: Path) -> None:
    cache = wheel / "cache"
    kept = cache / numba_looks_in(shipped.PACKAGE / "sim" / "loop.py")
    kept.mkdir(parents=True)
    (kept / "loop.2.nbc").write_text("compiled here")
    shipped.fill(cache, "d", "generic")
    assert [p.name for p in kept.iterdir()] == ["loop.2.nbc"]


def test_gathering_is_the_way_back(wheel: Path) -> None:
    cache = wheel / "cache"
    cache.mkdir()
    shipped.fill(cache, "d", "x86-64-v3")
    shipped.gather(cache, wheel / "again")
    made = wheel / "compiled" / "d" / "x86-64-v3"
    assert {p.name for p in (wheel / "again").iterdir()} == set(NAMES)
    for name in NAMES:
        file = Path(name) / "loop.1.nbc"
        assert (wheel / "again" / file).read_text() == (made / file).read_text()
