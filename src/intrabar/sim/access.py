"""How kernels reach the arrays of a run: `book.orders[k].qty`, through one address.

Passing a tuple of twenty arrays costs a kernel more than its work (about 100 ns a call), and every
attribute a reference count. So a kernel is given one address: that of a table with the address
and the length of each array. `book.orders` in a kernel builds the array from it, which compiles
to a load. The Python side keeps the arrays alive and the table up to date (`table_of`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import (
    models,
    overload_attribute,
    register_model,
)
from numpy.typing import NDArray

from intrabar.kernel import carray, intrinsic
from intrabar.sim import state


class BookType(types.Type):
    """A `Book` inside kernels."""

    def __init__(self) -> None:
        super().__init__(name="Book")


class TapeType(types.Type):
    """A `Tape` inside kernels."""

    def __init__(self) -> None:
        super().__init__(name="Tape")


@register_model(BookType)
@register_model(TapeType)
class _Address(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.IntType(64))  # type: ignore[no-untyped-call]


BOOK, TAPE = BookType(), TapeType()


def _same_bits(result: Any, argument: Any) -> Any:
    def emit(_: Any, __: Any, ___: Any, values: Any) -> Any:
        return values[0]

    return result(argument), emit


@intrinsic
def as_book(typing_context: Any, table: Any) -> Any:
    """The book behind the address of its table."""
    return _same_bits(BOOK, types.int64)


@intrinsic
def as_tape(typing_context: Any, table: Any) -> Any:
    """The tape behind the address of its table."""
    return _same_bits(TAPE, types.int64)


@intrinsic
def entry(typing_context: Any, owner: Any, place: Any) -> Any:
    """One number of the table behind a book or a tape."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        table = builder.inttoptr(values[0], ir.IntType(64).as_pointer())
        return builder.load(builder.gep(table, [values[1]]))

    return types.int64(owner, types.int64), emit


@intrinsic
def pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer that `carray` takes."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), emit


def table_of(arrays: NamedTuple) -> NDArray[np.int64]:
    """Address, rows and columns of each array of a `Book` or a `Tape`, in order."""
    table = [(a.ctypes.data, a.shape[0], a.shape[1] if a.ndim == 2 else 1) for a in tuple(arrays)]
    return np.array(table, np.int64)


def _records(name: str, place: int, dtype: np.dtype[Any]) -> None:
    """Let kernels name an array of records of the book."""

    @overload_attribute(BookType, name)
    def array(book):  # type: ignore[no-untyped-def]
        return lambda book: carray(
            pointer(entry(book, 3 * place)), entry(book, 3 * place + 1), dtype
        )


def _rows(name: str, place: int, dtype: Any) -> None:
    """Let kernels name a (t,) array of the tape."""

    @overload_attribute(TapeType, name)
    def array(tape):  # type: ignore[no-untyped-def]
        return lambda tape: carray(
            pointer(entry(tape, 3 * place)), entry(tape, 3 * place + 1), dtype
        )


def _grid(name: str, place: int, dtype: Any) -> None:
    """Let kernels name a (t, n) array of the tape."""

    @overload_attribute(TapeType, name)
    def array(tape):  # type: ignore[no-untyped-def]
        return lambda tape: carray(
            pointer(entry(tape, 3 * place)),
            (entry(tape, 3 * place + 1), entry(tape, 3 * place + 2)),
            dtype,
        )


_BOOK_DTYPES = {
    "account": state.ACCOUNT,
    "instruments": state.INSTRUMENT,
    "sleeves": state.SLEEVE,
    "strategies": state.STRATEGY,
    "orders": state.ORDER,
    "inbox": state.COMMAND,
    "fills": state.FILL,
    "log": state.ORDER,
    "notices": state.NOTICE,
    "levels": state.LEVEL,
}
_TAPE_ROWS = {"time": np.int64, "equity": np.float64, "cash": np.float64}
_TAPE_GRIDS = {
    "open": np.float64,
    "high": np.float64,
    "low": np.float64,
    "close": np.float64,
    "session_end": np.uint8,
    "wake": np.uint8,
}
for _place, _name in enumerate(state.Book._fields):
    _records(_name, _place, _BOOK_DTYPES[_name])
for _place, _name in enumerate(state.Tape._fields):
    if _name in _TAPE_ROWS:
        _rows(_name, _place, _TAPE_ROWS[_name])
    else:
        _grid(_name, _place, _TAPE_GRIDS[_name])
