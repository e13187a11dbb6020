"""`intrabar session`: how sessions stand, and what a person asks of one; `intrabar kill`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from intrabar.app.cli.journal_options import DEFAULT, JournalOptions
from intrabar.app.cli.output import Json, examples, print_json, print_table
from intrabar.app.cli.session_account import adopt, transfer
from intrabar.app.cli.session_asking import Folder, asked
from intrabar.app.cli.session_folders import (
    folder_of,
    folders_in,
    followed,
    is_running,
    status_of,
)
from intrabar.app.cli.session_orders import cancel, close, modify, order
from intrabar.app.cli.session_status import status_lines
from intrabar.app.folders.journals import SESSIONS
from intrabar.app.folders.sessions import entries_of, open_session
from intrabar.app.pages.session_report import REPORT, session_report
from intrabar.app.workers.control import ask
from intrabar.app.workers.signs import STATUS, measured_in, write_folder
from intrabar.app.workers.standing import HEADS
from intrabar.errors import IntrabarError, StateError, StoreError

session = App(
    name="session",
    help="See how sessions stand, and ask something of one that runs.",
    help_epilogue=examples(
        "intrabar session status main",
        "intrabar session order main --symbol AAPL --side buy --qty 10",
    ),
)


@session.command(name="list")
def list_(*, sessions: Folder = SESSIONS, as_json: Json = False) -> int:
    """List the sessions of a folder.

    Parameters
    ----------
    sessions : path
    as_json : bool
        A list of objects.
    """
    found = [{"name": folder.name, **status_of(folder)} for folder in folders_in(sessions)]
    if as_json:
        print_json(found)
        return 0
    keys = ("name", "process", "breaker", "equity", "time")
    print_table(list(keys), [[str(one.get(key, "")) for key in keys] for one in found])
    return 0


@session.command
def status(name: str, /, *, sessions: Folder = SESSIONS, as_json: Json = False) -> int:
    """Say how a session stands; of one that runs it is asked itself.

    Parameters
    ----------
    name : str
    sessions : path
    as_json : bool
    """
    folder = folder_of(name, sessions)
    told = status_of(folder)
    if told["process"] != "none":
        told |= ask(folder, {"kind": "status"})
    if as_json:
        print_json(told)
    else:
        print(*status_lines(told), sep="\n")
    return 0


@session.command(
    help_epilogue=examples(
        "intrabar session export main",
        "intrabar session export main --store postgresql://me@host/trading \\",
        "    --store-password file:/run/secrets/store",
    )
)
def export(
    name: str,
    /,
    *,
    out: Path | None = None,
    where: JournalOptions = DEFAULT,
    as_json: Json = False,
) -> int:
    """Work the files of a session's folder out again from its journal, and write its report.

    Parameters
    ----------
    name : str
    out : path
        Another folder for them than the session's own, so that it may run meanwhile.
    where : JournalOptions
    as_json : bool
        As status.json has it, and why the report was not written.
    """
    folder = where.sessions / name
    target = folder if out is None else out
    if target.resolve() == folder.resolve() and is_running(folder):
        raise StateError(
            f"session {name!r} runs, and keeps its folder itself; stop it first, or give --out"
        )
    entries = entries_of(name, folder, where.store, where.password)
    told = write_folder(entries, target, measured_in(folder))
    why = _reported(name, target, where)
    if as_json:
        print_json({**told, "unreported": why})
    else:
        files = (STATUS, *HEADS, *(() if why else (REPORT,)))
        print(f"{target}: {', '.join(files)}: {told['rows']:,} rows")
        if why:
            print(f"note: {REPORT} was not written: {why}")
    return 0


def _reported(name: str, target: Path, where: JournalOptions) -> str:
    """Write the report of a session into a folder; why there can be none, or nothing."""
    try:
        stored = open_session(name, where.sessions, where.store, where.password)
        session_report(name, stored.plan, stored.entries, target)
    except StoreError:
        raise
    except IntrabarError as error:
        return str(error)
    return ""


@session.command
def watch(name: str, /, *, sessions: Folder = SESSIONS) -> int:
    """Follow a session: a line whenever something has happened, until it ends.

    Parameters
    ----------
    name : str
    sessions : path
    """
    folder = folder_of(name, sessions)
    for line in followed(lambda: status_of(folder), lambda: time.sleep(1.0)):
        print(line, flush=True)
    return 0


@session.command
def stop(
    name: str,
    /,
    *,
    flatten: bool = False,
    when_flat: bool = False,
    reason: str = "stopped by a person",
    sessions: Folder = SESSIONS,
) -> int:
    """End a session: orders that add are cancelled, stops stay.

    Parameters
    ----------
    name : str
    flatten : bool
        Close all positions first.
    when_flat : bool
        Go on without entries, and end when nothing is held any more.
    reason : str
    sessions : path
    """
    folder = folder_of(name, sessions)
    if flatten:
        asked(folder, {"kind": "flatten", "reason": reason})
    if flatten or when_flat:
        return asked(folder, {"kind": "stop_when_flat", "reason": reason})
    return asked(folder, {"kind": "stop", "reason": reason})


@session.command
def flatten(
    name: str, symbol: str | None = None, /, *, reason: str = "", sessions: Folder = SESSIONS
) -> int:
    """Close all positions, or those in a symbol.

    Parameters
    ----------
    name : str
    symbol : str
        Left out: all, and the breaker is set.
    reason : str
    sessions : path
    """
    return asked(folder_of(name, sessions), {"kind": "flatten", "symbol": symbol, "reason": reason})


@session.command
def halt(name: str, /, *, reason: str, sessions: Folder = SESSIONS) -> int:
    """Let nothing but stops and a person's exits through.

    Parameters
    ----------
    name : str
    reason : str
    sessions : path
    """
    return asked(folder_of(name, sessions), {"kind": "halt", "reason": reason})


@session.command
def resume(
    name: str,
    /,
    *,
    reason: str,
    override: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    as_recorded: bool = False,
    sessions: Folder = SESSIONS,
) -> int:
    """Put the breaker back to TRADING.

    Parameters
    ----------
    name : str
    reason : str
    override : list of str
        Rules that are still breached and begin anew from the present equity.
    as_recorded : bool
        Take what was journalled, though it is not repeated any more.
    sessions : path
    """
    request = {"kind": "resume", "reason": reason, "override": list(override)}
    return asked(folder_of(name, sessions), {**request, "as_recorded": as_recorded})


def kill(name: str | None = None, /, *, reason: str = "killed", sessions: Folder = SESSIONS) -> int:
    """Close everything of a session, or of all that run, and let nothing be entered.

    Parameters
    ----------
    name : str
        Left out: all that run.
    reason : str
    sessions : path
    """
    folders = (
        [folder_of(name, sessions)] if name else [f for f in folders_in(sessions) if is_running(f)]
    )
    if not folders:
        raise StateError(f"{sessions}: no session runs there")
    problems: list[IntrabarError] = []
    for folder in folders:
        try:
            asked(folder, {"kind": "kill", "reason": reason})
        except IntrabarError as error:  # the others are killed all the same
            problems.append(error)
    for problem in problems[1:]:
        print(f"error: {problem}", file=sys.stderr)
    if problems:
        raise problems[0]
    return 0


for command in (order, modify, cancel, close, kill, adopt, transfer):
    session.command(command)
