"""A row as the journal has it: nothing is lost, and what all bars share is said once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from intrabar.engine.run import Setup
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.row import ClosedRow, RowAction, RowBar, body_of, row_of, rows_of
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry, whole
from tests.engine.parity.worlds import world
from tests.engine.session.sessions import events_of, plan_of, run_through
from tests.engine.session.test_session import hourly

MINUTE = 60_000_000_000
PRICES = st.floats(-1e9, 1e9) | st.sampled_from([0.0, -0.0, 1e-300, 2.0**60])
VOLUMES = st.floats(0.0, 1e20) | st.sampled_from([0.0, -0.0, 5e-324, 7.0, 2.0**53, 2.0**60])
TIMES = st.integers(0, 3).map(lambda k: k * MINUTE)


@st.composite
def rows(draw: st.DrawFn) -> ClosedRow:
    columns = draw(st.sets(st.integers(0, 9)))
    bars = tuple(
        RowBar(j, *draw(st.tuples(*[PRICES] * 4, VOLUMES)), draw(TIMES), draw(st.booleans()))
        for j in sorted(columns)
    )
    absent = sorted(draw(st.sets(st.integers(0, 9))) - columns)
    actions = draw(st.sampled_from([(), (RowAction(0, 1, 2.0),)]))
    fx = draw(st.sampled_from([(), (1.0, 1.25)]))
    flags = [draw(st.booleans()) for _ in range(3)]
    return ClosedRow(10 * MINUTE, bars, 19_000, fx, actions, *flags, ends=tuple(absent))


def lived(setup: Setup) -> list[Entry]:
    return run_through(Session(plan_of(setup)), events_of(setup.market, 0))


def in_json(value: object) -> object:
    return msgspec.json.decode(msgspec.json.encode(value))


def as_before(row: ClosedRow) -> dict[str, object]:
    """As journals had a row before bars left out what they share."""
    told = msgspec.structs.asdict(row)
    return {name: msgspec.to_builtins(value) for name, value in told.items()}


@given(rows())
def test_a_row_comes_back_from_its_journal_to_the_last_bit(row: ClosedRow) -> None:
    for body in (body_of(row), as_before(row)):
        made = row_of(in_json(body))
        assert made == row
        assert all(str(a.prices) == str(b.prices) for a, b in zip(made.bars, row.bars, strict=True))


def test_a_bar_of_many_takes_no_more_than_60_bytes() -> None:
    prices = 100.0 + np.arange(50) / 100.0
    bars = tuple(
        RowBar(j, p, p + 1.05, p - 1.05, p + 0.01, 123_456.0, MINUTE, True)
        for j, p in enumerate(prices.round(2).tolist())
    )
    text = msgspec.json.encode(body_of(ClosedRow(2 * MINUTE, bars, 19_000)))
    assert len(text) / 50 <= 60


def test_a_journal_from_before_fields_were_left_out_gives_its_session_again() -> None:
    setup = world(3)
    journal = lived(setup)
    by_time = {row.time: row for row in rows_of(setup.market)}

    def before(entry: Entry) -> Entry:
        body = whole(entry.kind, entry.body)
        if entry.kind == "row.closed":
            body = as_before(by_time[body["time"]])
        return Entry(entry.at, entry.bar, entry.step, entry.kind, body)

    plan = plan_of(setup)
    mine = rerun(plan, journal)
    theirs = rerun(plan_of(world(3)), [before(entry) for entry in journal])
    assert mine.difference is None
    assert theirs.difference is None
    assert theirs.session.machine.digest() == mine.session.machine.digest()
    assert {"command", "order"} <= {entry.kind for entry in journal}


def test_a_record_leaves_out_what_it_does_not_say() -> None:
    journal = lived(world(3))
    for entry in journal:
        if entry.kind in ("command", "order"):
            assert "nan" not in entry.body.values()
            assert "oco" not in entry.body or entry.body["oco"] >= 0


def test_a_row_goes_into_the_arrays_that_are_shown_already() -> None:
    setup, bars = hourly(1)
    session = Session(
        plan_of(replace(setup, strategies={"cross": setup.strategies["cross"]}), bars)
    )
    tapes = []
    for event in events_of(setup.market, 40):
        session.handle(event)
        if session.rows:
            tapes.append(session.machine.tape)
    assert sum(a is not b for a, b in pairwise(tapes)) < len(tapes) / 4
