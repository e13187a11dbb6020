"""A hash of what a run leaves behind that may be taken in at once or piece by piece.

XXH3 is not made to withstand an attacker, but tells runs apart as well as SHA-256 does, at thirty
times its speed; a sweep hashes every run.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray

from intrabar.sim.room import RECORDS
from intrabar.sim.state import ACCOUNT, Book

UNSEEN = ("next", "prev", "oco", "fresh")  # places in memory, which a copy may change

DUE = ("due_from", "due", "due_bits")
OF_HOOKS = ("stop", "turn", "waited", "lost")
OF_DOOR = ("outside", "reports")
OUTSIDE = (*OF_HOOKS, *OF_DOOR, "wakes_at_open", "free", "free_scale", *DUE, *RECORDS)
OF_RUN = np.array([name not in OUTSIDE for name in ACCOUNT.names or ()])  # of the account's words


class Tally:
    """Hashes of done orders, fills, ledger and equity so far, each in the order of happening."""

    def __init__(self) -> None:
        self._hashes = [xxhash.xxh3_128() for _ in range(4)]
        self.fills = 0
        self.bars = 0

    def copy(self) -> Tally:
        """The same, to go on from here in another way."""
        other = Tally()
        other._hashes = [h.copy() for h in self._hashes]
        other.fills, other.bars = self.fills, self.bars
        return other

    def take(
        self,
        done: NDArray[Any],
        fills: NDArray[Any],
        ledger: NDArray[Any],
        equity: NDArray[np.float64],
    ) -> None:
        """Take in the next done orders, fills, lines of the ledger, and equity of the next bars."""
        lines = ledger.copy()
        lines["fills"] += self.fills
        for tally, records in zip(
            self._hashes, (without_places(done), fills, lines, equity), strict=True
        ):
            tally.update(np.ascontiguousarray(records).view(np.uint8).data)
        self.fills += len(fills)
        self.bars += len(equity)

    def digest(self) -> bytes:
        """All of it."""
        return b"".join(h.digest() for h in self._hashes)


def without_places(orders: NDArray[Any]) -> NDArray[Any]:
    """Orders without their links to rows of the book, a copy."""
    copied = orders.view(np.uint8).copy().view(orders.dtype)  # whole, not field by field
    for name in UNSEEN:
        copied[name] = 0
    return copied


def digest_of(book: Book, working: NDArray[np.int64], sleeves: int, over: Tally) -> str:
    """A hash of a run: of its account, its first sleeves, working orders, and what is over.

    Parameters
    ----------
    working : (k,) int64
        Rows of `Book.orders` that work.
    sleeves : int
        How many of them count.
    over : Tally
        With all records and equity so far.
    """
    digest = hashlib.sha256()
    digest.update(book.account.view(np.uint64)[OF_RUN].tobytes())
    digest.update(book.sleeves[:sleeves].tobytes())
    digest.update(without_places(book.orders.take(working)).tobytes())
    digest.update(over.digest())
    return digest.hexdigest()
