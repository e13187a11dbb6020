"""What must hold on every run (fill model, 8), held against the second market itself.

The engine equals the second market on random scenarios; here stands why to believe the latter.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import pairwise

import pytest

from tests.generators import random_scenario
from tests.oracles.naive_market import Market, run
from tests.oracles.naive_orders import Order
from tests.oracles.shrinking import cut

SEEDS = range(300)


def drawn(name: str, seed: int) -> dict:
    return random_scenario(random.Random(f"{name}/{seed}"))


@pytest.mark.parametrize("block", range(3))
def test_equity_is_what_the_fills_and_the_ledger_say(block: int) -> None:
    """Cash in and out for everything bought and sold, and the rest at its last close.

    A split makes more of what is held. Where a currency has one rate all the time, money in it
    is that much; settlement moves money from one pocket to the other.
    """
    for seed in SEEDS:
        scenario = drawn(f"money/{block}", seed)
        fx = {c: [1.5 + n] * 40 for n, c in enumerate(scenario.get("fx", {}))}
        if fx:
            scenario["fx"] = fx
        result = run(scenario)
        last = len(result["equity"]) - 1
        equity = scenario["account"]["cash"] if "account" in scenario else 100_000
        for i in scenario["instruments"]:
            worth = i.get("point_value", 1) * fx.get(i.get("currency"), [1])[0]
            equity += worth * bought_and_sold(scenario, result, i["symbol"], last)
        equity -= sum(f["cost"] for f in result["fills"])
        lines = result.get("ledger", [])
        equity += sum(x["amount"] for x in lines if x["kind"] != "settlement")
        assert result["equity"][-1] == pytest.approx(equity, rel=1e-9, abs=1e-6)


def bought_and_sold(scenario: dict, result: dict, symbol: str, last: int) -> float:
    """What was got less what was paid, and the last close of what is left, in price."""
    held, got = 0.0, 0.0
    lot = next(i.get("lot", 1) for i in scenario["instruments"] if i["symbol"] == symbol)
    fills = [f for f in result["fills"] if f["symbol"] == symbol]
    for at in range(last + 1):
        today = [f for f in fills if f["at"] == at]
        for action in scenario.get("actions", []):
            if (action["at"], action["symbol"]) != (at, symbol):
                continue
            held *= action.get("split", 1)
            own = 0
            if "split" in action and abs(held / lot - round(held / lot)) > 1e-9:
                own = 1
            elif "roll_from" in action and abs(held) > 1e-9:
                own = 2
            assert {f["reason"] for f in today[:own]} <= {"split", "roll"}
            held, got = moved(held, got, today[:own])
            today = today[own:]
        assert not {f["reason"] for f in today} & {"split", "roll"}
        held, got = moved(held, got, today)
    closes = [bar[3] for bar in scenario["bars"][symbol][: last + 1] if bar]
    return got + held * closes[-1] if abs(held) > 1e-9 else got


def moved(held: float, got: float, fills: list[dict]) -> tuple[float, float]:
    for f in fills:
        signed = f["qty"] if f["side"] == "buy" else -f["qty"]
        held, got = held + signed, got - signed * f["price"]
    return held, got


@pytest.mark.parametrize("block", range(3))
def test_nothing_depends_on_later_bars(block: int) -> None:
    """Cut the run short, at the end of a day: everything up to the cut stays as it was."""
    for seed in SEEDS:
        scenario = drawn(f"cut/{block}", seed)
        scenario.setdefault("account", {}).update(close_at_end=False, close_delisted=False)
        whole = run(scenario)
        length = len(next(iter(scenario["bars"].values())))
        days = scenario.get("days", range(length))
        end = max(1, len(whole["equity"]) // 2)
        while end < length and days[end] == days[end - 1]:
            end += 1
        part = run(cut(scenario, set(range(end, length))))
        assert part["equity"] == whole["equity"][:end]
        assert part["fills"] == [f for f in whole["fills"] if f["at"] < end]
        assert part.get("ledger", []) == [x for x in whole.get("ledger", []) if x["at"] < end]


def test_reduce_only_and_children_never_open_a_position() -> None:
    for seed in SEEDS:
        scenario = drawn("reduce", seed)
        scenario.pop("actions", None)
        careful = {o["id"] for o in scenario["orders"] if o.get("reduce_only")}
        held = {i["symbol"]: 0.0 for i in scenario["instruments"]}
        for f in run(scenario)["fills"]:
            before = held[f["symbol"]]
            held[f["symbol"]] += f["qty"] if f["side"] == "buy" else -f["qty"]
            if f["order"] in careful or f["reason"] in ("stop", "target", "liquidation"):
                assert before * held[f["symbol"]] >= -1e-9
                assert abs(held[f["symbol"]]) < abs(before)


def test_no_bar_gives_more_than_its_share() -> None:
    capped = 0
    for seed in SEEDS:
        scenario = drawn("volume", seed)
        closing = {"close_at_end": False, "close_delisted": False}
        scenario["account"] = {**scenario.get("account", {}), **closing}
        taken: Counter = Counter()
        for f in run(scenario)["fills"]:
            if f["order"] not in ("split", "roll"):
                taken[f["symbol"], f["at"]] += f["qty"]
        for i in scenario["instruments"]:
            for at, bar in enumerate(scenario["bars"][i["symbol"]]):
                if bar and i.get("max_volume_share"):
                    capped += taken[i["symbol"], at] > 0
                    most = i["max_volume_share"] * bar[4]
                    assert taken[i["symbol"], at] <= most + 1e-6
    assert capped > 100


def test_fok_is_all_or_nothing_and_states_fit_what_was_filled() -> None:
    for seed in SEEDS:
        scenario = drawn("states", seed)
        scenario.pop("actions", None)
        result = run(scenario)
        got: Counter = Counter()
        parts: Counter = Counter()
        for f in result["fills"]:
            got[f["order"]] += f["qty"]
            parts[f["order"]] += 1
        asked = {o["id"]: o for o in scenario["orders"] if "id" in o}
        changed = {o["modify"] for o in scenario["orders"] if "modify" in o}
        for order in result["orders"]:
            name, status = order["id"], order["status"]
            if name not in asked:
                continue
            assert (got[name] > 0) >= (status in ("filled", "partially_filled"))
            assert not (got[name] and status == "working")
            assert got[name] <= max(0, asked[name]["qty"]) + 1e-9 or name in changed
            if asked[name].get("tif") == "fok" and got[name]:
                assert (status, parts[name]) == ("filled", 1)


def test_trailing_levels_only_get_tighter() -> None:
    """Watched from bar to bar, where nobody changes them and nothing is split or rolled."""
    followed = 0
    for seed in range(600):
        scenario = drawn("trailing", seed)
        scenario.pop("actions", None)
        scenario["orders"] = [o for o in scenario["orders"] if "modify" not in o]
        market = Watched(scenario)
        market.run()
        for order, levels in market.levels.items():
            steps = [-order.side * (b - a) for a, b in pairwise(levels)]
            assert all(step >= 0 for step in steps)
            followed += sum(step > 0 for step in steps)
    assert followed > 10


class Watched(Market):
    """Keeps the level of every trailing stop at every close."""

    def __init__(self, scenario: dict) -> None:
        super().__init__(scenario)
        self.levels: dict = {}

    def obey(self, phase: str) -> list[Order]:
        for order in self.working():
            if order.type == "trailing_stop":
                self.levels.setdefault(order, []).append(order.stop)
        return super().obey(phase)


def test_children_never_protect_more_than_their_entry_added() -> None:
    """The stop of one bracket and its fills, against what its entry filled."""
    for seed in SEEDS:
        scenario = drawn("children", seed)
        scenario.pop("actions", None)
        scenario["orders"] = [o for o in scenario["orders"] if "modify" not in o]
        market = Market(scenario)
        market.run()
        for parent in market.orders:
            for child in parent.children:
                assert child.lots <= parent.filled
                assert child.filled <= parent.filled


def test_settlement_changes_no_equity_but_by_interest() -> None:
    for seed in SEEDS:
        scenario = drawn("settled", seed)
        account = {**scenario.get("account", {}), "interest_rate": 0, "debit_rate": 0}
        scenario.pop("fx", None)
        for i in scenario["instruments"]:
            i.pop("currency", None)
        daily = run({**scenario, "account": {**account, "settlement": "daily"}})
        none = run({**scenario, "account": {**account, "settlement": "none"}})
        assert daily["fills"] == none["fills"]
        assert all(
            math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
            for a, b in zip(daily["equity"], none["equity"], strict=True)
        )
