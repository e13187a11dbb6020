"""`intrabar runs`: what has been run, how two runs differ, and the same run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cyclopts import App

from intrabar.analysis.units import shown
from intrabar.app.output import Json
from intrabar.app.runs import StoredRun, compare, find_run, list_runs, rerun
from intrabar.engine.summary import ROWS

runs = App(name="runs", help="List, show, compare and repeat stored runs.")


@runs.command(name="list")
def list_(*, out: Path = Path("runs"), as_json: Json = False) -> int:
    """List the stored runs, oldest first.

    Parameters
    ----------
    out : path
        Folder of the run folders.
    as_json : bool
        One JSON object a line.
    """
    for run in list_runs(out):
        if as_json:
            print(json.dumps(brief(run)))
        else:
            values = run.manifest["metrics"]
            told = "  ".join(
                f"{shown(name, values.get(name)):>8} {label}"
                for name, label in (("total_return", "return"), ("max_drawdown", "drawdown"))
            )
            print(f"{run.id}  {told}  {run.manifest['title']}")
    return 0


@runs.command
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


@runs.command(name="compare")
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


@runs.command(name="rerun")
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
