"""Answers of a vendor that are kept in a folder for a while, and shown with their age after that.

They serve quotes, fetches and charts; no decision is made of them (`live.md` 7): a session asks
the vendor itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import msgspec

from intrabar.errors import AuthError, ConfigError, LinkError
from intrabar.links.clock import SECOND_NS, Clock, WallClock
from intrabar.links.vendor import Answer, Vendor
from intrabar.model.facts import Quote

BARS, QUOTES = 3600.0, 60.0
"""Seconds for which an answer is as good as a new one."""

_T = TypeVar("_T", bound=msgspec.Struct)


class Kept(NamedTuple, Generic[_T]):
    """An answer, when it was given, and why there is no newer one ("" where it is new enough)."""

    answer: _T
    at: int
    why: str

    def age(self, now: int) -> float:
        """Seconds."""
        return (now - self.at) / SECOND_NS


class Answers:
    """A vendor, and its answers in a folder.

    Parameters
    ----------
    vendor : Vendor
    folder : path or None
        None keeps nothing.
    clock : Clock, optional
    """

    def __init__(self, vendor: Vendor, folder: Path | None, clock: Clock | None = None) -> None:
        self.vendor, self._folder, self.clock = vendor, folder, clock or WallClock()

    async def bars(self, symbol: str, period: int, start: int) -> Kept[Answer]:
        """All bars since an instant, with actions; an hour old at most, unless it says why.

        Raises
        ------
        NotFoundError, DataError, AuthError
        LinkError
            The vendor is down, and nothing is kept.
        """

        async def ask() -> Answer:
            now = self.clock.now()
            return await self.vendor.bars(symbol, period, start, now, actions=True)

        return await self._of(Answer, f"bars {symbol} {period} {start}", BARS, ask)

    async def quote(self, symbol: str) -> Kept[Quote]:
        """A quote; a minute old at most, unless it says why.

        Raises
        ------
        NotFoundError, AuthError, LinkError
            As `bars`.
        """
        return await self._of(Quote, f"quote {symbol}", QUOTES, lambda: self.vendor.quote(symbol))

    async def _of(
        self, kind: type[_T], key: str, ttl: float, ask: Callable[[], Awaitable[_T]]
    ) -> Kept[_T]:
        path = self._path(key)
        now = self.clock.now()
        have = _read(kind, path) if path is not None else None
        if have is not None and 0.0 <= have.age(now) <= ttl:
            return have
        try:
            answer = await ask()
        except AuthError:
            raise
        except LinkError as error:
            if have is None:
                raise
            return have._replace(why=str(error))
        made = Kept(answer, self.clock.now(), "")
        if path is not None:
            _write(path, made)
        return made

    def _path(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        digest = hashlib.sha256(f"1 {self.vendor.name} {key}".encode()).hexdigest()
        return self._folder / f"{self.vendor.name}-{digest[:24]}.msgpack"


def _read(kind: type[_T], path: Path) -> Kept[_T] | None:
    """What is kept; None where nothing is, or nothing that can be read."""
    try:
        at, answer = msgspec.msgpack.decode(path.read_bytes(), type=tuple[int, kind])  # type: ignore[valid-type]
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
    return Kept(answer, at, "")


def _write(path: Path, kept: Kept[_T]) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.msgpack.encode((kept.at, kept.answer)))
        os.replace(part, path)
    except OSError as error:
        raise ConfigError(
            f"{path.parent}: answers cannot be kept there: {error}; name another folder as "
            "data.cache_dir, or switch it off: cache_enabled: false"
        ) from None
