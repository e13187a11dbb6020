"""A sweep in a folder of its own: table, returns and manifest, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from intrabar.app.config.model import Config, SweepConfig
from intrabar.app.provenance import commit, machine
from intrabar.errors import NotFoundError, RunError
from intrabar.model.bars import Floats, Times
from intrabar.research.sweep.sweep import Best, SweepResult
from intrabar.sources import versions

MANIFEST = "sweep.json"
TABLE = "trials.parquet"
RETURNS = "returns.npz"


class StoredSweep(NamedTuple):
    """A sweep as it lies in its folder."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def table(self) -> pl.DataFrame:
        """A row per trial, as `SweepResult.table`."""
        return pl.read_parquet(self.folder / TABLE, use_pyarrow=False)

    @property
    def days(self) -> Times:
        """The days of the returns, ns since 1970 UTC."""
        with np.load(self.folder / RETURNS) as arrays:
            days: Times = arrays["days"]
        return days

    @property
    def returns(self) -> Floats:
        """Daily returns, (days, trials) fractions; NaN where a trial has none."""
        with np.load(self.folder / RETURNS) as arrays:
            returns: Floats = arrays["returns"]
        return returns


def store_sweep(result: SweepResult, config: Config, how: SweepConfig, home: Path) -> Path:
    """Write a sweep to a new folder.

    Raises
    ------
    RunError
        It could not be written; nothing is left behind.
    """
    manifest = manifest_of(result, config, how)
    name = str(manifest["id"])
    whole, part = home / name, home / f".{name}.part"
    try:
        part.mkdir(parents=True)
        with open(part / TABLE, "wb") as file:
            result.table.write_parquet(file)
        np.savez(part / RETURNS, days=result.days, returns=result.returns)
        (part / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        os.rename(part, whole)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(
            f"the sweep was not stored in {home}: {error}; its trials are in the ledger"
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return whole


def manifest_of(result: SweepResult, config: Config, how: SweepConfig) -> dict[str, Any]:
    """Everything that decides a sweep, and what came of it in short."""
    created = datetime.now(UTC)
    best = result.best
    constraints = [c if isinstance(c, str) else getattr(c, "__name__", "") for c in how.constraints]
    section = how.model_copy(update={"constraints": constraints})
    settings = config.model_copy(update={"sweep": section})
    told = settings.model_dump(mode="json", by_alias=True, exclude_none=True, fallback=str)
    short = hashlib.sha256((json.dumps(told) + result.digest).encode()).hexdigest()[:6]
    return {
        "id": f"{created:%Y%m%d-%H%M%S-%f}"[:-3] + f"-{short}",
        "created": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "title": config.name or f"Sweep of {', '.join(result.places)}",
        "config": told,
        "parameters": result.places,
        "metric": result.metric,
        "trials": len(result),
        "failed": result.failed,
        "found": result.found,
        "best": None if best is None else as_json(best),
        "data": [asdict(bars) for bars in result.data],
        "digest": result.digest,
        "remarks": result.remarks,
        "versions": versions(),
        "commit": commit(),
        "machine": machine(),
    }


def as_json(best: Best) -> dict[str, Any]:
    """The best trial as plain values, its Sharpe ratio never without the deflated one."""
    plain = {**best._asdict(), "deflated_sharpe": best.deflated_sharpe}
    plain["parameters"], plain["metrics"] = dict(best.parameters), dict(best.metrics)
    plain["deflated"] = asdict(best.deflated)
    return plain


def find_sweep(home: Path, name: str) -> StoredSweep:
    """A stored sweep by its folder, its id, the beginning of it, its last letters, or `last`.

    Raises
    ------
    NotFoundError, RunError
        There is none, more than one, or a damaged one.
    """
    if (Path(name) / MANIFEST).is_file():
        return read_sweep(Path(name))
    found = sorted(p.parent for p in home.glob(f"[!.]*/{MANIFEST}"))
    if not found:
        raise RunError(f"there is no sweep in {home}; make one: intrabar sweep CONFIG.yaml")
    fitting = found[-1:] if name == "last" else [f for f in found if f.name.startswith(name)]
    fitting = fitting or [f for f in found if f.name.endswith(name)]
    if len(fitting) > 1:
        raise RunError(f"{name!r} fits {len(fitting)} sweeps: {', '.join(f.name for f in fitting)}")
    if not fitting:
        raise NotFoundError("sweep", name, [f.name for f in found])
    return read_sweep(fitting[0])


def read_sweep(folder: Path) -> StoredSweep:
    """A stored sweep by its folder.

    Raises
    ------
    RunError
        Its manifest is missing or damaged.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / MANIFEST}: cannot be read: {error}") from None
    return StoredSweep(folder, manifest)
