"""`intrabar journal`: verify what was written, rebuild its tables, back up, restore, archive."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from intrabar.app.cli.journal_options import DEFAULT, JournalOptions, password_of
from intrabar.app.cli.output import Json, examples, print_json, print_table
from intrabar.errors import StateError
from intrabar.journal.archive import archive
from intrabar.journal.backup import BACKUPS, Manifest, backup, read_manifest, verify_backup
from intrabar.journal.restore import restore
from intrabar.journal.verifying import check, rebuild, verify

journal = App(
    name="journal",
    help="Verify, back up, restore and archive what sessions have written down.",
    help_epilogue=examples("intrabar journal verify main", "intrabar journal backup main"),
)


@journal.command(
    name="verify",
    help_epilogue=examples("intrabar journal verify main", "intrabar journal verify main --deep"),
)
def verify_(
    session: str,
    /,
    *,
    deep: Annotated[bool, Parameter(negative="")] = False,
    where: JournalOptions = DEFAULT,
    as_json: Json = False,
) -> int:
    """Check that every record is the one that was written; exit 6 where one is not.

    Parameters
    ----------
    session : str
        Its name.
    deep : bool
        Also the file's pages, and that the tables are what the records make of them.
    where : JournalOptions
    as_json : bool
        One object.
    """
    with where.journal_of(session) as store:
        verdicts = verify(store, session, deep=deep)
    if as_json:
        fields = ("session", "records", "bad", "why", "archived")
        print_json({name: getattr(verdicts[0], name) for name in fields})
    check(verdicts)
    if not as_json:
        print(verdicts[0].sentence)
    return 0


@journal.command(name="rebuild", help_epilogue=examples("intrabar journal rebuild main"))
def rebuild_(
    session: str,
    /,
    *,
    where: JournalOptions = DEFAULT,
    as_json: Json = False,
) -> int:
    """Work the tables (orders, fills, trades, ...) out again, from the records alone.

    Parameters
    ----------
    session : str
        Its name.
    where : JournalOptions
    as_json : bool
        One object.
    """
    with where.journal_of(session) as store:
        counts = rebuild(store, session, where.sessions / session, time.time_ns())
    if as_json:
        print_json(counts)
    else:
        rows = [[name, f"{count:,}"] for name, count in counts.items()]
        print_table(("table", "rows"), rows, right=("rows",))
    return 0


@journal.command(
    name="backup",
    help_epilogue=examples(
        "intrabar journal backup main", "intrabar journal backup main --to /mnt/backups"
    ),
)
def backup_(
    session: str,
    /,
    *,
    to: Path | None = None,
    where: JournalOptions = DEFAULT,
    as_json: Json = False,
) -> int:
    """Back the journal up, also while it is written, and verify what was made.

    Parameters
    ----------
    session : str
        Its name; the other sessions of its database go along.
    to : path
        Folder of the backups; default: `backups` in the session's.
    where : JournalOptions
    as_json : bool
        One object.
    """
    with where.journal_of(session) as store:
        path = backup(store, to or where.sessions / session / BACKUPS, time.time_ns())
    _tell(path, verify_backup(path, deep=True), as_json)
    return 0


@journal.command(
    name="restore",
    help_epilogue=examples(
        "intrabar journal restore sessions/main/backups --into again.db",
        "intrabar journal restore backups/20260102T210000Z-0a1b2c3d.json \\",
        "    --into postgresql://intrabar@db/intrabar --store-password '${DB_PASSWORD}'",
    ),
)
def restore_(
    path: Path,
    /,
    *,
    into: str,
    password: Annotated[str | None, Parameter(name="--store-password")] = None,
    as_json: Json = False,
) -> int:
    """Bring a backup back, once all of it is verified; nothing is ever written over.

    Parameters
    ----------
    path : path
        A manifest, or a folder of backups: then the newest in it.
    into : str
        A file that is not there yet, or the address of an empty database.
    password : str
        A reference to the database's password: ${NAME} or file:/path.
    as_json : bool
        One object.
    """
    manifest = _newest(path) if path.is_dir() else path
    url = into if "://" in into else f"sqlite:///{into}"
    _tell(manifest, restore(manifest, url, time.time_ns(), password_of(password)), as_json)
    return 0


@journal.command(
    name="archive",
    help_epilogue=examples(
        "intrabar journal archive main", "intrabar journal archive main --to /mnt/old --delete"
    ),
)
def archive_(
    session: str,
    /,
    *,
    to: Path | None = None,
    delete: Annotated[bool, Parameter(negative="")] = False,
    where: JournalOptions = DEFAULT,
    as_json: Json = False,
) -> int:
    """Write the records of a session that has ended to a Parquet file.

    Parameters
    ----------
    session : str
        Its name.
    to : path
        Folder of the archives; default: `archive` in the session's.
    delete : bool
        Take the records out of the database then; its tables stay.
    where : JournalOptions
    as_json : bool
        One object.
    """
    with where.journal_of(session) as store:
        path = archive(
            store,
            session,
            to or where.sessions / session / "archive",
            where.sessions / session,
            time.time_ns(),
            delete=delete,
        )
    if as_json:
        print_json({"path": str(path), "deleted": delete})
    else:
        print(f"{session} is archived in {path}" + (", and there alone" if delete else ""))
    return 0


def _newest(folder: Path) -> Path:
    within = folder / BACKUPS if (folder / BACKUPS).is_dir() else folder
    found = sorted(within.glob("*.json"), key=lambda path: (read_manifest(path).made, path.name))
    if not found:
        raise StateError(f"there is no backup in {within}")
    return found[-1]


def _tell(path: Path, manifest: Manifest, as_json: bool) -> None:
    if as_json:
        ends = {
            name: {"records": end.last, "at": end.at, "hash": end.hash}
            for name, end in manifest.sessions.items()
        }
        print_json({"path": str(path), "sessions": ends})
        return
    for name, end in manifest.sessions.items():
        until = datetime.fromtimestamp(end.at // 1_000_000_000, UTC)
        print(f"{name}: {end.last:,} records, up to {until:%Y-%m-%d %H:%M:%S} UTC")
    print(path)
