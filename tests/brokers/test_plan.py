"""The plan: what leaves is the difference, and on a broker that obeys nothing is left of it."""

from __future__ import annotations

import random

import pytest
from msgspec.structs import replace

from intrabar.brokers.names import Name, Part, client_id, emergency_id, is_ours, name_of
from intrabar.brokers.plan import Plan, Row, Rules, plan
from intrabar.brokers.tickets import OPEN, Asked, State, Terms, Ticket
from intrabar.errors import OrderError

SECOND = 1_000_000_000
CODE = "0a1b2c"
RULES = Rules(CODE, 10 * SECOND)
ENTRY = Row(1, "s", "A", 1, "limit", "plain", Terms(10.0, 100.0), 0)
STOP_AT = Terms(10.0, stop_price=90.0)
STOP = Row(2, "s", "A", -1, "stop", "stop", STOP_AT, 0, parent=1, reduce_only=True)
_SENT = Ticket(f"{CODE}-1-0", 1, "s", "A", 1, "limit", Terms(10.0, 100.0), 0)
OF_ENTRY = replace(_SENT, state=State.WORKING)
_STOP_SENT = Ticket(f"{CODE}-2-0", 2, "s", "A", -1, "stop", STOP_AT, 0)
OF_STOP = replace(_STOP_SENT, state=State.WORKING)
HELD = {("s", "A"): 10.0}


def kinds(found: Plan) -> list[tuple[str, str]]:
    return [(intent.kind, intent.name) for intent in found.intents]


def test_a_row_without_a_ticket_is_submitted_and_one_with_its_ticket_is_left_alone() -> None:
    assert kinds(plan([ENTRY], [], {}, RULES, 0)) == [("submit", f"{CODE}-1-0")]
    assert not plan([ENTRY], [OF_ENTRY], {}, RULES, 0).intents


def test_what_never_left_is_sent_under_its_name_and_what_was_refused_under_the_next() -> None:
    never = replace(OF_ENTRY, state=State.REFUSED)
    assert kinds(plan([ENTRY], [never], {}, RULES, 0)) == [("submit", f"{CODE}-1-0")]
    gone = replace(OF_ENTRY, state=State.REJECTED)
    assert kinds(plan([ENTRY], [gone], {}, RULES, 0)) == [("submit", f"{CODE}-1-1")]


def test_unknown_is_no_reason_to_send_again() -> None:
    unknown = replace(OF_ENTRY, state=State.UNKNOWN)
    assert not plan([ENTRY], [unknown], {}, RULES, 0).intents


def test_a_row_that_is_done_is_cancelled_there_and_a_wish_is_a_cancel() -> None:
    assert kinds(plan([], [OF_ENTRY], {}, RULES, 0)) == [("cancel", f"{CODE}-1-0")]
    wished = replace(OF_ENTRY, wished=True)
    assert kinds(plan([ENTRY], [wished], {}, RULES, 0)) == [("cancel", f"{CODE}-1-0")]
    asked = replace(wished, asked=Asked.CANCEL)
    assert not plan([ENTRY], [asked], {}, RULES, 0).intents  # once


def test_of_two_that_live_the_younger_goes() -> None:
    second = replace(OF_ENTRY, name=f"{CODE}-1-1", sent=5)
    assert kinds(plan([ENTRY], [second, OF_ENTRY], {}, RULES, 0)) == [("cancel", f"{CODE}-1-1")]


def test_a_difference_is_a_replace_whose_quantity_is_a_total() -> None:
    row = replace(ENTRY, terms=Terms(12.0, 101.0), filled=4.0)
    ticket = replace(OF_ENTRY, state=State.PARTIAL, booked=4.0)
    (intent,) = plan([row], [ticket], {}, RULES, 0).intents
    assert (intent.kind, intent.terms, intent.ticket) == (
        "replace",
        Terms(12.0, 101.0),
        ticket.name,
    )
    new = replace(RULES, replaces_same=False)
    assert plan([row], [ticket], {}, new, 0).intents[0].name == f"{CODE}-1-1"
    busy = replace(ticket, asked=Asked.REPLACE)
    assert not plan([row], [busy], {}, RULES, 0).intents  # one change in flight
    other = replace(ticket, type="market")
    assert not plan([row], [other], {}, RULES, 0).intents  # a MARKET that was sent for it


def test_a_stop_never_offers_more_than_is_there() -> None:
    (intent,) = plan([STOP], [], {("s", "A"): 4.0}, RULES, 0).intents
    assert intent.terms == Terms(4.0, stop_price=90.0)
    (intent,) = plan([STOP], [OF_STOP], {("s", "A"): 4.0}, RULES, 0).intents
    assert (intent.kind, intent.terms) == ("replace", Terms(4.0, stop_price=90.0))
    assert kinds(plan([STOP], [OF_STOP], {}, RULES, 0)) == [("cancel", f"{CODE}-2-0")]


def test_a_stop_whose_ticket_has_ended_is_the_ladder_s() -> None:
    lost = replace(OF_STOP, state=State.REJECTED)
    found = plan([STOP], [lost], HELD, RULES, 0)
    assert found.climbs == (STOP,)
    assert not found.intents


def test_a_child_that_left_with_its_entry_has_the_entry_s_ticket() -> None:
    child = replace(OF_STOP, name=f"{CODE}-1-0s", order=1)
    assert not plan([STOP], [child], HELD, RULES, 0).intents
    assert not plan([ENTRY], [OF_ENTRY, child], {}, RULES, 0).intents  # its entry still waits
    assert kinds(plan([], [child], {}, RULES, 0)) == [("cancel", f"{CODE}-1-0s")]


def test_a_change_of_a_child_s_price_leaves_its_quantity_alone() -> None:
    """A fill of its entry that nobody here has heard of may have made it larger."""
    child = replace(OF_STOP, name=f"{CODE}-1-0s", order=1)
    moved = replace(STOP, terms=Terms(10.0, stop_price=95.0))
    (intent,) = plan([moved], [child], HELD, RULES, 0).intents
    assert repr(intent.terms) == repr(Terms(float("nan"), stop_price=95.0))
    small = replace(child, terms=Terms(4.0, stop_price=95.0))  # but one that is too small grows
    (intent,) = plan([moved], [small], HELD, RULES, 0).intents
    assert intent.terms is not None
    assert intent.terms.qty == 10.0


def test_an_exit_leaves_by_the_chain_but_where_the_account_nets() -> None:
    leaving = replace(ENTRY, order=3, side=-1, type="market", terms=Terms(10.0))
    assert plan([leaving], [], HELD, RULES, 0).exits == (leaving,)
    nets = replace(RULES, nets=True)
    assert kinds(plan([leaving], [], HELD, nets, 0)) == [("submit", f"{CODE}-3-0")]
    flip = replace(leaving, terms=Terms(25.0))
    assert plan([flip], [], HELD, RULES, 0).exits == (flip,)
    assert plan([flip], [], HELD, nets, 0).intents[0].terms == Terms(25.0)


def test_an_entry_waits_for_what_is_in_doubt_and_then_is_late() -> None:
    unknown = replace(OF_STOP, state=State.UNKNOWN)
    entry = replace(ENTRY, order=5, made=0)
    rows = [STOP, entry]
    assert not plan(rows, [unknown], HELD, RULES, 10 * SECOND).intents
    assert plan(rows, [unknown], HELD, RULES, 10 * SECOND + 1).late == (5,)
    assert not plan([replace(entry, is_held=True)], [], {}, RULES, 99 * SECOND).intents


def test_an_entry_that_does_not_come_to_work_is_taken_back() -> None:
    acked = replace(OF_ENTRY, state=State.ACKED)
    assert not plan([ENTRY], [acked], {}, RULES, 10 * SECOND).intents
    assert kinds(plan([ENTRY], [acked], {}, RULES, 10 * SECOND + 1))[0][0] == "cancel"


def test_what_protects_leaves_before_what_adds() -> None:
    entry = replace(ENTRY, order=7, symbol="B")
    found = plan([entry, STOP], [replace(OF_ENTRY, order=9, name=f"{CODE}-9-0")], HELD, RULES, 0)
    assert [(i.kind, i.order) for i in found.intents] == [
        ("cancel", 9), ("submit", 2), ("submit", 7)
    ]  # fmt: skip


# Random worlds on a broker that obeys


def world(rng: random.Random) -> tuple[list[Row], list[Ticket], dict[tuple[str, str], float]]:
    positions = {("s", s): rng.choice([-10.0, -4.0, 4.0, 10.0]) for s in "AB" if rng.random() < 0.6}
    rows, tickets = [], []
    for order in range(1, rng.randint(2, 7)):
        symbol = rng.choice("AB")
        held = positions.get(("s", symbol), 0.0)
        role = rng.choice(["plain", "plain", "stop", "target"]) if held else "plain"
        side = (-1 if held > 0 else 1) if role != "plain" else rng.choice([1, -1])
        kind = {"stop": "stop", "target": "limit"}.get(role, rng.choice(["market", "limit"]))
        filled = rng.choice([0.0, 0.0, 3.0]) if role == "plain" else 0.0
        terms = Terms(rng.choice([4.0, 10.0]), float(rng.randint(95, 105)))
        row = Row(order, "s", symbol, side, kind, role, terms, rng.randint(0, 30) * SECOND,
                  filled=filled, parent=order - 1, reduce_only=role != "plain")  # fmt: skip
        if rng.random() < 0.75:
            rows.append(row)
        for attempt in range(rng.choice([0, 1, 1, 2])):
            name = f"{CODE}-{order}-{attempt}"
            booked = filled if attempt == 0 else 0.0
            sent = Terms(rng.choice([4.0, 10.0]), float(rng.randint(99, 101)))
            state = rng.choice(list(State))
            tickets.append(
                Ticket(
                    name,
                    order,
                    "s",
                    symbol,
                    side,
                    kind,
                    sent,
                    rng.randint(0, 30) * SECOND,
                    state=state,
                    booked=booked,
                    wished=rng.random() < 0.1,
                )
            )
    return rows, tickets, positions


def obeyed(found: Plan, tickets: list[Ticket], used: set[str], now: int) -> list[Ticket]:
    """What the broker has after it has done all of it."""
    by_name = {ticket.name: ticket for ticket in tickets}
    for x in found.intents:
        if x.kind == "cancel":
            by_name[x.ticket] = replace(by_name[x.ticket], state=State.CANCELLED)
            continue
        assert x.terms is not None
        if x.kind == "replace":
            by_name[x.ticket] = replace(by_name[x.ticket], terms=x.terms)
            continue
        assert x.name not in used
        used.add(x.name)
        ticket = Ticket(x.name, x.order, "s", x.symbol, x.side, x.type, x.terms, now)
        by_name[x.name] = replace(ticket, state=State.WORKING)
    return list(by_name.values())


@pytest.mark.parametrize("nets", [False, True])
def test_on_a_broker_that_obeys_nothing_is_left_of_the_plan(nets: bool) -> None:
    rules, now, sent = replace(RULES, nets=nets), 30 * SECOND, 0
    for seed in range(2_000):
        rows, tickets, positions = world(random.Random(seed))
        tickets = [
            replace(t, state=State.WORKING) if t.state is State.UNKNOWN else t for t in tickets
        ]
        used = {t.name for t in tickets if t.state is not State.REFUSED}
        for _ in range(4):
            found = plan(rows, tickets, positions, rules, now)
            sent += len(found.intents)
            late = set(found.late)
            rows = [row for row in rows if row.order not in late]
            tickets = obeyed(found, tickets, used, now)
            # What was cancelled by wish ends its row, as the book does.
            over = {t.order for t in tickets if t.wished and t.state not in OPEN}
            rows = [row for row in rows if row.order not in over]
        found = plan(rows, tickets, positions, rules, now)
        assert not found.intents, seed
        for row in rows:
            living = [t for t in tickets if t.order == row.order and t.state in OPEN]
            assert len(living) <= 1, seed
            if living and living[0].type == row.type:
                rest = row.rest
                if row.role != "plain":
                    rest = min(rest, abs(positions.get(row.sleeve, 0.0)))
                assert living[0].open_qty == rest, seed
        wanted = {row.order for row in rows}
        assert all(t.order in wanted for t in tickets if t.state in OPEN), seed
    assert sent > 4_000


# Names


def test_a_name_says_what_it_is_of() -> None:
    for order in (0, 35, 36, 10**6):
        for part in Part:
            name = Name(CODE, order, 3, part)
            assert name_of(client_id(name)) == name
            assert len(client_id(name)) <= 20
    assert client_id(Name(CODE, 46_655, 0)) == f"{CODE}-zzz-0"


NO_NAMES = ["", "x", f"{CODE}-1", f"{CODE}-1-0x", f"{CODE}-01-0", "0A1B2C-1-0", f"{CODE}-e1"]


@pytest.mark.parametrize("text", NO_NAMES)
def test_what_is_no_name_of_ours_is_none(text: str) -> None:
    assert name_of(text) is None


@pytest.mark.parametrize("name", [Name("short", 1, 0), Name(CODE, -1, 0), Name(CODE, 36**12, 10)])
def test_a_name_that_nobody_could_read_back_is_refused(name: Name) -> None:
    with pytest.raises(OrderError, match="gives no client id"):
        client_id(name)


def test_a_code_of_ours_is_known_in_both_forms() -> None:
    ours = frozenset({CODE})
    assert is_ours(f"{CODE}-1-0s", ours)
    assert is_ours(emergency_id(CODE, 3), ours)
    assert not is_ours("zzzzzz-1-0", ours)
    assert not is_ours("by hand", ours)
