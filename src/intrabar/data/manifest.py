"""The manifest of a dataset: what it is, where it came from, and the hash of its bars."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from intrabar.errors import DataError
from intrabar.model.bars import Bars


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known about one dataset of the catalogue.

    Parameters
    ----------
    symbol, period : str
        The dataset's name: "ES", "5m".
    version : str
        Folder that holds the bars.
    source, source_sha256, format : str
        File that was imported (or "resampled from 5m"), the hash of its bytes, how it was read.
    content_sha256 : str
        Hash of the bars themselves; see `content_hash`.
    zone, label, adjustment, calendar : str
        As they were read: zone of the stamps, edge that they mark, what was done to the prices.
    rows : int
    first, last : str
        Close times of the first and last bar, ISO, UTC.
    imported : str
        ISO, UTC.
    rejected : int
        Rows that were set aside.
    rejected_file : str
        File beside the bars that holds them, "" if none.
    checks : tuple of dict
        Verdict of every rule, as `Finding.as_json` writes it.
    """

    symbol: str
    period: str
    version: str
    source: str
    source_sha256: str
    format: str
    content_sha256: str
    zone: str
    label: str
    adjustment: str
    calendar: str
    rows: int
    first: str
    last: str
    imported: str
    rejected: int = 0
    rejected_file: str = ""
    checks: tuple[dict[str, Any], ...] = ()

    def to_json(self) -> str:
        """Text of the manifest file."""
        return json.dumps({"schema": 1, **self.as_dict()}, indent=2) + "\n"

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "checks": list(self.checks)}

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read the text of a manifest file.

        Raises
        ------
        DataError
            It is no manifest, or of a later program.
        """
        try:
            values = json.loads(text)
            if values.pop("schema") != 1:
                raise DataError("the manifest was written by a later version of this program")
            values["checks"] = tuple(values["checks"])
            return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"the manifest is damaged: {error}") from error


def content_hash(bars: Bars) -> str:
    """SHA-256 over period and columns of bars, the same on every machine."""
    digest = hashlib.sha256()
    hash_columns(digest, bars.period, len(bars), lambda name: [getattr(bars, name)])
    return digest.hexdigest()


def hash_columns(
    digest: hashlib._Hash, period: int, rows: int, parts: Callable[[str], Iterable[NDArray[Any]]]
) -> None:
    """Take the columns of bars into a hash, one after the other, each part by part."""
    digest.update(f"bars 1 {period} {rows}\n".encode())
    for name in ("close_time", "open_time", "session"):
        for times in parts(name):
            digest.update(times.astype("<i8").tobytes())
    for name in ("open", "high", "low", "close", "volume"):
        for values in parts(name):
            # -0.0 and 0.0 are the same price
            digest.update((values + 0.0).astype("<f8").tobytes())
