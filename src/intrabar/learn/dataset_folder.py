"""The folder of a dataset: written whole or not at all, and read again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from intrabar.errors import FileError, RunError, UsageError

ROWS, ROWS_CSV, MANIFEST = "rows.parquet", "rows.csv", "dataset.json"
ROW_GROUP = 65_536
FORMAT = "dataset/1"


@dataclass(frozen=True, eq=False)
class Dataset:
    """A dataset in its folder.

    Parameters
    ----------
    folder : Path
    manifest : mapping
        `dataset.json`.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def rows(self) -> pl.DataFrame:
        """All rows, read anew."""
        return pl.read_parquet(self.folder / ROWS, use_pyarrow=False)

    def __repr__(self) -> str:
        return f"Dataset({str(self.folder)!r}, {self.manifest['counts']['rows']:,} rows)"


def read_dataset(folder: Path) -> Dataset:
    """A dataset that was made before.

    Raises
    ------
    FileError
        There is none, or it is not as it was written.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileError(f"{folder} is no dataset: {MANIFEST}: {error}") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else manifest
        raise FileError(f"{folder / MANIFEST}: its format is {found!r}, must be {FORMAT!r}")
    for name, wanted in manifest["files"].items():
        found = _sha256(folder / name)
        if found != wanted:
            raise FileError(
                f"{folder / name} is not what was written: SHA-256 {found}, expected {wanted}; "
                "make the dataset anew"
            )
    return Dataset(folder, manifest)


def home_of(folder: Path) -> Path:
    """The folder in which a dataset is made, to be renamed when it is whole.

    Raises
    ------
    UsageError
        There is a dataset of that name already.
    RunError
        It cannot be made.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already; give another name, or remove it")
    part = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(part, ignore_errors=True)  # of one that was killed
        (part / "rows").mkdir(parents=True)
    except OSError as error:
        raise RunError(f"no dataset can be stored in {folder.parent}: {error}") from None
    return part


def write_rows(part: Path, tables: Iterable[pl.DataFrame], csv: bool) -> None:
    """Write tables as they come, and make one file of them.

    Raises
    ------
    RunError
        They cannot be written.
    """
    try:
        count = 0
        for count, table in enumerate(tables, 1):
            table.write_parquet(part / "rows" / f"{count:09}.parquet", compression="lz4")
        if count:
            pieces = pl.scan_parquet(part / "rows" / "*.parquet")
            pieces.sink_parquet(part / ROWS, compression="zstd", row_group_size=ROW_GROUP)
        shutil.rmtree(part / "rows")
        if count and csv:
            pl.scan_parquet(part / ROWS).sink_csv(part / ROWS_CSV)
    except OSError as error:
        raise RunError(f"{part}: the rows cannot be written: {error}") from None


def finish_folder(part: Path, folder: Path, manifest: Mapping[str, Any]) -> Dataset:
    """Write the manifest, and give the folder its name."""
    files = {x.name: _sha256(x) for x in sorted(part.iterdir())}
    whole = {"format": FORMAT, **manifest, "files": files}
    try:
        (part / MANIFEST).write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        os.rename(part, folder)
    except OSError as error:
        raise RunError(f"{folder} cannot be written: {error}") from None
    return Dataset(folder, whole)


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error}") from None
