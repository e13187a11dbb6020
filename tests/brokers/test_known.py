"""Brokers by their names."""

from __future__ import annotations

import pytest

from intrabar.brokers.known import broker_named, known_broker
from intrabar.errors import ConfigError, NotFoundError
from intrabar.links.broker import Wanted


def test_a_broker_is_known_however_it_is_spelt() -> None:
    assert known_broker(" Simulated") == "simulated"
    with pytest.raises(NotFoundError, match="did you mean 'simulated'"):
        known_broker("simulate")


def test_the_simulated_broker_has_no_account_to_connect_to() -> None:
    with pytest.raises(ConfigError, match="intrabar paper"):
        broker_named("simulated", Wanted("x", "paper"))
