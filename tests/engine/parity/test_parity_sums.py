"""Whatever befalls a session and whatever is wrong with its fills: the parts are the difference."""

from __future__ import annotations

import numpy as np
import pytest

from intrabar.engine.parity.parity import WITHIN, parity
from intrabar.engine.session.session import Session
from intrabar.model.enums import Settlement
from tests.engine.parity.faults import orders_filled, replace_body, total, with_fault
from tests.engine.parity.worlds import equity_of, world
from tests.engine.session.sessions import events_of, plan_of, run_through

FAULTS = ("a tick worse", "dearer", "half filled", "refused", "by hand")


def check(seed: int) -> int:
    """One random session, honest and with a few faults; how many fills it had."""
    draw = np.random.default_rng(seed)
    setup = world(seed)
    plan = plan_of(setup)
    history = int(draw.choice([0, 5]))
    journal = run_through(Session(plan), events_of(setup.market, history))
    honest = parity(plan, journal)
    assert honest.is_identical, (seed, honest.headline, honest.parts, honest.rest, honest.notes)
    rows = [k for k, e in enumerate(journal) if e.kind == "row"]
    if len(rows) < len(setup.market) - history:
        return 0  # ruined: the oracle goes on to the last bar
    recorded = journal[rows[-1]].body["equity"]
    assert equity_of(journal, setup) == pytest.approx(recorded, abs=1e-6), seed
    fills = orders_filled(journal, setup.market)
    # Daily settlement is booked for the fills as they were: only another cost leaves it true.
    settles = setup.account.settlement is Settlement.DAILY
    faults = ["dearer"] if settles else draw.permutation(FAULTS)[:2].tolist()
    for fault in faults if fills else ():
        k = int(draw.choice(fills))
        wrong = with_fault(journal, k, fault, setup.market).journal
        equity = equity_of(wrong, setup)
        last = max(k for k, e in enumerate(wrong) if e.kind == "row")
        wrong[last] = replace_body(wrong[last], wrong[last].body | {"equity": equity})
        found = parity(plan, wrong)
        assert found.holds, (seed, fault, found.rest, found.parts)
        lost = equity - recorded
        assert total(found) == pytest.approx(lost, abs=10 * WITHIN * abs(recorded)), (seed, fault)
        assert [x for x in found.lines if x.parts]
    return len(fills)


@pytest.mark.parametrize("seed", range(12))
def test_sums_hold(seed: int) -> None:
    check(seed)


@pytest.mark.slow
def test_sums_hold_on_a_thousand_sessions() -> None:
    assert sum(check(1_000 + seed) for seed in range(1_000)) > 10_000
