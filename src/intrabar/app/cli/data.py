"""`intrabar data`: import or fetch bars, and look at, verify and resample what is there.

Errors are raised as `IntrabarError`; the main command line turns them into messages. What needs
Polars is imported inside the commands, so that `--help` stays quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from intrabar.app.cli.output import Json, examples, print_json, print_table
from intrabar.app.cli.reading_options import ReadingOptions
from intrabar.errors import DataError

if TYPE_CHECKING:
    from intrabar.data.catalogue import Imported
    from intrabar.data.manifest import Manifest

app = App(
    name="data",
    help="Import or fetch bars into the catalogue; list, show, verify, resample them.",
    help_epilogue=examples("intrabar data import acme.csv --calendar NYSE", "intrabar data list"),
)
app.command(
    "intrabar.app.cli.path_truth:path_truth",
    name="path-truth",
    help="Measure how often the path rules are right, by making longer bars of detail bars.",
    help_epilogue=examples(
        "intrabar data path-truth ES",
        "intrabar data path-truth ES-1m.csv --symbol ES --out truth.json",
    ),
)
app.command(
    "intrabar.app.cli.actions:actions",
    name="actions",
    help="Splits and dividends of a share: import and show them.",
)
app.command(
    "intrabar.app.cli.actions:continuous",
    name="continuous",
    help="Join contracts of the catalogue to a continuous future, with its rolls.",
    help_epilogue=examples("intrabar data continuous ES --contracts ESH24,ESM24 --roll volume"),
)
app.command(
    "intrabar.app.cli.fetch:fetch",
    name="fetch",
    help="Ask a vendor for bars and put them into the catalogue.",
    help_epilogue=examples(
        "intrabar data fetch AAPL --source yfinance --period 1d --start 2015-01-01",
        "intrabar data fetch IBM --source alpha_vantage --period 5m --start 2026-11-02",
    ),
)
app.command(
    "intrabar.app.cli.fetch:refresh",
    name="refresh",
    help="Ask again for the bars that were fetched, and say which of them changed.",
    help_epilogue=examples("intrabar data refresh AAPL", "intrabar data refresh --all"),
)
app.command(
    "intrabar.app.cli.fetch:quote",
    name="quote",
    help="Ask a vendor what a symbol is worth, with the age of the answer.",
    help_epilogue=examples("intrabar data quote AAPL --source yfinance --json"),
)


@app.command(
    name="import",
    help_epilogue=examples(
        "intrabar data import acme.csv --calendar NYSE",
        "intrabar data import ES.csv --zone America/New_York --label start",
    ),
)
def import_(
    file: Path,
    /,
    *,
    symbol: str | None = None,
    calendar: str | None = None,
    adjustment: str = "raw",
    sort: bool = False,
    reading: ReadingOptions | None = None,
    as_json: Json = False,
) -> None:
    """Import a file of bars: text, Parquet, JSON, feather or Excel, packed or not.

    What the file does not tell is asked, by an error that names the option.

    Parameters
    ----------
    file : Path
    symbol : str, optional
        Else told by the file's name.
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
    catalogue = Catalogue()
    done = catalogue.import_file(
        file, symbol, how, calendar=exchange, adjustment=adjustment, sort=sort
    )
    if as_json:
        print_json({**done.manifest.as_dict(), "rejected_path": _text(done.rejected)})
        return
    _print_import(done)
    print(f"in the catalogue {catalogue.root.absolute()}")


@app.command(name="list", help_epilogue=examples("intrabar data list"))
def list_(*, as_json: Json = False) -> None:
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
        print_json([_without_checks(m) for m in found])
    elif not found:
        print(
            f"The catalogue {catalogue.root.absolute()} is empty; fill it with: intrabar data "
            "import FILE (INTRABAR_CATALOGUE names another folder)"
        )
    else:
        print_table(
            ("symbol", "period", "bars", "first", "last", "calendar", "set aside"),
            [
                (
                    m.symbol,
                    m.period,
                    f"{m.rows:,}",
                    m.first[:10],
                    m.last[:10],
                    m.calendar or "none",
                    f"{m.rejected:,}" if m.rejected else "",
                )
                for m in found
            ],
            right=("bars", "set aside"),
        )
        print(f"in {catalogue.root.absolute()}")


@app.command(help_epilogue=examples("intrabar data show ES", "intrabar data show IBM --adjusted"))
def show(
    symbol: str,
    /,
    *,
    adjusted: Annotated[bool, Parameter(negative="")] = False,
    period: str | None = None,
    as_json: Json = False,
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
        from intrabar.app.cli.adjusted_table import print_adjusted

        print_adjusted(symbol, period, as_json)
        return
    found = Catalogue().show(symbol, period)
    if as_json:
        print_json([m.as_dict() for m in found])
        return
    print(describe(symbol))
    for m in found:
        facts = {k: v for k, v in m.as_dict().items() if k != "checks" and v != ""}
        print_table((f"{m.symbol} {m.period}", ""), [(k, str(v)) for k, v in facts.items()])
        print_checks(m.checks)


@app.command(help_epilogue=examples("intrabar data verify", "intrabar data verify ES"))
def verify(symbol: str | None = None, /, *, as_json: Json = False) -> None:
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
        print_json([{"symbol": m.symbol, "period": m.period, "fault": f} for m, f in found])
    else:
        rows = [(m.symbol, m.period, f"{m.rows:,}", fault or "sound") for m, fault in found]
        print_table(("symbol", "period", "bars", "verdict"), rows, right=("bars",))
    broken = [f"{m.symbol} {m.period}" for m, fault in found if fault]
    if broken:
        raise DataError(f"damaged in the catalogue: {', '.join(broken)}; import them again")


@app.command(
    help_epilogue=examples(
        "intrabar data resample ES 15m", "intrabar data resample ES 1d --from 1m"
    )
)
def resample(
    symbol: str,
    period: str,
    /,
    *,
    source: Annotated[str | None, Parameter(name="--from")] = None,
    as_json: Json = False,
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
        print_json({**manifest.as_dict(), "left_out": outside})
    else:
        print(
            f"{manifest.rows:,} bars {symbol} {manifest.period} of {chosen.rows:,} bars "
            f"{chosen.period}, {manifest.first} to {manifest.last}"
        )
        if outside:
            print(f"{outside:,} bars outside the sessions of {chosen.calendar} were left out")


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
    print(
        f"{m.symbol} {m.period}: {m.rows:,} bars from {m.source}, {m.first} to {m.last}\n"
        f"read as {m.format}: stamps mark the {m.label} of a bar, zone {m.zone}, "
        f"calendar {m.calendar or 'none'}\n{describe(m.symbol)}"
    )
    print_checks(m.checks)
    if done.rejected is not None:
        print(f"{m.rejected:,} rows were set aside: {done.rejected}")


def print_checks(checks: Sequence[dict[str, Any]]) -> None:
    """Print the verdicts that are not sound, or that all are."""
    told = [c for c in checks if c["severity"] != "ok"]
    if checks and not told:
        print(f"All {len(checks)} checks passed.")
    if told:
        rows = [(c["severity"], c["rule"], c["text"], ", ".join(c["examples"])) for c in told]
        print_table(("", "rule", "verdict", "such as"), rows)


def _without_checks(manifest: Manifest) -> dict[str, Any]:
    values = manifest.as_dict()
    del values["checks"]
    return values


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
