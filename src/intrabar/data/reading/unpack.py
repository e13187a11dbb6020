"""Containers and encodings: from the bytes of a file to the bytes of the table in it."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from typing import NamedTuple

import polars as pl

from intrabar.data.reading.words import price_count
from intrabar.errors import DataError

_PACKED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    b"\x1f\x8b": ("gzip", gzip.decompress),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\x00": ("xz", lzma.decompress),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda content: _zstd(content)),
}

_NO_TABLE = {
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"FEA1": "a feather file of version 1",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"%PDF": "a PDF",
    b"DBN": "a Databento DBN file",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
}

_ENCODINGS = ("gb18030", "big5", "shift_jis", "euc_kr", "cp1250", "cp1254", "cp1252", "latin-1")


class Unpacked(NamedTuple):
    """What lay inside: its bytes and what is to be told."""

    content: bytes
    notes: tuple[str, ...] = ()


def unpack(content: bytes) -> Unpacked:
    """The table in gz, bz2, xz, zst or zip, one inside the other if need be.

    Raises
    ------
    DataError
        Damaged or cut short, an archive of several files, or a file that holds no table.
    """
    notes: tuple[str, ...] = ()
    for _ in range(4):
        packed = next((_PACKED[magic] for magic in _PACKED if content.startswith(magic)), None)
        if packed is not None:
            content = _opened(content, *packed)
        elif content.startswith(b"PK\x03\x04") and not _is_excel(content):
            content, told = _from_zip(content)
            notes += told
        else:
            break
    for magic, what in _NO_TABLE.items():
        if content.startswith(magic):
            raise DataError(f"the file is {what}; save the bars as CSV or Parquet")
    if content[:200].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml", b"<table")):
        raise DataError("the file is a web page or XML, no table of bars; fetch it again as CSV")
    if not content.strip():
        raise DataError("the file is empty")
    return Unpacked(content, notes)


def is_excel(content: bytes) -> bool:
    """Whether the bytes are a workbook of Excel, of any age."""
    return content.startswith(b"\xd0\xcf\x11\xe0") or _is_excel(content)


def decoded(content: bytes) -> bytes:
    """Text as UTF-8 with plain line ends, whatever encoding it had.

    Raises
    ------
    DataError
        It is no text.
    """
    content = _utf8(content)
    while content.startswith(codecs.BOM_UTF8):
        content = content.removeprefix(codecs.BOM_UTF8)
    if b"\x00" in content[: 1 << 16]:
        raise DataError("the file is neither text nor Parquet, JSON, feather or Excel")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content


def _utf8(content: bytes) -> bytes:
    for bom, name in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if content.startswith(bom):
            return content.decode(name, errors="replace").encode()
    head = content[:4096]
    if head.count(0) > len(head) // 3:  # UTF-16 without its mark
        name = "utf-16-le" if head[1:2] == b"\x00" else "utf-16-be"
        if any(head[i::2].count(0) > len(head) // 3 for i in (0, 1)):
            return content.decode(name, errors="replace").encode()
    if content.isascii():
        return content
    try:
        content.decode("utf-8")
        return content
    except UnicodeDecodeError:
        pass
    if not any(byte in content[:4096] for byte in b",;\t|"):
        raise DataError("the file is neither text nor Parquet, JSON, feather or Excel")
    return _by_its_header(content)


def _by_its_header(content: bytes) -> bytes:
    # The encoding in which the header has names of prices; else Western Europe's.
    best, most = "latin-1", 0
    for name in _ENCODINGS:
        try:
            head = content[:4096].decode(name, errors="ignore")
            cells = [c for line in head.splitlines()[:10] for c in _cells(line)]
            known = price_count(cells)
            content.decode(name)
        except UnicodeDecodeError:
            continue
        if known > most:
            best, most = name, known
    return content.decode(best).encode()


def _cells(line: str) -> list[str]:
    for separator in "\t;|":
        line = line.replace(separator, ",")
    return line.split(",")


def _opened(content: bytes, name: str, opener: Callable[[bytes], bytes]) -> bytes:
    try:
        return opener(content)
    except (EOFError, zlib.error, OSError, lzma.LZMAError, ValueError) as error:
        raise DataError(
            f"the {name} file is damaged or cut short ({error}); fetch it again"
        ) from error


def _zstd(content: bytes) -> bytes:
    # Polars' own decompressor, line by line: Python has none before 3.14.
    try:
        lines = pl.read_csv(
            io.BytesIO(content),
            has_header=False,
            infer_schema=False,
            separator="\x1f",
            quote_char=None,
            schema={"line": pl.String},
        )
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error)) from error
    return "\n".join(line or "" for line in lines["line"]).encode()


def _is_excel(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04") and b"xl/workbook" in content


def _from_zip(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = [
                n.filename
                for n in archive.infolist()
                if not n.is_dir() and not n.filename.startswith("__MACOSX") and n.file_size
            ]
            tables = [n for n in names if n.lower().endswith((".csv", ".tsv", ".parquet", ".json"))]
            chosen = tables if len(tables) == 1 else names
            if len(chosen) != 1:
                listed = ", ".join(names[:8]) or "no file"
                raise DataError(
                    f"the zip holds {len(names)} files ({listed}); unpack it and import one file"
                )
            told = (f"of the zip's {len(names)} files {chosen[0]} was read",)
            return archive.read(chosen[0]), told if len(names) > 1 else ()
    except RuntimeError as error:
        raise DataError(f"the zip cannot be opened ({error}); unpack it") from error
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError) as error:
        raise DataError(f"the zip is damaged or cut short ({error}); fetch it again") from error
