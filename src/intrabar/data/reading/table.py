"""A table as it came: columns, the number of each row, and what the source says of itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.model.bars import Times


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Columns of a source before anything is read into them.

    Parameters
    ----------
    frame : DataFrame
        Text where the source has text.
    rows : (n,) int64
        Number of each row in its source: lines of a text from 1, else from 0.
    headed : bool
        The columns have names of their own.
    long : (n,) bool, optional
        The row has more cells than the header.
    zone, symbol : str
        What the source says of its stamps and of itself, "" where it says nothing.
    notes : tuple of str
        What was left out or guessed, for people.
    repeated : tuple of str
        Names that several columns have.
    """

    frame: pl.DataFrame
    rows: Times
    headed: bool = True
    long: NDArray[np.bool_] | None = None
    zone: str = ""
    symbol: str = ""
    notes: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()


def counted(frame: pl.DataFrame, **more: object) -> Table:
    """A table whose rows count from 0."""
    return Table(frame, np.arange(frame.height, dtype=np.int64), **more)  # type: ignore[arg-type]
