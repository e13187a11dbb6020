"""A run in about ten lines that a person reads: the same in Python, notebooks and the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from intrabar.analysis.metrics import Sheet
from intrabar.analysis.told import Told
from intrabar.analysis.units import shown
from intrabar.engine.tables.lessons import training_of
from intrabar.model.enums import RunStatus
from intrabar.model.remark import Remark

if TYPE_CHECKING:
    from intrabar.engine.outcome.result import Result

ROWS = {
    "total_return": "return",
    "annual_return": "a year",
    "max_drawdown": "drawdown",
    "sharpe": "Sharpe",
    "campaigns": "campaigns",
    "win_rate": "win rate",
    "expectancy_r": "expectancy",
    "costs": "costs",
}

IDLE = "no order was filled: there are no figures"


def titled(strategies: Iterable[str], symbols: Sequence[str], name: str = "") -> str:
    """What a run of these strategies on these instruments is called.

    Parameters
    ----------
    strategies : mapping of name to strategy, or names
        Of a mapping it is said which trade in sample, or by a training that is declared.
    symbols : sequence of str
    name : str
        What its user calls it.
    """
    more = f" and {len(symbols) - 5} more" if len(symbols) > 5 else ""
    how = {}
    if isinstance(strategies, Mapping):
        how = {key: told for key, one in strategies.items() if (told := training_of(one))}
    if name:
        return f"{name} ({', '.join(dict.fromkeys(how.values()))})" if how else name
    named = [f"{key} ({how[key]})" if key in how else key for key in strategies]
    return f"{', '.join(named)} on {', '.join(symbols[:5])}{more}"


def ended(status: RunStatus, is_liquidated: bool) -> str:
    """How a run ended, in words."""
    if is_liquidated and status is RunStatus.FINISHED:
        return "liquidated by margin calls"
    return status.word


def figure_lines(sheet: Sheet, currency: str) -> list[str]:
    """The figures of `ROWS`, a line each; one line where nothing was traded."""
    if is_idle(sheet.values):
        return [f"  {IDLE}"]
    return [figure_line(sheet, name, label, currency) for name, label in ROWS.items()]


def figure_rows(sheet: Sheet, currency: str) -> list[tuple[str, str]]:
    """The same as labels and texts."""
    if is_idle(sheet.values):
        return [("", IDLE)]
    return [(label, figure_text(sheet, name, currency)) for name, label in ROWS.items()]


def figure_line(sheet: Sheet, name: str, label: str, currency: str) -> str:
    """A metric with its unit, or why there is none."""
    return f"  {label:<12}{figure_text(sheet, name, currency):>14}"


def figure_text(sheet: Sheet, name: str, currency: str) -> str:
    """A metric with its unit, or why there is none."""
    value = sheet.values[name]
    if value is None:
        return f"none ({sheet.reasons.get(name, 'undefined')})"
    return shown(name, value) + (f" {currency}" if name == "costs" else "")


def band_line(ends: Sequence[float], ambiguous: int) -> str:
    """What hangs on the path inside the bars, from rising total returns."""
    band = f"  {'band':<12}{f'{ends[0]:.2%}':>14}"
    if ends[0] == ends[-1]:
        return f"{band} whichever order prices had inside the bars"
    return (
        f"{band} to {ends[-1]:.2%}: worst and best order of prices inside the bars; "
        f"{ambiguous} campaigns had stop and target in one"
    )


def remark_lines(remarks: Sequence[Remark], more: Sequence[str] = ()) -> list[str]:
    """What to know before believing the figures, a line each; severe sentences are warnings."""
    texts = [remark.text for remark in remarks]
    lines = [f"{'warning' if one.severe else 'note'}: {one.text}" for one in remarks]
    return lines + [f"note: {text}" for text in dict.fromkeys(more) if text not in texts]


def is_idle(values: Mapping[str, float | None]) -> bool:
    """Whether nothing was traded and nothing earned: there are no figures then."""
    return not any(values.get(name) for name in ("turnover", "exposure", "net_profit", "costs"))


def text_of(result: Result) -> str:
    """A run for a terminal."""
    figures = figure_lines(result.metrics, result.setup.account.currency)
    notes = [*_band_lines(result), *_notes(result)]
    return "\n".join([result.title, result.facts, "", *figures, *notes])


def html_of(result: Result) -> str:
    """The same for a notebook, with its picture."""
    rows = figure_rows(result.metrics, result.setup.account.currency)
    band = [line.strip() for line in _band_lines(result)]
    picture = "" if is_idle(result.metrics.values) else result.plot().svg
    return Told(result.title, result.facts, rows, [*band, *_notes(result)]).html(picture)


def _band_lines(result: Result) -> list[str]:
    """The band where it is known."""
    if is_idle(result.metrics.values) or not result.knows_band:
        return []
    ends = sorted(run.total_return for run in result.band)
    return [band_line(ends, int(result.campaigns["ambiguous"].sum()))]


def _notes(result: Result) -> list[str]:
    """What to know, and where the report is."""
    pages = [f"report: {page}" for page in result.pages]
    return [*remark_lines(result.remarks), *(pages or ["report: ib.report(result) writes it"])]
