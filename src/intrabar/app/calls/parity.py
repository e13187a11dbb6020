"""A stored session beside what the market model does: what `intrabar.parity` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intrabar.app.compose.session import folder_name, seeded
from intrabar.app.folders.journals import SESSIONS
from intrabar.app.folders.sessions import open_session
from intrabar.engine.parity.parity import Parity
from intrabar.engine.parity.parity import parity as compare
from intrabar.engine.session.plan import Plan
from intrabar.errors import RunError
from intrabar.model import values
from intrabar.model.bars import Market
from intrabar.model.entry import Entry
from intrabar.model.secret import resolve
from intrabar.ui.parity_view import parity_view
from intrabar.web.pages import replace_text, write_parity

PAGE = "parity.html"


@dataclass(frozen=True, eq=False)
class SessionParity:
    """The parity of a stored session.

    Parameters
    ----------
    name : str
    folder : Path
    found : Parity
    manifest : dict
        What the session began with: configuration, versions, hashes.
    """

    name: str
    folder: Path
    found: Parity
    manifest: dict[str, Any]

    @property
    def is_identical(self) -> bool:
        """Every record repeated, every part zero, every row the same."""
        return self.found.is_identical

    @property
    def headline(self) -> str:
        """The answer in a sentence."""
        return self.found.headline

    def as_json(self) -> dict[str, Any]:
        """All of it in plain values."""
        return {"session": self.name, **self.found.as_json()}

    def save(self, path: Path | str | None = None) -> Path:
        """Write the page, or the JSON where the path ends with .json.

        Parameters
        ----------
        path : path, optional
            parity.html in the session's folder where it is not given.

        Raises
        ------
        RunError
            The page was not built, or cannot be written.
        """
        target = self.folder / PAGE if path is None else Path(path)
        if target.suffix == ".json":
            return _write(target, json.dumps(self.as_json(), indent=2))
        now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        return write_parity(parity_view(self.name, self.as_json(), now, self.manifest), target)


def parity(
    session: str,
    *,
    sessions: Path | str = SESSIONS,
    store: str | None = None,
    password: str | None = None,
) -> SessionParity:
    """Hold a stored session against the market model, from its journal alone.

    Parameters
    ----------
    session : str
        Its name.
    sessions : path
        Folder of the sessions' folders.
    store : str, optional
        Address of the database, where it is none in the session's folder.
    password : str, optional
        A reference to its password: ${NAME} or file:/path.

    Returns
    -------
    SessionParity

    Raises
    ------
    NotFoundError, StateError, IntegrityError, StoreError
        There is no such session, it cannot be planned again, or its journal cannot be read.
    """
    name = folder_name("session:", session)
    place = Path(values.path("sessions:", sessions))
    store = None if store is None else values.named("store:", store)
    secret = None if password is None else resolve(values.named("password:", password), "password")
    stored = open_session(name, place, store, secret)
    return of_plan(name, stored.folder, stored.plan, stored.entries, stored.stored)


def of_plan(
    name: str, folder: Path, plan: Plan, entries: Sequence[Entry], stored: Market | None = None
) -> SessionParity:
    """Hold a session against the market model, whose plan is at hand.

    Parameters
    ----------
    name : str
    folder : Path
    plan : Plan
    entries : sequence of Entry
        All of its journal.
    stored : Market, optional
        Its bars as they are stored now.
    """
    found = compare(plan, entries, stored, lambda: seeded(name))
    return SessionParity(name, folder, found, entries[0].body)


def _write(target: Path, text: str) -> Path:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_text(target, text + "\n")
    except OSError as error:
        raise RunError(f"the parity {target} was not written: {error}") from error
    return target
