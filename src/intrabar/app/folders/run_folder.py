"""Write a run to a folder of its own: whole, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl

from intrabar.app.compose.recipe import Composed
from intrabar.app.config.model import Config
from intrabar.app.pages.report import report
from intrabar.app.provenance import commit, machine, sources_of
from intrabar.data.series import Origin
from intrabar.engine.outcome.bandits import Bandits
from intrabar.engine.outcome.decisions import decided_in
from intrabar.engine.outcome.result import Result
from intrabar.engine.outcome.risk import RiskTold
from intrabar.engine.outcome.summary import titled
from intrabar.engine.tables.states import file_of
from intrabar.errors import RunError
from intrabar.exits.bandit_file import write_state
from intrabar.model.instrument import Instrument
from intrabar.sources import versions
from intrabar.strategy.registry import AnyStrategy

TABLES = ("fills", "orders", "campaigns", "trades", "equity", "gates", "levels", "ledger")
OF_LIMITS = ("refusals", "breaker")
"""The tables of `result.risk`, in the folder of a run with limits."""

OF_LEARNED = ("decisions",)
"""The tables of a run with a learned exit."""

BANDITS = "bandits"
"""The folder, in that of a run, of what its bandits know at the end."""

MANIFEST = "manifest.json"


def make_home(home: Path) -> None:
    """Make the folder of the runs: a run that could not be stored is not begun.

    Raises
    ------
    RunError
        It cannot be made or written to.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".", dir=home):
            pass
    except OSError as error:
        raise RunError(f"no run can be stored in {home}: {error}; name another folder") from None


Keep = Callable[[Path], str]
"""Writes what a run is to be made again from; says why it cannot be, or nothing."""


def store(composed: Composed, result: Result, config: Config, keep: Keep | None = None) -> Path:
    """Write the tables, the figures, the report and the manifest of a run.

    Parameters
    ----------
    composed, result, config
        The run, what came of it, and what it was made from.
    keep : callable, optional
        Writes more into the folder.

    Returns
    -------
    Path
        The folder of the run.

    Raises
    ------
    RunError
        It could not be written; nothing is left behind.
    """
    _ = result.band  # what hangs on the path is told in the manifest too
    manifest = make_manifest(composed, result, config)
    whole = Path(config.out) / str(manifest["id"])
    home = Path(config.out)
    part = home / f".{manifest['id']}.part"
    try:
        part.mkdir(parents=True)
        if keep is not None:
            manifest["lost"] = keep(part)
        _fill(part, result, manifest)
        if config.report:
            report(
                result,
                part / "report.html",
                name=config.name,
                remarks=composed.remarks,
                manifest=manifest,
            )
        os.rename(part, whole)
        result.pages[:] = [whole / page.name for page in result.pages]
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"the run was not stored in {home}: {error}; nothing is left there") from (
            error
        )
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return whole


def make_manifest(composed: Composed, result: Result, config: Config) -> dict[str, Any]:
    """Everything that decides a run, and the digest of what came of it."""
    outcome = Outcome(result.status.word, result.digest, result.metrics.values)
    setup = result.setup
    return manifest_of(
        config,
        setup.strategies,
        setup.instruments,
        composed.origins,
        [*dict.fromkeys([*result.warnings, *composed.remarks])],
        outcome,
        result.risk,
    )


class Outcome(NamedTuple):
    """What came of a run, as its manifest says it."""

    status: str
    digest: str
    metrics: Mapping[str, float | None]


def manifest_of(
    config: Config,
    strategies: Mapping[str, AnyStrategy],
    instruments: Sequence[Instrument],
    origins: Sequence[Origin],
    remarks: Sequence[str],
    outcome: Outcome,
    risk: RiskTold | None = None,
) -> dict[str, Any]:
    """The manifest of a run, whole or in chunks."""
    settings = config.model_dump(
        mode="json", by_alias=True, exclude_none=True, exclude={"live", "store"}
    )
    created = datetime.now(UTC)
    short = hashlib.sha256((json.dumps(settings) + outcome.digest).encode()).hexdigest()[:6]
    return {
        "id": f"{created:%Y%m%d-%H%M%S-%f}"[:-3] + f"-{short}",
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "title": titled(strategies, [x.symbol for x in instruments], config.name),
        "config": settings,
        "seed": config.account.seed,
        "data": [origin.as_json() for origin in origins],
        "strategies": sources_of(strategies),
        "instruments": {x.symbol: _fields(x) for x in instruments},
        "remarks": list(remarks),
        "status": outcome.status,
        "digest": outcome.digest,
        "metrics": dict(outcome.metrics),
        **({} if risk is None else {"risk": {"breaker": risk.state, "refused": risk.counts}}),
        "versions": versions(),
        "commit": commit(),
        "machine": machine(),
    }


def _fields(x: Any) -> dict[str, Any]:
    return {name: getattr(x, name) for name in x.__dataclass_fields__ if name != "symbol"}


def _fill(folder: Path, result: Result, manifest: dict[str, Any]) -> None:
    write_tables(folder, result, TABLES)
    if decided_in(result.run.running):
        write_tables(folder, result, OF_LEARNED)
        write_bandits(folder, result.bandits)
    if result.risk is not None:
        write_tables(folder, result.risk, OF_LIMITS)
    write_manifest(folder, manifest)


def write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """The manifest, and the configuration in it as a file to run again."""
    import yaml

    copy = yaml.safe_dump(_short(manifest["config"]), sort_keys=False)
    (folder / "config.yaml").write_text(copy, encoding="utf-8")
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _short(values: Any) -> Any:
    """A configuration without what is empty, for people to read."""
    if isinstance(values, dict):
        kept = {k: _short(v) for k, v in values.items()}
        return {k: v for k, v in kept.items() if v not in ({}, [], "")}
    return [_short(v) for v in values] if isinstance(values, list) else values


def write_bandits(folder: Path, states: Bandits) -> None:
    """What each bandit knows at the end of a run, as an exit's `state` names it."""
    for (strategy, symbol), state in states.items():
        write_state(state, file_of(folder / BANDITS, strategy, symbol))


def write_tables(folder: Path, result: Result | RiskTold, names: Sequence[str]) -> None:
    """Each table as Parquet and as CSV."""
    for name in names:
        table: pl.DataFrame = getattr(result, name)
        with open(folder / f"{name}.parquet", "wb") as file:
            table.write_parquet(file)
        with open(folder / f"{name}.csv", "wb") as file:
            table.write_csv(file)
