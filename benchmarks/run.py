"""Measure the engines against each other: the trades are compared before the times.

Each engine lives in a process of its own environment. A round asks every one of them in turn to
run once, so that a machine that slows down slows all of them. The measure is CPU seconds of the
process; the median over the rounds counts. Results of all workloads go to results.json and into
docs/benchmarks.md, unless trades differ where nothing explains it.

Usage: run.py [--all] [--rounds N] [WORKLOAD ...]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

from engines import FLOOR, HERE, OURS, PEERS, SIZES, Engine
from report import facts, page, table
from workloads import CASH, PANEL_CASH

LONG = 20.0  # CPU seconds: a run that takes longer, when all is compiled, is measured once


@dataclass
class Contender:
    """An engine's process, and what it has answered for one workload."""

    engine: Engine
    process: subprocess.Popen[str]
    version: str = ""
    seconds: list[dict[str, float]] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)

    def ask(self, **question: Any) -> dict[str, Any]:
        """One line there, one line back."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(question) + "\n")
            self.process.stdin.flush()
            answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            return {"error": "its process has ended"}
        return answer


def started(engine: Engine) -> Contender | str:
    """A contender that has said its version, or why there is none."""
    try:
        process = engine.start()
    except subprocess.CalledProcessError as error:
        return "does not install here: " + str(error.stderr).strip()[-200:]
    assert process.stdout is not None
    hello = process.stdout.readline()
    if not hello:
        return "does not start here"
    return Contender(engine, process, json.loads(hello)["version"])


def agreement(got: dict[str, Any], wanted: dict[str, Any], scale: float) -> str:
    """How far the trades are those of the floor: same, or what sets them apart."""
    if got["fills"] != wanted["fills"]:
        return f"{got['fills'] - wanted['fills']:+,} fills"
    apart = got["equity"] - wanted["equity"]
    if abs(apart) <= 1e-5 * scale:
        return "same"
    return f"same fills, equity {apart / scale:+.2%} of the cash"


def measure(
    workload: str, contenders: list[Contender], rounds: int
) -> tuple[list[dict[str, Any]], bool]:
    """All rounds of one workload; the rows of its table, and whether all trades are explained."""
    size, plain = SIZES[workload], workload.removesuffix(" Python")
    floor = next(c for c in contenders if c.engine is FLOOR)
    rules = sorted({c.engine.floor_rules.get(workload, "") for c in contenders})
    truths = {r: floor.ask(prepare=plain, size=size, rules=r) for r in rules[::-1]}  # "" last
    scale = PANEL_CASH if plain == "W4" else CASH * (size if plain == "W3" else 1)
    rows, right, taking_part = [], True, []
    for c in contenders:
        name = plain if c is floor else workload
        c.outcome, c.seconds = c.ask(prepare=name, size=size, rules=""), []
        row = {"engine": c.engine.name, "version": c.version, "size": size}
        row["note"] = c.engine.workloads[workload]
        rows.append(row)
        if "error" in c.outcome:
            row["error"] = c.outcome["error"]
            right = right and c.engine not in (FLOOR, OURS)
            continue
        row |= {"fills": c.outcome["fills"], "equity": c.outcome["equity"]}
        row["trades"] = agreement(c.outcome, truths[c.engine.floor_rules.get(workload, "")], scale)
        right = right and (row["trades"] == "same" or bool(row["note"]))
        taking_part.append((c, name, row))
    for k in range(rounds):
        for c, name, _ in taking_part:
            # What the first call took may be its compiling: one more tells.
            if not c.seconds or c.seconds[-1].get("cpu", LONG) < LONG:
                c.seconds.append(c.ask(run=name))
        print(f"\r{workload}: round {k + 1} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for c, _, row in taking_part:
        taken = c.seconds or [c.outcome]
        row["cpu"] = [s["cpu"] for s in taken if "cpu" in s]
        row["wall"] = [s["wall"] for s in taken if "wall" in s]
    return rows, right


def main() -> int:
    parser = argparse.ArgumentParser(description="Intrabar against its peers")
    parser.add_argument("workloads", nargs="*", help=f"some of {', '.join(SIZES)}")
    parser.add_argument("--all", action="store_true", help="every peer, not the quick ones alone")
    parser.add_argument("--rounds", type=int, default=7)
    given = parser.parse_args()
    workloads = given.workloads or list(SIZES)
    engines = [FLOOR, OURS, *(p for p in PEERS if given.all or p.quick)]
    engines = [e for e in engines if any(x in e.workloads for x in workloads)]
    present, absent = [], {}
    for engine in engines:
        contender = started(engine)
        if isinstance(contender, Contender):
            present.append(contender)
        else:
            absent[engine.name] = contender
    results: dict[str, Any] = {"machine": facts(), "absent": absent, "workloads": {}}
    right = True
    for workload in workloads:
        rows, explained = measure(
            workload, [c for c in present if workload in c.engine.workloads], given.rounds
        )
        right = right and explained
        results["workloads"][workload] = rows
        print(f"\n{workload}\n" + "\n".join(table(rows)), flush=True)
    for name, reason in absent.items():
        print(f"{name}: {reason}")
    if not right:
        print("trades differ where they should not: the times prove nothing", file=sys.stderr)
        return 1
    if workloads == list(SIZES):
        (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")
        page(results, HERE.parent / "docs" / "benchmarks.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
