"""The story of a run: it never fails, names every fill, changes nothing, and says why."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from intrabar.engine.narration import Event, Kind, Narration
from intrabar.engine.scenario import order_names, scenario_machine
from intrabar.model.enums import FillReason
from tests.generators import random_scenario, scenarios

FILE = Path(__file__).parents[1] / "golden" / "scenarios.jsonl"
ODD = re.compile(r"\bnan\b|np\.|  |it could|cancelled$|\d reached: filled")
WORKED = [json.loads(line) for line in FILE.read_text().splitlines() if line.strip()]


def story(scenario: dict) -> list[Event]:
    """Tell a scenario; what must hold of every story is checked on the way."""
    machine, script = scenario_machine(scenario)
    events = list(Narration(machine, script).events())
    fills, names = machine.fills(), order_names(machine, script)
    told = [e.fill for e in events if e.kind is Kind.FILL]
    assert told == list(range(len(fills)))
    for event in events:
        assert event.text
        if event.kind is Kind.FILL:
            fill = fills[event.fill]
            reason = FillReason(int(fill["reason"])).word
            assert event.order == names.get(int(fill["order"]), reason)
            assert event.bar == fill["bar"]
            assert event.text.startswith(f"{event.order}: ")
    ended = {names[int(o["id"])] for o in machine.orders() if o["done"] >= 0}
    assert ended <= {e.order for e in events if e.kind in (Kind.FILL, Kind.ORDER)}
    assert sum(e.kind is Kind.MONEY for e in events) == len(machine.ledger())
    acted = [a for a in scenario.get("actions") or [] if a["at"] < machine.bars_done]
    assert sum(e.kind is Kind.ACTION for e in events) == len(acted)
    assert sum(e.kind is Kind.EQUITY for e in events) == machine.bars_done
    assert not [e.text for e in events if ODD.search(e.text)]
    whole, its_script = scenario_machine(scenario)
    whole.advance()
    assert its_script.ids == script.ids
    assert machine.digest() == whole.digest()
    return events


def texts(scenario: dict) -> list[str]:
    return [e.text for e in story(scenario)]


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scenarios())
def test_every_scenario_can_be_told(scenario: dict) -> None:
    story(scenario)


@pytest.mark.parametrize("block", range(4))
def test_every_seeded_scenario_can_be_told(block: int) -> None:
    for n in range(75):
        story(random_scenario(random.Random(f"story/{block}/{n}")))


@pytest.mark.parametrize("worked", WORKED, ids=lambda w: w["name"])
def test_every_worked_scenario_can_be_told(worked: dict) -> None:
    story(worked)


def scene(bars: list, *orders: dict, **more: object) -> dict:
    """One instrument, a flat first bar, and orders asked for on its close."""
    asked = [
        {"id": f"o{n}", "at": 0, "phase": "close", "symbol": "A", "side": "buy", "qty": 10} | order
        if "modify" not in order and "cancel" not in order
        else order
        for n, order in enumerate(orders)
    ]
    made = {"instruments": [{"symbol": "A"}], "bars": {"A": [[100, 100, 100, 100, 1], *bars]}}
    return {**made, "orders": asked, **more}


MARKET = {"type": "market"}
LIMIT_99 = {"type": "limit", "limit_price": 99}
STOP_LIMIT = {"type": "stop_limit", "stop_price": 101, "limit_price": 101.5}

SAID = {
    "a gap": (
        scene(
            [[100, 101, 99.6, 100, 1], [97, 98, 96, 97, 1]],
            MARKET | {"stop_loss": 99.5},
            instruments=[{"symbol": "A", "slippage_ticks": 1}],
        ),
        "o0.stop: sell stop 99.50 gapped: filled at the open 97.00, slipped to 96.99; "
        "flat, loss 30.20",
    ),
    "a better open": (
        scene([[98, 98, 98, 98, 1]], LIMIT_99),
        "o0: buy limit 99.00 bettered by the open: filled at the open 98.00; long 10",
    ),
    "a limit not reached": (
        scene([[100, 101, 99.2, 100, 1]], LIMIT_99),
        "o0: buy limit 99.00 not reached: the low is 99.20",
    ),
    "a limit touched": (
        scene(
            [[100, 101, 99, 100, 1]],
            LIMIT_99,
            instruments=[{"symbol": "A", "limit_through_ticks": 1}],
        ),
        "o0: buy limit 99.00 touched but not gone through: it needs 98.99, the low is 99.00",
    ),
    "a stop-limit beyond its limit": (
        scene([[103, 104, 102, 103, 1]], STOP_LIMIT),
        "o0: buy stop 101.00 triggered by the open 103.00, which is beyond its limit 101.50: "
        "now a limit",
    ),
    "a stop-limit inside the bar": (
        scene([[100, 102, 100, 102, 1]], STOP_LIMIT),
        "o0: buy stop 101.00 limit 101.50 reached on the way up from the open 100.00 to the "
        "high 102.00, within its limit: filled at 101.00; long 10",
    ),
    "worst, long": (
        scene([[100, 103, 97, 101, 1]], MARKET | {"stop_loss": 98}),
        "A goes 100.00 > 97.00 > 103.00 > 101.00, low first (worst: the position is long)",
    ),
    "worst, flat": (
        scene([[100, 103, 98, 101, 1]], {"type": "limit", "limit_price": 95}),
        "A goes 100.00 > 103.00 > 98.00 > 101.00, high first (worst: flat, only buy orders "
        "could open a position)",
    ),
    "too late for the low": (
        scene(
            [[100, 102, 98, 101, 1]],
            {"type": "stop", "stop_price": 101, "stop_loss": 99.5},
            path_policy="best",
        ),
        "o0.stop: sell stop 99.50 not reached any more: the low 98.00 came before it was made",
    ),
    "a child already through": (
        scene([[100, 101, 99, 100, 1]], MARKET | {"stop_loss": 101}),
        "o0.stop: sell stop 101.00 is already through at the open: filled at 100.00; flat",
    ),
    "a margin call": (
        scene(
            [[100, 101, 60, 95, 1]],
            {"type": "market", "qty": 1},
            instruments=[
                {"symbol": "A", "point_value": 50, "initial_margin": 5000}
                | {"maintenance_margin": 4500}
            ],
            account={"cash": 6000},
        ),
        "MARGIN CALL: with A at its low 60.00, the equity 4,000.00 is below the maintenance "
        "margin 4,500.00",
    ),
    "a margin covered": (
        scene(
            [[100, 101, 99, 100, 1]],
            MARKET,
            instruments=[{"symbol": "A", "maintenance_margin": 50}],
        ),
        "margin: with A at its low 99.00, the equity 99,990.00 covers the maintenance margin "
        "500.00",
    ),
    "not enough margin": (
        scene([[100, 100, 100, 100, 1]], MARKET, instruments=[{"symbol": "A", "initial_margin": 5}])
        | {"account": {"cash": 40}},
        "o0: buy at the market rejected (insufficient_margin): the equity does not cover the "
        "initial margin (10 at 5.00 a contract; equity 40.00)",
    ),
    "one cancels other": (
        scene(
            [[100, 103, 99, 102, 1]],
            {"type": "limit", "limit_price": 90, "oco": "o1"},
            {"type": "stop", "stop_price": 102},
        ),
        "o0: cancelled, as its partner o1 has filled",
    ),
    "rounded": (
        scene([[100, 100, 100, 100, 1]], {"type": "stop", "stop_price": 102.337}),
        "o0: stop 102.337 rounded up to 102.34",
    ),
    "nothing to cancel": (
        scene([[100, 100, 100, 100, 1]], MARKET, {"at": 1, "phase": "close", "cancel": "o0"}),
        "o0: nothing to cancel, no order of that name works",
    ),
    "modified": (
        scene(
            [[100, 100, 100, 100, 1]],
            LIMIT_99,
            {"at": 1, "phase": "open", "modify": "o0", "limit_price": 98.5},
        ),
        "o0: buy limit 99.00, quantity 10 becomes buy limit 98.50, quantity 10",
    ),
    "a day order": (
        scene([[100, 100, 100, 100, 1]], LIMIT_99 | {"tif": "day"}),
        "o0: expired: a day order, and its session is over",
    ),
    "no bar": (scene([None], LIMIT_99), "o0 goes on working: A has no bar"),
    "ruin": (
        scene([[100, 100, 1, 1, 1]], MARKET) | {"account": {"cash": 100}},
        "the equity is not above 0: the account is ruined and the run ends here",
    ),
}


@pytest.mark.parametrize("what", SAID)
def test_the_story_says(what: str) -> None:
    scenario, sentence = SAID[what]
    said = texts(scenario)
    assert sentence in said, said


def test_a_fill_is_told_before_what_it_brings_about() -> None:
    said = texts(scene([[100, 103, 97, 101, 1]], MARKET | {"stop_loss": 98, "take_profit": 102}))
    about = [text.split(":")[0] for text in said if text.startswith("o0")]
    assert about == ["o0", "o0.stop", "o0.target", "o0.stop", "o0.target"]
