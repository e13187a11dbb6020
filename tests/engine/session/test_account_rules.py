"""What an account does not take is said when it is asked for; a market order does not last."""

from __future__ import annotations

import numpy as np
import pytest

from intrabar.brokers.public.adapter import PublicBroker
from intrabar.engine.session.account_rules import refused
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.moment import Moment
from intrabar.engine.session.view import View
from intrabar.model.enums import OrderType, Role, TimeInForce
from intrabar.sim import state


@pytest.mark.parametrize(
    ("kind", "tif", "why"),
    [
        (OrderType.MARKET, TimeInForce.GTC, ""),
        (OrderType.MARKET, TimeInForce.GTD, ""),
        (OrderType.MARKET, TimeInForce.FOK, "no market fok orders"),
        (OrderType.LIMIT, TimeInForce.GTC, "no limit gtc orders"),
        (OrderType.LIMIT, TimeInForce.DAY, ""),
        (OrderType.MOC, TimeInForce.DAY, "no moc day orders"),
    ],
)
def test_types_and_times_in_force_of_an_account_without_gtc(
    kind: OrderType, tif: TimeInForce, why: str
) -> None:
    command = np.zeros(1, state.COMMAND)[0]
    for name, value in (
        ("kind", state.SUBMIT), ("side", -1), ("qty", 1.0), ("type", kind), ("tif", tif),
        ("role", Role.PLAIN), ("reduce_only", 1),
    ):  # fmt: skip
        command[name] = value
    fills = BrokerFills("0a1b2c", PublicBroker.can, 10**9)
    moment = Moment(0, View(), {}, {}, {})
    found = refused(command, ["one"], ["AAPL"], 1.0, 1.0, fills, moment)
    assert (found is None) == (not why)
    assert found is None or why in found.text
