"""What a call through an address costs: `python docs/decisions/measure_hooks.py`."""

from __future__ import annotations

import ctypes
from time import perf_counter

import numba
import numpy as np

from intrabar.kernel import kernel
from intrabar.sim.hook import GO_ON, call_hook

HOOK = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


@numba.cfunc("int64(int64, int64)")
def compiled(context, bar):  # noqa: D103
    return bar & 1


def plain(context: int, bar: int) -> int:
    """Answer as a strategy written in Python would."""
    return GO_ON


@kernel
def loop(address, n):
    """Call the hook at an address n times."""
    total = 0
    for i in range(n):
        total += call_hook(address, 0, i)
    return total


@kernel
def step(bars, i):
    """Do next to nothing with an array, called from Python."""
    return bars[i]


def best_of(call, n: int) -> float:
    """Nanoseconds for one of n calls, the best of five."""
    times = []
    for _ in range(5):
        start = perf_counter()
        call(n)
        times.append(perf_counter() - start)
    return min(times) / n * 1e9


def main() -> None:
    """Print the three figures."""
    callback = HOOK(plain)
    address = ctypes.cast(callback, ctypes.c_void_p).value
    bars = np.zeros(1000)

    def from_python(n: int) -> None:
        for i in range(n):
            step(bars, i % 1000)

    loop(compiled.address, 1)
    step(bars, 0)
    for what, call, n in (
        ("compiled hook, called by the loop", lambda n: loop(compiled.address, n), 10_000_000),
        ("Python hook, called by the loop", lambda n: loop(address, n), 200_000),
        ("kernel with an array, called by Python", from_python, 200_000),
    ):
        print(f"{what:40}{best_of(call, n):8.1f} ns")


if __name__ == "__main__":
    main()
