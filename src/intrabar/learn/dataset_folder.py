"""The folder of a dataset: written whole or not at all, and read again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from intrabar.errors import FileError, RunError, UsageError
from intrabar.exits.sealed import sealed, unsealed

ROWS, ROWS_CSV, MANIFEST = "rows.parquet", "rows.csv", "dataset.json"
ROW_GROUP = 65_536
FORMAT = "dataset/1"
ANEW = "make the dataset anew"


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
        return pl.read_parquet(self.folder / ROWS, glob=False)

    def __repr__(self) -> str:
        return f"Dataset({str(self.folder)!r}, {self.manifest['counts']['rows']:,} rows)"


def read_dataset(folder: Path) -> Dataset:
    """A dataset that was made before.

    Raises
    ------
    FileError
        There is none, or a file of it is not as it was written.
    RunError
        Its manifest was changed, cut short, or is of another version.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileError(f"{folder} is no dataset: {MANIFEST}: {error}") from None
    manifest = unsealed(content, path, FORMAT, ANEW)
    files = manifest.get("files")
    if not isinstance(files, dict) or ROWS not in files:
        raise RunError(f"{path}: files name no {ROWS}: {ANEW}")
    for name, wanted in files.items():
        if (folder / name).parent != folder:
            raise RunError(f"{path}: {name!r} is no file of this folder: {ANEW}")
        found = _sha256(folder / name)
        if found != wanted:
            raise FileError(
                f"{folder / name} is not what was written: SHA-256 {found}, expected {wanted}; "
                f"{ANEW}"
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
    pieces: list[Path] = []
    for table in tables:  # an error of theirs is none of writing
        pieces.append(part / "rows" / f"{len(pieces):09}.parquet")
        with _writing(part):
            table.write_parquet(pieces[-1], compression="lz4")
    with _writing(part):
        if pieces:
            rows = pl.scan_parquet(pieces, glob=False)
            rows.sink_parquet(part / ROWS, compression="zstd", row_group_size=ROW_GROUP)
        shutil.rmtree(part / "rows")
        if pieces and csv:
            pl.scan_parquet(part / ROWS, glob=False).sink_csv(part / ROWS_CSV)


@contextmanager
def _writing(part: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(f"{part}: the rows cannot be written: {error}") from None


def finish_folder(part: Path, folder: Path, manifest: Mapping[str, Any]) -> Dataset:
    """Write the manifest, and give the folder its name.

    Raises
    ------
    RunError
        It cannot be written, or the manifest holds what JSON has no word for.
    """
    files = {x.name: _sha256(x) for x in sorted(part.iterdir())}
    try:
        content = sealed({"format": FORMAT, **manifest, "files": files})
        (part / MANIFEST).write_bytes(content)
        os.rename(part, folder)
    except (OSError, TypeError, ValueError) as error:
        raise RunError(f"{folder} cannot be written: {error}") from None
    return Dataset(folder, json.loads(content))


def _sha256(path: Path) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error}") from None
