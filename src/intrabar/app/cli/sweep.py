"""`intrabar sweep`: many variants of a configuration, and what came of them in ten lines."""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from intrabar.analysis.figure import Undefined
from intrabar.analysis.units import shown
from intrabar.app.calls.sweep import carried_out, planned
from intrabar.app.calls.sweep_page import sweep_report
from intrabar.app.cli.output import Json, print_table
from intrabar.app.cli.overrides import Overrides, overridden
from intrabar.app.folders.sweep_folder import as_json as best_as_json
from intrabar.app.progress import bar
from intrabar.errors import ConfigError, RunError
from intrabar.research.sweep.lean import FAILED
from intrabar.research.sweep.sweep import LOWER_IS_BETTER, Best, SweepResult
from intrabar.research.sweep.trial import Trial

SHOWN = 10  # trials in the table
FIGURES = ("total_return", "sharpe", "max_drawdown", "campaigns")


@dataclass(frozen=True)
class SweepOptions:
    """What may be said over the section `sweep` of a configuration.

    Parameters
    ----------
    vary : list of PLACE=VALUES
        Values as 5,10,20 or FROM:TO:STEP; may be repeated, and goes before those of the file.
    constraint : list of str
        Such as "fast < slow"; may be repeated.
    sample : str
        grid, random, latin, or optuna for a guided search.
    count : int
        Points, unless it is a grid.
    seed : int
        Of points that are drawn or proposed.
    metric : str
        What the best is by.
    workers : int
        Threads or processes; as many as there are processors.
    on : str
        threads, processes or ray; else threads or processes as the strategies need it.
    address : str
        HOST:PORT of a Ray cluster; without it one is started on this machine.
    """

    vary: Annotated[list[str] | None, Parameter(negative="")] = None
    constraint: Annotated[list[str] | None, Parameter(negative="")] = None
    sample: str | None = None
    count: int | None = None
    seed: int | None = None
    metric: str | None = None
    workers: int | None = None
    on: str | None = None
    address: str = ""


def sweep(
    config: Path | None = None,
    /,
    *,
    options: Annotated[SweepOptions, Parameter(name="*")] = SweepOptions(),
    overrides: Annotated[Overrides, Parameter(name="*")] = Overrides(),  # noqa: B008 - frozen
    as_json: Json = False,
) -> int:
    """Run every variant that a space of parameters holds; what was run before is not run again.

    Parameters
    ----------
    config : path
        A configuration file with a section `sweep`, which options override.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made, _ = overridden(config, overrides)
    given = made.model_dump(by_alias=True, exclude_unset=True)
    plan = planned(None, None, said(options, given.get("sweep") or {}), {"config": given})
    with nullcontext() if as_json else bar(sys.stderr, "trials") as watched:
        result = carried_out(
            plan,
            Path(made.out),
            workers=options.workers,
            on=options.on,
            address=options.address,
            progress=watched,
        )
    if not as_json:
        tell(result)
    page = str(sweep_report(result)) if made.report else None
    if as_json:
        print(json.dumps({**summary(result), "page": page}))
    elif page is not None:
        print(f"page: {page}")
    if result.failed == len(result):
        raise RunError(f"all {len(result)} trials failed; the first: {result.outcomes[0].error}")
    return 0


def said(options: SweepOptions, section: dict[str, Any]) -> dict[str, Any]:
    """The section `sweep` as options have it."""
    names = ("sample", "count", "seed", "metric")
    over = {name: value for name in names if (value := getattr(options, name)) is not None}
    if options.vary:
        varied = dict(values_of(text) for text in options.vary)
        over["parameters"] = {**section.get("parameters", {}), **varied}
    if options.constraint:
        over["constraints"] = [*section.get("constraints", []), *options.constraint]
    return over


def values_of(text: str) -> tuple[str, Any]:
    """A place and its values: `fast=5,10,20`, `slow=30:60:10`.

    Raises
    ------
    ConfigError
        It is neither.
    """
    import yaml

    place, equals, values = text.partition("=")
    if not equals or not place or not values:
        raise ConfigError(f"--vary {text!r}: must be PLACE=VALUES, such as fast=5,10,20")
    try:
        ends = [yaml.safe_load(x) for x in values.split(":")]
        if len(ends) == 3 and all(isinstance(x, int | float) for x in ends):
            return place, {"from": ends[0], "to": ends[1], "step": ends[2]}
        return place, [yaml.safe_load(value) for value in values.split(",")]
    except yaml.YAMLError:
        raise ConfigError(f"--vary {text!r}: {values!r} are no YAML values") from None


def summary(result: SweepResult) -> dict[str, Any]:
    """What a program wants to know."""
    best = result.best
    trial = None if best is None else Trial(best.number, best.parameters)
    return {
        "id": Path(result.folder).name,
        "folder": result.folder,
        "ledger": str(result.ledger),
        "trials": len(result),
        "failed": result.failed,
        "found": result.found,
        "metric": result.metric,
        "best": None if best is None else best_as_json(best),
        "tried": None if trial is None else result.tried_on(trial),
        "digest": result.digest,
        "remarks": result.remarks,
    }


def tell(result: SweepResult) -> None:
    """Print the best trials, the failed ones, and what to believe of the best."""
    ran = len(result) - result.found
    told = f"{len(result):,} trials: {ran:,} run, {result.found:,} known from before"
    print(told + (f", {result.failed:,} failed" if result.failed else "") + "\n")
    figures = list(dict.fromkeys([result.metric, *FIGURES]))
    top = ranked(result).head(SHOWN)
    rows = [
        [str(row["number"]), *(str(row[p]) for p in result.places)]
        + [shown(name, row[name]) for name in figures]
        for row in top.iter_rows(named=True)
    ]
    header = ["trial", *result.places, *(name.replace("_", " ") for name in figures)]
    print_table(header, rows, right=header)
    print()
    for line in lines_of(result):
        print(line)


def ranked(result: SweepResult) -> pl.DataFrame:
    """The trials that have the metric, best first."""
    falls = result.metric not in LOWER_IS_BETTER
    known = result.table.filter(pl.col(result.metric).is_not_null())
    return known.sort([result.metric, "number"], descending=[falls, False])


def lines_of(result: SweepResult) -> list[str]:
    """What there is to say below the table."""
    best = result.best
    lines = [f"no trial has a {result.metric}"] if best is None else verdict(best)
    failed = [o for o in result.outcomes if o.status == FAILED]
    if failed:
        at = ", ".join(f"{k} = {v}" for k, v in failed[0].trial.parameters.items())
        lines.append(f"failed: {len(failed):,}, the first at {at}: {failed[0].error}")
    lines += [f"note: {remark}" for remark in result.remarks]
    return [*lines, f"sweep: {result.folder}"]


def verdict(best: Best) -> list[str]:
    """The best trial's Sharpe ratio with the deflated one beside it."""
    at = ", ".join(f"{place} = {value}" for place, value in best.parameters.items())
    ratio = shown("sharpe", best.metrics["sharpe"])
    if isinstance(best.deflated, Undefined):
        return [f"best: {at}; Sharpe {ratio}, how likely above 0: unknown ({best.deflated.reason})"]
    d = best.deflated
    return [
        f"best: {at}; Sharpe {ratio}, {d.probability:.0%} likely above 0",
        f"  {d.tried:,} variants were tried on these bars, as many chances as {d.effective:,.1f} "
        f"independent ones; {d.probability:.1%} is the probability that the true Sharpe ratio of "
        "the best is above 0",
    ]
