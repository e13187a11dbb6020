"""A copy of a session's journal at each stop."""

from __future__ import annotations

from pathlib import Path

from intrabar.app.workers.hook_watch import Notify
from intrabar.engine.session.turn import Notice
from intrabar.errors import StoreError
from intrabar.journal.backup import BACKUPS, backup
from intrabar.journal.journal import Journal


def back_up(journal: Journal, folder: Path, now: int, notify: Notify) -> None:
    """Put one into the session's folder; without it the session has ended all the same.

    Parameters
    ----------
    journal : Journal
    folder : Path
        The session's.
    now : int, ns UTC
    notify : callable
        Tells a person that there is none, and why.
    """
    try:
        backup(journal.store, folder / BACKUPS, now)
    except StoreError as error:
        notify(Notice("alarm", "backup", f"the journal could not be backed up: {error}"))
