"""Bars that a program gave, kept beside a run so that it can be made again."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from intrabar.app.compose.sources import written
from intrabar.app.config.model import Source
from intrabar.data.actions import iso, keep_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.margins import COLUMNS, Margins
from intrabar.data.periods import period_text
from intrabar.data.series import Origin, Series, origin
from intrabar.model.bars import Bars

FOLDER = "bars"
"""The catalogue in the folder of a run."""

KEPT = "kept with the run"


class Read(NamedTuple):
    """Where bars were read, and what they were."""

    source: Source
    origin: Origin


def without_bars(series: Series) -> Series | Read:
    """A series without its bars, where they can be read again."""
    return series if series.source is None else Read(written(series.source), series.origin)


def origin_of(series: Series | Read) -> Origin:
    """What the bars of a run are, wherever they came from."""
    if isinstance(series, Read):
        return series.origin
    return replace(origin(series.bars, KEPT), around=series.around)


def source_of(series: Series | Read) -> Source:
    """Where the bars of a run will be found again: where they came from, or beside the run."""
    if isinstance(series, Read):
        return series.source
    symbol = series.bars.symbol
    return Source(
        symbol=symbol,
        catalogue=FOLDER,
        period=period_text(series.bars.period),
        calendar=series.calendar or "none",
        margins=f"{FOLDER}/{_margins_of(symbol)}" if series.margins else None,
    )


def source_of_rate(bars: Bars) -> Source:
    """The same of a currency pair that a program gave."""
    return Source(symbol=bars.symbol, catalogue=FOLDER, period=period_text(bars.period))


def keep_series(series: Series, folder: Path) -> None:
    """Write the bars of a series, and what is around them, below the folder of a run."""
    catalogue = Catalogue(folder / FOLDER)
    keep_bars(series.bars, series.calendar, folder)
    if series.detail is not None:
        keep_bars(series.detail, series.calendar, folder)
    if series.actions is not None:
        keep_actions(catalogue, series.actions)
    if series.margins is not None:
        _keep_margins(series.margins, folder / FOLDER / _margins_of(series.bars.symbol))


def keep_bars(bars: Bars, calendar: str, folder: Path) -> None:
    """Write bars below the folder of a run."""
    record = {
        "source": KEPT,
        "source_sha256": "",
        "format": "bars",
        "zone": "UTC",
        "label": "end",
        "adjustment": "raw",
        "calendar": calendar,
    }
    Catalogue(folder / FOLDER).write(bars, record)


def _margins_of(symbol: str) -> str:
    return f"{Catalogue(FOLDER).folder_of(symbol).name}/margins.csv"


def _keep_margins(margins: Margins, path: Path) -> None:
    given = {
        name: field
        for name, field in COLUMNS.items()
        if not any(math.isnan(values[field]) for _, values in margins.rows)
    }
    with open(path, "w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(["date", *given])
        for day, values in margins.rows:
            write([iso(day), *(repr(values[field]) for field in given.values())])
