"""A parity as its page reads it."""

from __future__ import annotations

import json

from intrabar.ui import parity_view as module
from intrabar.ui.parity_view import parity_view
from tests.ui.synthetic_parity import apart, identical


def test_the_view_is_json_and_has_every_order() -> None:
    view = parity_view("main", apart())
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    assert view["start"] == 1_735_828_200
    assert [x["parts"] for x in view["orders"][:3]] == [
        "price −2.50",
        "size −27.00",
        "reject −12.50",
    ]
    assert view["orders"][2]["session"]["status"] == "rejected: insufficient margin"
    assert view["orders"][1]["session"]["filled"] == 5.0
    assert view["orders"][3]["session"] is None
    assert view["orders"][3]["side"] == "buy"
    assert view["profit"][0]["name"] == "session"


def test_a_page_with_too_many_orders_keeps_those_that_differ(monkeypatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    told = identical(9)
    told["orders"][7]["parts"] = {"price": -1.0}
    view = parity_view("main", told)
    assert view["order_count"] == 9
    assert [x["bar"] for x in view["orders"]] == [10, 20, 80]


def test_the_mean_price_of_an_order_in_parts() -> None:
    told = identical(1)
    told["orders"][0]["session"]["fills"] = [
        {"bar": 11, "qty": 3.0, "price": 10.0, "cost": 1.0},
        {"bar": 12, "qty": 1.0, "price": 14.0, "cost": 0.5},
    ]
    side = parity_view("main", told)["orders"][0]["session"]
    assert side == {
        "order": 1, "status": "filled", "filled": 4.0, "price": 11.0, "bar": 11, "cost": 1.5,
    }  # fmt: skip
