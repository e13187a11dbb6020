"""What a broker says goes into a journal and comes back as it was, to the last bit."""

from __future__ import annotations

import math

import msgspec
import pytest

from intrabar.brokers.sending import Sending
from intrabar.engine.session.broker_events import (
    LookedUp,
    answered,
    look_up_body,
    outcome_body,
    report_body,
    reported,
    snapshot_body,
    snapshot_of,
)
from intrabar.engine.session.effects import Look, LookUp, Send, Urgency, in_order
from intrabar.engine.session.view import AccountView, SymbolView, View, view_body, view_in
from intrabar.journal.record import body_of, text_of
from intrabar.model.broker_facts import (
    Accepted,
    CashFact,
    Change,
    FillFact,
    OrderFact,
    Ref,
    Refused,
    Request,
    Snapshot,
    Unknown,
)

ORDER = OrderFact("7", "0a1b2c-1-0", "A", 1, "stop_limit", 0.1 + 0.2, "working", 0.1, 1 / 3)
FILL = FillFact("f1", "7", "0a1b2c-1-0", "A", -1, 1e-9, 99.99999999999999, total=2.0, time=10**18)


def in_journal(body: dict) -> dict:
    """A body as a journal gives it back; it was the same before."""
    back = body_of(text_of(body))
    assert back == body
    return back


@pytest.mark.parametrize("fact", [ORDER, FILL, CashFact("c", -0.1, "A")], ids=["o", "f", "c"])
def test_a_fact_is_read_as_it_was_told(fact: object) -> None:
    assert repr(reported(in_journal(report_body(fact)))) == repr(fact)


def test_an_answer_to_a_look_up_may_be_that_there_is_none() -> None:
    assert reported(in_journal(look_up_body("x", None, 5))) == LookedUp("x", None, 5)
    found = reported(in_journal(look_up_body("x", ORDER, 5)))
    assert repr(found) == repr(LookedUp("x", ORDER, 5))


def test_the_answers_of_a_group_are_each_of_an_order() -> None:
    group = tuple(Request(f"0a1b2c-1-0{x}", "A", 1, "market", 2.0) for x in ("", "s", "t"))
    outcomes = (Accepted("9", True), Refused("no", not_sent=True), Unknown("a timeout"))
    told = answered(in_journal(outcome_body(Sending("0a1b2c-1-0", group), outcomes)))
    assert told.request == "submit"
    assert told.outcomes == list(zip([x.client_id for x in group], outcomes, strict=True))
    change = Sending("0a1b2c-1-0", change=Change(3.0))
    assert answered(outcome_body(change, (Accepted(),))).request == "replace"
    cancel = answered(outcome_body(Sending("0a1b2c-1-0"), (Unknown("?"),)))
    assert cancel.request == "cancel"
    assert cancel.outcomes == [("0a1b2c-1-0", Unknown("?"))]


def test_a_look_is_read_as_it_was_seen() -> None:
    parts = frozenset({"orders", "positions"})
    look = Snapshot(5, parts, (ORDER,), (FILL,), {"A": (-1.5, math.nan)}, 1e5)
    assert repr(snapshot_of(in_journal(snapshot_body(look)))) == repr(look)


def test_a_view_is_read_as_it_was_and_what_nobody_says_is_unknown() -> None:
    view = View({"A": SymbolView(1.1, 1.2, quote_age=0.5, shortable=False)}, AccountView(5.0))
    body = in_journal({"view": view_body(view)})
    assert repr(view_in(body)) == repr(view)
    nothing = view_in({})
    assert math.isnan(nothing.of("A").last)
    assert nothing.of("A").quote_age == math.inf
    assert not nothing.account.age < math.inf


def test_cancels_leave_first_and_entries_last_of_what_is_sent() -> None:
    sends = [Send(Sending(str(u)), u, u is Urgency.ENTRY, 0) for u in reversed(Urgency)]
    ordered = in_order([Look(0), *sends, LookUp("x", Ref(Request("x", "A", 1, "market", 1.0)))])
    assert [x.urgency for x in ordered[:4]] == list(Urgency)
    assert [type(x) for x in ordered[4:]] == [Look, LookUp]
    assert msgspec.json.encode(outcome_body(Sending("x"), (Accepted(),)))
