"""A dataset of the catalogue read part by part: no more than some rows of it are in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl

from intrabar.data.frames import from_polars
from intrabar.data.manifest import Manifest, hash_columns
from intrabar.data.periods import parse_period
from intrabar.errors import DataError
from intrabar.model.bars import Bars

ROWS = 262_144  # of a part


class StoredFeed:
    """The bars of a dataset between two instants, part by part.

    Parameters
    ----------
    manifest : Manifest
    files : sequence of path
        In order.
    start, end : ns UTC, optional
        Bars with `start <= close_time <= end` only.
    """

    def __init__(
        self,
        manifest: Manifest,
        files: Sequence[Path],
        start: int | None = None,
        end: int | None = None,
    ) -> None:
        self.manifest = manifest
        self.files = files
        self.start, self.end = start, end

    @property
    def symbol(self) -> str:
        """The instrument."""
        return self.manifest.symbol

    @property
    def period(self) -> int:
        """Ns."""
        return parse_period(self.manifest.period)

    def __len__(self) -> int:
        return self._rows

    @cached_property
    def _rows(self) -> int:
        if self.start is None and self.end is None:
            return self.manifest.rows
        return sum(frame.filter(self._wanted(frame)).height for frame in self._frames("close_time"))

    def __iter__(self) -> Iterator[Bars]:
        rows = 0
        for frame in self._frames("*"):
            kept = frame.filter(self._wanted(frame))
            rows += frame.height
            if kept.height:
                yield from_polars(kept, self.symbol, self.period)
        require_rows(self.manifest, rows)

    def _wanted(self, frame: pl.DataFrame) -> pl.Series:
        time = frame["close_time"].to_physical()
        first = np.iinfo(np.int64).min if self.start is None else self.start
        last = np.iinfo(np.int64).max if self.end is None else self.end
        return (time >= first) & (time <= last)

    def _frames(self, *columns: str) -> Iterator[pl.DataFrame]:
        """All rows, some at a time."""
        with readable(self.manifest):
            for path in self.files:
                table = pl.scan_parquet(path, hive_partitioning=False)
                rows = int(table.select(pl.len()).collect().item())
                for first in range(0, rows, ROWS):
                    yield table.select(*columns).slice(first, ROWS).collect()

    def column(self, name: str) -> Iterator[np.ndarray]:
        """One column of all bars, part by part, as numbers."""
        for frame in self._frames(name):
            yield frame[name].to_physical().to_numpy()


@contextmanager
def readable(manifest: Manifest) -> Iterator[None]:
    """Say whose files they are that cannot be read."""
    try:
        yield
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"{manifest.symbol} {manifest.period}: the bars cannot be read: {error}"
        ) from error


def require_rows(manifest: Manifest, rows: int) -> None:
    """Refuse files that do not hold as many bars as the manifest says."""
    if rows != manifest.rows:
        raise DataError(
            f"{manifest.symbol} {manifest.period}: the catalogue holds {rows} bars, the manifest "
            f"says {manifest.rows}; import the file again"
        )


def stored_hash(feed: StoredFeed) -> str:
    """`manifest.content_hash` of a dataset, column by column and part by part."""
    rows = 0
    for part in feed.column("close_time"):
        rows += len(part)
    require_rows(feed.manifest, rows)
    digest = hashlib.sha256()
    hash_columns(digest, feed.period, rows, feed.column)
    return digest.hexdigest()
