"""What may have changed between a decision and the wire."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from intrabar.risk.at_the_wire import AtTheWire, Standing
from intrabar.risk.breaker import Breaker
from intrabar.risk.limits import SECOND_NS, Limits
from intrabar.risk.records import Seen, Working

NOW = 1_700_000_000 * SECOND_NS
LIMITS = Limits(allowed_symbols=("A",), max_order_qty=10.0, max_order_value=1_000.0)
ORDER = Working(-1, "s", "A", 1, 5.0)
AT = Standing(Breaker(), 10_000.0, {"A": Seen(100.0)}, {"A": 1.0}, {"A": 1.0})


def rule(
    order: Working = ORDER, at: Standing = AT, age: float = 0.0, limits: Limits = LIMITS
) -> str:
    found = AtTheWire(limits.filled_in(1, SECOND_NS), 60 * SECOND_NS).refusal(
        order, NOW - round(age * SECOND_NS), at, NOW
    )
    return "" if found is None else found.rule


def test_what_has_not_changed_passes() -> None:
    assert rule() == ""
    assert rule(age=60.0) == ""


OF_B = AT._replace(view={"B": Seen(1.0)}, point_values={"B": 1.0})


@pytest.mark.parametrize(
    ("order", "at", "age", "expected"),
    [
        (ORDER, AT, 60.1, "late"),
        (ORDER._replace(symbol="B"), OF_B, 0.0, "allowed_symbols"),
        (ORDER._replace(qty=10.5), AT._replace(view={"A": Seen(1.0)}), 0.0, "max_order_qty"),
        (ORDER, AT._replace(view={"A": Seen(200.5)}), 0.0, "max_order_value"),
        (ORDER, AT._replace(view={"A": Seen(math.nan)}), 0.0, "not_finite"),
        (ORDER, AT._replace(view={}), 0.0, "not_finite"),
    ],
)
def test_what_has_changed_is_refused(
    order: Working, at: Standing, age: float, expected: str
) -> None:
    assert rule(order, at, age) == expected


@pytest.mark.parametrize("event", ["runaway", "halt", "kill"])
def test_a_breaker_that_moved_meanwhile_refuses(event: str) -> None:
    breaker, _ = Breaker().after(event, "account", text="x")
    assert rule(at=AT._replace(breaker=breaker)) == "breaker"


def test_rates_are_counted_by_what_leaves() -> None:
    wire = AtTheWire(replace(LIMITS, orders_per_minute=3).filled_in(1, SECOND_NS), SECOND_NS)
    passed = [wire.refusal(ORDER, NOW + k, AT, NOW + k) is None for k in range(5)]
    assert passed == [True, True, True, False, False]
    later = NOW + 61 * SECOND_NS
    assert wire.refusal(ORDER, later, AT, later) is None
