"""`intrabar backtest` and `intrabar demo`: run, store, and say in ten lines what came of it."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from intrabar.analysis.metrics import METRICS
from intrabar.app.chunked import chunk_for, compose_chunks, store_chunks
from intrabar.app.compose import Composed, compose
from intrabar.app.config import Config
from intrabar.app.overrides import Overrides, overridden
from intrabar.app.progress import bar
from intrabar.app.run_folder import make_home, store
from intrabar.app.sample import demo_config
from intrabar.app.summary_table import shown
from intrabar.engine.backtest import Run
from intrabar.engine.expected import Expected, expected, trust_of
from intrabar.engine.result import Result, finish


def backtest(
    config: Path | None = None,
    /,
    *,
    overrides: Annotated[Overrides, Parameter(name="*")] = Overrides(),  # noqa: B008 - frozen
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Run a backtest and store it with its report.

    Parameters
    ----------
    config : path
        A configuration file, which options override; without one, give --data and --strategy.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made, remarks = overridden(config, overrides)
    chunk = chunk_for(made)
    if chunk is not None:
        return _in_chunks(made.model_copy(update={"chunk": chunk}), remarks, as_json)
    folder, result, outlook = carry_out(compose(made, remarks), made, quiet=as_json)
    if as_json:
        print(json.dumps(summary(folder, result, outlook)))
    else:
        tell(folder, result, made, outlook)
    return 0


def _in_chunks(config: Config, remarks: list[str], as_json: bool) -> int:
    """Run in chunks, and print the figures that there are."""
    composed = compose_chunks(config, remarks)
    if as_json:
        folder, result = store_chunks(composed, config)
        told = {"id": folder.name, "folder": str(folder), "status": result.status.word}
        print(json.dumps({**told, "digest": result.digest, "metrics": result.figures}))
        return 0
    with bar(sys.stderr) as watched:
        folder, result = store_chunks(composed, config, watched)
    print(f"{result.bars:,} bars in chunks of {config.chunk:,}, {result.status.word}\n")
    for name in METRICS:
        if name in result.figures:
            print(f"  {name.replace('_', ' '):<14}{shown(name, result.figures[name]):>16}")
    print(f"  {'fills':<14}{result.figures['fills']:>16,.0f}\n")
    print(f"run: {folder}")
    return 0


def demo(*, out: str = "runs", report: bool = True) -> int:
    """Backtest two bots on five shares that come as a package, and write the report.

    Parameters
    ----------
    out : str
        Folder of the run folders.
    report : bool
        Write the report.
    """
    made = demo_config(out, report)
    folder, result, outlook = carry_out(compose(made), made, quiet=False)
    tell(folder, result, made, outlook)
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
    # Before the run: a folder or a truth that cannot be used is told at once.
    make_home(Path(config.out))
    trust = trust_of(config.calibrated, composed.setup.market) if config.calibrated else None
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
        "digest": result.digest,
        "metrics": result.metrics.values,
        "undefined": result.metrics.reasons,
        "band": {r.policy.word: r.total_return for r in result.band},
        "calibrated": None if outlook is None else outlook.as_json(),
    }


def tell(folder: Path, result: Result, config: Config, outlook: Expected | None) -> None:
    """Print the summary for a person."""
    from intrabar.app.summary_table import summary_lines

    for line in summary_lines(result, config, outlook):
        print(line)
    page = folder / "report.html"
    print(f"{'report' if page.exists() else 'run'}: {page if page.exists() else folder}")
