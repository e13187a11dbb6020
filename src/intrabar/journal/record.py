"""One record as it is kept: the text of its body, and the hash that ties it to the one before."""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import Any

import msgspec

from intrabar.model.entry import Entry
from intrabar.model.secret import HIDDEN, Secret, may_show, redacted

FIRST = bytes(16)  # the hash before the first record


class Record(msgspec.Struct, frozen=True):
    """One row of the journal.

    Parameters
    ----------
    session : str
    seq : int
        From 1, without gaps.
    at, bar, step, kind, body
        As of an `Entry`.
    hash : bytes
        16 of BLAKE2b over the hash before and all other columns.
    """

    session: str
    seq: int
    at: int
    bar: int
    step: int
    kind: str
    body: dict[str, Any]
    hash: bytes

    @property
    def entry(self) -> Entry:
        """What was appended."""
        return Entry(self.at, self.bar, self.step, self.kind, self.body)


def text_of(body: dict[str, Any]) -> str:
    """A body as JSON: floats exact, `nan`, `inf` and `-inf` as words, and no secret.

    Half a character, as a broken text may have it, becomes `?`.

    Raises
    ------
    TypeError
        A value that JSON has not.
    """
    try:
        text = _encode(body).decode()
    except UnicodeEncodeError:  # half a character, which no text in UTF-8 has
        body = _whole(body)
        text = _encode(body).decode()
    if may_show(text):
        body = redacted(body)
        text = _encode(body).decode()
    if "null" in text:  # what JSON has for a float that is none, too
        text = _encode(_spelt(body)).decode()
    return text


def body_of(text: str) -> dict[str, Any]:
    """A body of its text."""
    return msgspec.json.decode(text, type=dict[str, Any])


def hash_of(
    before: bytes, session: str, seq: int, at: int, bar: int, step: int, kind: str, text: str
) -> bytes:
    """The hash of a record: BLAKE2b of 16 bytes.

    It is taken over the hash before, `[session, seq, at, bar, step, kind]` as JSON without
    blanks, a line feed and the text of the body, in UTF-8.
    """
    head = _encode((session, seq, at, bar, step, kind))
    return blake2b(b"".join((before, head, b"\n", text.encode())), digest_size=16).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return HIDDEN
    if hasattr(value, "item"):
        return value.item()  # of NumPy
    raise TypeError(f"a {type(value).__name__} cannot be journalled")


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_whole(key): _whole(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(inner) for inner in value]
    return value


def _spelt(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    if isinstance(value, dict):
        return {key: _spelt(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt(inner) for inner in value]
    return value
