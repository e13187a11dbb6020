"""What is there when a session has ended: its result, its parity, its report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from intrabar.app.calls.parity import SessionParity, of_plan
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.folders.journals import JOURNAL_FILE
from intrabar.app.folders.sessions import entries_of
from intrabar.app.pages.session_report import REPORT, session_report
from intrabar.app.workers.hook_watch import Log, Notify
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.engine.session.bandits import states_in
from intrabar.engine.session.lived_rows import heard_in, market_in, rows_in, wakes_of
from intrabar.engine.session.pairs import simulated_in, told_in
from intrabar.engine.session.session import Session
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntrabarError, RunError
from intrabar.journal.journal import Journal
from intrabar.model.entry import Entry
from intrabar.model.secret import Secret, resolve
from intrabar.risk.breaker import ACCOUNT, Level

MOST = 200_000
"""Bars of all instruments that are reported at the stop; more would take long, and much memory."""


@dataclass(frozen=True, eq=False)
class Lived:
    """A session that has ended.

    Parameters
    ----------
    session : Session
    folder : Path
    why : str
        It ended.
    setup : SessionSetup
        From which it was started.
    unreported : str
        Why there is no report of it in its folder; "": there is one.
    """

    session: Session
    folder: Path
    why: str
    setup: SessionSetup
    unreported: str

    @property
    def digest(self) -> str:
        """Of the session's market as it stands: that of the backtest of its rows."""
        return self.session.machine.digest()

    @cached_property
    def result(self) -> Result:
        """The backtest of the session's own rows: tables, figures, a report.

        Raises
        ------
        RunError
            The session did what no backtest does: persons gave orders, entries came too late.
        """
        session, plan, entries = self.session, self.session.plan, self._entries()
        if plan.broker is not None:
            raise RunError(
                f"{self.folder.name} traded through a broker, and a result is that of a market's "
                "fills; its folder has what it did"
            )
        if any(entry.kind == "hook.hung" for entry in entries):
            raise RunError(
                f"{self.folder.name} calls a strategy no more, whose hook did not return or that a "
                "person left out, and a backtest would; its folder has what it did"
            )
        rows = rows_in(entries)
        setup = Setup(
            market_in(rows, plan),
            plan.instruments,
            plan.strategies,
            plan.account,
            plan.is_open,
            remarks=tuple(told_in(entries, plan)),
            trade_from=session.trade_from,
            wakes=wakes_of(rows),
            risk=self.setup.config.limits,
            predicted=heard_in(entries, plan),
            states=states_in(entries),
        )
        result = replace(finish(Run(setup)), simulated=simulated_in(entries, plan))
        if result.digest != self.digest:
            raise RunError(
                f"{self.folder.name} did what no backtest does (orders by hand, entries that came "
                f"late); intrabar parity {self.folder.name} says what, and its folder has the fills"
            )
        return result

    def parity(self) -> SessionParity:
        """The session beside what the market model does, from its journal; as `ib.parity`.

        Raises
        ------
        StoreError, IntegrityError
            The journal cannot be had, or is damaged.
        """
        return of_plan(self.setup.name, self.folder, self.session.plan, self._entries())

    def _entries(self) -> list[Entry]:
        url, password = store_of(self.setup, self.folder)
        return entries_of(self.setup.name, self.folder, url, password)

    @property
    def level(self) -> Level:
        """Of the breaker."""
        return self.session.judge.breaker.level(ACCOUNT)


def report_at_stop(
    setup: SessionSetup, session: Session, journal: Journal, folder: Path, notify: Notify, log: Log
) -> str:
    """Write the report of a session that has stopped; "", or why there is none.

    Whatever comes of it, the session has stopped in order.
    """
    severity, why = "alarm", ""
    try:
        (folder / REPORT).unlink(missing_ok=True)  # it would be of an earlier stop
        severity, why = _reported(setup, session, journal, folder)
    except (IntrabarError, OSError) as error:
        why = str(error)
    except Exception as error:
        why = f"a bug: {type(error).__name__}: {error}"
    if why:
        log("report.left_out", why=why)
        notify(Notice(severity, "report", f"{folder / REPORT} was not written: {why}"))
    return why


def _reported(
    setup: SessionSetup, session: Session, journal: Journal, folder: Path
) -> tuple[str, str]:
    """How grave it is that there is none, and why; "" where there is one."""
    bars = session.count * len(session.plan.symbols)
    if bars > MOST:
        why = f"{bars:,} bars take long; intrabar session export {setup.name} writes it"
        return "info", why
    entries = [record.entry for record in journal.read()]
    if not any(entry.kind == "row" for entry in entries):
        return "info", "no row was traded yet"
    session_report(setup.name, session.plan, entries, folder, setup.remarks)
    return "info", ""


def store_of(setup: SessionSetup, folder: Path) -> tuple[str, Secret | None]:
    """The address of the journal's database, and its password."""
    store = setup.config.store
    url = store.url or f"sqlite:///{folder.resolve() / JOURNAL_FILE}"
    return url, None if store.password is None else resolve(store.password, "store.password")
