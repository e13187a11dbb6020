"""Where a store is: `sqlite:///path` or `postgresql://user@host/database`, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from intrabar.errors import ConfigError, SecretError
from intrabar.model.secret import Secret
from intrabar.store.file_systems import refuse_shared

FORMS = "sqlite:///path/to/journal.db or postgresql://user@host/database"
KNOWN = {"host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"}
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is.

    Parameters
    ----------
    url : sqlalchemy.URL
        Without a password.
    path : Path, optional
        Of a SQLite file.
    password : Secret, optional
    """

    url: URL
    path: Path | None = None
    password: Secret | None = None

    def __str__(self) -> str:
        if self.path is not None:
            return str(self.path)
        return self.url.set(drivername="postgresql", query={}).render_as_string()


def address_of(url: str, password: Secret | None = None, place: str = "store.url") -> Address:
    """Read an address.

    Parameters
    ----------
    url : str
        `sqlite:///journal.db` is a path from here, `sqlite:////data/journal.db` one from the root.
    password : Secret, optional
        `store.password`; PostgreSQL asks for it but on a socket.
    place : str
        Where the address stands, for the message.

    Raises
    ------
    ConfigError
        An unknown scheme or option, no password, or a file on a network file system.
    SecretError
        The password stands in the address.
    """
    try:
        found = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(f"{place}: no address of a database; write {FORMS}") from None
    if found.password:
        raise SecretError(f"{place}: a password stands there; take it out, and set store.password")
    unknown = sorted(set(found.query) - (KNOWN if found.drivername != "sqlite" else set()))
    if unknown:
        raise ConfigError(f"{place}: unknown option {unknown[0]!r}; known: {sorted(KNOWN)}")
    if found.drivername == "sqlite":
        return _file(found, place)
    if found.drivername != "postgresql":
        raise ConfigError(f"{place}: {found.drivername!r} is no known database; write {FORMS}")
    return _server(found, password, place)


def _file(url: URL, place: str) -> Address:
    if not url.database or url.database == ":memory:" or url.host:
        raise ConfigError(f"{place}: a journal is a file; write sqlite:///path/to/journal.db")
    path = Path(url.database)
    refuse_shared(path.parent, place)
    return Address(url, path)


def _server(url: URL, password: Secret | None, place: str) -> Address:
    host = str(url.query.get("host", url.host or ""))
    on_socket = not host or host.startswith("/")
    if not url.database or not url.username:
        raise ConfigError(f"{place}: user and database are missing; write {FORMS}")
    if password is None and not on_socket:
        raise ConfigError(f"{place}: no password for {url.username}; set store.password")
    query = dict(url.query)
    if not on_socket and host not in LOOPBACK:
        mode = query.setdefault("sslmode", "verify-full")
        if mode != "verify-full":
            raise ConfigError(
                f"{place}: sslmode={mode} trusts any server at {host}; take it out (verify-full)"
            )
        query.setdefault("sslrootcert", "system")
    return Address(
        URL.create(
            "postgresql+psycopg", url.username, None, url.host, url.port, url.database, query
        ),
        None,
        password,
    )
