"""What the page says of noise and of an edge is what was measured."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOMINAL = 0.05


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    for name in ("noise", "power", "charts", "report"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return (ROOT / "docs/validation.md").read_text()


def stored(name: str) -> Any:
    return json.loads((ROOT / f"benchmarks/{name}.json").read_text())


def test_the_tables_are_those_of_the_stored_results(page: str) -> None:
    import noise
    import power

    assert noise.table(stored("noise")["worlds"]) in page
    assert power.table(stored("power")["points"]) in page


def test_on_noise_overfitting_is_one_half_and_the_deflated_sharpe_keeps_its_level() -> None:
    worlds = stored("noise")["worlds"]
    samples = stored("noise")["samples"]
    assert samples >= 500
    assert worlds["independent"]["pbo"] == pytest.approx(0.5, abs=0.02)
    error = (NOMINAL * (1 - NOMINAL) / samples) ** 0.5
    for found in worlds.values():
        assert found["deflated"] <= NOMINAL + 2 * error


def test_power_grows_with_the_edge_and_the_record() -> None:
    found = {(p["years"], p["edge"]): p["deflated"] for p in stored("power")["points"]}
    assert found[1, 0.0] <= NOMINAL
    assert found[8, 3.0] > 0.95
    for (years, edge), power in found.items():
        assert power <= found[8, edge] + 0.05
        assert power <= found[years, 4.0] + 0.05
