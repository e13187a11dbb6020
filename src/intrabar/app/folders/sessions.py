"""What a session's journal keeps: all that happened, and the plan that it began with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import live_session, recorded_session
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.config.model import Config
from intrabar.app.folders.journals import SESSIONS, journal_of
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import row_of
from intrabar.errors import StateError
from intrabar.journal.reading import read, session_of
from intrabar.model.bars import Bars, Market
from intrabar.model.entry import Entry
from intrabar.model.secret import Secret


@dataclass(frozen=True, eq=False)
class StoredSession:
    """A session as its journal has it.

    Parameters
    ----------
    name : str
    folder : Path
    plan : Plan
    entries : list of Entry
        All of the journal, its chain checked.
    stored : Market or None
        The bars that were lived through as they are stored now; None where they came live.
    """

    name: str
    folder: Path
    plan: Plan
    entries: list[Entry]
    stored: Market | None

    @property
    def started(self) -> dict[str, Any]:
        """The body of `session.started`: configuration, versions, hashes."""
        return self.entries[0].body


def open_session(
    name: str,
    sessions: Path = SESSIONS,
    store: str | None = None,
    password: Secret | None = None,
) -> StoredSession:
    """Read the journal of a session, and make its plan from the configuration that it began with.

    Parameters
    ----------
    name : str
    sessions : path
        Folder of the sessions' folders.
    store : str, optional
        Address of the database, where it is none in the session's folder.
    password : Secret, optional

    Raises
    ------
    NotFoundError
        There is no such session.
    StateError
        It has not begun, or its configuration gives another plan than it had.
    IntegrityError
        The journal is damaged.
    """
    folder = sessions / name
    entries = entries_of(name, folder, store, password)
    started = entries[0].body
    try:
        config = Config.model_validate(started["config"])
    except ValidationError as error:
        raise StateError(
            f"session {name!r}: the configuration in its journal is of another version: {error}"
        ) from None
    if not config.strategies:
        raise StateError(
            f"session {name!r} had strategies that a program made, which its journal cannot make "
            "again; give its plan in Python: intrabar.app.calls.parity.of_plan"
        )
    recipe = Recipe.of_config(config, [])
    stored = None
    if started["is_recorded"]:
        setup = recorded_session(recipe, name, begun=started)
        days = config.model_copy(update={"session_end": "calendar"})
        stored = replace(recipe, config=days).traded_market().market
    else:
        bars = _history(entries, started["symbols"], int(started["period"]))
        setup = live_session(replace(recipe, series=None), bars, entries[0].at, name, begun=started)
    _require_its_own(setup, started)
    plan = replace(setup.plan, phases=tuple(int(x) for x in started["phases"]))
    return StoredSession(name, folder, plan, entries, stored)


def entries_of(
    name: str, folder: Path, store: str | None = None, password: Secret | None = None
) -> list[Entry]:
    """All of a session's journal, its chain checked.

    Raises
    ------
    NotFoundError, StateError, IntegrityError, StoreError
        There is no such session, it has not begun, it is damaged, the database is away.
    """
    with journal_of(name, folder, store, password) as opened:
        session_of(opened, name)
        entries = [record.entry for record in read(opened, name)]
    if not entries or entries[0].kind != "session.started":
        raise StateError(f"session {name!r} has not begun: its journal has no session.started")
    return entries


def _require_its_own(setup: SessionSetup, started: dict[str, Any]) -> None:
    if setup.decides != started["decides"]:
        raise StateError(
            f"session {setup.name!r}: its configuration now gives other strategies, instruments, "
            "period or account than it began with: a parameter's default, the catalogue or a file "
            "has changed since, or the strategies were given in Python; use the version that it "
            "began with, or what ib.paper gives back: its parity()"
        )
    if others := setup.others(started):
        raise StateError(
            f"session {setup.name!r}: {', '.join(others)} would hold other values now than it "
            "began with: a file of signals or weights has changed since; put back the one that it "
            "had"
        )


def _history(entries: Sequence[Entry], symbols: Sequence[str], period: int) -> list[Bars]:
    """The bars before the start, as the journal has them."""
    told = (row for e in entries if e.kind == "history" for row in e.body["rows"])
    rows = [row_of(row) for row in told]
    made = []
    for column, symbol in enumerate(symbols):
        mine = [(row, bar) for row in rows for bar in row.bars if bar.column == column]
        prices = [
            np.array([getattr(bar, name) for _, bar in mine], np.float64)
            for name in ("open", "high", "low", "close", "volume")
        ]
        times = np.array([row.time for row, _ in mine], np.int64)
        opened = np.array([bar.open_time for _, bar in mine], np.int64)
        days = np.array([row.day for row, _ in mine], np.int64)
        open_, high, low, close, volume = prices
        made.append(Bars(symbol, times, open_, high, low, close, volume, period, opened, days))
    return made
