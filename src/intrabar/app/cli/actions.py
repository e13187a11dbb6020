"""`intrabar data actions` and `intrabar data continuous`: what changes a series without a trade."""

from __future__ import annotations

from pathlib import Path

from cyclopts import App

from intrabar.app.cli.output import Json, examples, print_json, print_table
from intrabar.errors import DataError

actions = App(
    name="actions",
    help="Splits and dividends of a share: import and show them.",
    help_epilogue=examples("intrabar data actions import IBM-actions.csv --symbol IBM"),
)


@actions.command(
    name="import",
    help_epilogue=examples("intrabar data actions import IBM-actions.csv --symbol IBM"),
)
def import_(file: Path, /, *, symbol: str, as_json: Json = False) -> None:
    """Take splits and dividends into the catalogue, in place of earlier ones.

    Parameters
    ----------
    file : Path
        CSV of date,split,dividend; Yahoo's with Dividends and Stock Splits; Quandl's with
        Ex-Dividend and Split Ratio; Alpha Vantage's; dividends alone; or a LEAN factor file.
    symbol : str
    as_json : bool
        Print JSON.
    """
    from intrabar.data.actions import keep_actions, read_actions
    from intrabar.data.catalogue import Catalogue

    found = read_actions(file, symbol)
    path = keep_actions(Catalogue(), found)
    splits = sum(row.split != 1.0 for row in found.rows)
    paid = sum(row.dividend > 0.0 for row in found.rows)
    if as_json:
        told = {"symbol": symbol, "splits": splits, "dividends": paid, "file": str(path)}
        rest = {"content_sha256": found.content_sha256, "remarks": list(found.remarks)}
        print_json({**told, **rest})
    else:
        print(f"{symbol}: {splits} splits and {paid} dividends from {found.source}")
        for remark in found.remarks:
            print(remark)


@actions.command(help_epilogue=examples("intrabar data actions show IBM"))
def show(symbol: str, /, *, as_json: Json = False) -> None:
    """Show the splits and dividends that the catalogue has of a symbol.

    Parameters
    ----------
    symbol : str
    as_json : bool
        Print JSON.
    """
    from intrabar.data.actions import iso, kept_actions
    from intrabar.data.catalogue import Catalogue

    found = kept_actions(Catalogue(), symbol)
    if found is None:
        raise DataError(
            f"the catalogue has no actions of {symbol}; "
            f"import some: intrabar data actions import FILE --symbol {symbol}"
        )
    rows = [(iso(r.date), r.split, r.dividend) for r in found.rows]
    if as_json:
        names = ("date", "split", "dividend")
        told = {"symbol": symbol, "source": found.source, "content_sha256": found.content_sha256}
        listed = [dict(zip(names, row, strict=True)) for row in rows]
        print_json({**told, "rows": listed})
        return
    print(f"{symbol}, from {found.source}")
    print_table(
        ("ex-date", "split", "dividend"),
        [(day, f"{s:g}" if s != 1.0 else "", f"{d:.6g}" if d else "") for day, s, d in rows],
        right=("split", "dividend"),
    )


def continuous(
    symbol: str,
    /,
    *,
    contracts: str,
    roll: str,
    period: str | None = None,
    as_json: Json = False,
) -> None:
    """Join contracts of the catalogue to a continuous future of raw prices, with its rolls.

    Parameters
    ----------
    symbol : str
        Of the series.
    contracts : str
        In order of expiry: ESZ13,ESH14,ESM14.
    roll : str
        volume; a number of sessions before a contract's last bar; or dates: 2013-12-13,2014-03-14.
    period : str, optional
        Of the contracts' bars, where there are several.
    as_json : bool
        Print JSON.
    """
    from intrabar.data.catalogue import Catalogue
    from intrabar.data.continuous import continuous as joined
    from intrabar.data.continuous import keep, rule_of

    given = roll if roll == "volume" else int(roll) if roll.isdigit() else roll.split(",")
    rule = rule_of(given, "--roll")
    catalogue = Catalogue()
    names = contracts.split(",")
    made = joined(symbol, [catalogue.read(name, period) for name in names], rule)
    manifest = keep(catalogue, made, catalogue.show(names[0], period)[0].calendar, roll)
    rolls = [(_utc(r.time), r.old, r.new, r.price) for r in made.rolls]
    if as_json:
        print_json({**manifest.as_dict(), "rolls": rolls})
        return
    print(
        f"{symbol} {manifest.period}: {manifest.rows:,} bars, {manifest.first} to {manifest.last}"
    )
    print_table(
        ("first bar closes", "old", "new", "old stands at"),
        [(time, old, new, f"{price:g}") for time, old, new, price in rolls],
        right=("old stands at",),
    )


def _utc(ns: int) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}"
