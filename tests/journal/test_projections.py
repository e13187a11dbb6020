"""The tables of a session: trades are those of `analysis.trades`, wherever the fold began anew."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intrabar.analysis.trades import trades
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.engine.session.lived_rows import market_in, wakes_of
from intrabar.engine.session.session import Session
from intrabar.journal.projections import Fold, Rows, empty_rows
from intrabar.journal.verifying import tables_of, verify
from intrabar.model.entry import Entry
from intrabar.risk.limits import Limits
from tests.analysis.account import Deal, fills_of
from tests.databases import Database
from tests.engine.replay.replays import everyone
from tests.engine.session.sessions import events_of, plan_of

deals = st.lists(
    st.tuples(
        st.integers(0, 50),
        st.sampled_from((-3.0, -2.0, -1.0, 0.1, 0.2, 1.0, 2.0, 3.0, 0.0)),
        st.sampled_from((0.5, 2.0, 3.0, 99.5, 100.25, 101.0)),
        st.sampled_from((0.0, 1.25)),
        st.sampled_from("AB"),
        st.sampled_from("st"),
    ).map(lambda drawn: Deal(*drawn[:4], symbol=drawn[4], strategy=drawn[5])),
    max_size=25,
)
SAME = ("strategy", "symbol", "side", "open_bar", "close_bar", "qty", "open_price", "close_price")


def in_order(raw: list[Deal]) -> list[Deal]:
    """By bar; splits by 0.5 or 2 and only of what is held, else prices as they are."""
    kept: list[Deal] = []
    held: dict[tuple[str, str], float] = {}
    for deal in sorted(raw, key=lambda deal: deal.bar):
        owner = deal.strategy, deal.symbol
        ratio = 2.0 if deal.price > 50 else 0.5
        if deal.qty == 0.0 and not held.get(owner):
            continue
        if deal.qty == 0.0:
            deal = deal._replace(price=ratio, cost=0.0)
            held[owner] *= ratio
        else:
            held[owner] = held.get(owner, 0.0) + deal.qty
            if abs(held[owner]) < 1e-9:
                held[owner] = 0.0
        kept.append(deal)
    return kept


def fill_entries(table: Any) -> list[Entry]:
    rows = table.with_columns(time=table["time"].dt.epoch("ns")).to_dicts()
    return [
        Entry(row["time"], row["bar"], 3, "fill", {**row, "index": index, "unheard of": [1]})
        for index, row in enumerate(rows)
    ]


@given(deals, st.integers(1, 5))
def test_trades_are_those_of_a_finished_run(raw: list[Deal], every: int) -> None:
    table = fills_of(in_order(raw))
    rows: Rows = empty_rows()
    fold = Fold("main")
    positions: dict[tuple[str, str], Any] = {}
    for seq, entry in enumerate(fill_entries(table), start=1):
        if seq % every == 0:  # as after a restart
            fold = Fold("main", positions.values())
        fold.add(rows, seq, entry)
        last = rows["positions"][-1]
        positions[last["strategy"], last["symbol"]] = last
        assert last["qty"] == entry.body["position"]
    meant = trades(table)
    assert [tuple(row[name] for name in SAME) for row in rows["trades"]] == meant.select(
        SAME
    ).rows()
    for name in ("gross", "costs", "net"):
        assert [row[name] for row in rows["trades"]] == meant[name].to_list()
    assert [row["close_time"] for row in rows["trades"]] == meant["close_time"].dt.epoch(
        "ns"
    ).to_list()


def test_refusals_and_answers_stand_beside_what_was_asked(store: Database) -> None:
    journal = store.journal()
    asked = {"strategy": "bot", "symbol": "ES", "side": "buy", "qty": 2.0, "kind": "submit"}
    why = {"rule": "allow_short", "scope": "ES", "value": -1.0, "limit": 0.0, "text": "no"}
    group = [{"client_id": f"a-1-0{x}", "symbol": "ES", "qty": 2.0} for x in ("", "s")]
    journal.append(
        [
            Entry(1, 0, 7, "command", {**asked, "index": 0}),
            Entry(1, 0, 7, "command", {**asked, "index": 1}),
            Entry(1, 0, 7, "refused", {"command": 1, **why}),
            Entry(2, 1, 7, "command", {**asked, "index": 0}),
            Entry(2, 1, 7, "refused", {"command": 5, **why}),
            Entry(2, 1, 7, "intent", {"kind": "submit", "ticket": "a-1-0", "requests": group}),
        ]
    )
    journal.close()
    journal = store.journal()  # the answer comes after a restart
    answers = [{"client_id": "a-1-0", "kind": "accepted", "vendor_id": "77", "text": "ok"}, {}]
    answer = {"ticket": "a-1-0", "request": "submit", "outcomes": answers}
    journal.append([Entry(5, 1, 7, "outcome", answer), Entry(5, 1, 7, "never heard of", {"x": 1})])
    found = tables_of(journal.store, "main")["submissions"]
    assert [(row["seq"], row["verdict"], row["rule"]) for row in found] == [
        (1, "passed", None),
        (2, "refused", "allow_short"),
        (4, "passed", None),
        (5, "refused", "allow_short"),
        (6, "passed", None),
    ]
    assert found[1]["value"] == -1.0
    assert found[1]["limit_value"] == 0.0
    last = found[-1]
    assert json.loads(last["request"]) == group
    assert (last["answer"], last["answered"], last["qty"]) == ("accepted", 5, 2.0)
    assert last["vendor_id"] == "77"
    journal.close()


def test_a_person_who_is_refused_leaves_the_strategys_commands_alone(store: Database) -> None:
    """The id of a person's command may be a number, as a strategy's place is, or nothing at all."""
    journal = store.journal()
    asked = {"strategy": "bot", "symbol": "ES", "side": "buy", "qty": 2.0, "kind": "submit"}
    why = {"rule": "person", "scope": "account", "value": None, "limit": None, "text": "no"}
    journal.append([Entry(1, 0, 7, "command", {**asked, "index": 1})])
    journal.append(
        [
            Entry(2, 0, 8, "command.person", {"id": 1, "kind": "buy"}),
            Entry(2, 0, 8, "refused", {"command": 1, **why}),
            Entry(3, 0, 8, "command.person", {"id": None, "kind": "buy"}),
            Entry(3, 0, 8, "refused", {"command": None, **why}),
        ]
    )
    rows = tables_of(journal.store, "main")["submissions"]
    assert [(row["seq"], row["kind"], row["verdict"]) for row in rows] == [
        (1, "submit", "passed"),
        (3, "refused", "refused"),
        (5, "refused", "refused"),
    ]
    assert not verify(journal.store, deep=True)[0].why
    journal.close()


def test_an_order_keeps_when_it_was_made(store: Database) -> None:
    journal = store.journal()
    order = {"order": 3, "strategy": "bot", "symbol": "ES", "status": "working", "limit_price": 1.5}
    journal.append([Entry(1, 0, 7, "order", order)])
    journal.append([Entry(9, 2, 3, "order", {**order, "status": "filled", "limit_price": "nan"})])
    [row] = tables_of(journal.store, "main")["orders"]
    assert (row["created"], row["changed"], row["status"]) == (1, 9, "filled")
    assert row["limit_price"] is None
    journal.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_session_leaves_the_tables_of_its_backtest(store: Database, seed: int) -> None:
    """With the real session: fills, trades, orders and equity are those of the run at one go."""
    setup = everyone(seed)
    session = Session(plan_of(setup))
    journal = store.journal()
    for event in events_of(setup.market, 0):
        journal.append([event, *session.handle(event).records])
    found = tables_of(journal.store, "main")
    assert not verify(journal.store, deep=True)[0].why
    result = own_backtest(session, setup)
    fills = result.fills
    for name in ("bar", "strategy", "symbol", "side", "qty", "price", "cost", "realized"):
        assert [row[name] for row in found["fills"]] == fills[name].to_list(), name
    assert [row["time"] for row in found["fills"]] == fills["time"].dt.epoch("ns").to_list()
    trades_ = sorted(found["trades"], key=lambda row: (row["seq"], row["part"]))
    assert [tuple(row[name] for name in (*SAME, "net")) for row in trades_] == result.trades.select(
        *SAME, "net"
    ).rows()
    assert [row["equity"] for row in found["equity"]] == result.equity["equity"].to_list()
    assert [(row["number"], row["status"]) for row in found["orders"]] == result.orders.sort(
        "order"
    ).select("order", "status").rows()
    asked = found["submissions"]
    assert {row["side"] for row in asked} <= {"buy", "sell", None}
    journal.close()


def test_the_refusals_of_a_session_stand_with_their_commands(store: Database) -> None:
    setup = everyone(1)
    session = Session(plan_of(setup, limits=Limits(max_order_qty=1.0)))
    journal = store.journal()
    refused: list[tuple[int, str]] = []
    commands: dict[int, int] = {}
    for event in events_of(setup.market, 0):
        turn = [event, *session.handle(event).records]
        first = journal.append(turn) - len(turn) + 1
        for seq, entry in enumerate(turn, start=first):
            if entry.kind == "command":
                commands[entry.body["index"]] = seq
            if entry.kind == "refused":
                refused.append((commands[entry.body["command"]], entry.body["rule"]))
    assert refused
    found = tables_of(journal.store, "main")["submissions"]
    kinds = [record.kind for record in journal.read()]
    assert len(found) == kinds.count("command")
    assert [(row["seq"], row["rule"]) for row in found if row["verdict"] == "refused"] == refused
    assert all(row["limit_value"] == 1.0 for row in found if row["rule"] == "max_order_qty")
    journal.close()


def own_backtest(session: Session, setup: Setup) -> Result:
    own = replace(
        setup,
        market=market_in(session.rows, session.plan),
        trade_from=session.trade_from,
        wakes=wakes_of(session.rows),
    )
    return finish(Run(own))
