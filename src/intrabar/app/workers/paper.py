"""A session on paper, from its folder to its end: journal, recovery, clock, control."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO, Unpack

from intrabar.app.compose.broker_fills import SIMULATED, Answered
from intrabar.app.compose.options import RunOptions, parameters_given
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import folder_name, recorded_session, seeded
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.compose.strategies import strategies_of
from intrabar.app.config.file import validated
from intrabar.app.config.live import LiveConfig
from intrabar.app.workers.asking import TIMEOUT, Asking
from intrabar.app.workers.backups import Backups
from intrabar.app.workers.bandit_files import bandit_files
from intrabar.app.workers.cover_first import CoverFirst
from intrabar.app.workers.driver import Driver
from intrabar.app.workers.hook_watch import Notify, tell_slow, told_at_last
from intrabar.app.workers.lived import Lived, report_at_stop, store_of
from intrabar.app.workers.missed import going_on
from intrabar.app.workers.observers import tell_observers
from intrabar.app.workers.persons import live_and_hear
from intrabar.app.workers.simulated_exchange import FILE as SIMULATED_FILE
from intrabar.app.workers.simulated_exchange import SimulatedExchange
from intrabar.app.workers.standing import time_text
from intrabar.app.workers.start import (
    begun,
    begun_in_time,
    last_row,
    left_behind,
    said_before,
    time_of_start,
)
from intrabar.app.workers.stop_signals import terminates
from intrabar.app.workers.trading import Trading
from intrabar.app.workers.watched import SignsOfLife, signs_of_life
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.data.live.recorded import Fault, Recorded
from intrabar.engine.session.calling import Calling
from intrabar.engine.session.rerun import as_recorded
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.errors import StrategyError
from intrabar.journal.emergency import Emergency
from intrabar.journal.journal import Journal, open_journal
from intrabar.links import simulated_time
from intrabar.links.broker import Broker
from intrabar.links.clock import Clock, LoopClock, WallClock
from intrabar.links.maintenance import window_of
from intrabar.links.source import BarSource
from intrabar.model import values
from intrabar.model.broker_facts import AccountFacts
from intrabar.model.entry import Entry
from intrabar.risk.gates import check_wire

ROWS = 2_000  # that stay with a session while it lives


@dataclass(frozen=True)
class Ways:
    """How a session is lived, beside what decides it.

    Parameters
    ----------
    speed : float
        Of recorded bars: rows a second; 0 without a pause.
    take_over : bool
        Take the session from a process that lives.
    without : tuple of str
        Strategies that are called no more.
    restored : bool
        A person says that the journal was put back: orders of ours that it does not know are no
        other session's.
    faults : tuple of Fault
        What goes wrong with recorded bars.
    stream : text stream, optional
        Where the lines of the log go besides the session's folder.
    pages : text stream, optional
        Where what a person must see goes, in a line each.
    """

    speed: float = 0.0
    take_over: bool = False
    without: tuple[str, ...] = ()
    restored: bool = False
    faults: tuple[Fault, ...] = ()
    stream: TextIO | None = None
    pages: TextIO | None = None


def paper(
    strategy: Any = None,
    data: Any = None,
    *,
    name: str = "paper",
    folder: Path | str = "sessions",
    warm_up: int | None = None,
    speed: float = 0.0,
    **given: Unpack[RunOptions],
) -> Lived:
    """Live through recorded bars as a session on paper does: bar by bar, with a journal.

    Parameters
    ----------
    strategy, data : as in `backtest`
    name : str
        Of the session. One of that name that is there already goes on where it ended.
    folder : path
        Of the sessions' folders.
    warm_up : bars, optional
        Before the first row that is traded; None: ten times what the indicators need.
    speed : float
        Rows a second; 0 without a pause.
    **given
        As in `backtest`.

    Returns
    -------
    Lived
        Its `result` is that of the backtest of the same rows, bit for bit.

    Raises
    ------
    UsageError, DataError
        As `backtest`; or the session began with other strategies.
    """
    params = parameters_given(given)
    strategies = None if strategy is None else strategies_of(strategy, params)
    recipe = Recipe.of_call(strategies, data, given)
    place = str(values.path("folder:", folder))
    said = recipe.config.live.model_dump(exclude_unset=True)
    said |= {"folder": place} | ({} if warm_up is None else {"warm_up": warm_up})
    live = validated(LiveConfig, said)
    recipe = replace(recipe, config=recipe.config.model_copy(update={"live": live}))
    setup = recorded_session(recipe, folder_name("name:", name))
    return live_through(setup, Ways(values.number("speed:", speed, values.Bounds(0.0))))


MakesLine = Callable[[Clock], Broker]
"""Makes the broker of a session, not connected yet."""


def live_through(
    setup: SessionSetup,
    ways: Ways = Ways(),
    source: BarSource | None = None,
    broker: MakesLine | None = None,
) -> Lived:
    """Start a session, or go on with it, until its bars end or a person ends it.

    Parameters
    ----------
    setup : SessionSetup
    ways : Ways
    source : BarSource, optional
        None: the recorded bars of the setup.
    broker : callable, optional
        Who fills, where `setup.answered` says that a broker does; None: the simulated one.

    Raises
    ------
    StateError
        It runs already, or began with another configuration.
    StoreError, IntegrityError
        The journal cannot be had, or is damaged.
    NotFoundError, LinkError
        The source has ended with it; the session has stopped in order.
    KeyboardInterrupt, SystemExit
        A second SIGINT or SIGTERM came before it had ended in order, or one as it started.
    """
    folder = Path(setup.config.live.folder) / setup.name
    folder.mkdir(parents=True, exist_ok=True)
    url, password = store_of(setup, folder)
    opened = open_journal(
        url,
        setup.name,
        folder,
        time.time_ns(),
        lease=setup.lease,
        password=password,
        take_over=ways.take_over,
        commit_within=setup.config.live.commit_within,
    )
    with (
        terminates(),
        opened as journal,
        seeded(setup.name),
        bandit_files(setup.plan) as files,
        signs_of_life(setup, folder, ways.stream, lambda: journal.commit_seconds) as signs,
    ):
        signs = signs._replace(observers=(*signs.observers, files))
        return _live(setup, ways, source, broker, folder, journal, signs)


def _live(
    setup: SessionSetup,
    ways: Ways,
    source: BarSource | None,
    broker: MakesLine | None,
    folder: Path,
    journal: Journal,
    signs: SignsOfLife,
) -> Lived:
    is_recorded = source is None
    emergency = Emergency([folder, *(Path(x) for x in [setup.config.live.emergency] if x)])
    emergency.prepare()
    entries = [record.entry for record in journal.read()]
    if entries:
        setup = setup.as_begun(entries[0].body, ways.restored)
    now = time_of_start(setup, entries)
    clock: Clock = LoopClock(last_row(setup, entries)) if is_recorded else WallClock()
    if source is None:
        assert setup.recorded is not None
        bars = list(setup.recorded.values())
        source = Recorded(bars, clock, faults=ways.faults, speed=ways.speed)
    notify = _shown(signs.notifier, ways.pages)
    limit = setup.config.live.hook_limit
    run = simulated_time.run if is_recorded else asyncio.run
    in_time = partial(
        begun_in_time,
        limit=limit,
        slow=lambda hook, seconds: tell_slow(hook, seconds, notify, signs.log),
        renew=lambda: None if is_recorded else journal.renew(time.time_ns()),
    )

    trading_at = partial(
        _trading, setup, folder, broker, journal, emergency, notify, is_first=not entries
    )
    if entries and setup.answered is not None:
        setup.require_same(entries[0].body)
        silent = in_time(partial(as_recorded, setup.plan, entries))
        assert not isinstance(silent, Calling)  # it calls none
        first_clock: Clock = LoopClock(now) if is_recorded else WallClock()
        first = CoverFirst(
            *silent, journal, trading_at(first_clock), emergency, is_recorded, setup.is_restored
        )
        entries += run(first.run())
        del silent, first
        now = time_of_start(setup, entries)
    trading = None if setup.answered is None else trading_at(clock)

    def tell(entries: Sequence[Entry], session: Session) -> None:
        for notice in tell_observers(signs.observers, entries, session):
            notify(notice)

    said = said_before(setup, entries)
    made = in_time(partial(begun, setup, ways.without, entries, now, emergency, source.can, said))
    if isinstance(made, Calling):
        news = left_behind(setup, entries, now, source.can, said, made)
        text = told_at_last(made, limit)
        journal.append(news)
        tell([*entries, *news], Session(setup.plan))
        notify(Notice("page", f"hook {made.strategy}", text))
        raise StrategyError(text)
    session, news = made
    journal.append(news)
    if emergency.lines():
        emergency.clear()
    tell([*entries, *news], session)
    last = session.rows[-1].time
    if entries and not is_recorded and setup.history[0].time > last:
        notify(Notice("page", "missed", _unreached(last, setup.history[0].time)))
    del entries, news  # as large as the journal
    sealer = setup.sealer(source.can, session.rows)
    if not is_recorded:
        source = going_on(source, last, clock, sealer, time.time_ns())
    session.keep_last(ROWS)
    asking = asking_of(setup)
    driver = Driver(
        session,
        journal,
        source,
        sealer,
        clock,
        emergency,
        signs.observers,
        notify,
        is_recorded,
        turned=signs.turned,
        hook_limit=limit,
        log=signs.log,
        ask_of=None if asking is None else asking.ask,
        trading=trading,
    )
    backups = Backups(journal.store, folder, notify)
    try:
        end = run(live_and_hear(driver, setup, folder, clock, signs, backups))
    finally:
        if asking is not None:
            asking.close()
    if trading is None:  # else it was said while the broker still heard
        body = {"reason": end.why, "cancels_entries": end.cancels_entries}
        ended = Entry(driver.clock_at_end, *session.place, "session.stopped", body)
        news = [ended, *session.handle(ended).records]
        journal.append(news)
        tell(news, session)
    if not is_recorded:  # recorded bars can be lived through again
        backups.make(time.time_ns())
    unreported = report_at_stop(setup, session, journal, folder, notify, signs.log)
    if end.error is not None:
        raise end.error
    return Lived(session, folder, end.why, setup, unreported)


def _trading(
    setup: SessionSetup,
    folder: Path,
    broker: MakesLine | None,
    journal: Journal,
    emergency: Emergency,
    notify: Notify,
    clock: Clock,
    *,
    is_first: bool,
) -> Trading:
    """The account of a session, not connected yet."""
    assert setup.answered is not None
    exchange = _exchange(setup, folder, is_first) if broker is None else None
    return Trading(
        exchange if broker is None else broker(clock),  # type: ignore[arg-type]
        clock,
        lambda: journal.lease.until,
        emergency,
        notify,
        partial(require_account, setup.answered),
        [window_of(text) for text in setup.config.live.maintenance],
        exchange,
    )


def _exchange(setup: SessionSetup, folder: Path, is_first: bool) -> SimulatedExchange:
    """The simulated broker of a session, with what it remembers."""
    assert setup.market is not None
    path = folder / SIMULATED_FILE
    if is_first:
        path.unlink(missing_ok=True)
    plan = setup.plan
    market = SimulatedBroker(setup.market, plan.instruments, plan.account)
    return SimulatedExchange(market, path)


def require_account(answered: Answered, facts: AccountFacts) -> None:
    """Refuse to trade another account than the one that answered when the session was made.

    Raises
    ------
    GateError
    """
    if answered.name != SIMULATED:
        check_wire(answered.facts.id, answered.kind, facts.id, facts.signs)


def asking_of(setup: SessionSetup) -> Asking | None:
    """What asks for the predictions of a session; None where its strategies read none."""
    if setup.predictor is None:
        return None
    section, plan = setup.config.predict, setup.plan
    seconds = TIMEOUT if section is None else section.timeout
    return Asking(setup.predictor, plan.requests, plan.symbols, seconds)


def _unreached(last: int, first: int) -> str:
    return (
        f"{time_text(last)} was its last row, and the history of the source begins with "
        f"{time_text(first)}: rows between them are missing"
    )


def _shown(notify: Notify, pages: TextIO | None) -> Notify:
    """Notices to persons, and those that are pages on a stream as well."""

    def tell(notice: Notice) -> None:
        if pages is not None and notice.severity == "page":
            print(f"page: {notice.text}", file=pages, flush=True)
        notify(notice)

    return tell
