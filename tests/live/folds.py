"""G1 and G2 of one session: the bits of the backtest, and the journal that gives it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from intrabar.engine.judged import Limited
from intrabar.engine.run import Run, tell, warm_up
from intrabar.engine.session.lived_rows import market_in, wakes_of
from intrabar.engine.session.rerun import Recorded, rerun, turns_of
from intrabar.engine.session.session import Session
from intrabar.model.entry import Entry
from tests.engine.session.sessions import events_of
from tests.live.predicted import told
from tests.live.worlds import World


def backtest(world: World, session: Session) -> Iterator[str]:
    """The digest, row by row, of the backtest of a session's own market, under its limits."""
    whole, plan = World(world.bot, world.seed, world.rows, world.warm_up).whole, session.plan
    static = {name: plan.strategies[name] for name in plan.shadowed}
    own = replace(
        whole,
        strategies={**whole.strategies, **static},
        market=market_in(session.rows, session.plan),
        trade_from=session.trade_from,
        wakes=wakes_of(session.rows),
    )
    run = Run(own)
    tell(run.running, "on_start")
    first = int((own.market.time < session.trade_from).sum())
    warm_up(run.machine, own.strategies.values(), first)
    limited = own.risk and Limited(run.machine, own.risk, tuple(own.strategies))
    for row in range(len(own.market)):
        (limited or run.machine).advance(row + 1)
        yield run.machine.digest()


def live(world: World, history: int, draw: Random, restarts: int = 3) -> list[Entry]:
    """A session with pauses and restarts anywhere; G1 after every row.

    Returns
    -------
    list of Entry
        Its journal.
    """
    events = list(told(world.plan(), events_of(world.base.market, history)))
    first = next(k for k, e in enumerate(events) if e.kind == "history") + 1 if history else 1
    at = sorted(draw.sample(range(first, len(events)), min(restarts, len(events) - first)))
    session, journal, mine = world.session(), [], []
    for number, event in enumerate(events):
        if number in at:
            pause = [Entry(event.at, *session.place, "session.stopped", {"reason": "a pause"})]
            for asked in pause if draw.random() < 0.5 else []:
                journal += [asked, *session.handle(asked).records]
            made = rerun(world.plan(), journal)
            assert made.difference is None, (world, str(made.difference))
            assert digest(made.session) == digest(session), (world, number)
            session = made.session
            resumed = Entry(event.at, *session.place, "session.resumed", {"turns": made.turns})
            journal += [resumed, *session.handle(resumed).records]
        event = Entry(event.at, *session.place, event.kind, event.body)
        journal += [event, *session.handle(event).records]
        if event.kind == "row.closed":
            mine.append(session.machine.digest())
    theirs = list(backtest(world, session))[history:]
    differs = next((k for k, (a, b) in enumerate(zip(mine, theirs, strict=True)) if a != b), None)
    assert differs is None, (world, f"row {differs} of {len(mine)}")
    return journal


def again(world: World, journal: list[Entry], draw: Random, every: int = 1) -> int:
    """G2: after each turn the journal so far gives the session that stood there.

    Returns
    -------
    int
        How many reruns there were.
    """
    turns, count = list(turns_of(journal)), 0
    whole = world.session()
    for cut, (event, records, number) in enumerate(turns):
        assert_same(whole.handle(event).records, records, world)
        if cut % every and cut < len(turns) - 1:
            continue
        so_far = journal[: number + len(records)]
        made = rerun(world.plan(), so_far)
        assert made.difference is None, (world, str(made.difference))
        assert digest(made.session) == digest(whole), (world, cut)
        asleep = Session(world.plan(), Recorded(so_far), world.plan().strategies)
        for fact, _, _ in turns[: cut + 1]:
            asleep.handle(fact)
        assert digest(asleep) == digest(whole), (world, cut, "as recorded")
        count += 2
    return count


def assert_same(mine: list[Entry], theirs: list[Entry], world: World) -> None:
    assert mine == theirs, (world, mine[:1], theirs[:1])


def digest(session: Session) -> str:
    return session.machine.digest() if session.rows else ""
