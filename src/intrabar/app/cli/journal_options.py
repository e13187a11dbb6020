"""How a command is told where the journal of a session is."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from cyclopts import Parameter

from intrabar.app.folders.journals import SESSIONS, journal_of
from intrabar.model.secret import Secret, resolve
from intrabar.store.engine import Store


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class JournalOptions:
    """Where the journal of a session is.

    Parameters
    ----------
    sessions : path
        Folder of the sessions' folders.
    store : str
        Address of the database, where it is none in the session's folder.
    store_password : str
        A reference to its password: ${NAME} or file:/path.
    """

    sessions: Path = SESSIONS
    store: str | None = None
    store_password: str | None = None

    @property
    def password(self) -> Secret | None:
        """What the reference leads to.

        Raises
        ------
        SecretError
        """
        return password_of(self.store_password)

    def journal_of(self, session: str) -> AbstractContextManager[Store]:
        """Open the database that has the journal of a session; errors as the module's own."""
        return journal_of(session, self.sessions / session, self.store, self.password)


def password_of(reference: str | None) -> Secret | None:
    """What the reference of `--store-password` leads to.

    Raises
    ------
    SecretError
    """
    return None if reference is None else resolve(reference, "--store-password")


DEFAULT = JournalOptions()
