"""A scorecard as a page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from intrabar.analysis.figure import Undefined
from intrabar.app.calls.validation_page import as_shown
from intrabar.research.scorecard.checks import MARKS, scorecard_checks
from intrabar.research.scorecard.pairs import Compared
from intrabar.research.scorecard.scorecard import Scorecard
from intrabar.ui import validation_input as page
from intrabar.ui.validation_view import validation_view
from intrabar.web.pages import write_validation


def write_scorecard(card: Scorecard, path: Path) -> Path:
    """Write the page of a scorecard: one HTML file that opens offline.

    Raises
    ------
    RunError
        The page was not built, or cannot be written.
    """
    evidence, figures = card.evidence, card.figures
    first, last = evidence.test
    rows = [
        ("all pairs", figures.pairs),
        *((f"against {k}", x) for k, x in figures.against.items()),
    ]
    for kind, found in figures.groups.items():
        rows += [(f"{kind} {x.name}, {x.pairs:,} pairs", x) for x in found]
    given = page.Validation(
        name=f"Scorecard of {evidence.training.name}: {evidence.bot}",
        subject="scorecard",
        verdict=page.Verdict(sentence=card.verdict.sentence, mark=MARKS[card.verdict.word]),
        checks=[as_shown(one) for one in scorecard_checks(card)],
        intervals=[_interval(label, x) for label, x in rows],
        symbols=evidence.entries.symbols,
        start=first,
        end=last,
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        notes=card.remarks,
        manifest=card.as_json(),
    )
    return write_validation(validation_view(given), path)


def _interval(label: str, x: Compared) -> page.Interval:
    ends = (None, None) if isinstance(x.interval, Undefined) else (x.interval.low, x.interval.high)
    return page.Interval(label=label, value=x.mean, low=ends[0], high=ends[1], unit="ratio")
