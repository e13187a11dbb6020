"""`intrabar parity`: did a session do what the market model does, and what did it cost."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from intrabar.app.calls.parity import parity as compare
from intrabar.app.cli.journal_options import DEFAULT, JournalOptions
from intrabar.app.cli.output import Json, print_json, print_table
from intrabar.engine.parity.parity import Parity
from intrabar.engine.parity.told import MEANING
from intrabar.errors import UsageError

WIDTH = 96
APART = 1
"""Exit code where the journal is not repeated, or the parts are not the whole difference."""


def parity(
    session: str,
    /,
    *,
    out: Path | None = None,
    vendor: Annotated[bool, Parameter(negative="")] = False,
    where: JournalOptions = DEFAULT,
    as_json: Json = False,
) -> int:
    """Hold a session against the market model: identical, or where and how much they differ.

    Parameters
    ----------
    session : str
        Its name.
    out : path
        The page, or the JSON where it ends with .json; parity.html in the session's folder where
        it is not given.
    vendor : bool
        Compare with the vendor's history as it is now.
    where : JournalOptions
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    if vendor:
        raise UsageError(
            "--vendor: no source of this version keeps the history that a session needs; fetch the "
            "bars (intrabar data fetch) and give them as stored bars in Python, or leave it out"
        )
    made = compare(
        session, sessions=where.sessions, store=where.store, password=where.store_password
    )
    target = made.save(out)
    if as_json:
        print_json({**made.as_json(), "page": str(target)})
    else:
        tell(made.found)
        print(f"\npage: {target}")
    return 0 if made.found.difference is None and made.found.holds else APART


def tell(found: Parity) -> None:
    """The headline, the table in money and basis points, and what else a person should know."""
    print("\n".join(textwrap.wrap(found.headline, WIDTH)))
    count = len(found.traded.equity)
    print(f"{found.records:,} records, {count:,} rows, {len(found.traded.fills):,} fills\n")
    scale = 1e4 / found.capital
    rows = [
        [name, f"{money:,.2f}", f"{money * scale:,.2f}", MEANING[name]]
        for name, money in found.parts.items()
    ]
    print_table(["part", "money", "bp", "what it is"], rows, right=("money", "bp"))
    for reason, money in found.rejects.items():
        print(f"reject: {reason.replace('_', ' ')} {money:,.2f}")
    for one in found.rows[:5]:
        print(f"data: {one.symbol} {one.what} was {one.session}, is {one.stored}")
    if len(found.rows) > 5:
        print(f"data: {len(found.rows) - 5:,} more; --json has all")
    for paid in found.slippage:
        if paid.proposal is not None:
            ticks = f"slippage_ticks {paid.now:g}; {paid.proposal:g} would have been paid"
            print(f"{paid.symbol}: {ticks}")
    for note in found.notes:
        print(f"note: {note}")
