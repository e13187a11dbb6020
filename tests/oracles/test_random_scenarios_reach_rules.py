"""The random scenarios reach every rule often enough for agreement to mean something."""

from __future__ import annotations

import random

import pytest

from intrabar.engine.scenario.format import check_scenario
from tests.generators import random_scenario
from tests.oracles.count_rules import count

RARE = 4  # of 4,000 scenarios: a fuzz run of 100,000 meets the rule a hundred times
RULES = """
a bar with detail; a bar without detail; a child grows; a further part of an order; a jump between
lower bars; a later part makes new children; an order that cannot fill on the path has no say in
it; a roll leaves an order without a price; a split leaves nothing of an order; a trailing stop
follows; ambiguous fill; bracket cancelled the other; bracket made the other smaller; cancel; child
before an earlier order at one price; closed at the end; closed at the end at a carried close;
closed when delisted; cost of a maker; cost of a tier; day expired; equal money: entry check; equal
money: largest requirement; equal money: maintenance check; equal money: reduce; equal money: ruin;
fill: entry close; fill: entry intrabar; fill: entry open; fill: exit close; fill: exit intrabar;
fill: exit open; fill: liquidation close; fill: liquidation open; fill: roll open; fill: split
open; fill: stop intrabar; fill: stop open; fill: target intrabar; fill: target open; flat; flip;
flip refused as a whole; fok cancelled; fok that could not get all; gtd expired; ioc cancelled; ioc
cancelled the rest; ledger: borrow paid; ledger: dividend got; ledger: dividend paid; ledger:
interest got; ledger: interest paid; ledger: settlement got; ledger: settlement paid; ledger: swap
got; ledger: swap paid; limit at once on the path; limit at once on the path beyond its price;
limit at the open; limit at the open beyond its price; limit on a leg; liquidation pending;
liquidation pending for want of volume; margin call reduced and kept something; margin call while a
liquidation is pending; margin call: all; margin call: reduce; margin check reduced; margin check
reduced a flip to its close; margins change; market order waits between lower bars; moc; modify;
modify of a child; nothing left after a split; oco cancelled the other; oco made the other smaller;
path decided by the side of the orders; reduce only cut to the position; reduce only without a
position; rejected: insufficient_margin; rejected: invalid_price; rejected: invalid_quantity;
rejected: no_market; rejected: short_refused; reverse split; roll of a working liquidation order;
roll of a working plain order; roll of a working stop order; roll of a working target order; ruin;
several nights at once; several orders at one price; split; split of a working liquidation order;
split of a working plain order; split of a working stop order; split of a working target order;
stop at once on the path; stop at once on the path beyond its price; stop at the open; stop at the
open beyond its price; stop limit gapped through its limit; stop limit triggered, not marketable;
stop on a leg; stop_limit at the open; stop_limit at the open beyond its price; stop_limit on a
leg; trailing_stop at the open; trailing_stop at the open beyond its price; trailing_stop on a leg;
volume cut: liquidation liquidation; volume cut: plain limit; volume cut: plain market; volume cut:
plain moc; volume cut: plain stop; volume cut: plain stop_limit; volume cut: plain trailing_stop;
volume cut: stop stop; volume cut: target limit
"""


@pytest.fixture(scope="module")
def reached() -> dict[str, int]:
    return count(4000, seed=0)[1]


@pytest.mark.parametrize("rule", [" ".join(r.split()) for r in RULES.split(";")])
def test_rule_is_reached(reached: dict[str, int], rule: str) -> None:
    assert reached[rule] >= RARE


def test_few_scenarios_stand_on_a_knife_edge(reached: dict[str, int]) -> None:
    """Those are not compared: see `oracle_differs`."""
    assert sum(n for what, n in reached.items() if what.startswith("knife edge")) < 10


def test_every_scenario_is_one_that_a_file_may_hold() -> None:
    for n in range(1_000):
        check_scenario(random_scenario(random.Random(f"held/{n}")))
