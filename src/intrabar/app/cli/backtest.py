"""`intrabar backtest` and `intrabar demo`: run, store, and say in ten lines what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from intrabar.app.cli.overrides import Overrides, overridden
from intrabar.app.compose.chunk_size import chunk_for
from intrabar.app.compose.demo import demo_config
from intrabar.app.compose.recipe import Composed, Recipe
from intrabar.app.config.model import Config
from intrabar.app.folders.chunked_folder import store_chunks
from intrabar.app.folders.run_folder import make_home, store
from intrabar.app.progress import bar
from intrabar.engine.chunks.run import ChunkedResult
from intrabar.engine.outcome.bandits import Bandits, arms_table
from intrabar.engine.outcome.expected import Expected, expected, trust_of
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run


def backtest(
    config: Path | None = None,
    /,
    *,
    overrides: Annotated[Overrides, Parameter(name="*")] = Overrides(),  # noqa: B008 - frozen
    bandit: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a backtest and store it with its report.

    Parameters
    ----------
    config : path
        A configuration file, which options override; without one, give --data and --strategy.
    bandit : bool
        Print what each bandit knows at the end, arm by arm.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made, remarks = overridden(config, overrides)
    chunk = chunk_for(made)
    if chunk is not None:
        made = made.model_copy(update={"chunk": chunk})
        return _in_chunks(made, chunk, remarks, as_json, bandit)
    composed = Recipe.of_config(made, remarks).whole()
    folder, result, outlook = carry_out(composed, made, quiet=as_json)
    if as_json:
        told = summary(folder, result, outlook)
        print(json.dumps({**told, **(_arms(result.bandits, result.decisions) if bandit else {})}))
    else:
        tell(folder, result, made, composed.remarks, outlook)
        if bandit:
            print_bandits(result.bandits, result.decisions)
    return 0


def _arms(states: Bandits, decisions: pl.DataFrame) -> dict[str, Any]:
    return {"bandits": arms_table(states, decisions).to_dicts()}


def print_bandits(states: Bandits, decisions: pl.DataFrame) -> None:
    """Each arm of each bandit, as a table for a person."""
    from intrabar.app.cli.output import print_table

    if not states:
        print("there is no bandit: LinUCB and Hybrid are exits that have one")
        return
    rows = []
    for row in arms_table(states, decisions).rows(named=True):
        mean = row["mean_reward"]
        rows.append(
            (
                *(row["strategy"], row["symbol"], f"{row['arm']:g}", f"{row['chosen']:,}"),
                *(f"{row['estimate']:.4f}", f"{row['width']:.4f}"),
                *("-" if mean is None else f"{mean:.4f}", f"{row['n0']:g}", f"{row['theta']:.4f}"),
            )
        )
    header = (
        *("strategy", "symbol", "arm", "chosen", "estimate", "width", "mean reward", "n0"),
        "|theta|",
    )
    print_table(header, rows, right=header[2:])


def _in_chunks(config: Config, chunk: int, remarks: list[str], as_json: bool, bandit: bool) -> int:
    """Run in chunks, and say what came of it."""
    from intrabar.app.cli.summary_table import lines_in_chunks

    composed = Recipe.of_config(config, remarks).chunked(chunk)
    with nullcontext() if as_json else bar(sys.stderr) as watched:
        folder, result = store_chunks(composed, config, watched)
    decisions = result.table("decisions").collect() if bandit and result.bandits else pl.DataFrame()
    if as_json:
        told = summary_in_chunks(folder, result)
        print(json.dumps({**told, **(_arms(result.bandits, decisions) if bandit else {})}))
        return 0
    for line in lines_in_chunks(result, config, composed.remarks):
        print(line)
    print_place(folder)
    if bandit:
        print_bandits(result.bandits, decisions)
    return 0


def summary_in_chunks(folder: Path, result: ChunkedResult) -> dict[str, Any]:
    """What a program wants to know; the band where there is a report."""
    has_report = (folder / "report.html").exists()
    return {
        "id": folder.name,
        "folder": str(folder),
        "report": str(folder / "report.html") if has_report else None,
        "status": result.status.word,
        "liquidated": result.is_liquidated,
        "digest": result.digest,
        "metrics": result.metrics.values,
        "undefined": result.metrics.reasons,
        "warnings": result.warnings,
        "band": {p.word: r for p, r in result.band_returns.items()} if has_report else {},
    }


def demo(*, out: str = "runs", report: bool = True) -> int:
    """Backtest two bots on five shares that come as a package, and write the report.

    Parameters
    ----------
    out : str
        Folder of the run folders.
    report : bool
        Write the report.
    """
    from intrabar.app.cli.warm import warm_up_once

    warm_up_once()
    made = demo_config(out, report)
    composed = Recipe.of_config(made).whole()
    folder, result, outlook = carry_out(composed, made, quiet=False)
    tell(folder, result, made, composed.remarks, outlook)
    print(
        f"\nnext:\n"
        f"  intrabar backtest {folder}/config.yaml --param slow=100   change it and run again\n"
        f"  intrabar runs compare {folder.name} last   what the change did\n"
        f"  intrabar runs rerun {folder.name}   the same run again, bit for bit"
    )
    return 0


def carry_out(
    composed: Composed, config: Config, *, quiet: bool
) -> tuple[Path, Result, Expected | None]:
    """Run to the end with a progress bar, and store; what to expect where a path truth is given."""
    # Before the run: a truth or a folder that cannot be used is told at once.
    trust = trust_of(config.calibrated, composed.setup.market) if config.calibrated else None
    make_home(Path(config.out))
    if quiet:
        result = finish(Run(composed.setup))
    else:
        with bar(sys.stderr) as watched:
            result = finish(Run(composed.setup), watched)
    outlook = None if trust is None else expected(result, trust, seed=config.account.seed)
    if outlook is not None:
        composed = replace(composed, remarks=[*composed.remarks, f"Path truth: {outlook}"])
    return store(composed, result, config), result, outlook


def summary(folder: Path, result: Result, outlook: Expected | None) -> dict[str, Any]:
    """What a program wants to know."""
    return {
        "id": folder.name,
        "folder": str(folder),
        "report": str(folder / "report.html") if (folder / "report.html").exists() else None,
        "status": result.status.word,
        "liquidated": result.is_liquidated,
        "digest": result.digest,
        "metrics": result.metrics.values,
        "undefined": result.metrics.reasons,
        "warnings": result.warnings,
        "band": {r.policy.word: r.total_return for r in result.band},
        "calibrated": None if outlook is None else outlook.as_json(),
    }


def tell(
    folder: Path,
    result: Result,
    config: Config,
    remarks: Sequence[str],
    outlook: Expected | None,
) -> None:
    """Print the summary for a person."""
    from intrabar.app.cli.summary_table import summary_lines

    for line in summary_lines(result, config, remarks, outlook):
        print(line)
    print_place(folder)


def print_place(folder: Path) -> None:
    """Say where the report is, or the run where there is none."""
    page = folder / "report.html"
    print(f"{'report' if page.exists() else 'run'}: {page if page.exists() else folder}")
