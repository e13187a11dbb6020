"""What may not leave for an account, and why."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.fitting import decimal_text, on_grid, unfit, unfit_change
from intrabar.model.broker_facts import Can, Change, Grid, Ref, Request

NAN = float("nan")
CAN = Can(
    frozenset({"market", "limit", "stop", "stop_limit"}),
    frozenset({"day", "gtc"}),
    bracket=False,
    oco=False,
    replace="same",
    dedups=True,
    echoes_id=True,
    fill_ids=True,
    lists_done=0,
    covers=frozenset(),
    nets=False,
    fractional=False,
    paper=True,
)
GRIDS = {"A": Grid(0.05, 10.0)}
LIMIT = Request("n-1-0", "A", 1, "limit", 20.0, 100.05)
STOP = replace(LIMIT, client_id="n-1-0s", side=-1, type="stop", limit_price=NAN, stop_price=90.0)


@pytest.mark.parametrize(
    ("values", "code", "says"),
    [
        ({}, None, ""),
        ({"type": "moc", "limit_price": NAN}, "cannot", "limit, market, stop, stop_limit"),
        ({"tif": "fok"}, "cannot", "day, gtc"),
        ({"qty": NAN}, "invalid_quantity", "nan"),
        ({"qty": 0.0}, "invalid_quantity", "0"),
        ({"qty": -20.0}, "invalid_quantity", "-20"),
        ({"qty": 25.0}, "invalid_quantity", "lot 10"),
        ({"limit_price": 100.03}, "invalid_price", "tick 0.05"),
        ({"limit_price": NAN}, "invalid_price", "limit_price of nan"),
        ({"limit_price": float("inf")}, "invalid_price", "inf"),
        ({"type": "market"}, "invalid_price", "market with a limit_price"),
        ({"side": -1, "position": 10.0}, "cannot", "turns 10 round"),
        ({"side": -1, "position": 20.0}, None, ""),
        ({"side": -1, "position": -20.0}, None, ""),
        ({"symbol": "B", "qty": 1.0}, None, ""),
        ({"symbol": "B", "qty": 0.5}, "invalid_quantity", "lot 1"),
    ],
)
def test_what_fits_and_why_not(values: dict[str, Any], code: str | None, says: str) -> None:
    found = unfit((replace(LIMIT, **values),), CAN, GRIDS)
    assert (None if found is None else found.code) == code
    if found is not None:
        assert found.not_sent
        assert says in found.text


def test_groups_only_where_they_are_taken() -> None:
    child = replace(STOP, parent=LIMIT.client_id, reduce_only=True)
    target = replace(LIMIT, client_id="n-2-0t", side=-1, oco=STOP.client_id, reduce_only=True)
    for group, word in (((LIMIT, child), "bracket"), ((STOP, target), "oco")):
        found = unfit(group, CAN, {})
        assert found is not None
        assert word in found.text
        assert unfit(group, replace(CAN, **{word: True}), {}) is None


def test_a_change_fits_like_an_order() -> None:
    ref = Ref(LIMIT)
    assert unfit_change(ref, Change(NAN, 100.0), CAN, GRIDS) is None
    for change in (Change(25.0), Change(0.0), Change(NAN, 100.01), Change(NAN, NAN, 99.99)):
        assert unfit_change(ref, change, CAN, GRIDS) is not None


@pytest.mark.parametrize(
    ("value", "step", "fits"),
    [
        (0.3, 0.1, True),
        (1e-05, 1e-06, True),
        (100.005, 0.01, False),
        (9007 * 0.01, 0.01, True),
        (2.0, NAN, True),
    ],
)
def test_a_grid_is_of_decimals(value: float, step: float, fits: bool) -> None:
    assert on_grid(value, step) is fits


@pytest.mark.parametrize(
    ("value", "text"),
    [(9007 * 0.01, "90.07"), (10.0, "10"), (1200.0, "1200"), (1e-05, "0.00001"), (-0.5, "-0.5")],
)
def test_a_number_leaves_as_it_is_written(value: float, text: str) -> None:
    assert decimal_text(value) == text
