"""A real session, ended before and after each of its commits, goes on from its journal the same."""

from __future__ import annotations

from typing import Any

import pytest

from intrabar.engine.session.plan import Plan
from intrabar.engine.session.rerun import rerun
from intrabar.engine.session.session import Session
from intrabar.journal.journal import Journal
from intrabar.journal.verifying import verify
from intrabar.model.entry import Entry
from intrabar.risk.limits import Limits
from tests.databases import Database
from tests.engine.replay.replays import everyone
from tests.engine.session.sessions import events_of, plan_of, run_through


class Ended(Exception):  # noqa: N818
    """The process is gone."""


def end_before(journal: Journal) -> None:
    """The transaction is worked, and never committed."""
    write = journal.store.write

    def until(work: Any, within: float | None = None) -> Any:
        def ends(connection: Any) -> Any:
            work(connection)
            raise Ended

        return write(ends, within)

    journal.store.write = until  # type: ignore[method-assign]


def abandon(journal: Journal) -> None:
    """As the end of its process does: no lease is given back."""
    journal.store.close()
    journal.lease.lock.release()


def come_back(store: Database, plan: Plan) -> tuple[Journal, Session, int]:
    """The journal, the session worked out of it, and how many events it has had."""
    journal = store.journal(take_over=store.kind == "postgres")
    entries = [record.entry for record in journal.read()]
    if not entries:
        return journal, Session(plan), 0
    found = rerun(plan, entries)
    assert found.difference is None, str(found.difference)
    return journal, found.session, found.turns


@pytest.mark.parametrize("seed", [4])
def test_ended_before_and_after_every_commit(store: Database, seed: int) -> None:
    setup = everyone(seed)
    plan = plan_of(setup, limits=Limits(max_order_qty=3.0))
    events = events_of(setup.market, 3)[:16]
    meant = run_through(Session(plan), events)
    assert {"fill", "refused"} <= {entry.kind for entry in meant}
    for number, event in enumerate(events):
        for ends in ("before", "before", "after"):
            journal, session, had = come_back(store, plan)
            assert had == number
            turn: list[Entry] = [event, *session.handle(event).records]
            if ends == "before":
                end_before(journal)
                with pytest.raises(Ended):
                    journal.append(turn)
            else:
                journal.append(turn)
            abandon(journal)
    journal, session, _ = come_back(store, plan)
    assert [record.entry for record in journal.read()] == meant
    assert not verify(journal.store, deep=True)[0].why
    whole = Session(plan)
    run_through(whole, events)
    assert session.machine.digest() == whole.machine.digest()
    journal.close()
