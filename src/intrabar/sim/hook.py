"""How the loop calls a strategy: through an address, so that it is compiled once for all.

A hook is a C function `int64 hook(int64 context, int64 bar)`. A compiled rule passes the address
of its `numba.cfunc`, a Python strategy that of a ctypes callback made from its method. It returns
`GO_ON`, `STOP` (end this step, then give control back) or `FAILED` (an exception was kept; give
control back at once).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from intrabar.kernel import intrinsic

GO_ON, STOP, FAILED = 0, 1, -1


@intrinsic
def call_hook(typing_context: Any, address: Any, context: Any, bar: Any) -> Any:
    """Call the hook at an address with its context and a bar."""
    signature = types.int64(types.int64, types.int64, types.int64)

    def emit(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        int64 = ir.IntType(64)
        hook = builder.inttoptr(arguments[0], ir.FunctionType(int64, [int64, int64]).as_pointer())
        return builder.call(hook, arguments[1:])

    return signature, emit
