"""From the bytes of a file to a table, by what the bytes are."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from intrabar.data.reading.json_text import json_table
from intrabar.data.reading.table import Table, counted
from intrabar.data.reading.text import text_table
from intrabar.data.reading.unpack import decoded, is_excel, unpack
from intrabar.errors import ConfigError, DataError


def table_in(content: bytes, symbol: str = "", columns: Sequence[str] = ()) -> Table:
    """The table in a file: text, JSON, Parquet, feather or Excel, packed or not.

    Parameters
    ----------
    content : bytes
    symbol : str
        The instrument that is wanted, where a JSON holds several.
    columns : sequence of str
        Names of the columns, where the file has no header.

    Raises
    ------
    DataError
        The file is damaged or holds no table.
    """
    inside = unpack(content)
    table = _table(inside.content, symbol, columns)
    return replace(table, notes=(*inside.notes, *table.notes))


def _table(content: bytes, symbol: str, columns: Sequence[str]) -> Table:
    try:
        if content.startswith(b"PAR1"):
            return counted(pl.read_parquet(io.BytesIO(content)))
        if content.startswith(b"ARROW1"):
            return counted(pl.read_ipc(io.BytesIO(content)))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"the file cannot be read as a table: {error}") from error
    if is_excel(content):
        return _workbook(content, columns)
    text = decoded(content)
    if text.lstrip()[:1] in (b"[", b"{"):
        return json_table(text, symbol, columns)
    return text_table(text, columns)


def _workbook(content: bytes, columns: Sequence[str]) -> Table:
    """The first sheet, as the text that it shows."""
    try:
        import fastexcel
    except ImportError:
        raise ConfigError(
            "fastexcel, which reads workbooks, is not installed: pip install 'intrabar[excel]', or "
            "save the sheet as CSV"
        ) from None
    try:
        book = fastexcel.read_excel(content)
        sheet = book.load_sheet(0, header_row=None, dtypes="string")
        text = sheet.to_polars().write_csv(
            include_header=False, datetime_format="%Y-%m-%d %H:%M:%S"
        )
    except fastexcel.FastExcelError as error:
        raise DataError(f"the workbook cannot be read: {error}") from error
    table = text_table(text.encode(), columns)
    if len(book.sheet_names) > 1:
        told = f"of {len(book.sheet_names)} sheets the first was read: {book.sheet_names[0]}"
        table = replace(table, notes=(told, *table.notes))
    return table
