"""A session is its journal: worked out again, record by record, and told where it is not."""

from __future__ import annotations

from dataclasses import replace

from intrabar.engine.session.rerun import rerun, turns_of
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry
from intrabar.strategy.strategy import Strategy
from tests.engine.session.sessions import events_of, plan_of, run_through
from tests.engine.session.test_session import hourly


class Moody(Strategy):
    """Reads something that no journal has."""

    mood = 1.0

    def on_close(self, now) -> None:
        if now.bar % 9 == 0:
            now.buy(Moody.mood)


def moody():
    setup, bars = hourly(7, 60)
    return plan_of(replace(setup, strategies={"moody": Moody()}), bars), setup


def test_a_rerun_stands_where_the_journal_ends() -> None:
    setup, bars = hourly(3, 90)
    plan = plan_of(setup, bars)
    session = Session(plan)
    journal = run_through(session, events_of(setup.market, 30))
    made = rerun(plan, journal)
    assert made.difference is None
    assert made.turns == len(events_of(setup.market, 30))
    assert made.session.machine.digest() == session.machine.digest()


def test_after_every_single_turn_the_rest_goes_on_as_if_nothing_had_been() -> None:
    setup, bars = hourly(4, 60)
    plan = plan_of(setup, bars)
    journal = run_through(Session(plan), events_of(setup.market, 40))
    turns = list(turns_of(journal))
    for cut in range(2, len(turns), 3):
        first = [e for event, records, _ in turns[:cut] for e in (event, *records)]
        session = rerun(plan, first).session
        rest = run_through(session, [event for event, _, _ in turns[cut:]])
        assert first + rest == journal


def test_what_cannot_be_repeated_is_told_with_both_and_halts() -> None:
    plan, setup = moody()
    journal = run_through(Session(plan), events_of(setup.market, 0))
    assert rerun(plan, journal).difference is None
    Moody.mood = 2.0
    try:
        made = rerun(plan, journal)
        assert made.difference is not None
        assert made.difference.recorded.kind == made.difference.again.kind == "command"
        assert made.difference.recorded.body["qty"] == 1.0
        assert made.difference.again.body["qty"] == 2.0
        assert "bar 0, step 8" in str(made.difference)
        # The book is the recorded one.
        end = next(e for e in reversed(journal) if e.kind == "row")
        assert made.session.machine.book.account["cash"][0] == end.body["cash"]
        event = Entry(journal[-1].at, 0, 0, "not_repeatable", {"text": str(made.difference)})
        turn = made.session.handle(event)
        assert turn.records[0].body["state"] == "halted"
        # A person takes what was journalled, and the next start compares from there on.
        more = [event, *turn.records]
        resume = Entry(
            journal[-1].at, 0, 0, "command.person",
            {"kind": "resume", "reason": "seen", "as_recorded": True},
        )  # fmt: skip
        more += [resume, *made.session.handle(resume).records]
        assert more[-1].body["state"] == "trading"
        assert rerun(plan, journal + more).difference is None
    finally:
        Moody.mood = 1.0


def test_a_strategy_that_raises_is_left_out_and_the_others_go_on() -> None:
    class Breaks(Strategy):
        def on_close(self, now) -> None:
            if now.bar == 20:
                now.buy(1)
                raise ValueError("no more")
            if now.bar > 20:
                raise AssertionError("it was asked again")

    setup, bars = hourly(6, 60)
    strategies = {"breaks": Breaks(), **setup.strategies}
    plan = plan_of(replace(setup, strategies=strategies), bars)
    session = Session(plan)
    journal = run_through(session, events_of(setup.market, 0))
    hooks = [e for e in journal if e.kind == "hook"]
    assert [(h.bar, h.body["strategy"]) for h in hooks] == [(20, "breaks")]
    assert not [e for e in journal if e.kind == "order" and e.body["strategy"] == "breaks"]
    assert [e.body["level"] for e in journal if e.kind == "breaker"] == ["reducing"]
    after = [e for e in journal if e.kind == "command" and e.bar > 25]
    assert {e.body["strategy"] for e in after} >= {"restless"}
    assert rerun(plan, journal).difference is None
