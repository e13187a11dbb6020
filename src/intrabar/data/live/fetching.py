"""Bars of a vendor into the catalogue: through the checks of an import, raw, with actions apart."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from intrabar.data.actions import Actions, CorporateAction, keep_actions, kept_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.checks import Checked, check
from intrabar.data.instruments import calendar_of
from intrabar.data.live.answers import Answers
from intrabar.data.live.grid import Grid, lag_of, require_period
from intrabar.data.live.merging import merged, told_otherwise
from intrabar.data.manifest import Manifest, content_hash
from intrabar.data.periods import parse_period, period_text
from intrabar.data.readers import Reading, read_table
from intrabar.data.reading.table import counted
from intrabar.data.schedules import calendar_named
from intrabar.data.verdicts import SHOWN, utc_text
from intrabar.errors import ConfigError, DataError, StaleDataError
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS, Bars

ADJUSTED_BY = 0.01
"""Part of a price by which a split since moves it at least; a correction moves it by less."""


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """What a fetch did.

    Parameters
    ----------
    manifest : Manifest
        Of the dataset as it is now.
    is_new : bool
        There is a new version.
    added, changed, gone : int
        Bars that are new, that the vendor now tells otherwise, and that it no longer has; those
        stay.
    changes : tuple of str
        Of the first bars that changed: when, and what they were and are.
    replaced : str
        What the dataset was before, where it was of another source.
    splits, dividends : int
        In the table of actions now.
    actions_changed : bool
    notes : tuple of str
        What was left out or guessed.
    rejected : path, optional
        Rows that were set aside.
    age : float, seconds
        Of the vendor's answer.
    """

    manifest: Manifest
    is_new: bool
    added: int
    changed: int
    gone: int
    changes: tuple[str, ...]
    replaced: str
    splits: int
    dividends: int
    actions_changed: bool
    notes: tuple[str, ...]
    rejected: Path | None
    age: float


async def fetch(
    answers: Answers,
    catalogue: Catalogue,
    symbol: str,
    period: int,
    start: int,
    end: int | None = None,
    *,
    calendar: str | None = None,
    replacing: bool = False,
) -> Fetched:
    """Ask a vendor for bars and store them.

    Bars of the same vendor that are there already stay where the vendor was not asked; a bar that
    it tells otherwise is replaced, and the answer says which.

    Parameters
    ----------
    answers : Answers
    catalogue : Catalogue
    symbol : str
    period : int, ns
    start, end : int, ns UTC
        Close times, both included; None: up to the last bar that is over.
    calendar : str, optional
        None: that of the dataset, else of the symbol's name; "none" for none.
    replacing : bool
        Bars of another source may be replaced.

    Raises
    ------
    StaleDataError
        The vendor is down; the catalogue is as it was.
    ConfigError
        The calendar is not known.
    NotFoundError, LinkError
    DataError
        No bar can be used, or the dataset is of another source.
    """
    vendor = answers.vendor
    require_period(vendor, period)
    before = _dataset(catalogue, symbol, period)
    own = before is not None and before.format == vendor.name
    if before is not None and not own and not replacing:
        raise DataError(
            f"the catalogue has {symbol} {before.period} of {before.source} ({before.rows:,} bars, "
            f"{before.first[:10]} to {before.last[:10]}); --replace puts those of {vendor.name} in "
            "their place"
        )
    calendar = _calendar(symbol, calendar, before if own else None)
    kept = await answers.bars(symbol, period, start)
    now = answers.clock.now()
    if kept.why:
        raise StaleDataError(
            f"{vendor.name} is down ({kept.why}); what is kept of {symbol} is "
            f"{age_text(kept.age(now))} old and was not stored: the catalogue is as it was"
        )
    rows, notes = _closed(kept.answer, symbol, period, calendar, kept.at, lag_of(vendor, period))
    rows = [row for row in rows if start <= row[0] and (end is None or row[0] <= end)]
    if not rows:
        raise DataError(
            f"{vendor.name} has no bars {period_text(period)} of {symbol} that were over between "
            f"{utc_text(start)} and {utc_text(end if end is not None else now)}"
        )
    old = catalogue.read(symbol, period_text(period)) if own else None
    both = merged(old, [row for _, row in rows], period)
    if old is not None and kept.answer.adjustment != "raw":
        _refuse_mixed(old, rows, vendor.name)
    source = f"{vendor.name} {utc_text(kept.at)[:10]}"
    checked = _checked(both.rows, symbol, period, calendar, source, notes)
    if both.changes:
        checked = replace(checked, findings=(*checked.findings, told_otherwise(both)))
    manifest, rejected = before, None
    is_new = old is None or content_hash(checked.bars) != content_hash(old)
    if is_new:
        record = {"source": source, "format": vendor.name, "calendar": calendar}
        manifest, rejected = _store(catalogue, checked, kept.answer, record)
    assert manifest is not None
    actions, actions_changed = _keep_actions(catalogue, symbol, kept.answer, start, vendor.name)
    return Fetched(
        manifest,
        is_new,
        both.added,
        len(both.changes),
        both.gone,
        both.changes[:SHOWN],
        before.source if before is not None and not own else "",
        sum(row.split != 1.0 for row in actions),
        sum(row.dividend > 0.0 for row in actions),
        actions_changed,
        notes,
        rejected,
        kept.age(now),
    )


async def refresh(answers: Answers, catalogue: Catalogue, manifest: Manifest) -> Fetched:
    """Ask again for the bars of a dataset that was fetched, as far back as a few calls reach.

    Raises
    ------
    As `fetch`; DataError where bars since the last one cannot be had any more.
    """
    period = parse_period(manifest.period)
    first, last = (
        int(np.datetime64(text[:-1], "ns").astype(np.int64))
        for text in (manifest.first, manifest.last)
    )
    reach = answers.vendor.earliest(period)
    if reach > last + 7 * DAY_NS:
        raise DataError(
            f"{manifest.symbol} {manifest.period}: its last bar is of {manifest.last}, and "
            f"{answers.vendor.name} has bars since {utc_text(reach)} only: the bars between would "
            f"be missing; fetch them anew: intrabar data fetch {manifest.symbol} --source "
            f"{answers.vendor.name} --period {manifest.period} --start {utc_text(reach)[:10]} "
            "--replace"
        )
    # Whole days: an answer of the same day is found again.
    start = max(first, reach) // DAY_NS * DAY_NS + (DAY_NS if reach > first else 0)
    calendar = manifest.calendar or "none"
    return await fetch(answers, catalogue, manifest.symbol, period, start, calendar=calendar)


def age_text(seconds: float) -> str:
    """How old something is: "40 s", "12 min", "3 h", "2 days"."""
    for unit, length in (("days", 172_800.0), ("h", 7200.0), ("min", 120.0)):
        if seconds >= length:
            return f"{seconds / {'days': 86_400.0, 'h': 3600.0, 'min': 60.0}[unit]:.0f} {unit}"
    return f"{max(seconds, 0.0):.0f} s"


def _dataset(catalogue: Catalogue, symbol: str, period: int) -> Manifest | None:
    found = (m for m in catalogue.list() if m.symbol == symbol)
    return next((m for m in found if m.period == period_text(period)), None)


def _calendar(symbol: str, given: str | None, before: Manifest | None) -> str:
    if given is not None:
        return "" if given == "none" else calendar_named(given) or ""
    found = before.calendar if before is not None else calendar_of(symbol)
    if not found and before is None:
        raise ConfigError(
            f"when the exchange of the symbol {symbol!r} is open is not known; name the calendar: "
            "--calendar NYSE, XETR, LSE, 24/7 ..., or --calendar none for days of UTC"
        )
    return found


def _refuse_mixed(old: Bars, rows: list[tuple[int, Row]], vendor: str) -> None:
    """Refuse bars that may be adjusted for other splits than the older ones beside them.

    Raises
    ------
    DataError
    """
    if rows[0][0] <= old.close_time[0]:
        return
    told = {close: row.close for close, row in rows}
    both = [
        (before, told[close])
        for close, before in zip(old.close_time.tolist(), old.close.tolist(), strict=True)
        if close in told
    ]
    if both and all(abs(now / before - 1.0) <= ADJUSTED_BY for before, now in both):
        return
    why = "tells bars otherwise than before" if both else "was asked for none that are kept"
    period, first = period_text(old.period), utc_text(int(old.close_time[0]))[:10]
    raise DataError(
        f"{old.symbol} {period}: {vendor} adjusts prices for splits, and {why}: older bars may be "
        f"adjusted for others; fetch all anew: intrabar data fetch {old.symbol} --source {vendor} "
        f"--period {period} --start {first}"
    )


def _closed(
    answer: Answer, symbol: str, period: int, calendar: str, at: int, lag: int
) -> tuple[list[tuple[int, Row]], tuple[str, ...]]:
    """Rows that are bars and were over when the answer was given, by their close times.

    Stamps mark the start of a bar from here on.
    """
    placed = Grid(calendar, period).placed(answer, symbol)
    over = placed.closed(at, lag)
    rows = [
        (close, row if period == DAY_NS else msgspec.structs.replace(row, stamp=close - period))
        for close, row in zip(placed.close_time[:over].tolist(), placed.rows[:over], strict=True)
    ]
    notes = answer.notes
    if placed.left_out:
        notes += (
            f"{placed.left_out} rows of the vendor lie outside the sessions of "
            f"{calendar or 'the day'} or between two bars and were left out",
        )
    if over < len(placed.rows):
        notes += (f"{len(placed.rows) - over} bars that were not over yet were left out",)
    return rows, notes


def _checked(
    rows: list[Row],
    symbol: str,
    period: int,
    calendar: str,
    source: str,
    notes: tuple[str, ...],
) -> Checked:
    """Bars of rows, through the checks of an import."""
    stamps = pl.Series(np.array([row.stamp for row in rows], np.int64)).cast(pl.Datetime("ns"))
    is_daily = period == DAY_NS
    time = stamps.cast(pl.Date) if is_daily else stamps.dt.replace_time_zone("UTC")
    names = ("open", "high", "low", "close", "volume")
    frame = pl.DataFrame(
        {"time": time} | {n: np.array([getattr(r, n) for r in rows], np.float64) for n in names}
    )
    how = Reading(
        symbol=symbol,
        label="start",
        period=period_text(period),
        calendar=calendar,
    )
    raw = read_table(counted(frame), how, source, "")
    return check(replace(raw, notes=(*notes, *raw.notes)), symbol)


def _store(
    catalogue: Catalogue, checked: Checked, answer: Answer, record: dict[str, str]
) -> tuple[Manifest, Path | None]:
    """Write a version of a dataset; the rows that were set aside are in the file."""
    whole: dict[str, Any] = {
        **record,
        "source_sha256": hashlib.sha256(msgspec.msgpack.encode(answer)).hexdigest(),
        "zone": answer.zone,
        "label": "start",
        "adjustment": answer.adjustment,
        "checks": tuple(finding.as_json() for finding in checked.findings),
    }
    made = catalogue.write(checked.bars, whole, checked.rejected)
    folder = catalogue.folder_of(made.symbol) / made.period / made.version
    return made, folder / made.rejected_file if made.rejected_file else None


def _keep_actions(
    catalogue: Catalogue, symbol: str, answer: Answer, start: int, vendor: str
) -> tuple[tuple[CorporateAction, ...], bool]:
    """Put splits and dividends of an answer in place of those that were kept since its start."""
    before = kept_actions(catalogue, symbol)
    rows = before.rows if before is not None else ()
    if answer.splits is None or answer.dividends is None:
        return rows, False
    since = start // DAY_NS
    found: dict[int, CorporateAction] = {row.date: row for row in rows if row.date < since}
    new: dict[int, CorporateAction] = {}
    for day, ratio in answer.splits:
        new[day] = CorporateAction(day, ratio)
    for day, amount in answer.dividends:
        one = new.get(day, CorporateAction(day))
        new[day] = replace(one, dividend=one.dividend + amount)
    merged = tuple(sorted((found | new).values(), key=lambda row: row.date))
    if merged == rows:
        return rows, False
    digest = hashlib.sha256(msgspec.msgpack.encode((answer.splits, answer.dividends))).hexdigest()
    keep_actions(catalogue, Actions(symbol, merged, vendor, digest))
    return merged, True
