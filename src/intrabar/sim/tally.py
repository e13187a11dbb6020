"""A hash of what a run leaves behind that may be taken in at once or piece by piece.

The bulk of it, equity and orders, is mixed word by word in a kernel, which is several times as
fast as SHA-256 and needs no copy. A changed word always changes what is left; what differs in more
than one place leaves the same by a chance of 2**-64.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import kernel
from intrabar.sim.state import ORDER

UNSEEN = ("next", "prev", "oco", "fresh")  # places in memory, which a copy may change


class Tally:
    """Hashes of done orders, fills, ledger and equity so far, each in the order of happening."""

    def __init__(self) -> None:
        self._hashes = [hashlib.sha256() for _ in range(2)]
        self._orders, self._equity = (np.arange(1, 5, dtype=np.uint64) for _ in range(2))
        self.fills = 0
        self.bars = 0

    def copy(self) -> Tally:
        """The same, to go on from here in another way."""
        other = Tally()
        other._hashes = [h.copy() for h in self._hashes]
        other._orders, other._equity = self._orders.copy(), self._equity.copy()
        other.fills, other.bars = self.fills, self.bars
        return other

    def take(
        self,
        orders: NDArray[Any],
        done: NDArray[np.int64],
        fills: NDArray[Any],
        ledger: NDArray[Any],
        equity: NDArray[np.float64],
    ) -> None:
        """Take in the next done orders (as rows), fills, lines of the ledger, and equity."""
        lines = ledger.copy()
        lines["fills"] += self.fills
        for tally, records in zip(self._hashes, (fills, lines), strict=True):
            tally.update(np.ascontiguousarray(records).data)
        mix_rows(self._orders, orders.view(np.uint64).reshape(len(orders), -1), done, SEEN)
        mix(self._equity, np.ascontiguousarray(equity).view(np.uint64), self.bars)
        self.fills += len(fills)
        self.bars += len(equity)

    def digest(self) -> bytes:
        """All of it."""
        hashes = b"".join(h.digest() for h in self._hashes)
        return hashes + self._orders.tobytes() + self._equity.tobytes()


@kernel
def mix(lanes: NDArray[np.uint64], words: NDArray[np.uint64], before: int) -> None:
    """Take words into four lanes in turn; `before` is how many there were before these."""
    first = (4 - before % 4) % 4  # from here on they begin with the first lane
    n = words.shape[0]
    first = min(first, n)
    for i in range(first):
        lane = (before + i) % 4
        lanes[lane] = mixed(lanes[lane], words[i])
    a, b, c, d = lanes[0], lanes[1], lanes[2], lanes[3]
    whole = first + (n - first) // 4 * 4
    for i in range(first, whole, 4):
        a, b = mixed(a, words[i]), mixed(b, words[i + 1])
        c, d = mixed(c, words[i + 2]), mixed(d, words[i + 3])
    lanes[0], lanes[1], lanes[2], lanes[3] = a, b, c, d
    for i in range(whole, n):
        lanes[i - whole] = mixed(lanes[i - whole], words[i])


@kernel
def mix_rows(
    lanes: NDArray[np.uint64],
    words: NDArray[np.uint64],
    rows: NDArray[np.int64],
    seen: NDArray[np.uint64],
) -> None:
    """Take the seen bits of rows of words, in this order, into four lanes."""
    for row in rows:
        for k in range(words.shape[1]):
            lanes[k % 4] = mixed(lanes[k % 4], words[row, k] & seen[k])


@kernel
def mixed(lane: Any, word: Any) -> Any:
    """A lane after one more word: reversible in each of the two, so that no change is lost."""
    x = lane ^ word
    x = (x << np.uint64(29)) | (x >> np.uint64(35))
    return x * np.uint64(0x9E3779B97F4A7C15)


def _seen() -> NDArray[np.uint64]:
    """The bits of an order's words that are hashed."""
    order = np.zeros(1, ORDER)
    every = order.view(np.uint8)
    every[:] = 255
    for name in UNSEEN:
        order[name] = 0
    return order.view(np.uint64)


SEEN = _seen()


def without_places(orders: NDArray[Any]) -> NDArray[Any]:
    """Orders without their links to rows of the book, a copy."""
    copied = orders.copy()
    for name in UNSEEN:
        copied[name] = 0
    return copied
