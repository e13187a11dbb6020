"""The story of a run: it never fails, names every fill, changes nothing, and says why."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from intrabar.engine.scenario.narration import Event, Kind, Narration
from intrabar.engine.scenario.scenario import order_names, scenario_machine
from intrabar.model.enums import FillReason
from tests.generators import random_scenario, scenarios

FILE = Path(__file__).parents[2] / "golden" / "scenarios.jsonl"
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
    if scenario.get("account", {}).get("close_delisted"):
        rows = scenario["bars"].values()
        ends = [max((at for at, bar in enumerate(row) if bar), default=-1) for row in rows]
        acted += [end for end in ends if 0 <= end < machine.bars_done - 1]
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

CAPPED = {"symbol": "A", "max_volume_share": 0.1}
SLIPPERY = {
    "symbol": "A",
    "slippage_ticks": 2,
    "slippage_pct": 0.001,
    "slippage_volatility": 0.2,
    "slippage_impact": 0.5,
}
MADE = {"symbol": "A", "commission_rate": 0.001, "maker_rate": -0.0002}
TRAIL = {"type": "trailing_stop", "trail": 2, "side": "sell"}
BRACKET = MARKET | {"stop_loss": 98, "take_profit": 102.5}
LOWER = {
    "path_policy": "detail",
    "detail": {"A": [None, [[100, 103, 99.5, 102], [101.5, 101.5, 97, 101]]]},
}
JUMPS = {
    "path_policy": "detail",
    "detail": {"A": [None, [[100, 103, 99.5, 99.5], [98, 101, 97, 101]]]},
}
TWO_FOR_ONE = {"at": 2, "symbol": "A", "split": 2}

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
    "a partial fill": (
        scene([[100, 101, 99, 100, 60]], MARKET, instruments=[CAPPED]),
        "o0: buy at the market: filled at the open 100.00; 6 of 10, the volume allows no more "
        "(0.1 of 60), 4 left to fill, long 6",
    ),
    "the rest of it": (
        scene([[100, 101, 99, 100, 60], [100, 101, 99, 100, 60]], MARKET, instruments=[CAPPED]),
        "o0: buy at the market: filled at the open 100.00; 4, the rest of 10, long 10",
    ),
    "a limit without volume": (
        scene(
            [[100, 101, 98, 100, 60]],
            MARKET | {"qty": 6},
            LIMIT_99,
            instruments=[CAPPED],
        ),
        "o1: buy limit 99.00 rests: the volume of the bar leaves nothing",
    ),
    "a stop without volume": (
        scene(
            [[100, 101, 98, 100, 60]],
            MARKET | {"qty": 6, "stop_loss": 99},
            instruments=[CAPPED],
        ),
        "o0.stop: sell stop 99.00 triggered inside the bar, but the volume leaves nothing: "
        "6 wait for the next open",
    ),
    "the rest of a stop": (
        scene(
            [[100, 101, 98, 100, 60], [97, 97, 97, 97, 100]],
            MARKET | {"qty": 6, "stop_loss": 99},
            instruments=[CAPPED],
        ),
        "o0.stop: sell stop 99.00 triggered earlier, its rest meets the open: filled at the open "
        "97.00; flat, loss 18.00",
    ),
    "all or nothing": (
        scene([[100, 101, 99, 100, 60]], MARKET | {"tif": "fok"}, instruments=[CAPPED]),
        "o0: cancelled: fok wants all 10, and the volume leaves 6",
    ),
    "all or nothing, margin": (
        scene(
            [[100, 101, 99, 100, 1]],
            MARKET | {"tif": "fok"},
            instruments=[{"symbol": "A", "initial_margin": 5}],
            account={"cash": 40, "margin_check": "reduce"},
        ),
        "o0: cancelled: fok wants all 10, and the margin allows less",
    ),
    "at once, but for the volume": (
        scene([[100, 101, 99, 100, 60]], MARKET | {"tif": "ioc"}, instruments=[CAPPED]),
        "o0: cancelled: ioc, and 4 of 10 have not filled at once",
    ),
    "the parts of a slippage": (
        scene([[100, 101, 99, 100, 40]], MARKET, instruments=[SLIPPERY])
        | {"bars": {"A": [[100, 102, 100, 101, 1], [100, 101, 99, 100, 40]]}},
        "o0: buy at the market: filled at the open 100.00, slipped to 101.02 (2 ticks + 0.1 % of "
        "the price + 0.2 of the mean range 2 + 0.5 of the mean range 2 times the root of 10 in a "
        "volume of 40); long 10",
    ),
    "a taker": (
        scene([[100, 100, 100, 100, 1]], MARKET, instruments=[MADE]),
        "o0: buy at the market: filled at the open 100.00; long 10, cost 1.00 (taker)",
    ),
    "a maker": (
        scene([[100, 100, 99, 99, 1]], LIMIT_99, instruments=[MADE]),
        "o0: buy limit 99.00 reached on the way down from the high 100.00 to the low 99.00: "
        "filled at 99.00; long 10, rebate 0.20 (maker)",
    ),
    "a tier": (
        scene(
            [[100, 100, 100, 100, 1]] * 2,
            MARKET,
            MARKET | {"at": 1},
            instruments=[{"symbol": "A", "commission_per_contract": 1, "tiers": [[10, 0.5, 0]]}],
        ),
        "o1: buy at the market: filled at the open 100.00; long 20, cost 5.00 (tier from 10, "
        "10 traded this month)",
    ),
    "a trail begins": (
        scene([[100, 100, 100, 100, 1]], TRAIL),
        "o0: its first level is 98.00",
    ),
    "a trail moves": (
        scene([[100, 103, 100, 102, 1]], TRAIL),
        "o0: follows the high 103.00: sell trailing stop 98.00 becomes sell trailing stop 101.00",
    ),
    "lower bars": (
        scene([[100, 103, 97, 101, 1]], BRACKET, **LOWER),
        "A goes 100.00 > 99.50 > 103.00 > 102.00 > jump to 101.50 > 97.00 > 101.00 "
        "(detail: the lower bars say so)",
    ),
    "an ambiguity settled": (
        scene([[100, 103, 97, 101, 1]], BRACKET, **LOWER),
        "o0.target: sell limit 102.50 reached on the way up from the low of lower bar 1 99.50 to "
        "the high of lower bar 1 103.00: filled at 102.50; flat, profit 25.00; the bar held its "
        "partner's price too, the lower bars settle it",
    ),
    "a jump": (
        scene([[100, 103, 97, 101, 1]], MARKET | {"stop_loss": 99, "at": 0}, **JUMPS),
        "o0.stop: sell stop 99.00 jumped over by the open of lower bar 2, 98.00: filled at 98.00; "
        "flat, loss 20.00",
    ),
    "an ambiguity": (
        scene([[100, 103, 97, 101, 1]], BRACKET, path_policy="low_first"),
        "o0.stop: sell stop 98.00 reached on the way down from the open 100.00 to the low 97.00: "
        "filled at 98.00; flat, loss 20.00; ambiguous, as its partner's price lay there too",
    ),
    "a coin that is believed": (
        scene([[100, 103, 97, 101, 1]], LIMIT_99, path_policy="calibrated", path_trust=1),
        "A goes 100.00 > 97.00 > 103.00 > 101.00, low first (calibrated: the coin of seed 0 "
        "believes, at a trust of 1, the shorter path, as the close is above the open)",
    ),
    "a coin that is not": (
        scene([[100, 103, 97, 101, 1]], LIMIT_99, path_policy="calibrated", path_trust=0),
        "A goes 100.00 > 103.00 > 97.00 > 101.00, high first (calibrated: the coin of seed 0 "
        "rejects, at a trust of 0, the shorter path, as the close is above the open)",
    ),
    "borrow": (
        scene(
            [[100, 100, 100, 100, 1], [101, 101, 101, 101, 1]],
            MARKET | {"side": "sell"},
            instruments=[{"symbol": "A", "borrow_rate": 0.0365}],
            days=[1, 2, 5],
        ),
        "A: borrow paid, 0.30: 0.0365 a year for 3 nights on short 10 at 100.00",
    ),
    "swap": (
        scene(
            [[100, 100, 100, 100, 1]] * 2,
            MARKET,
            instruments=[{"symbol": "A", "swap_long": 0.5}],
        ),
        "A: swap received, 5.00: 0.5 for each contract and night, long 10, 1 night",
    ),
    "interest": (
        scene([[100, 100, 100, 100, 1]], account={"cash": 1000, "interest_rate": 0.0365}),
        "interest received, 0.10: 0.0365 a year for 1 night on a free cash of 1,000.00",
    ),
    "settlement": (
        scene(
            [[100, 101, 100, 101, 1]],
            MARKET,
            instruments=[{"symbol": "A", "initial_margin": 5}],
            account={"settlement": "daily"},
        ),
        "A is settled at its close 101.00: the open profit goes to cash, 10.00",
    ),
    "a split": (
        scene([[100, 100, 100, 100, 1], [50, 50, 50, 50, 1]], BRACKET, actions=[TWO_FOR_ONE]),
        "o0.stop: sell stop 98.00 for 10 becomes sell stop 49.00 for 20 by the split",
    ),
    "a fraction of a split": (
        scene(
            [[100, 100, 100, 100, 1], [400, 400, 400, 400, 1]],
            MARKET,
            actions=[{"at": 2, "symbol": "A", "split": 0.25}],
        ),
        "split: sells 0.5, no whole lot, at the open 400.00; long 2",
    ),
    "nothing left after a split": (
        scene(
            [[100, 100, 100, 100, 1], [400, 400, 400, 400, 1]],
            LIMIT_99 | {"qty": 3},
            actions=[{"at": 2, "symbol": "A", "split": 0.25}],
        ),
        "o0: cancelled by the split: no whole lot is left to fill",
    ),
    "a dividend": (
        scene(
            [[100, 100, 100, 100, 1]] * 2,
            MARKET | {"side": "sell"},
            actions=[{"at": 2, "symbol": "A", "dividend": 0.5}],
        ),
        "A: dividend paid, 5.00",
    ),
    "a roll": (
        scene(
            [[100, 100, 100, 100, 1], [103, 103, 103, 103, 1]],
            MARKET | {"stop_loss": 97},
            actions=[{"at": 2, "symbol": "A", "roll_from": 101}],
            instruments=[{"symbol": "A", "slippage_ticks": 25}],
        ),
        "roll: buys 10 of the new contract, at the open: filled at 103.00, slipped to 103.25; "
        "long 10",
    ),
    "an order price that rolls": (
        scene(
            [[100, 100, 100, 100, 1], [103, 103, 103, 103, 1]],
            MARKET | {"stop_loss": 97},
            actions=[{"at": 2, "symbol": "A", "roll_from": 101}],
        ),
        "o0.stop: sell stop 97.00 for 10 becomes sell stop 99.00 for 10 by the roll",
    ),
    "new margins": (
        scene(
            [[100, 100, 100, 100, 1]],
            instruments=[{"symbol": "A", "initial_margin": 5}],
            actions=[{"at": 1, "symbol": "A", "initial_margin": 7.5, "maintenance_margin": 6}],
        ),
        "A has new margins: initial margin 5.00 becomes 7.50, maintenance margin 0.00 becomes 6.00",
    ),
    "a rate of exchange": (
        scene(
            [[100, 100, 100, 100, 1]],
            instruments=[{"symbol": "A", "currency": "EUR"}],
            fx={"EUR": [1.1, 1.2]},
        ),
        "1 EUR is worth 1.2 USD from here on (before 1.1)",
    ),
    "a margin at the new rate": (
        scene(
            [[100, 101, 99, 100, 1]],
            MARKET,
            instruments=[{"symbol": "A", "currency": "EUR", "maintenance_margin": 50}],
            fx={"EUR": [1, 2]},
        ),
        "margin: with A at its low 99.00, the equity 99,980.00 covers the maintenance margin "
        "1,000.00",
    ),
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
