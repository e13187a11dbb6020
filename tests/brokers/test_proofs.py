"""What the wheel says of each broker's tests is what stands in the tests."""

from __future__ import annotations

from importlib import import_module

import pytest

from intrabar.brokers.conformance import BrokerConformance, rules
from intrabar.brokers.known import BROKERS
from intrabar.brokers.proofs import proofs

FIVE = {"tradestation", "ibkr", "alpaca", "public", "moomoo"}
OURS = sorted(proofs())


def test_each_broker_has_a_row_and_the_five_are_there() -> None:
    assert {*BROKERS.names(), *FIVE} <= set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_a_row_is_true(name: str) -> None:
    proof = proofs()[name]
    if name not in BROKERS:
        assert proof.why
        assert (proof.tests, proof.source) == (0, "")
        return
    module, _, found = proof.at.partition(":")
    tests = vars(import_module(module))[found]
    assert issubclass(tests, BrokerConformance)
    # Those that it inherits as they are; what it skips, marks or overrides does not count.
    kept = [x for x in rules() if getattr(tests, x) is getattr(BrokerConformance, x)]
    assert not getattr(tests, "pytestmark", [])
    assert proof.tests == len(kept) >= 60, f"write {len(kept)} into brokers/proofs.json"
    assert proof.source
    assert not proof.why
