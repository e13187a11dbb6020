"""Brokers by their names."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from intrabar.brokers.known import BROKERS, broker_named, known_broker, offer_of
from intrabar.errors import ConfigError, GateError, NotFoundError
from intrabar.links.broker import Wanted
from tests.test_plugins import package


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_broker_is_known_however_it_is_spelt() -> None:
    assert known_broker(" Simulated") == "simulated"
    with pytest.raises(NotFoundError, match="did you mean 'simulated'"):
        known_broker("simulate")


def test_the_simulated_broker_has_no_account_to_connect_to() -> None:
    with pytest.raises(ConfigError, match="intrabar paper"):
        broker_named("simulated", Wanted("x", "paper"))


def test_a_package_offers_a_broker(folder: Path) -> None:
    page = Path(__file__).parents[2] / "docs" / "brokers.md"
    code = page.read_text(encoding="utf-8").split("<!-- run -->\n```python\n")[1].split("```")[0]
    package(folder, "desk", {"intrabar.brokers": "desk = desk:OFFER\nodd = desk:NO"}, code)
    assert "desk" in BROKERS
    assert offer_of("desk").can.types == {"market", "limit"}
    broker = broker_named("desk", Wanted("DESK1", "paper"))
    assert asyncio.run(broker.connect()).kind == "paper"  # type: ignore[arg-type]
    with pytest.raises(GateError, match="DESK1"):
        asyncio.run(broker_named("desk", Wanted("DESK2", "paper")).connect())  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="not an Offer"):
        broker_named("odd", Wanted("DESK1", "paper"))
