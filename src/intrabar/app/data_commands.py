"""`intrabar data`: import bars, and look at, verify and resample what was imported.

Errors are raised as `IntrabarError`; the main command line turns them into messages. What needs
Polars is imported inside the commands, so that `--help` stays quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import App, Parameter

from intrabar.errors import ConfigError, DataError

if TYPE_CHECKING:
    from intrabar.data.catalogue import Imported
    from intrabar.data.manifest import Manifest
    from intrabar.data.readers import Reading

app = App(name="data", help="Import bars into the catalogue; list, show, verify, resample them.")
app.command(
    "intrabar.app.path_truth_command:path_truth",
    name="path-truth",
    help="Measure how often the path rules are right, by making longer bars of detail bars.",
)
app.command("intrabar.app.actions_commands:actions", name="actions")
app.command(
    "intrabar.app.actions_commands:continuous",
    name="continuous",
    help="Join contracts of the catalogue to a continuous future, with its rolls.",
)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How to read a file; what is left out is told by the file.

    Parameters
    ----------
    format : str, optional
        tradestation, tradestation-export, yahoo, hourly, quotes or intrabar.
    zone : str, optional
        IANA zone of stamps without an offset, such as America/New_York; else the exchange's.
    label : {"start", "end"}, optional
        Edge of the bar that its stamp marks.
    period : str, optional
        Length of a bar: 1m, 5m, 1h, 1d; else the most common step.
    map : str, optional
        Columns of any other header: time=When,open=O,high=H,low=L,close=C,volume=V.
    side : {"mid", "bid", "ask"}
        Prices to take from a file of quotes.
    time_format : str, optional
        How stamps are written, in strftime's words, such as %d/%m/%Y %H:%M.
    ambiguous : {"raise", "earliest", "latest"}
        Which of two equal local times is meant when clocks go back and the order does not tell.
    """

    format: str | None = None
    zone: str | None = None
    label: Literal["start", "end"] | None = None
    period: str | None = None
    map: str | None = None
    side: Literal["mid", "bid", "ask"] = "mid"
    time_format: str | None = None
    ambiguous: Literal["raise", "earliest", "latest"] = "raise"

    def reading(self) -> Reading:
        """The same for the reader."""
        from intrabar.data.readers import Reading

        return Reading(
            format=self.format,
            mapping=parse_mapping(self.map) if self.map else None,
            label=self.label,
            zone=self.zone,
            period=self.period,
            side=self.side,
            time_format=self.time_format,
            ambiguous=self.ambiguous,
        )


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    symbol: str | None = None,
    calendar: str | None = None,
    adjustment: str = "raw",
    sort: bool = False,
    reading: ReadingOptions | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Import a file of bars: CSV or Parquet, plain or gzipped.

    Parameters
    ----------
    file : Path
    symbol : str, optional
        Else the file's name up to the first underscore, dot or blank.
    calendar : str, optional
        Exchange calendar: NYSE, CME_Equity, 24/7, ...; "none" for none; else the instrument's.
    adjustment : str
        What was done to the prices, for the record: raw, split, split+dividend, back-adjusted.
    sort : bool
        Put rows that are out of order in order.
    as_json : bool
        Print JSON.
    """
    from intrabar.data.catalogue import Catalogue

    how = (reading or ReadingOptions()).reading()
    exchange = "" if calendar == "none" else calendar
    done = Catalogue().import_file(
        file, symbol, how, calendar=exchange, adjustment=adjustment, sort=sort
    )
    if as_json:
        _print_json({**done.manifest.as_dict(), "rejected_path": _text(done.rejected)})
        return
    _print_import(done)


@app.command(name="list")
def list_(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> None:
    """List what the catalogue holds.

    Parameters
    ----------
    as_json : bool
        Print JSON.
    """
    from intrabar.data.catalogue import Catalogue

    catalogue = Catalogue()
    found = catalogue.list()
    if as_json:
        _print_json([_without_checks(m) for m in found])
    elif not found:
        _print(f"The catalogue {catalogue.root} is empty; fill it with: intrabar data import FILE")
    else:
        print_table(
            ("symbol", "period", "bars", "first", "last", "calendar", "rejected", "source"),
            [
                (
                    m.symbol,
                    m.period,
                    f"{m.rows:,}",
                    m.first,
                    m.last,
                    m.calendar,
                    str(m.rejected or ""),
                    m.source,
                )
                for m in found
            ],
            right=("bars", "rejected"),
        )


@app.command
def show(
    symbol: str,
    /,
    *,
    adjusted: Annotated[bool, Parameter(negative="")] = False,
    period: str | None = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Show a symbol's datasets and the verdicts of their checks.

    Parameters
    ----------
    symbol : str
    adjusted : bool
        Show raw and adjusted closes around its splits, dividends and rolls instead.
    period : str, optional
        Of the bars to adjust, where there are several.
    as_json : bool
        Print JSON.
    """
    from intrabar.data.catalogue import Catalogue
    from intrabar.data.instruments import describe

    if adjusted:
        _show_adjusted(symbol, period, as_json)
        return
    found = Catalogue().show(symbol, period)
    if as_json:
        _print_json([m.as_dict() for m in found])
        return
    _print(describe(symbol))
    for m in found:
        facts = {k: v for k, v in m.as_dict().items() if k != "checks" and v != ""}
        print_table((f"{m.symbol} {m.period}", ""), [(k, str(v)) for k, v in facts.items()])
        _print_checks(m.checks)


def _show_adjusted(symbol: str, period: str | None, as_json: bool) -> None:
    from intrabar.data.adjust import adjusted_bars, kept_of
    from intrabar.data.catalogue import Catalogue

    bars, actions = kept_of(Catalogue(), symbol, period)
    adjusted = adjusted_bars(bars, actions)
    near = {n for action in actions for n in (action.bar - 1, action.bar)}
    names = ("bar closes", "what", "raw close", "adjusted close", "factor")
    words: dict[int, str] = {}
    for action in actions:
        said = [words[action.bar]] if action.bar in words else []
        words[action.bar] = ", ".join([*said, f"{action.kind.word} {action.value:g}"])
    rows = [
        (
            f"{datetime.fromtimestamp(bars.close_time[n] / 1e9, UTC):%Y-%m-%d %H:%M}",
            words.get(n, ""),
            float(bars.close[n]),
            float(adjusted.close[n]),
            float(adjusted.close[n] / bars.close[n]),
        )
        for n in sorted({0, len(bars) - 1, *near})
    ]
    if as_json:
        _print_json(
            [
                dict(zip(("close_time", "what", "raw", "adjusted", "factor"), row, strict=True))
                for row in rows
            ]
        )
        return
    shown = [(day, what, f"{a:.6g}", f"{b:.6g}", f"{f:.6g}") for day, what, a, b, f in rows]
    print_table(names, shown, right=names[2:])


@app.command
def verify(
    symbol: str | None = None, /, *, as_json: Annotated[bool, Parameter(name="--json")] = False
) -> None:
    """Compare the bars of the catalogue with the hashes of their manifests.

    Parameters
    ----------
    symbol : str, optional
        Else all.
    as_json : bool
        Print JSON.
    """
    from intrabar.data.catalogue import Catalogue

    found = Catalogue().verify(symbol)
    if as_json:
        _print_json([{"symbol": m.symbol, "period": m.period, "fault": f} for m, f in found])
    else:
        rows = [(m.symbol, m.period, f"{m.rows:,}", fault or "sound") for m, fault in found]
        print_table(("symbol", "period", "bars", "verdict"), rows, right=("bars",))
    broken = [f"{m.symbol} {m.period}" for m, fault in found if fault]
    if broken:
        raise DataError(f"damaged in the catalogue: {', '.join(broken)}; import them again")


@app.command
def resample(
    symbol: str,
    period: str,
    /,
    *,
    source: Annotated[str | None, Parameter(name="--from")] = None,
    as_json: Annotated[bool, Parameter(name="--json")] = False,
) -> None:
    """Make bars of a longer period and put them in the catalogue.

    Parameters
    ----------
    symbol : str
    period : str
        15m, 1h, 1d, 1w.
    source : str, optional
        Period to make them of; else the longest that divides it.
    as_json : bool
        Print JSON.
    """
    from intrabar.data.catalogue import Catalogue
    from intrabar.data.periods import parse_period
    from intrabar.data.resample import left_out
    from intrabar.data.resample import resample as longer

    catalogue, wanted = Catalogue(), parse_period(period)
    chosen = _source(catalogue.show(symbol, source), wanted, period)
    shorter = catalogue.read(symbol, chosen.period)
    bars = longer(shorter, wanted, chosen.calendar)
    outside = left_out(shorter, wanted, chosen.calendar)
    record = {
        "source": f"{chosen.symbol} {chosen.period}",
        "source_sha256": chosen.content_sha256,
        "format": "resampled",
        "zone": chosen.zone,
        "label": "end",
        "adjustment": chosen.adjustment,
        "calendar": chosen.calendar,
    }
    manifest = catalogue.write(bars, record)
    if as_json:
        _print_json({**manifest.as_dict(), "left_out": outside})
    else:
        _print(
            f"{manifest.rows:,} bars {symbol} {manifest.period} of {chosen.rows:,} bars "
            f"{chosen.period}, {manifest.first} to {manifest.last}"
        )
        if outside:
            _print(f"{outside:,} bars outside the sessions of {chosen.calendar} were left out")


def parse_mapping(text: str) -> dict[str, str]:
    """Fields and columns of `open=Open,close=Last`.

    Raises
    ------
    ConfigError
        A part is no pair, or a field is there twice.
    """
    found: dict[str, str] = {}
    for part in text.split(","):
        field, equals, column = part.partition("=")
        field = field.strip().lower()
        if not equals or not field or not column.strip():
            raise ConfigError(f"--map: {part!r} is no pair; write it like open=Open,close=Last")
        if field in found:
            raise ConfigError(f"--map names {field!r} twice")
        found[field] = column.strip()
    return found


def _source(found: Sequence[Manifest], wanted: int, period: str) -> Manifest:
    from intrabar.data.periods import parse_period

    # Made anew each time: from what was imported rather than from what was made.
    fits = [m for m in found if parse_period(m.period) < wanted]
    fits = [m for m in fits if wanted % parse_period(m.period) == 0]
    if fits and all(m.format == "continuous" for m in fits):
        raise DataError(
            f"{found[0].symbol} is a continuous future: a longer bar would join two contracts; "
            "resample the contracts, then join those"
        )
    if not fits:
        have = ", ".join(m.period for m in found)
        raise DataError(
            f"{found[0].symbol} has bars of {have}; {period} bars cannot be made of them"
        )
    return max(fits, key=lambda m: (m.format != "resampled", parse_period(m.period)))


def _print_import(done: Imported) -> None:
    from intrabar.data.instruments import describe

    m = done.manifest
    _print(
        f"{m.symbol} {m.period}: {m.rows:,} bars from {m.source}, {m.first} to {m.last}\n"
        f"read as {m.format}: stamps mark the {m.label} of a bar, zone {m.zone}, "
        f"calendar {m.calendar or 'none'}\n{describe(m.symbol)}"
    )
    _print_checks(m.checks)
    if done.rejected is not None:
        _print(f"{m.rejected:,} rows were set aside: {done.rejected}")


def _print_checks(checks: Sequence[dict[str, Any]]) -> None:
    told = [c for c in checks if c["severity"] != "ok"]
    if checks and not told:
        _print(f"All {len(checks)} checks passed.")
    if told:
        rows = [(c["severity"], c["rule"], c["text"], ", ".join(c["examples"])) for c in told]
        print_table(("", "rule", "verdict", "such as"), rows)


def _without_checks(manifest: Manifest) -> dict[str, Any]:
    values = manifest.as_dict()
    del values["checks"]
    return values


def print_table(
    header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
) -> None:
    """Print a table without lines; the columns named in `right` stand to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in header:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
