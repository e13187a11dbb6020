"""`intrabar data path-truth`: how far the guess at the path inside a bar can be trusted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from intrabar.app.cli.output import Json, print_table
from intrabar.app.cli.reading_options import ReadingOptions
from intrabar.errors import ConfigError, DataError, FileError

if TYPE_CHECKING:
    from intrabar.analysis.path_truth import Tally
    from intrabar.engine.outcome.path_truth import PathTruth
    from intrabar.model.bars import Bars


FILES = (".csv", ".txt", ".parquet", ".json", ".gz", ".zip", ".zst", ".xz", ".bz2", ".feather")
"""Endings of names that no symbol has."""


def path_truth(
    name: str,
    /,
    *,
    symbol: str | None = None,
    detail: str | None = None,
    bars: str = "5m,15m,30m,60m",
    calendar: str | None = None,
    out: Path | None = None,
    reading: ReadingOptions | None = None,
    as_json: Json = False,
) -> None:
    """Measure how often the path rules are right, by making longer bars of detail bars.

    Parameters
    ----------
    name : str
        A symbol of the catalogue, or a file.
    symbol : str, optional
        Of a file's bars; else the file's name up to the first underscore, dot or blank.
    detail : str, optional
        Period of the detail bars in the catalogue; else the shortest.
    bars : str
        Lengths to measure, such as 5m,1h.
    calendar : str, optional
        Exchange calendar of a file; "none" for none; else the instrument's.
    out : Path, optional
        File to write the truth to, for the key `calibrated` of a configuration.
    as_json : bool
        Print JSON.
    """
    from intrabar.engine.outcome.path_truth import path_truth as measured

    if Path(name).is_file():
        found, hours = _of_file(Path(name), symbol, calendar, reading or ReadingOptions(), detail)
    elif Path(name).suffix.lower() in FILES:
        raise FileError(f"{name}: there is no such file")
    else:
        found, hours = _of_catalogue(name, detail)
    lengths = [text.strip() for text in bars.split(",") if text.strip()]
    if not lengths:
        raise ConfigError("--bars names no length; write it like 5m,15m,1h")
    truth = measured(found, lengths, hours)
    text = json.dumps(truth.as_json(), indent=2)
    if out is not None:
        try:
            out.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise DataError(f"{out} cannot be written: {error}") from error
    if as_json:
        print(text)
        return
    _tell(truth)
    if out is not None:
        sys.stdout.write(f"written to {out}\n")


def _of_file(
    path: Path,
    symbol: str | None,
    calendar: str | None,
    options: ReadingOptions,
    detail: str | None,
) -> tuple[Bars, str]:
    from dataclasses import replace

    from intrabar.data.checks import check
    from intrabar.data.instruments import instrument
    from intrabar.data.readers import read_file
    from intrabar.data.reading.file_names import symbol_of

    called = symbol or symbol_of(path)
    hours = instrument(called).calendar if calendar is None else calendar.replace("none", "")
    how = options.reading()
    raw = read_file(path, replace(how, symbol=called, calendar=hours, period=how.period or detail))
    try:
        return check(raw, called).bars, hours
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from error


def _of_catalogue(symbol: str, detail: str | None) -> tuple[Bars, str]:
    from intrabar.data.catalogue import Catalogue

    catalogue = Catalogue()
    chosen = catalogue.show(symbol, detail)[0]  # by period: the shortest first
    return catalogue.read(symbol, chosen.period), chosen.calendar


def _tell(truth: PathTruth) -> None:
    from intrabar.data.periods import period_text

    extremes, pairs = [], []
    for length in truth.lengths:
        x, period = length.extremes, period_text(length.period)
        ties = (f"{t.told:,} ({_percent(t)})" for t in (x.shortest_ties, x.nearest_ties))
        told = _shares(x.shortest, x.nearest)
        cells = told[0], next(ties), told[1], next(ties)
        extremes.append((period, f"{x.bars:,}", f"{x.flat:,}", f"{x.untold:,}", *cells))
        for p in length.pairs:
            told = _shares(p.stop_first, p.shortest, p.nearest)
            sizes = f"{p.stop:g} : {p.target:g}", f"{p.shortest.told:,}", f"{p.untold:,}"
            pairs.append((period, *sizes, *told))
        all_of_them = "", f"{length.trust.told:,}", "", "", *_shares(length.trust), ""
        pairs.append((f"{period}, all", *all_of_them))
    sys.stdout.write(
        f"{truth.symbol}: bars made of {truth.detail} bars, {truth.first} to {truth.last}.\n"
        "Percent that were right, with their 95 % interval.\n\nThe first extreme of a bar\n"
    )
    print_table(
        ("bars", "all", "flat", "untold", "shortest", "its ties", "nearest", "its ties"),
        extremes,
        right=("all", "flat", "untold"),
    )
    sys.stdout.write("\nA stop and a target inside one bar, in median ranges from its open\n")
    header = ("bars", "stop : target", "told", "untold", "stop first", "shortest", "nearest")
    print_table(header, pairs, right=("told", "untold"))


def _shares(*tallies: Tally) -> list[str]:
    spans = ((100 * low, 100 * high) for low, high in (t.interval for t in tallies))
    return [
        f"{_percent(tally)} ({low:.0f}-{high:.0f})"
        for tally, (low, high) in zip(tallies, spans, strict=True)
    ]


def _percent(tally: Tally) -> str:
    return f"{100 * tally.share:.1f}" if tally.told else "-"
