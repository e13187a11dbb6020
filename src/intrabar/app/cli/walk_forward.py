"""`intrabar walk-forward`: the windows, what was chosen on each, and what became of it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from intrabar.analysis.units import shown
from intrabar.app.calls.sweep import planned
from intrabar.app.calls.walk_forward import walked
from intrabar.app.cli.output import Json, print_table
from intrabar.app.cli.overrides import Overrides, overridden
from intrabar.app.cli.sweep import SweepOptions, said
from intrabar.app.progress import bar
from intrabar.errors import RunError
from intrabar.research.walk_forward.result import KEPT_GOOD, WalkForward

MANIFEST = "walk_forward.json"


@dataclass(frozen=True)
class WindowOptions:
    """What may be said over the section `walk_forward` of a configuration.

    Parameters
    ----------
    train : str
        Bars, or a stretch of the calendar such as 2y, 6m, 4w, 10d.
    test : str
        The same for the window that proves.
    step : str
        From one window to the next; the length of the test where it is not given.
    anchored : bool
        Every train starts at the first bar.
    purge : int
        Bars that a position may last: what is decided so close to a test is not trained on.
    embargo : int
        Bars right before a test that are never trained on.
    """

    train: str | None = None
    test: str | None = None
    step: str | None = None
    anchored: bool | None = None
    purge: int | None = None
    embargo: int | None = None

    def said(self) -> dict[str, Any]:
        """What was given; numbers are bars."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return {
            name: int(value) if isinstance(value, str) and value.isdecimal() else value
            for name, value in given.items()
        }


def walk_forward(
    config: Path | None = None,
    /,
    *,
    windows: Annotated[WindowOptions, Parameter(name="*")] = WindowOptions(),
    options: Annotated[SweepOptions, Parameter(name="*")] = SweepOptions(),  # noqa: B008 - frozen
    overrides: Annotated[Overrides, Parameter(name="*")] = Overrides(),  # noqa: B008 - frozen
    as_json: Json = False,
) -> int:
    """Choose the best variant on each train window, and trade it on the test that follows.

    Parameters
    ----------
    config : path
        A configuration file with the sections `sweep` and `walk_forward`, which options override.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made, _ = overridden(config, overrides)
    given = made.model_dump(by_alias=True, exclude_unset=True)
    plan = planned(None, None, said(options, given.get("sweep") or {}), {"config": given})
    with nullcontext() if as_json else bar(sys.stderr, "windows") as watched:
        found = walked(plan, windows.said(), workers=options.workers, progress=watched)
    settings = made.model_dump(mode="json", by_alias=True, exclude_none=True)
    folder = _store(found, settings, Path(made.out))
    if as_json:
        print(json.dumps({"id": folder.name, "folder": str(folder), **found.as_json()}))
        return 0
    _tell(found)
    print(f"walk-forward: {folder}")
    return 0


def _tell(found: WalkForward) -> None:
    places = list(found.steps[0].chosen)
    header = ["test from", "to", *places, "a year in", "a year out"]
    rows = [
        [row["test_first"][:10], row["test_last"][:10], *(str(row[p]) for p in places)]
        + [shown("annual_return", row[f"annual_return_{end}"]) for end in ("in", "out")]
        for row in found.table.iter_rows(named=True)
    ]
    print_table(header, rows, right=header[2:])
    figures = found.figures
    print()
    print(
        f"{len(found.steps)} tests, one after the other: return "
        f"{shown('total_return', figures['total_return'])}, a year "
        f"{shown('annual_return', figures['annual_return'])}, Sharpe "
        f"{shown('sharpe', figures['sharpe'])}, drawdown "
        f"{shown('max_drawdown', figures['max_drawdown'])}"
    )
    kept = figures["efficiency"]
    if kept is None:
        print("efficiency: none (what was chosen made nothing where it was chosen)")
    else:
        word = "half or more" if kept >= KEPT_GOOD else "less than half"
        print(f"efficiency: {kept:.0%} of the return a year where it was chosen: {word}")
    drift = ", ".join(f"{place} in {share:.0%}" for place, share in found.drift.items())
    print(f"drift: another value than in the window before: {drift} of the windows")
    print(
        "each window begins flat with the whole cash and is closed at its last bar; the variants "
        "of the trains are not in the ledger"
    )


def _store(found: WalkForward, settings: dict[str, Any], home: Path) -> Path:
    """The windows, the stitched returns and the figures in a folder: whole or not at all."""
    now = datetime.now(UTC)
    told = {"created": f"{now:%Y-%m-%dT%H:%M:%SZ}", "config": settings, **found.as_json()}
    short = sha256(json.dumps(told).encode()).hexdigest()[:6]
    name = f"{now:%Y%m%d-%H%M%S-%f}"[:-3] + f"-{short}"
    part = home / f".{name}.part"
    days = pl.Series(found.days).cast(pl.Datetime("ns", "UTC"))
    stitched = pl.DataFrame({"day": days, "return": found.returns, "equity": found.equity})
    try:
        part.mkdir(parents=True)
        for table, rows in {"windows": found.table, "equity": stitched}.items():
            with open(part / f"{table}.parquet", "wb") as file:
                rows.write_parquet(file)
            with open(part / f"{table}.csv", "wb") as file:
                rows.write_csv(file)
        (part / MANIFEST).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        os.rename(part, home / name)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"the walk-forward was not stored in {home}: {error}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return home / name
