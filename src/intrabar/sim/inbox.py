"""The inbox: what strategies want and nobody has carried out yet. All commands are put here.

It never grows while a hook runs, because the loop around the hook holds the old array. Before it
calls one it sees that there is room for what a hook may put (`has_room_for_hook`), and otherwise
comes back to Python, which enlarges it. What a compiled hook puts beyond that falls on the last
row, which is no command's, and is counted: the run raises.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.errors import OrderError
from intrabar.kernel import inlined, plain
from intrabar.sim import state
from intrabar.sim.state import REFUSE, SUBMIT, Book

LEAST = 1024  # commands that any hook may put in one call

_BLANK = np.zeros(1, state.COMMAND)
_BLANK["oco"] = -1
for _name in ("qty", "limit_price", "stop_price", "trail", "stop_loss", "take_profit"):
    _BLANK[_name] = np.nan


@inlined
def most_of_hook(instruments: int) -> int:
    """How many commands one call of a hook may put: enough to cancel, reduce, enter and protect."""
    return max(LEAST, 4 * instruments)


@inlined
def has_room_for_hook(book: Book) -> bool:
    """Whether one more hook may be called; a compiled one may take back all orders that work."""
    account = book.account[0]
    most = most_of_hook(book.instruments.shape[0]) + account.working
    return book.inbox.shape[0] - account.inbox > most


@inlined
def put(book: Book, kind: int) -> Any:
    """The next command, blank, for a compiled hook to fill in; an order has its number."""
    account = book.account[0]
    k = account.inbox
    if k + 1 < book.inbox.shape[0]:
        account.inbox = k + 1
    else:
        account.lost += 1
    command = book.inbox[k]
    command.kind = kind
    command.id = 0
    if kind == SUBMIT:
        command.id = account.next_order
        account.next_order += 1
    command.strategy = 0
    command.instrument = 0
    command.side = 0
    command.type = 0
    command.tif = 0
    command.role = 0
    command.reduce_only = 0
    command.oco = -1
    command.reject = 0
    command.until = 0
    command.qty = np.nan
    command.limit_price = np.nan
    command.stop_price = np.nan
    command.trail = np.nan
    command.stop_loss = np.nan
    command.take_profit = np.nan
    return command


@inlined
def refuse(command: Any, reject: int) -> None:
    """Let an order that a compiled hook has put be one that is refused, with the reason."""
    command.kind = REFUSE
    command.reject = reject


def leave(book: Book, kind: int, **values: Any) -> int:
    """Put a command from Python; returns the order's number.

    Parameters
    ----------
    book : Book
    kind : int
        SUBMIT, CANCEL, MODIFY, MOVE_STOP, MOVE_TARGET or REFUSE.
    **values
        Fields of a COMMAND; what is left out or None is blank.

    Raises
    ------
    OrderError
        One call of a hook has put as many commands as it may.
    """
    account, most = book.account[0], int(plain(most_of_hook)(len(book.instruments)))
    waiting = int(account["inbox"])
    if waiting - int(account["waited"]) >= most or waiting + 1 >= len(book.inbox):
        raise OrderError(f"more than {most} orders in one phase of one bar")
    command = book.inbox[waiting]
    book.inbox[waiting] = _BLANK[0]
    command["kind"] = kind
    for name, value in values.items():
        if value is not None:
            command[name] = value
    if kind in (SUBMIT, REFUSE):
        command["id"] = account["next_order"]
        account["next_order"] += 1
    account["inbox"] += 1
    return int(command["id"])


def leave_again(book: Book, commands: NDArray[Any]) -> None:
    """Put commands that were recorded; there must be room. New orders get the next numbers."""
    account = book.account[0]
    first = int(account["inbox"])
    if first + len(commands) >= len(book.inbox):
        raise OrderError(f"the inbox has no room for {len(commands)} commands")
    book.inbox[first : first + len(commands)] = commands
    account["inbox"] += len(commands)
    account["next_order"] += int(np.isin(commands["kind"], (SUBMIT, REFUSE)).sum())


def waiting(book: Book) -> NDArray[Any]:
    """What waits in the inbox, COMMAND records: a view of it."""
    return book.inbox[: int(book.account["inbox"][0])]


def refuse_waiting(book: Book, place: int, reject: int) -> None:
    """Let an order that waits be one that is refused, with the reason."""
    book.inbox[place]["kind"] = REFUSE
    book.inbox[place]["reject"] = reject


def take_out(book: Book, gone: NDArray[np.bool_]) -> None:
    """Let go of changes and cancels that wait; an order cannot go, only be refused."""
    kept = waiting(book)[~gone].copy()
    book.inbox[: len(kept)] = kept
    book.account["inbox"] = len(kept)


def replace_waiting(book: Book, commands: NDArray[Any]) -> None:
    """Put recorded commands in the place of all that wait; there must be room."""
    account, now = book.account[0], waiting(book)
    account["next_order"] -= int(np.isin(now["kind"], (SUBMIT, REFUSE)).sum())
    account["inbox"] = 0
    leave_again(book, commands)
