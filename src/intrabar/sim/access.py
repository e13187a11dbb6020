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
    dtypes = _DTYPES[type(arrays)]
    for name, array in zip(arrays._fields, arrays, strict=True):
        # A kernel would read other numbers without a word.
        assert array.dtype == dtypes[name] and array.flags.c_contiguous, name
    table = [(a.ctypes.data, a.shape[0], a.shape[1] if a.ndim == 2 else 1) for a in tuple(arrays)]
    return np.array(table, np.int64)


def _rows(kind: type[types.Type], name: str, place: int, dtype: Any) -> None:
    """Let kernels name a (t,) array."""

    @overload_attribute(kind, name)
    def array(owner):  # type: ignore[no-untyped-def]
        return lambda owner: carray(
            pointer(entry(owner, 3 * place)), entry(owner, 3 * place + 1), dtype
        )


def _grid(kind: type[types.Type], name: str, place: int, dtype: Any) -> None:
    """Let kernels name a (t, n) array."""

    @overload_attribute(kind, name)
    def array(owner):  # type: ignore[no-untyped-def]
        return lambda owner: carray(
            pointer(entry(owner, 3 * place)),
            (entry(owner, 3 * place + 1), entry(owner, 3 * place + 2)),
            dtype,
        )


_BOOK = {
    "account": state.ACCOUNT,
    "instruments": state.INSTRUMENT,
    "sleeves": state.SLEEVE,
    "strategies": state.STRATEGY,
    "inbox": state.COMMAND,
    "notices": state.NOTICE,
    "watched": np.dtype(np.int64),
    "orders": state.ORDER,
    "log": np.dtype(np.int64),
    "fills": state.FILL,
    "levels": state.LEVEL,
    "ledger": state.LEDGER,
    "tiers": state.TIER,
}
_TAPE_ROWS = {
    "time": np.dtype(np.int64),
    "equity": np.dtype(np.float64),
    "day": np.dtype(np.int64),
    "actions": state.ACTION,
}
_TAPE_GRIDS = {
    "session_end": np.dtype(np.uint8),
    "wake": np.dtype(np.uint8),
    "detail_first": np.dtype(np.int64),
    "detail_count": np.dtype(np.int64),
    **dict.fromkeys(
        ("open", "high", "low", "close", "volume", "mean_range", "fx", "detail"),
        np.dtype(np.float64),
    ),
}
_DTYPES = {state.Book: _BOOK, state.Tape: _TAPE_ROWS | _TAPE_GRIDS}

for _place, _name in enumerate(state.Book._fields):
    _rows(BookType, _name, _place, _BOOK[_name])
for _place, _name in enumerate(state.Tape._fields):
    if _name in _TAPE_ROWS:
        _rows(TapeType, _name, _place, _TAPE_ROWS[_name])
    else:
        _grid(TapeType, _name, _place, _TAPE_GRIDS[_name])
