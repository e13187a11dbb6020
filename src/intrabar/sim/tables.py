"""How kernels reach the arrays of a run: `book.orders[k].qty`, through one address.

Passing a tuple of twenty arrays costs a kernel more than its work (about 100 ns a call), and every
attribute a reference count. So a kernel is given one address: that of a table with the address
and the shape of each array. `book.orders[k]` in a kernel compiles to a load and a sum. The Python
side keeps the arrays alive and the table up to date (`table_of`); nothing in it changes while a
kernel runs.

A run of one strategy in one instrument has kernels of its own, compiled from the same source for
another type (`as_book_of_one`): with one row of everything, loops and places in them vanish.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core import cgutils, imputils
from numba.core.typing import templates
from numba.core.typing.templates import AbstractTemplate, AttributeTemplate
from numba.extending import models, register_model
from numpy.typing import NDArray

from intrabar.kernel import intrinsic
from intrabar.sim import state

# Numba's own annotations do not fit these.
infer_getattr: Any = templates.infer_getattr
infer_global: Any = templates.infer_global
signature: Any = templates.signature
lower_builtin: Callable[..., Callable[[Any], Any]] = imputils.lower_builtin
lower_getattr: Callable[..., Callable[[Any], Any]] = imputils.lower_getattr_generic
proxy_of: Any = cgutils.create_struct_proxy
tuple_of: Any = types.UniTuple

WORD = ir.IntType(64)

_DTYPES: dict[str, np.dtype[Any]] = {
    "account": state.ACCOUNT,
    "instruments": state.INSTRUMENT,
    "sleeves": state.SLEEVE,
    "strategies": state.STRATEGY,
    "inbox": state.COMMAND,
    "notices": state.NOTICE,
    "orders": state.ORDER,
    "fills": state.FILL,
    "levels": state.LEVEL,
    "ledger": state.LEDGER,
    "tiers": state.TIER,
    "reports": state.REPORT,
    "actions": state.ACTION,
    **dict.fromkeys(
        ("watched", "log", "time", "day", "detail_first", "detail_count"), np.dtype(np.int64)
    ),
    **dict.fromkeys(("session_end", "wake"), np.dtype(np.uint8)),
}
_FLAT = {*state.Book._fields, "time", "equity", "day", "actions"}
_ONE_EACH = {"instruments", "sleeves", "strategies"}


class TableType(types.Type):
    """A `Book` or a `Tape` inside kernels: the address of its table.

    Parameters
    ----------
    arrays : type
    of_one : bool
        Whether it is of one strategy in one instrument.
    """

    def __init__(self, arrays: type[NamedTuple], of_one: bool) -> None:
        self.names = arrays._fields
        self.of_one = of_one
        super().__init__(name=arrays.__name__ + ("OfOne" if of_one else ""))


class RowsType(types.Type):
    """One of these arrays inside kernels. No index is counted from its end.

    Parameters
    ----------
    dtype : dtype
    is_flat : bool
        Whether it is (t,), else (t, n).
    rows, columns : int or None
        How many there are, where that is known when a kernel is compiled.
    """

    def __init__(
        self, dtype: np.dtype[Any], is_flat: bool, rows: int | None, columns: int | None
    ) -> None:
        self.element = from_dtype(dtype)
        self.is_flat, self.rows, self.columns = is_flat, rows, columns
        super().__init__(name=f"Rows({self.element}, {is_flat}, {rows}, {columns})")


def rows_of(table: TableType, name: str) -> RowsType:
    """The type of an array of a book or a tape."""
    rows = 1 if name == "account" or (table.of_one and name in _ONE_EACH) else None
    columns = 4 if name == "detail" else 1 if table.of_one else None
    return RowsType(dtype_of(name), name in _FLAT, rows, columns)


def dtype_of(name: str) -> np.dtype[Any]:
    """What the array of a book or a tape with this name holds."""
    return _DTYPES.get(name, np.dtype(np.float64))


def address_of(
    array: NDArray[Any], dtype: np.dtype[Any] | type, shape: tuple[int | None, ...]
) -> int:
    """Where an array is in memory, for a kernel that will read it as what it is said to be.

    Parameters
    ----------
    array : array
        Kept alive by the caller for as long as a kernel may read it.
    dtype : dtype
    shape : tuple
        None for any number.

    Raises
    ------
    TypeError
        It is something else, or its elements do not lie side by side.
    """
    dtype = np.dtype(dtype)
    if not isinstance(array, np.ndarray):
        raise TypeError(f"a {type(array).__name__} is no array of {dtype}")
    fits = len(array.shape) == len(shape)
    for asked, there in zip(shape, array.shape, strict=False):
        fits = fits and asked in (None, there)
    if array.dtype != dtype or not fits or not array.flags.c_contiguous:
        layout = "" if array.flags.c_contiguous else ", not contiguous"
        raise TypeError(
            f"an array of {array.dtype} {array.shape}{layout}, where {dtype} {shape} is read"
        )
    return int(array.ctypes.data)


def table_of(arrays: NamedTuple) -> NDArray[np.int64]:
    """Address, rows and columns of each array of a `Book` or a `Tape`, in order."""
    table = np.empty((len(arrays), 3), np.int64)
    if isinstance(arrays, state.Tape):
        _require_one_timeline(arrays)
    for row, (name, array) in zip(table, arrays._asdict().items(), strict=True):
        width = None if name in _FLAT else 4 if name == "detail" else array.shape[-1]
        shape = (None,) if width is None else (None, width)
        row[:] = address_of(array, dtype_of(name), shape), array.shape[0], width or 1
    return table


def _require_one_timeline(tape: state.Tape) -> None:
    bars, width = tape.open.shape
    for name, array in tape._asdict().items():
        rows, columns = array.shape[0], array.shape[1] if array.ndim == 2 else width
        free = name in ("detail", "actions")
        if not free and (rows not in (0, bars) or (columns != width and name != "wake")):
            raise TypeError(f"{name} is {array.shape} in a market of {bars} bars x {width}")


@register_model(TableType)
class _Table(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, WORD)  # type: ignore[no-untyped-call]


@register_model(RowsType)
class _Rows(models.StructModel):
    """Where the table says its address and shape, and that address."""

    def __init__(self, manager: Any, kind: Any) -> None:
        members = [("entry", types.int64), ("start", types.int64)]
        super().__init__(manager, kind, members)  # type: ignore[no-untyped-call]


@infer_getattr
class _TableAttributes(AttributeTemplate):
    key = TableType

    def generic_resolve(self, table: TableType, name: str) -> Any:  # type: ignore[override]
        return rows_of(table, name) if name in table.names else None


@lower_getattr(TableType)
def _array(context: Any, builder: Any, kind: TableType, table: Any, name: str) -> Any:
    rows = proxy_of(rows_of(kind, name))(context, builder)
    rows.entry = builder.add(table, WORD(24 * kind.names.index(name)))
    rows.start = number(builder, rows.entry, 0)
    return rows._getvalue()


@infer_getattr
class _RowsAttributes(AttributeTemplate):
    key = RowsType

    def resolve_shape(self, rows: RowsType) -> Any:
        return tuple_of(types.int64, 1 if rows.is_flat else 2)


@lower_getattr(RowsType)
def _shape(context: Any, builder: Any, kind: RowsType, rows: Any, _: str) -> Any:
    axes = (1,) if kind.is_flat else (1, 2)
    lengths = [length(builder, kind, rows, axis) for axis in axes]
    return context.make_tuple(builder, tuple_of(types.int64, len(axes)), lengths)


@infer_global(operator.getitem)
class _GetItem(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        rows = arguments[0]
        if isinstance(rows, RowsType):
            return signature(rows.element, rows, index_of(rows))
        return None


@infer_global(operator.setitem)
class _SetItem(AbstractTemplate):
    def generic(self, arguments: Any, _: Any) -> Any:
        rows = arguments[0]
        if isinstance(rows, RowsType):
            return signature(types.none, rows, index_of(rows), rows.element)
        return None


def index_of(rows: RowsType) -> Any:
    """The type of a place in an array."""
    return types.int64 if rows.is_flat else tuple_of(types.int64, 2)


@lower_builtin(operator.getitem, RowsType, types.Any)
def _get(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    kind = signature.args[0]
    return context.unpack_value(builder, kind.element, place(context, builder, kind, *values))


@lower_builtin(operator.setitem, RowsType, types.Any, types.Any)
def _set(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    kind = signature.args[0]
    found = place(context, builder, kind, *values[:2])
    context.pack_value(builder, kind.element, values[2], found)
    return context.get_dummy_value()


def number(builder: Any, entry: Any, axis: int) -> Any:
    """What a table says of an array: its address (0), its rows (1), its columns (2)."""
    pointer = builder.inttoptr(builder.add(entry, WORD(8 * axis)), WORD.as_pointer())
    found = builder.load(pointer)
    found.set_metadata("invariant.load", builder.module.add_metadata([]))
    return found


def length(builder: Any, kind: RowsType, rows: Any, axis: int) -> Any:
    """Rows (1) or columns (2) of an array."""
    known = kind.rows if axis == 1 else kind.columns
    return number(builder, builder.extract_value(rows, 0), axis) if known is None else WORD(known)


def place(context: Any, builder: Any, kind: RowsType, rows: Any, index: Any) -> Any:
    """A pointer to an element."""
    if not kind.is_flat:
        i, j = builder.extract_value(index, 0), builder.extract_value(index, 1)
        known = kind.columns == 1
        index = i if known else builder.add(builder.mul(i, length(builder, kind, rows, 2)), j)
    if kind.rows == 1:
        index = WORD(0)
    element = context.get_data_type(kind.element).as_pointer()
    return builder.gep(builder.inttoptr(builder.extract_value(rows, 1), element), [index])


def _table(kind: TableType) -> Any:
    """An intrinsic that takes the address of a table for a book or a tape."""

    @intrinsic
    def as_table(typing_context: Any, table: Any) -> Any:
        return kind(types.int64), lambda _, __, ___, values: values[0]

    return as_table


as_book, as_book_of_one = (_table(TableType(state.Book, of_one)) for of_one in (False, True))
as_tape, as_tape_of_one = (_table(TableType(state.Tape, of_one)) for of_one in (False, True))


@intrinsic
def address(typing_context: Any, rows: Any, row: Any) -> Any:
    """Where a row of an array with one column, or of a flat one, is in memory."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind, (rows, row) = signature.args[0], values
        if not kind.is_flat:
            row = context.make_tuple(builder, index_of(kind), [row, WORD(0)])
        return builder.ptrtoint(place(context, builder, kind, rows, row), WORD)

    return types.int64(rows, types.int64), emit


@intrinsic
def pointer(typing_context: Any, address: Any) -> Any:
    """An address as a pointer that `carray` takes."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        return builder.inttoptr(values[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), emit
