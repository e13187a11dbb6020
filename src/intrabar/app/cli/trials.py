"""`intrabar trials`: everything that was ever tried, and how often on which bars."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Any

from intrabar.analysis.units import shown
from intrabar.app.cli.output import Json, print_table
from intrabar.errors import RunError
from intrabar.research.sweep.ledger import LEDGER, Ledger

FIGURES = {"total_return": "return", "sharpe": "Sharpe", "max_drawdown": "drawdown"}
LONGEST = 60  # characters of an error


def trials(
    *,
    data: str | None = None,
    out: Path = Path("runs"),
    each: bool = False,
    limit: int | None = None,
    as_json: Json = False,
) -> int:
    """List how many variants were tried on which bars; with --each, every trial, oldest first.

    Parameters
    ----------
    data : str
        Only those on bars of this symbol.
    out : path
        Folder of the runs, which has the ledger.
    each : bool
        Every trial with its figures.
    limit : int
        At most so many of them.
    as_json : bool
        One JSON object per trial and line.
    """
    if not (out / LEDGER).exists():
        raise RunError(
            f"there is no ledger in {out.absolute()}; the first sweep makes one (intrabar sweep), "
            "or name the folder that has it: --out"
        )
    with Ledger(out / LEDGER) as ledger:
        if as_json:
            for trial in islice(ledger.trials(data), limit):
                print(json.dumps(trial))
        elif each:
            tell_each(list(islice(ledger.trials(data), limit)))
        else:
            tell_tried(ledger, data)
    return 0


def tell_tried(ledger: Ledger, symbol: str | None) -> None:
    """Print a line for all bars that anything was tried on."""
    header = ["tried", "failed", "data", "bars", "from", "to", "strategies"]
    rows = [
        [
            f"{x.trials - x.failed:,}",
            f"{x.failed:,}",
            ", ".join(x.data.symbols),
            f"{x.data.bars:,}",
            x.data.first[:10],
            x.data.last[:10],
            ", ".join(x.strategies),
        ]
        for x in ledger.tried(symbol)
    ]
    print_table(header, rows, right=header[:2] + header[3:4])


def tell_each(found: list[dict[str, Any]]) -> None:
    """Print a line for each trial."""
    header = ["made", "data", "strategy", "parameters", *FIGURES.values(), "status"]
    rows = [
        [
            trial["made"][:16].replace("T", " "),
            ", ".join(trial["symbols"]),
            trial["strategy"],
            ", ".join(f"{k}={v}" for k, v in trial["parameters"].items()),
            *(shown(name, trial["metrics"].get(name)) for name in FIGURES),
            trial["error"][:LONGEST] or trial["status"],
        ]
        for trial in found
    ]
    print_table(header, rows, right=list(FIGURES.values()))
