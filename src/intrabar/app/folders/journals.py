"""Where the journal of a session is: a file in the session's folder, or a database elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from intrabar.errors import NotFoundError, StateError
from intrabar.model.secret import Secret
from intrabar.store.address import address_of
from intrabar.store.engine import Store

SESSIONS = Path("sessions")
JOURNAL_FILE = "journal.db"


@contextmanager
def journal_of(
    name: str, folder: Path, store: str | None = None, password: Secret | None = None
) -> Iterator[Store]:
    """Open the database that has a session's journal, and close it at the end.

    Parameters
    ----------
    name : str
        The session's.
    folder : path
        The session's.
    store : str, optional
        Address of the database, where it is none in the folder.
    password : Secret, optional

    Raises
    ------
    NotFoundError
        There is no journal in the folder.
    ConfigError, StateError, StoreError
        The address is none, there is nothing, or the database is away.
    """
    if store is None:
        if not (folder / JOURNAL_FILE).is_file():
            known = [path.parent.name for path in folder.parent.glob(f"*/{JOURNAL_FILE}")]
            nothing = f"there is none in {folder.parent.absolute()}"
            raise NotFoundError("session", name, known, nothing)
        store = f"sqlite:///{folder / JOURNAL_FILE}"
    address = address_of(store, password, "--store")
    if address.path is not None and not address.path.is_file():
        raise StateError(f"{address}: there is no journal")
    opened = Store(address)
    try:
        yield opened
    finally:
        opened.close()
