"""A session beside its twins: nothing differs, or the part that was changed and no other."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from intrabar.engine.parity.parity import parity
from intrabar.engine.run import Setup
from intrabar.engine.session.session import Session
from intrabar.errors import UsageError
from intrabar.model.entry import Entry
from intrabar.model.event import Step
from intrabar.ui.parity_view import parity_view
from tests.engine.parity.faults import orders_filled, with_fault
from tests.engine.replay.replays import everyone
from tests.engine.session.sessions import events_of, plan_of, run_through
from tests.engine.session.test_session import hourly

FAULTS = ("a tick worse", "dearer", "half filled", "refused", "by hand")


def lived(setup: Setup, history: int = 0, extra: list[Entry] | None = None) -> list[Entry]:
    """The journal of a session on the rows of a setup; `extra` come behind the row of their bar."""
    events = events_of(setup.market, history)
    for event in extra or ():
        at = next(k for k, e in enumerate(events) if e.kind == "row.closed" and e.at >= event.at)
        events.insert(at + 1, event)
    return run_through(Session(plan_of(setup)), events)


@pytest.mark.parametrize("seed", range(4))
def test_an_honest_session_has_zeros(seed: int) -> None:
    setup = everyone(seed)
    found = parity(plan_of(setup), lived(setup))
    assert found.traded.fills
    assert found.is_identical, (found.headline, found.parts, found.notes)
    assert found.headline == "identical"
    assert set(found.parts.values()) == {0.0}
    assert found.rest == 0.0
    assert found.notes == []


def test_every_bot_has_zeros_behind_a_history() -> None:
    setup, bars = hourly(3)
    journal = run_through(Session(plan_of(setup, bars)), events_of(setup.market, 30))
    found = parity(plan_of(setup, bars), journal)
    assert found.is_identical, (found.headline, found.parts, found.notes)
    assert sum(bool(line.fills) for line in found.lines) > 5


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_the_money_of_its_part_alone(fault: str) -> None:
    setup = everyone(2)
    journal = lived(setup)
    for k in orders_filled(journal, setup.market)[::5]:
        made = with_fault(journal, k, fault, setup.market)
        found = parity(plan_of(setup), made.journal)
        assert found.holds, found.rest
        assert found.difference is not None
        wrong = {name: v for name, v in found.parts.items() if abs(v) > 1e-9}
        assert wrong == {made.part: pytest.approx(made.money, abs=1e-9)}


def test_a_fill_a_bar_late_is_timing() -> None:
    setup = everyone(1, missing=0.0)
    journal = lived(setup)
    market = setup.market
    done = 0
    for k in orders_filled(journal, market):
        fill = journal[k].body
        if fill["phase"] != "open" or fill["reason"] in ("stop", "target") or fill["row"] > 35:
            continue
        order = next(
            e for e in journal[k:] if e.kind == "order" and e.body["order"] == fill["order"]
        )
        if "type" in order.body:  # no market order
            continue
        made = with_fault(journal, k, "a bar late", market)
        found = parity(plan_of(setup), made.journal)
        assert found.holds
        assert found.parts["timing"] == pytest.approx(made.money, abs=1e-9)
        assert found.parts["price"] == pytest.approx(0.0, abs=1e-9)
        done += 1
        if done == 3:
            break
    assert done == 3


def test_a_corrected_bar_is_data() -> None:
    setup = everyone(5)
    plan = plan_of(setup)
    honest = parity(plan, lived(setup))
    row, column = 20, 0
    market = setup.market
    while not market.open[row, column] > 0:
        row += 1
    high = float(market.high[row, column]) + 2.0
    bar = [
        float(getattr(market, n)[row, column]) for n in ("open", "high", "low", "close", "volume")
    ]
    bar[1], bar[3] = high, high
    body = {
        "symbol": "A",
        "time": int(market.time[row]),
        "bar": bar,
        "stood": None,
        "close_off": None,
        "reason": "other values than its row",
    }
    late = Entry(int(market.time[row + 3]), 0, 0, "bar.corrected", body)
    found = parity(plan, lived(setup, extra=[late]))
    assert [(x.symbol, x.what, x.stored) for x in found.rows] == [
        ("A", "high", high),
        ("A", "close", high),
    ]
    assert found.difference is None
    # What a backtest of the corrected bars makes.
    columns = {n: getattr(market, n).copy() for n in ("high", "close")}
    columns["high"][row, column] = columns["close"][row, column] = high
    for later in range(row + 1, len(market)):
        if market.open[later, column] > 0:
            break
        columns["close"][later, column] = high
    right = replace(market, **columns)
    run = Session(plan)
    told = run_through(run, events_of(right, 0))
    made = next(e for e in reversed(told) if e.kind == "row").body["equity"]
    assert found.parts["data"] == honest.traded.equity[-1].equity - made != 0.0
    assert [name for name, v in found.parts.items() if v] == ["data"]
    assert found.headline.startswith("the largest difference is data")
    # The same from stored bars.
    stored = parity(plan, lived(setup), right)
    assert stored.parts == found.parts
    assert {(x.time, x.what) for x in stored.rows} >= {(int(market.time[row]), "high")}


def test_orders_by_hand_are_in_the_twins_too() -> None:
    setup = everyone(3)
    market = setup.market

    def person(row: int, **body: object) -> Entry:
        return Entry(int(market.time[row]), 0, 0, "command.person", dict(body))

    asked = [
        person(5, kind="order", symbol="A", side="buy", qty=3.0),
        person(8, kind="order", symbol="B", side="buy", type="limit", qty=2.0, limit_price=1.0),
        person(12, kind="close", symbol="A"),
    ]
    journal = lived(setup, extra=asked)
    order = next(e for e in journal if e.kind == "order" and e.body.get("limit_price") == 1.0)
    cancel = person(15, kind="cancel", order=order.body["order"])
    found = parity(plan_of(setup), lived(setup, extra=[*asked, cancel]))
    assert found.is_identical, (found.headline, found.parts, found.notes)
    mine = [x for x in found.lines if x.strategy == "by hand"]
    assert [len(x.fills) for x in mine] == [1, 0, 1]


def test_a_hook_that_is_no_function_of_its_market_is_named() -> None:
    setup = everyone(1)
    journal = lived(setup)
    k = next(k for k, e in enumerate(journal) if e.kind == "command" and e.body["kind"] == "submit")
    was = journal[k]
    journal[k] = Entry(was.at, was.bar, was.step, was.kind, was.body | {"qty": was.body["qty"] + 1})
    found = parity(plan_of(setup), journal)
    assert found.difference is not None
    assert (found.difference.bar, found.difference.step) == (was.bar, was.step)
    one = found.difference.fields[0]
    assert (one.name, one.recorded, one.again) == ("qty", was.body["qty"] + 1, was.body["qty"])
    head = f"the first difference is record {k + 1} (command), bar {was.bar}, step "
    assert found.headline.startswith(head + Step(was.step).name.lower() + ": qty is")
    assert [(a.body["qty"], b.body["qty"]) for a, b in found.decisions] == [
        (was.body["qty"] + 1, was.body["qty"])
    ]
    # C does what was recorded, so that its fills are other ones.
    assert found.parts["size"] != 0.0
    assert found.holds


def test_a_journal_that_begins_later_and_other_symbols_are_refused() -> None:
    setup = everyone(1)
    journal = lived(setup)
    with pytest.raises(UsageError, match="does not begin with session"):
        parity(plan_of(setup), journal[1:])
    other = replace(setup.market, symbols=("A", "C"))
    with pytest.raises(UsageError, match="stored bars are of A, C; the session has A, B"):
        parity(plan_of(setup), journal, other)


def test_the_json_of_a_parity_fills_its_page() -> None:
    setup = everyone(2)
    journal = lived(setup)
    k = orders_filled(journal, setup.market)[3]
    made = with_fault(journal, k, "refused", setup.market)
    told = json.loads(json.dumps(parity(plan_of(setup), made.journal).as_json(), allow_nan=False))
    (missing,) = told["difference"]["fields"]
    assert missing["recorded"]["record"] == told["difference"]["kind"] == "order"
    assert missing["again"]["record"] == "fill"
    assert "record is order in the journal and fill in the re-run" in told["headline"]
    assert told["parts"][4]["name"] == "reject"
    assert told["parts"][4]["money"] == pytest.approx(made.money)
    assert told["rejects"] == {"filled": pytest.approx(made.money)}  # its record says so still
    view = parity_view("main", told)
    assert len(view["orders"]) == len(told["orders"]) > 10
    assert [x["parts"] for x in view["orders"] if x["parts"]] == [
        f"reject {made.money:+,.2f}".replace("-", "−")
    ]
    assert [x["symbol"] for x in view["slippage"]] == ["A", "B"]


def test_a_proposal_leaves_what_an_instrument_slips_by_beside_ticks() -> None:
    setup = everyone(2)
    slips = tuple(
        replace(x, slippage_ticks=1.0, slippage_pct=0.001, commission_rate=0.0)
        for x in setup.instruments
    )
    setup = replace(setup, instruments=slips)
    journal = lived(setup)
    for k in orders_filled(journal, setup.market):
        if journal[k].body["symbol"] == "A":
            for _ in range(3):
                journal = with_fault(journal, k, "a tick worse", setup.market).journal
    one = next(x for x in parity(plan_of(setup), journal).slippage if x.symbol == "A")
    assert one.modelled > 5.0  # a tenth of a percent is many ticks
    assert one.proposal is not None
    assert 1.0 < one.proposal < 1.0 + 3.1
    assert one.proposal == round(one.proposal, 1)
    assert one.proposal - 0.1 <= 1.0 + one.paid - one.modelled <= one.proposal + 1e-9
