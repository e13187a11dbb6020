"""Rows of a table as Parquet, and back: the same values, and readable without Intrabar."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import polars as pl

from intrabar.errors import IntegrityError
from intrabar.store.tables import METADATA

Row = dict[str, Any]
_KINDS: dict[type, Any] = {int: pl.Int64, float: pl.Float64, str: pl.String, bytes: pl.Binary}
SCHEMAS = {
    name: pl.Schema({column.name: _KINDS[column.type.python_type] for column in table.columns})
    for name, table in METADATA.tables.items()
}


def parquet_of(table: str, rows: Sequence[Row]) -> bytes:
    """Some rows of a table."""
    out = io.BytesIO()
    frame = pl.DataFrame(rows, schema=SCHEMAS[table], orient="row")
    frame.write_parquet(out, compression="zstd", statistics=False)
    return out.getvalue()


def rows_in(table: str, content: bytes, name: str) -> list[Row]:
    """The rows; columns that this program does not know are left out, missing ones are empty.

    Raises
    ------
    IntegrityError
        The content is no such table.
    """
    try:
        frame = pl.read_parquet(io.BytesIO(content), use_pyarrow=False)
        missing = [
            pl.lit(None, kind).alias(column)
            for column, kind in SCHEMAS[table].items()
            if column not in frame.columns
        ]
        found = frame.with_columns(missing).select(
            pl.col(column).cast(kind) for column, kind in SCHEMAS[table].items()
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise IntegrityError(f"{name}: no table {table}: {error}") from None
    return found.to_dicts()
