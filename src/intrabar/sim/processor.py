"""What Python has no word for: asking memory ahead, counting zeros, eight numbers at once."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from intrabar.kernel import intrinsic

WORD, FLOAT, LANES = ir.IntType(64), ir.DoubleType(), 8
VECTOR, BITS = ir.VectorType(FLOAT, LANES), ir.IntType(LANES)


@intrinsic
def fetch_ahead(typing_context: Any, address: Any) -> Any:
    """Ask for the cache line at an address before it is read; a hint, without effect on values."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        i32, line = ir.IntType(32), ir.IntType(8).as_pointer()
        prefetch = builder.module.declare_intrinsic(
            "llvm.prefetch", [line], ir.FunctionType(ir.VoidType(), [line, i32, i32, i32])
        )
        builder.call(prefetch, [builder.inttoptr(values[0], line), i32(0), i32(3), i32(1)])
        return ir.Constant(WORD, 0)

    return types.int64(types.int64), emit


@intrinsic
def zeros_below(typing_context: Any, bits: Any) -> Any:
    """How many zeros follow the lowest one of a number that is not 0."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), emit


def spread(builder: Any, x: Any) -> Any:
    """A number in every lane."""
    one = builder.insert_element(ir.Constant(VECTOR, ir.Undefined), x, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)
    return builder.shuffle_vector(one, one, zeros)


@intrinsic
def stay_between(
    typing_context: Any,
    opens: Any,
    highs: Any,
    lows: Any,
    closes: Any,
    up: Any,
    down: Any,
) -> Any:
    """Whether eight bars, at these addresses, stay below a price and above another.

    A bar that is not there (NaN) stays, as in `glide.value_bars`.
    """

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        up, down = (spread(builder, x) for x in values[4:])
        leaves = ir.Constant(BITS, 0)
        for place, sides in zip(values[:4], ("ud", "u", "d", "ud"), strict=True):
            price = builder.load(builder.inttoptr(place, VECTOR.as_pointer()), align=8)
            for side in sides:
                edge, sign = (up, ">=") if side == "u" else (down, "<=")
                beyond = builder.fcmp_ordered(sign, price, edge)
                leaves = builder.or_(leaves, builder.bitcast(beyond, BITS))
        return builder.icmp_unsigned("==", leaves, BITS(0))

    i, f = types.int64, types.float64
    return types.boolean(i, i, i, i, f, f), emit


@intrinsic
def value_eight(
    typing_context: Any,
    closes: Any,
    worst: Any,
    equity: Any,
    cash: Any,
    qty: Any,
    basis: Any,
    point_value: Any,
    margin: Any,
    rate: Any,
    ruin: Any,
) -> Any:
    """Value a position at eight closes, if margin and equity hold at all of them; whether they do.

    The steps, and so the bits, are those of `glide.value_bars`: no sum is taken in another order.

    Parameters
    ----------
    closes, worst, equity : int
        Addresses of the first of eight: closes, the lows or highs that hurt (NaN: no bar), and
        where the equity goes. Nothing is written where the margin does not hold.
    cash, qty, basis, point_value : float
    margin, rate : float
        Maintenance margin of one contract, and as a fraction of its worth.
    ruin : float
        The least equity, as a multiple of the close.
    """

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        places = [builder.inttoptr(x, VECTOR.as_pointer()) for x in values[:3]]
        close, price = (builder.load(x, align=8) for x in places[:2])
        cash, qty, basis, point_value, margin, rate, ruin = (spread(builder, x) for x in values[3:])
        kind = ir.FunctionType(VECTOR, [VECTOR])
        fabs = builder.module.declare_intrinsic(f"llvm.fabs.v{LANES}f64", fnty=kind)
        add, times, less = builder.fadd, builder.fmul, builder.fsub

        def worth(at: Any) -> Any:
            return add(cash, times(times(qty, less(at, basis)), point_value))

        size = builder.call(fabs, [close])
        asked = times(times(rate, size), point_value)
        required = times(builder.call(fabs, [qty]), add(margin, asked))
        price = builder.select(builder.fcmp_unordered("uno", price, price), close, price)
        value = worth(close)
        covered = builder.fcmp_ordered(">=", worth(price), required)
        above = builder.fcmp_ordered(">", value, times(ruin, size))
        holds = builder.bitcast(builder.and_(covered, above), BITS)
        all_hold = builder.icmp_unsigned("==", holds, BITS(2**LANES - 1))
        with builder.if_then(all_hold, likely=True):
            builder.store(value, places[2], align=8)
        return all_hold

    i, f = types.int64, types.float64
    return types.boolean(i, i, i, f, f, f, f, f, f, f), emit
