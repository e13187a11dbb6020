"""The lines of a large text, packed or not, some at a time; and the hash of its file."""

from __future__ import annotations

import bz2
import codecs
import gzip
import hashlib
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

_OPENERS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_OTHERS = (
    b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1", b"ARROW1", b"\xd0\xcf\x11\xe0", b"\x89HDF",
    codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE,
)  # fmt: skip


class NotPlainError(Exception):
    """The file cannot be read in pieces: its first lines do not tell how to read the rest."""


class Lines:
    """Pieces of a text that end with a line, as UTF-8 with plain line ends.

    Parameters
    ----------
    path : Path
    size : int
        Bytes of a piece, about.

    Raises
    ------
    NotPlainError
        While reading too: it is no such text, or its lines cannot be told apart.
    """

    def __init__(self, path: Path, size: int) -> None:
        self._path, self._size = path, size
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of the file, once all pieces were read."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        self._digest = hashlib.sha256()
        with self._path.open("rb") as file:
            start = file.read(8)
            file.seek(0)
            if start.startswith(_OTHERS):
                raise NotPlainError
            opener = next((_OPENERS[m] for m in _OPENERS if start.startswith(m)), None)
            hashed = cast(IO[bytes], _Hashed(file, self._digest))
            text = hashed if opener is None else opener(hashed)
            try:
                yield from self._pieces(text)
                while hashed.read(1 << 20):
                    pass
            except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
                raise NotPlainError from error

    def _pieces(self, text: IO[bytes]) -> Iterator[bytes]:
        rest, first = b"", True
        while block := text.read(self._size):
            end = block.rfind(b"\n") + 1
            if not end:
                rest += block
                continue
            piece, rest = rest + block[:end], block[end:]
            yield _plain(piece, first)
            first = False
        if rest:
            yield _plain(rest, first)


class _Hashed:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes], digest: Any) -> None:
        self._file, self._digest = file, digest

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._digest.update(content)
        return content

    def seekable(self) -> bool:
        return False

    def readable(self) -> bool:
        return True


def _plain(piece: bytes, first: bool) -> bytes:
    while first and piece.startswith(codecs.BOM_UTF8):
        piece = piece.removeprefix(codecs.BOM_UTF8)
    if b"\x00" in piece or (b'"' in piece and piece.count(b'"') % 2):
        raise NotPlainError
    if not piece.isascii():
        try:
            piece.decode("utf-8")
        except UnicodeDecodeError:
            raise NotPlainError from None
    if b"\r" in piece:
        piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return piece
