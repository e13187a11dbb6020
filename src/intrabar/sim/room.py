"""Room in the arrays of a book, which kernels fill and cannot enlarge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.kernel import plain
from intrabar.sim.inbox import most_of_hook
from intrabar.sim.loop import most_of_bar
from intrabar.sim.state import Book, Tape

RECORDS = ("notices", "orders", "log", "fills", "levels", "ledger")


def longer(array: NDArray[Any], more: int) -> NDArray[Any]:
    """Twice the array, and room for so many rows more.

    All of it is copied: after a rewind, what lies ahead may be gone to again.
    """
    grown = np.zeros(2 * len(array) + more, array.dtype)
    grown[: len(array)] = array
    return grown


def grown(book: Book, tape: Tape) -> Book:
    """A book with larger arrays where a step has found them too full."""
    account = book.account.view(np.recarray)[0]
    actions = int(np.sum(tape.actions["bar"][account.actions :] <= account.bar))
    need = 2 * int(plain(most_of_bar)(account, len(book.sleeves), actions))
    wanted = dict.fromkeys(RECORDS, need)
    wanted["inbox"] = int(plain(most_of_hook)(len(book.instruments)) + account.working) + 1
    longer_ones = {
        name: longer(getattr(book, name), more)
        for name, more in wanted.items()
        if len(getattr(book, name)) < int(account[name]) + more
    }
    return book._replace(**longer_ones)
