"""The report of a session, from its journal: that of a run, and what a run does not have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intrabar.app.pages.report import report
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.result import result_of
from intrabar.errors import RunError
from intrabar.model.entry import Entry

REPORT = "report.html"


def session_report(
    name: str, plan: Plan, entries: Sequence[Entry], folder: Path, remarks: Sequence[str] = ()
) -> Path:
    """Write it into a folder, in the place of an older one.

    Parameters
    ----------
    name : str
        Of the session.
    plan : Plan
    entries : sequence of Entry
        All of its journal.
    folder : Path
    remarks : sequence of str
        What was said at its start.

    Raises
    ------
    RunError
        There is no row to report, it would not be what the journal says, or cannot be written.
    """
    if plan.broker is not None:
        raise RunError(
            "its fills came from a broker, and a report is of those of the market; fills.csv, "
            "trades.csv and equity.csv have what it did"
        )
    result = result_of(plan, entries)
    manifest = {**entries[0].body, "records": len(entries), "digest": result.digest}
    return report(result, folder / REPORT, name=name, remarks=list(remarks), manifest=manifest)
