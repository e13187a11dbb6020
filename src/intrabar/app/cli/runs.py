"""`intrabar runs`: what has been run, how two runs differ, and the same run again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cyclopts import App

from intrabar.analysis.units import shown
from intrabar.app.cli.output import Json, examples, print_table
from intrabar.app.folders.runs import StoredRun, compare, find_run, list_runs, rerun
from intrabar.engine.outcome.summary import IDLE, ROWS, is_idle, titled

HEADER = ("run", "return", "Sharpe", "from", "to", "what")

runs = App(
    name="runs",
    help="List, show, compare and repeat stored runs.",
    help_epilogue=examples("intrabar runs list", "intrabar runs show last"),
)


@runs.command(
    name="list", help_epilogue=examples("intrabar runs list", "intrabar runs list --json")
)
def list_(*, out: Path = Path("runs"), as_json: Json = False) -> int:
    """List the stored runs, oldest first.

    Parameters
    ----------
    out : path
        Folder of the run folders.
    as_json : bool
        One JSON object a line.
    """
    if as_json:
        for run in list_runs(out):
            print(json.dumps(brief(run)))
        return 0
    rows: list[list[str]] = []
    try:
        rows.extend(map(_row, list_runs(out)))
    finally:  # those that are sound are told also where some are damaged
        if rows:
            print_table(HEADER, rows, right=("return", "Sharpe"), whole=HEADER[:-1])
            print(f"in {out.absolute()}")
    if not rows:
        print(f"There is no run in {out.absolute()}; make one: intrabar demo")
    return 0


def _row(run: StoredRun) -> list[str]:
    """A line of the list: what tells the run apart."""
    m = run.manifest
    figures = [shown(name, m["metrics"].get(name)) for name in ("total_return", "sharpe")]
    first, last = span(m)
    what = titled(m["strategies"], list(m["instruments"]))
    named = "" if m["title"] == what else f"{m['title']}: "
    ended = "" if m["status"] == "finished" else f" ({m['status']})"
    return [run.id, *figures, first, last, f"{named}{what}{ended}"]


def span(manifest: Mapping[str, Any]) -> tuple[str, str]:
    """The first and the last day of the bars of a run."""
    traded = [x for x in manifest["data"] if x["symbol"] in manifest["instruments"]]
    every = traded or manifest["data"]
    return min(x["first"] for x in every)[:10], max(x["last"] for x in every)[:10]


@runs.command(help_epilogue=examples("intrabar runs show last", "intrabar runs show 5b488a"))
def show(run: str = "last", /, *, out: Path = Path("runs"), as_json: Json = False) -> int:
    """Show what a run was made of and what came of it.

    Parameters
    ----------
    run : str
        Its id, the beginning or the end of it, its folder, or last.
    out : path
        Folder of the run folders.
    as_json : bool
        The whole manifest.
    """
    found = find_run(out, run)
    if as_json:
        print(json.dumps(found.manifest))
        return 0
    m = found.manifest
    print(f"{found.id}  {m['title']}  ({m['status']})\n")
    if is_idle(m["metrics"]):
        print(f"  {IDLE}")
    else:
        for name, label in ROWS.items():
            print(f"  {label:<12}{shown(name, m['metrics'].get(name)):>14}")
    print("\ndata")
    for origin in m["data"]:
        print(
            f"  {origin['symbol']:<8}{origin['bars']:>9,} bars  {origin['first'][:10]} to "
            f"{origin['last'][:10]}  {origin['source']}"
        )
    print("strategies")
    for name, made in m["strategies"].items():
        print(f"  {name}: {made['parameters']}")
    for remark in m["remarks"]:
        print(f"note: {remark}")
    if m.get("lost"):
        print(f"note: {m['lost']}")
    print(f"versions  {', '.join(f'{k} {v}' for k, v in m['versions'].items())}")
    print(f"folder    {found.folder}")
    return 0


@runs.command(name="compare", help_epilogue=examples("intrabar runs compare 5b488a last"))
def compare_(a: str, b: str = "last", /, *, out: Path = Path("runs"), as_json: Json = False) -> int:
    """Show how two runs differ: what they were made of, and their figures.

    Parameters
    ----------
    a, b : str
        Ids, beginnings or ends of them, folders, or last.
    out : path
        Folder of the run folders.
    as_json : bool
        One JSON object.
    """
    first, second = find_run(out, a), find_run(out, b)
    found = compare(first, second)
    if as_json:
        print(json.dumps({"a": first.id, "b": second.id, **found}))
        return 0
    if not any(found.values()):
        print(f"{first.id} and {second.id} do not differ")
        return 0
    width = max(len(place) for rows in found.values() for place, _, _ in rows)
    for part, rows in found.items():
        print(f"{part}:" if rows else f"{part}: equal")
        for place, x, y in rows:
            print(f"  {place:<{width}}  {_short(place, x):>18}  {_short(place, y):>18}")
    return 0


@runs.command(name="rerun", help_epilogue=examples("intrabar runs rerun last"))
def rerun_(run: str = "last", /, *, out: Path = Path("runs"), as_json: Json = False) -> int:
    """Repeat a run from its manifest; the exit code is 1 if anything differs.

    Parameters
    ----------
    run : str
        Its id, the beginning or the end of it, its folder, or last.
    out : path
        Folder of the run folders.
    as_json : bool
        One JSON object.
    """
    stored = find_run(out, run)
    digest, told = rerun(stored)
    if as_json:
        print(json.dumps({"id": stored.id, "digest": digest, "differences": told}))
    elif told:
        print(f"{stored.id} differs:")
        for line in told:
            print(f"  {line}")
    else:
        print(f"{stored.id}: identical ({digest[:16]})")
    return 1 if told else 0


def brief(run: StoredRun) -> dict[str, Any]:
    """A line of the list, for programs."""
    kept = ("id", "created", "title", "status", "digest", "metrics")
    return {key: run.manifest.get(key) for key in kept} | {"folder": str(run.folder)}


def _short(place: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return shown(place, value) if "." not in place else f"{value:g}"
    text = str(value)
    return text if len(text) <= 40 else f"{text[:12]}...{text[-12:]}"
