"""Everything that a broker promises, of the adapter of TWS against its fake."""

from __future__ import annotations

from intrabar.brokers.conformance import BrokerConformance
from tests.brokers.ibkr.stages import stage


class TestIbkr(BrokerConformance):
    make = staticmethod(stage)
