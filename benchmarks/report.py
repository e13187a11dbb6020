"""From measurements to tables, for the terminal and for docs/benchmarks.md."""

from __future__ import annotations

import os
import platform
import re
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

NAN = float("nan")
HEAD = ("engine", "CPU ms", "wall ms", "x floor", "x intrabar", "fills", "trades")


def facts() -> dict[str, Any]:
    """The machine and the day of a measurement."""
    model = platform.machine()
    cpus = Path("/proc/cpuinfo")
    if cpus.exists():
        found = re.search(r"model name\s*: (.+)", cpus.read_text())
        model = found.group(1) if found else model
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "date": date.today().isoformat(),
    }


def seconds(rows: list[dict[str, Any]], engine: str) -> float:
    """Median CPU seconds of an engine; NaN where it was not measured."""
    return next((median(r["cpu"]) for r in rows if r["engine"] == engine and r.get("cpu")), NAN)


def table(rows: list[dict[str, Any]]) -> list[str]:
    """Lines of a Markdown table, the fastest first after the floor."""
    floor, ours = seconds(rows, "floor"), seconds(rows, "intrabar")
    lines = [f"| {' | '.join(HEAD)} |", "| --- " + "| ---: " * 5 + "| --- |"]
    for row in sorted(rows, key=lambda r: median(r["cpu"]) if r.get("cpu") else float("inf")):
        name = f"{row['engine']} {row['version']}".strip()
        if not row.get("cpu"):
            lines.append(f"| {name} | | | | | | {row.get('error', 'not measured')} |")
            continue
        cpu, wall = median(row["cpu"]), median(row["wall"])
        note = f"; {row['note']}" if row["note"] else ""
        lines.append(
            f"| {name} | {1e3 * cpu:,.1f} | {1e3 * wall:,.1f} | {cpu / floor:,.1f} | "
            f"{cpu / ours:,.2f} | {row['fills']:,} | {row['trades']}{note} |"
        )
    return lines


def page(results: dict[str, Any], file: Path) -> None:
    """Write the tables between the markers of a page."""
    machine = results["machine"]
    lines = [
        f"Measured on {machine['date']}: {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['system']}, Python {machine['python']}, load {machine['load']} at the end.",
    ]
    for workload, rows in results["workloads"].items():
        lines += ["", f"### {workload}, size {rows[0]['size']:,}", "", *table(rows)]
    lines += ["", *(f"- {name}: {why}" for name, why in results["absent"].items())]
    replace_between(file, "results", "\n".join(lines).rstrip())


def replace_between(file: Path, marker: str, text: str) -> None:
    """Put a text between `<!-- marker -->` and `<!-- end of marker -->`."""
    first, last = f"<!-- {marker} -->", f"<!-- end of {marker} -->"
    before, _, rest = file.read_text().partition(first)
    _, _, after = rest.partition(last)
    file.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}")
