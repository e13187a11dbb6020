"""Formats that other packages read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from intrabar.data.reading.frames_in import table_of
from intrabar.data.reading.table import Table
from intrabar.errors import DataError, at_fault
from intrabar.plugins import Table as Plugins

READERS: Plugins[Callable[[Path], Any]] = Plugins("reader", "intrabar.readers", {})
"""Functions that make a frame of bars of a file, by the name of the format."""


def read_by(reader: str, path: Path) -> Table:
    """What the reader of another package makes of a file.

    Raises
    ------
    DataError
        It failed, or made no frame.
    """
    read = READERS.load(reader)
    try:
        frame = read(path)
    except Exception as e:
        raise DataError(f"the reader {reader} failed: {at_fault(e)}") from e
    return table_of(frame)
