"""The breaker walked through to a fixed point, in a world that trades, fails and is looked at.

A world has causes, a position, an order on its way, a foreign position, the block `closing`, a link
and a journal; an override comes with the event that asks for it. What is asked of the real tables,
the real check and the real duties is asked in every world that can be reached.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import pytest

from intrabar.errors import IntrabarError
from intrabar.risk import breaker as module
from intrabar.risk.breaker import FLATTENING, HALTED, REDUCING, TRADING, Breaker, Causes
from intrabar.risk.check import check
from intrabar.risk.flatten import Cancel, Close, duties, is_flat
from intrabar.risk.limits import Limits
from intrabar.risk.records import Book, Request, Seen, Sleeve, Working

# What an event must do, written apart from the tables: the level of its cause.
LEVELS = {
    **dict.fromkeys(
        ("runaway", "overfill", "both_legs", "watched", "anomalies", "drift", "not_flat"), REDUCING
    ),
    **dict.fromkeys(("error", "loss_reduces"), REDUCING),
    **dict.fromkeys(("error_halts", "not_repeatable", "repaints", "journal", "halt"), HALTED),
    **dict.fromkeys(("loss", "drawdown", "kill", "flatten"), FLATTENING),
}
BY_A_PERSON = ("halt", "kill", "flatten")
WALKED = ("runaway", "loss_reduces", "journal", "halt", "loss", "drawdown", "kill")
RULES = {"loss": "max_daily_loss_pct", "drawdown": "max_drawdown_pct"}
LIMITS = Limits.of({}).filled_in(1, 60_000_000_000)


class World(NamedTuple):
    causes: Causes = frozenset()
    position: int = 0
    order: str = ""  # on its way: "", "buy", "sell" (to enter), "exit", "unknown"
    foreign: bool = False
    closing: bool = False
    link: bool = True
    journal: bool = True


class Step(NamedTuple):
    event: str
    world: World


def book_of(world: World) -> Book:
    held = (Sleeve("bot", "A", 10.0 * world.position),) if world.position else ()
    sides = {"buy": 1, "sell": -1, "exit": -world.position, "unknown": world.position or 1}
    side = sides.get(world.order)
    working = () if not side else (Working(1, "bot", "A", side, 10.0),)
    if world.order == "exit":
        working = (working[0]._replace(reduce_only=True, role=3),) if working else ()
    return Book(
        equity=1e6,
        sleeves=held,
        working=working,
        marks={"A": 100.0},
        point_values={"A": 1.0},
        lots={"A": 1.0},
        breaker=Breaker(world.causes),
        blocks={"account": "closing"} if world.closing else {},
    )


@cache
def passes(world: World, side: int, qty: float, by: str) -> bool:
    order = Working(2, "bot", "A", side, qty)
    request = Request("submit", order, by=by)  # type: ignore[arg-type]
    return check(request, book_of(world), {"A": Seen(100.0)}, LIMITS, 0) is None


def quiet(world: World) -> World:
    """All that a check reads."""
    return world._replace(foreign=False, link=True, journal=True)


def resumed(world: World, override: bool) -> World | None:
    """After a person's resume; losses stay breached, and begin anew where that is asked for."""
    rules = {c.rule for c in world.causes if c.rule}
    try:
        then, _ = Breaker(world.causes).resume(
            "seen to",
            reconciled=not world.foreign and world.order != "unknown",
            links_up=world.link,
            covered=world.order != "unknown",
            breached=rules,
            override=rules if override else (),
        )
    except IntrabarError:
        return None
    return world._replace(causes=then.causes)


@cache
def after(causes: Causes, event: str) -> Causes:
    rule = RULES.get(event, "")
    then, moved = Breaker(causes).after(event, rule=rule, value=1.0, limit=1.0)
    # A crash anywhere: what the records say is what was in memory.
    before = [module.Moved("x", c, True, TRADING).body() for c in causes]
    assert Breaker.of([*before, *(m.body() for m in moved)]) == then, event
    return then.causes


def triggers(world: World) -> Iterator[Step]:
    for event in LEVELS:
        causes = after(world.causes, event)
        name = module.SETS.get(event, (event,))[0]
        known = {c.name for c in world.causes}
        found = [c for c in causes if c.name == name]
        assert len(found) == 1, event
        if name not in known or event in BY_A_PERSON:
            assert found[0].level is LEVELS[event], event
            assert Breaker(causes).level() >= LEVELS[event], event
        assert known <= {c.name for c in causes}, event
        if event in WALKED:
            yield Step(event, world._replace(causes=causes))


def market(world: World) -> Iterator[Step]:
    """What happens without us, and what a strategy asks for."""
    seen = quiet(world)
    yield Step("new day, restart, other limits", world)
    for order, side in (("buy", 1), ("sell", -1)):
        if world.order in (order, "unknown") and world.position != -side:
            yield Step("filled", world._replace(position=side, order=""))
    if world.order in ("exit", "unknown"):
        yield Step("filled", world._replace(position=0, order=""))
    if world.order:
        yield Step("gone", world._replace(order=""))
        yield Step("no answer", world._replace(order="unknown"))
    elif world.journal and world.link:
        for side in (1, -1):
            adds = side * world.position >= 0
            order = ("buy" if side > 0 else "sell") if adds else "exit"
            for by in ("strategy", "person"):
                if passes(seen, side, 10.0, by):
                    what = "entry" if adds else "exit"
                    yield Step(f"asked {what} {by}", world._replace(order=order))
    yield Step("foreign", world._replace(foreign=not world.foreign))
    yield Step("closing", world._replace(closing=not world.closing))
    yield Step("link", world._replace(link=not world.link))
    if world.journal:
        gone = after(world.causes, "journal")
        yield Step("journal away", world._replace(journal=False, causes=gone))
    else:
        yield Step("journal back", world._replace(journal=True))


def ours(world: World) -> Iterator[Step]:
    """What the session does by itself, and persons."""
    if world.journal and world.link and world.order != "unknown":
        if done := carried_out(world):
            yield done
        if is_flat(book_of(world)):
            yield Step("flat", world._replace(causes=after(world.causes, "flat")))
    if world.journal:
        for override in (False, True):
            then = resumed(world, override)
            if then is not None:
                yield Step("resume" if not override else "resume, override", then)


def carried_out(world: World) -> Step | None:
    """The duties of a step: cancels, closing orders."""
    found = duties(book_of(world))
    order = "" if any(isinstance(d, Cancel) for d in found) else world.order
    for duty in found:
        if isinstance(duty, Close):
            assert duty.side == -world.position
            assert duty.qty <= 10.0
            order = "exit"
    return Step("duties", world._replace(order=order)) if found else None


def steps(world: World) -> Iterator[Step]:
    yield from triggers(world)
    yield from market(world)
    yield from ours(world)


def obeys(world: World, step: Step) -> None:
    """The breaker's rules, of one step."""
    level, then = Breaker(world.causes).level(), Breaker(step.world.causes).level()
    if level > TRADING:
        assert not step.event.startswith("asked entry"), "an order that adds was sent"
        if then is TRADING:
            assert step.event.startswith("resume")
            assert level is not FLATTENING
            assert world.link
            assert not world.foreign
            assert step.event.endswith("override") or not any(c.rule for c in world.causes)
    if level < HALTED and not world.closing:
        seen = quiet(world._replace(order=""))
        assert not world.position or passes(seen, -world.position, 10.0, "strategy")
    if world.position:
        assert passes(quiet(world._replace(order="")), -world.position, 10.0, "person")
    if level is FLATTENING:
        assert Breaker(after(world.causes, "halt")).level() is HALTED
        halted = Breaker(after(world.causes, "halt")).causes
        assert not any(c.level is FLATTENING for c in halted)


def ends(world: World) -> bool:
    """Whether flattening ends where links, journal and the market do what they can."""
    for _ in range(6):
        world = world._replace(link=True, journal=True)
        if Breaker(world.causes).level() is not FLATTENING:
            return True
        if world.order in ("unknown", "buy", "sell"):
            world = world._replace(order="")
        if world.order == "exit":
            world = world._replace(position=0, order="")
        elif done := carried_out(world):
            world = done.world
        elif is_flat(book_of(world)):
            world = world._replace(causes=after(world.causes, "flat"))
    return False


def walk() -> int:
    """Every world that can be reached; raises where a rule does not hold. Returns how many."""
    after.cache_clear()
    passes.cache_clear()
    found, todo = {World()}, [World()]
    while todo:
        world = todo.pop()
        if Breaker(world.causes).level() is FLATTENING:
            assert ends(world), world
        for step in steps(world):
            obeys(world, step)
            if step.world not in found:
                found.add(step.world)
                todo.append(step.world)
    return len(found)


def test_every_world_that_can_be_reached_obeys_the_rules():
    assert walk() > 20_000


def test_the_causes_that_are_not_walked_are_like_one_that_is():
    kinds = {(LEVELS[e], module.MOVES[e]) for e in WALKED}
    assert {(LEVELS[e], module.MOVES[e]) for e in LEVELS if e != "flatten"} <= kinds
    assert module.MOVES["flatten"] is module.MOVES["kill"]
    assert set(module.SETS) == set(LEVELS)


@pytest.mark.parametrize("event", LEVELS)
def test_a_line_taken_out_of_the_first_table_is_found(event, monkeypatch):
    left = {k: v for k, v in module.SETS.items() if k != event}
    monkeypatch.setattr(module, "SETS", left)
    with pytest.raises(AssertionError):
        walk()


@pytest.mark.parametrize("event", module.MOVES)
def test_a_line_taken_out_of_the_second_table_is_found(event, monkeypatch):
    left = {k: v for k, v in module.MOVES.items() if k != event}
    monkeypatch.setattr(module, "MOVES", left)
    with pytest.raises((AssertionError, KeyError)):
        walk()


@pytest.mark.parametrize(
    ("event", "instead"),
    [
        ("flat", "resume"),  # flat would let trade again
        ("flat", "runaway"),  # flattening would never end
        ("halt", "runaway"),  # nothing would lead out of flattening
        ("kill", "runaway"),  # a second kill would do nothing
        ("drawdown", "resume"),
        ("resume", "flat"),
    ],
)
def test_a_wrong_line_in_the_second_table_is_found(event, instead, monkeypatch):
    monkeypatch.setattr(module, "MOVES", {**module.MOVES, event: module.MOVES[instead]})
    if event == "resume":
        then = resumed(World(causes=after.__wrapped__(frozenset(), "runaway")), False)
        assert then is not None
        assert Breaker(then.causes).level() > TRADING
        return
    with pytest.raises(AssertionError):
        walk()


def test_a_cause_of_one_strategy_is_its_own_alone():
    one, _ = Breaker().after("loss_reduces", "bot", "max_daily_loss_pct", 6.0, 5.0)
    assert (one.level("bot"), one.level("other"), one.level()) == (REDUCING, TRADING, TRADING)
    both, _ = one.after("drawdown", "other")
    assert both.level("other") is FLATTENING
    assert both.level("bot") is REDUCING
    flat, moved = both.after("flat", "other")
    assert flat.level("other") is HALTED
    assert len(moved) == 1
    killed, _ = both.after("kill")
    assert {killed.level(s) for s in ("bot", "other", "account")} == {FLATTENING}


def test_why_it_may_not_be_resumed_is_said():
    reducing, _ = Breaker().after("runaway")
    flattening, _ = Breaker().after("loss", rule="max_daily_loss_pct")
    halted, _ = flattening.after("flat")
    for breaker, known, told in (
        (Breaker(), {}, "there is nothing to resume"),
        (flattening, {}, "it is FLATTENING; wait until it is flat, or halt it"),
        (reducing, {"links_up": False}, "a link is not UP"),
        (reducing, {"reconciled": False}, "book and broker do not agree yet"),
        (reducing, {"covered": False}, "a position is not covered"),
        (halted, {"breached": ["max_daily_loss_pct"]}, "--override max_daily_loss_pct"),
    ):
        with pytest.raises(IntrabarError, match=told):
            breaker.resume("because", **known)
    assert math.isnan(module.BreakerError("why").value)
