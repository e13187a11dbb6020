"""The stored runs: find one, list them, hold two against each other, repeat one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import BaseModel

from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.file import absolute, validated
from intrabar.app.config.model import Config
from intrabar.app.folders.run_folder import MANIFEST, TABLES
from intrabar.app.provenance import sources_of
from intrabar.data.series import Origin
from intrabar.engine.chunks.run import ChunkedRun
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run
from intrabar.errors import ConfigError, NotFoundError, RunError
from intrabar.sources import versions
from intrabar.strategy.registry import AnyStrategy

COMPARED = ("config", "data", "strategies", "instruments", "versions", "commit")


class StoredStrategy(BaseModel):
    """What the manifest of a run must say of a strategy."""

    parameters: str


class Stored(BaseModel):
    """What the manifest of a run must say, for it to be shown, compared and repeated."""

    title: str
    status: str
    digest: str
    config: dict[str, Any]
    metrics: dict[str, float | None]
    data: list[Origin]
    strategies: dict[str, StoredStrategy]
    instruments: dict[str, Any]
    remarks: list[str]
    versions: dict[str, str]
    lost: str = ""


class StoredRun(NamedTuple):
    """A run folder and its manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        """Name of the folder."""
        return self.folder.name


def list_runs(home: Path) -> Iterator[StoredRun]:
    """All whole runs in a folder, oldest first.

    Raises
    ------
    RunError
        There is no such folder; or, after all sound runs, some are damaged.
    """
    if not home.is_dir():
        raise RunError(
            f"{home.absolute()}: no such folder of runs; make a run (intrabar demo), or name the "
            "folder that has them (--out)"
        )
    damaged = []
    for folder in run_folders(home):
        try:
            run = read_run(folder)
        except RunError as error:
            damaged.append(str(error))
        else:
            yield run
    if damaged:
        raise RunError("\n".join(damaged))


def run_folders(home: Path) -> list[Path]:
    """Folders of whole runs, oldest first; one that is being written begins with a dot."""
    return sorted(p.parent for p in home.glob(f"[!.]*/{MANIFEST}"))


def read_run(folder: Path) -> StoredRun:
    """A run by its folder.

    Raises
    ------
    RunError
        The manifest is missing or damaged.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{folder / MANIFEST}: cannot be read: {error}") from None
    try:
        validated(Stored, manifest)
    except ConfigError as error:
        raise RunError(f"{folder / MANIFEST}: is damaged: {error}") from None
    return StoredRun(folder, manifest)


def find_run(home: Path, name: str) -> StoredRun:
    """A run by its folder, its id, the beginning of it, its last letters, or `last`.

    Raises
    ------
    NotFoundError
        There is none, or more than one.
    """
    if (Path(name) / MANIFEST).is_file():
        return read_run(Path(name))
    found = run_folders(home)
    ids = [folder.name for folder in found]
    if not found:
        raise RunError(
            f"there is no run in {home.absolute()}; make one (intrabar demo), or name the folder "
            "that has them (--out)"
        )
    if name == "last":
        return read_run(found[-1])
    fitting = [f for f in found if f.name == name or f.name.startswith(name)]
    fitting = fitting or [f for f in found if f.name.endswith(name)]
    if len(fitting) == 1:
        return read_run(fitting[0])
    if fitting:
        raise RunError(f"{name!r} fits {len(fitting)} runs: {', '.join(f.name for f in fitting)}")
    raise NotFoundError("run", name, ids)


def differences(a: Any, b: Any, place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Places at which two JSON-like values differ, with both values."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in {**a, **b}:
            inner = f"{place}.{key}" if place else str(key)
            yield from differences(a.get(key), b.get(key), inner)
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from differences(x, y, f"{place}[{i}]")
    elif a != b:
        yield place, a, b


def compare(a: StoredRun, b: StoredRun) -> dict[str, list[tuple[str, Any, Any]]]:
    """How two runs differ: what they were made of, and what came of it."""
    made = {key: a.manifest.get(key) for key in COMPARED}
    other = {key: b.manifest.get(key) for key in COMPARED}
    figures = differences(a.manifest["metrics"], b.manifest["metrics"])
    return {"made of": list(differences(made, other)), "figures": list(figures)}


def config_of(stored: StoredRun) -> Config:
    """The configuration that a stored run is made again from.

    Raises
    ------
    RunError
        It cannot be made again, and its manifest says why.
    """
    if lost := stored.manifest.get("lost"):
        raise RunError(f"{stored.id}: {lost}")
    return absolute(validated(Config, stored.manifest["config"], "manifest.config."), stored.folder)


def rerun(stored: StoredRun) -> tuple[str, list[str]]:
    """Repeat a run from its manifest, in chunks if it was one.

    Returns
    -------
    str
        The digest of the repetition.
    list of str
        What differs, in words; empty where every bit is the same.
    """
    config = config_of(stored)
    if config.chunk is None:
        return _rerun_whole(stored, config)
    composed = Recipe.of_config(config).chunked(config.chunk)
    result = ChunkedRun(composed.setup, None).to_end()
    told = changed_data(stored, composed.origins)
    if result.digest != stored.manifest["digest"]:
        told += [f"digest {stored.manifest['digest'][:16]} is now {result.digest[:16]}"]
        told += made_otherwise(stored, composed.setup.strategies)
    return result.digest, told


def _rerun_whole(stored: StoredRun, config: Config) -> tuple[str, list[str]]:
    composed = Recipe.of_config(config).whole()
    told = changed_data(stored, composed.origins)
    result = finish(Run(composed.setup))
    if result.digest != stored.manifest["digest"]:
        told += [f"digest {stored.manifest['digest'][:16]} is now {result.digest[:16]}"]
    told += changed_figures(stored, result)
    told += [line for name in TABLES for line in changed_table(stored.folder, name, result)]
    if told:
        told += made_otherwise(stored, result.setup.strategies)
    return result.digest, told


def made_otherwise(stored: StoredRun, strategies: Mapping[str, AnyStrategy]) -> list[str]:
    """Versions and strategies that are not those of the first run."""
    now = {"versions": versions(), "strategies": sources_of(strategies)}
    then = {key: stored.manifest[key] for key in now}
    return [f"made with other {place}: {a} is now {b}" for place, a, b in differences(then, now)]


def changed_data(stored: StoredRun, origins: Sequence[Origin]) -> list[str]:
    """Bars that are not those of the first run, and the file that they came from."""
    now = {origin.symbol: origin for origin in origins}
    told = []
    for then in stored.manifest["data"]:
        origin = now.get(then["symbol"])
        if origin is None:
            told.append(f"data of {then['symbol']}: its configuration does not name them")
        elif origin.content != then["content"]:
            told.append(
                f"data of {then['symbol']} changed: {origin.source} has {origin.bars} bars to "
                f"{origin.last}, had {then['bars']} to {then['last']}"
            )
        elif origin.around != then.get("around", ""):
            told.append(
                f"splits, dividends, margins, rolls or lower bars of {then['symbol']} changed"
            )
        elif origin.sha256 != then["sha256"]:
            told.append(f"file {origin.source} changed, the bars taken from it did not")
    return told


def changed_figures(stored: StoredRun, result: Result) -> list[str]:
    """Figures that differ."""
    return [
        f"{name}: {was} is now {now}"
        for name, was, now in differences(stored.manifest["metrics"], dict(result.metrics.values))
    ]


def changed_table(folder: Path, name: str, result: Result) -> list[str]:
    """Where a table differs from the stored one: its size, or the first row that does."""
    try:
        was = pl.read_parquet(folder / f"{name}.parquet", use_pyarrow=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        return [f"table {name} cannot be read: {error}"]
    now: pl.DataFrame = getattr(result, name)
    if was.equals(now):
        return []
    if was.height != now.height or was.columns != now.columns:
        return [f"table {name}: {was.height} rows are now {now.height}"]
    columns = [c for c in was.columns if not was[c].equals(now[c])]
    if not columns:
        return []
    row = next(i for i in range(was.height) if was.row(i) != now.row(i))
    return [f"table {name}: {', '.join(columns)} differ, first in row {row}"]
