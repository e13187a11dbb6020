"""Random scenarios: small markets on small grids, where orders meet, tie and fail often.

One description of a scenario, two sources of choice: Hypothesis (which shrinks) and a seeded
`random.Random` (which is fast). Prices are a few ticks apart, orders lie on or near the corners
of the bars they are going to meet, and money is as short as margins need it to be. Each feature
has a modest chance of its own, so that most scenarios have few of them.
"""

from __future__ import annotations

import random
from typing import Any

from hypothesis import strategies as st

from tests.choices import FromHypothesis, FromRandom, Source, chance, choose
from tests.generator_actions import actions_from
from tests.generator_bars import bars_from, days_from, detail_from, rates_from
from tests.generator_held import held
from tests.generator_orders import orders_from
from tests.generator_scenes import duel, even_money, stranded
from tests.generator_ticks import finer, without_grid

POLICIES = (
    *("worst", "worst", "best", "shortest", "shortest", "nearest"),
    *("low_first", "high_first", "random", "calibrated", "detail"),
)
TICKS = (0.01, 0.05, 0.25, 1, 0.1)
LOTS = (1, 1, 1, 10, 0.25, 0.1)
SCENES = (duel, duel, stranded, held, held, even_money)


def random_scenario(rng: random.Random) -> dict:
    """A scenario from a seeded generator; the same seed gives the same scenario."""
    return scenario_from(FromRandom(rng))


@st.composite
def scenarios(draw: Any) -> dict:
    """Hypothesis strategy of scenarios."""
    return scenario_from(FromHypothesis(draw))


def scenario_from(source: Source) -> dict:
    """Mostly anything at all; at times a scene for a rule that chance alone seldom sets up."""
    scenario = choose(source, SCENES)(source) if chance(source, 40) else anything(source)
    if chance(source, 12):
        choose(source, (without_grid, finer))(source, scenario)
    return scenario


def anything(source: Source) -> dict:
    squeeze = chance(source, 30)  # wild prices, missing bars, little money, nothing protected
    count = choose(source, (2, 3) if squeeze else (1, 1, 2, 2, 3))
    length = choose(source, (8, 14) if squeeze else (2, 4, 8, 8, 14, 40))
    instruments = [instrument_from(source, "ABC"[n], squeeze) for n in range(count)]
    bars = bars_from(source, instruments, length, squeeze)
    if len(instruments) > 1 and chance(source, 20):
        rows = bars[instruments[-1]["symbol"]]
        last = source.integer(1, length)
        rows[last:] = [None] * (length - last)
    actions = actions_from(source, instruments, bars) if chance(source, 25) else []
    scenario = {
        "name": "random",
        "instruments": instruments,
        "account": {
            "cash": cash_from(source, instruments, bars, squeeze),
            "margin_call": choose(source, ("all", "reduce")),
            "margin_check": choose(
                source, ("reduce", "reduce", "reject") if squeeze else ("reject", "reduce")
            ),
            "close_at_end": chance(source, 30),
            "close_delisted": chance(source, 30),
            **terms_from(source),
        },
        "path_policy": choose(source, POLICIES),
        "bars": bars,
        "orders": orders_from(source, instruments, bars, squeeze),
    }
    if actions:
        scenario["actions"] = actions
    if chance(source, 50):
        scenario["seed"] = source.integer(0, 1000)
    if scenario["path_policy"] == "calibrated":
        scenario["path_trust"] = choose(source, (0.5, 0.88, 0, 1))
    if scenario["path_policy"] == "detail":
        scenario["detail"] = detail_from(source, bars, instruments)
    if chance(source, 35):
        scenario["days"] = days_from(source, length)
    if chance(source, 15):
        add_currencies(source, scenario, length)
    return scenario


def terms_from(source: Source) -> dict:
    """What the account pays, gets and refuses; most accounts know none of it."""
    terms = {}
    if chance(source, 15):
        terms["interest_rate"] = choose(source, (0.04, 0.5))
        terms["debit_rate"] = choose(source, (0.08, 0.9))
    if chance(source, 20):
        terms["settlement"] = "daily"
    if chance(source, 6):
        terms["type"] = "cash"
    return terms


def add_currencies(source: Source, scenario: dict, length: int) -> None:
    """Some instruments in other currencies than the account."""
    scenario["account"]["currency"] = choose(source, ("USD", "CHF"))
    names = ("EUR", "JPY", scenario["account"]["currency"])
    for instrument in scenario["instruments"]:
        instrument["currency"] = choose(source, names)
    scenario["fx"] = {name: rates_from(source, length) for name in names[:2]}


def cash_from(source: Source, instruments: list[dict], bars: dict, squeeze: bool) -> float:
    """Plenty; or a little more than the margin of a few lots; or a few ticks of them."""
    kind = source.integer(3 if squeeze else 0, 9)
    if kind < 3:
        return 100_000
    lots = choose(source, (2, 4, 7))
    needs = []
    for i in instruments:
        price = next((bar[0] for bar in bars[i["symbol"]] if bar), 0)
        margin = i.get("initial_margin", 0)
        margin += i.get("initial_margin_rate", 0) * price * i["point_value"]
        ticks = choose(source, (9, 25)) * i["tick_size"] * i["point_value"]
        needs.append((margin + ticks if kind < 8 else ticks) * i["lot"] * lots)
    return round(max(needs) if chance(source, 50) else sum(needs), 6) + choose(
        source, (0.0137, 0.0137, 0)
    )


def instrument_from(source: Source, symbol: str, squeeze: bool) -> dict:
    tick = choose(source, TICKS)
    point_value = choose(source, (1, 2, 50, 0.5))
    worth = tick * point_value  # of one tick of one contract
    made = {
        "symbol": symbol,
        "tick_size": tick,
        "point_value": point_value,
        "lot": choose(source, LOTS),
    }
    if chance(source, 40):
        made["slippage_ticks"] = choose(source, (1, 2, 0.5))
    if chance(source, 20):
        made["slippage_pct"] = choose(source, (0.001, 0.0007, 0.02))
    if chance(source, 30):
        made["limit_through_ticks"] = choose(source, (1, 2, 0.5))
    if chance(source, 30):
        made["commission_per_contract"] = round(worth * choose(source, (0.1, 1, 0.37)), 8)
    if chance(source, 20):
        made["fee_per_trade"] = round(worth * choose(source, (1, 0.7)), 8)
    if chance(source, 20):
        made["commission_rate"] = choose(source, (0.001, 0.0003))
    if chance(source, 15):
        made["commission_min"] = round(worth * choose(source, (2, 5)), 8)
    if chance(source, 15):
        made["commission_max"] = round(worth * choose(source, (6, 9)), 8)
    if chance(source, 100 if squeeze else 50):
        amount = worth * choose(source, (29, 61) if squeeze else (7, 13, 29))
        made["initial_margin"] = round(amount, 8)
        made["maintenance_margin"] = round(amount * choose(source, (0.9, 0.5, 1, 0)), 8)
    if chance(source, 35):
        rate = choose(source, (0.05, 0.2, 0.51))
        made["initial_margin_rate"] = rate
        made["maintenance_margin_rate"] = round(rate * choose(source, (0.5, 0.9, 1, 0)), 8)
    made.update(market_from(source, made["lot"]))
    made.update(fees_from(source, worth, made["lot"]))
    return made


def market_from(source: Source, lot: float) -> dict:
    """How much the market takes, and what it asks for that."""
    made = {}
    if chance(source, 30):  # a volume of 500 has this many lots
        made["max_volume_share"] = round(choose(source, (4, 2, 8, 1)) * lot / 500, 8)
    if chance(source, 12):
        made["slippage_volatility"] = choose(source, (0.1, 0.5, 0.33))
    if chance(source, 12):
        made["slippage_impact"] = choose(source, (1, 0.1, 2.7))
    return made


def fees_from(source: Source, worth: float, lot: float) -> dict:
    """What is paid for giving or taking, for much or little, and by the night."""
    made = {}
    if chance(source, 20):
        made["maker_rate"] = choose(source, (0.0001, 0, -0.0002, -0.002))
    if chance(source, 15):
        made["tiers"] = [
            [round(choose(source, (3, 0, 6)) * lot, 6), round(worth * 0.05, 8), 0.0002],
            [round(choose(source, (9, 15)) * lot, 6), 0, choose(source, (0, 0.0001))],
        ]
    if chance(source, 15):
        made["borrow_rate"] = choose(source, (0.05, 1.5))
    if chance(source, 15):
        made["swap_long"] = round(worth * choose(source, (-0.3, 0.1, 0)), 8)
        made["swap_short"] = round(worth * choose(source, (0.1, -0.3)), 8)
    return made
