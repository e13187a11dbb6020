"""Write a version of a dataset into the catalogue: whole, or not at all.

A version is written beside the one before it and counts from the moment at which the manifest,
replaced in one step, names it: what is half written is never read, and a failed import leaves
the earlier version as it was. Two imports of one dataset at the same time: the later one stays.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from intrabar.data.frames import to_polars
from intrabar.data.manifest import Manifest
from intrabar.data.periods import period_text
from intrabar.data.stored import StoredFeed, stored_hash
from intrabar.errors import DataError
from intrabar.model.bars import Bars

MANIFEST = "manifest.json"
_NEW = ".new-"


def store_version(
    folder: Path,
    head: Bars,
    rest: Iterable[Bars],
    told: Callable[[], tuple[Mapping[str, Any], pl.DataFrame | None]],
) -> Manifest:
    """Write bars that come part by part, and make them the one version of their dataset.

    Parameters
    ----------
    folder : path
        Of the dataset.
    head, rest : Bars of one symbol and period
        Each part after the one before.
    told : callable
        Once all parts were taken: the fields of `Manifest` that the bars do not tell, and the
        rows that were set aside.

    Raises
    ------
    DataError
        The disk is full or refuses, or a part does not follow the one before; the earlier version
        is as it was.
    """
    temporary = folder / f"{_NEW}{secrets.token_hex(6)}"
    version = ""
    note = folder / f"{_NEW}{temporary.name}.json"
    try:
        temporary.mkdir(parents=True)
        rows, last = _write_bars(temporary, chain([head], rest))
        record, rejected = told()
        manifest = _manifest(head, rows, last, record, rejected)
        files = sorted(temporary.glob("year=*/bars*.parquet"))
        content = stored_hash(StoredFeed(manifest, files))
        version = f"{content[:12]}-{secrets.token_hex(3)}"
        manifest = replace(manifest, content_sha256=content, version=version)
        if manifest.rejected_file and rejected is not None:
            _write_bytes(temporary / manifest.rejected_file, rejected.write_csv().encode())
        temporary.rename(folder / version)
        _write_bytes(note, manifest.to_json().encode())
        before = _version_of(folder)
        os.replace(note, folder / MANIFEST)
    except OSError as error:
        if version:
            shutil.rmtree(folder / version, ignore_errors=True)
        raise DataError(_refused(folder, error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        with suppress(OSError):
            note.unlink()
    _sweep(folder, (version, before))
    return manifest


def _manifest(
    head: Bars, rows: int, last: int, record: Mapping[str, Any], rejected: pl.DataFrame | None
) -> Manifest:
    set_aside = 0 if rejected is None else rejected.height
    return Manifest(
        symbol=head.symbol,
        period=period_text(head.period),
        version="",
        content_sha256="",
        rows=rows,
        first=_iso(head.close_time[0]),
        last=_iso(last),
        imported=datetime.now(UTC).isoformat(timespec="seconds"),
        rejected=set_aside,
        rejected_file=f"{record['source']}.rejected.csv" if set_aside else "",
        **record,
    )


def _version_of(folder: Path) -> str:
    """The version that the manifest of a folder names; "" where there is none to read."""
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        return Manifest.from_json(text).version
    except (OSError, DataError):
        return ""


def _sweep(folder: Path, kept: tuple[str, str]) -> None:
    # Older versions go, but for the last one: a run may be reading it part by part.
    # A temporary folder may be another import at work, unless it is old.
    old = datetime.now(UTC).timestamp() - 3600
    with suppress(OSError):
        for entry in folder.iterdir():
            at_work = entry.name.startswith(_NEW) and entry.stat().st_mtime > old
            if entry.is_dir() and entry.name not in kept and not at_work:
                shutil.rmtree(entry, ignore_errors=True)


def _write_bars(folder: Path, parts: Iterable[Bars]) -> tuple[int, int]:
    """Write bars by year; how many there are, and the close time of the last (ns UTC)."""
    rows, last, years = 0, np.iinfo(np.int64).min, 0
    for bars in parts:
        if int(bars.close_time[0]) <= last:
            raise DataError(
                f"{bars.symbol}: a part begins at {_iso(bars.close_time[0])}, too early"
            )
        for year, part in _by_year(to_polars(bars)):
            buffer = BytesIO()
            part.write_parquet(buffer, compression="zstd", statistics=True)
            home = folder / f"year={year}"
            home.mkdir(exist_ok=True)
            # A year that comes in several parts has several files, in order of their names.
            name = f"bars_{years:06}.parquet" if any(home.iterdir()) else "bars.parquet"
            _write_bytes(home / name, buffer.getvalue())
            years += 1
        rows, last = rows + len(bars), int(bars.close_time[-1])
    return rows, last


def _by_year(frame: pl.DataFrame) -> Iterator[tuple[int, pl.DataFrame]]:
    years = frame["close_time"].dt.year().to_numpy()
    firsts = np.flatnonzero(np.append(True, years[1:] != years[:-1]))
    for first, end in zip(firsts, np.append(firsts[1:], years.size), strict=True):
        yield int(years[first]), frame[int(first) : int(end)]


def _write_bytes(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _refused(folder: Path, error: OSError) -> str:
    cause = "the disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
    return (
        f"cannot write to {folder}: {cause}; an earlier version of these bars, if there was one, "
        "is as it was"
    )


def _iso(ns: int | np.int64) -> str:
    return str(np.datetime64(int(ns), "ns"))[:19] + "Z"
