"""How kernels are compiled: two decorators, and a disk cache that cannot go stale.

Numba's cache does not see a change in a callee in another file: it would go on running the old
code (numba/numba#1833). So the cache lives in a folder named by a digest of every source file
that kernels are compiled from (`sources`) and of the versions that compile them; one edit, and
everything is compiled anew. Where the wheel brought them compiled (`shipped`), they are taken.
Import the decorators from here and nowhere else: the folder must be set before the first
kernel is declared.
"""

from __future__ import annotations

import atexit
import os
import sys
import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile, mkdtemp
from typing import Any, TypeVar

import llvmlite
import numba
import numba.extending
import numpy as np
from llvmlite import ir
from numba import types

from intrabar.cache import cache_home
from intrabar.compiling import COMPILING
from intrabar.shipped import fill, shipped_cpu
from intrabar.sources import digest_of, kernel_modules, read_sources

F = TypeVar("F", bound=Callable[..., Any])

_numba: Any = numba  # its own annotations do not fit what its decorators make
carray = _numba.carray


def _writable(folder: Path) -> tuple[Path, str]:
    """A folder for compiled kernels, and why it is not the one that was asked for.

    Numba would put them beside the sources instead, where they go stale.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            return folder, ""
    except OSError as error:
        passing = Path(mkdtemp(prefix="intrabar-"))
        atexit.register(rmtree, passing, ignore_errors=True)
        return passing, str(error)


def _let_go_of_older(folder: Path) -> None:
    """Keep the folders that were used last; none goes that another process may be starting from."""
    try:
        os.utime(folder)
        others = sorted((p.stat().st_mtime, p) for p in folder.parent.iterdir() if p != folder)
    except OSError:
        return
    for used, path in others[: -(KEPT - 1)]:
        if used < time.time() - GRACE:
            rmtree(path, ignore_errors=True)


KEPT, GRACE = 3, 3_600.0  # folders; seconds

_sources = read_sources()

COMPILED_FROM = kernel_modules(_sources)
"""The modules whose text the name of the cache's folder depends on."""

# Of Python, what Numba's own files go by: its minor version and its ABI.
_python = f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"

DIGEST = digest_of(
    COMPILED_FROM, _sources, _python, numba.__version__, llvmlite.__version__, np.__version__
)

CPU = "" if _numba.config.CPU_NAME else shipped_cpu(DIGEST)
"""The processor that the wheel's kernels were compiled for; "" where it brought none that fit."""

CACHE, NOT_KEPT = _writable(cache_home() / "kernels" / (f"{DIGEST}-{CPU}" if CPU else DIGEST))
"""Folder of the compiled kernels, removing it only costs the next start; and why it is removed
when this process ends, "" where it stays."""

if CPU:
    # Of the process: Numba asks for a processor when it compiles or loads the first function.
    _numba.config.CPU_NAME, _numba.config.CPU_FEATURES = CPU, ""
    fill(CACHE, DIGEST, CPU)

if not NOT_KEPT:
    _let_go_of_older(CACHE)

_numba.config.CACHE_DIR = str(CACHE)

if NOT_KEPT:
    COMPILING.sentence = (
        f"compiling the market for this run alone: {NOT_KEPT}; set INTRABAR_CACHE to a folder "
        "that can be written"
    )


def kernel(function: F) -> F:
    """Compile a function with NumPy's division rules, without the GIL, cached on disk."""
    return _compiled(function, inline=False)


def inlined(function: F) -> F:
    """`kernel` for a step that goes whole into its callers: small, or with one of them.

    A call by Numba's convention costs some nanoseconds, and hides from the compiler what both
    sides know. It sees that for itself only in the smallest.
    """
    return _compiled(function, inline=True)


def _compiled(function: F, inline: bool) -> F:
    # Said in either case: what is not said, a callee has from its first caller.
    compiled: F = _numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=inline)(
        function
    )
    return compiled


def plain(kernel: Any) -> Callable[..., Any]:
    """The Python function behind a kernel."""
    function: Callable[..., Any] = kernel.py_func
    return function


def intrinsic(function: Callable[..., Any]) -> Any:
    """Numba's intrinsic; what it makes is called without the typing context."""
    return _numba.extending.intrinsic(function)


@intrinsic
def _expected_not(typing_context: Any, condition: Any) -> Any:
    """A condition, with the compiler told that it does not hold."""

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        bit = ir.IntType(1)
        kind = ir.FunctionType(bit, [bit, bit])
        expect = builder.module.declare_intrinsic("llvm.expect", [bit], kind)
        return builder.call(expect, [values[0], bit(0)])

    return types.boolean(types.boolean), emit


def rarely(condition: bool) -> bool:
    """A condition that hardly ever holds: what depends on it is not worked out ahead."""
    return condition


# Inlined by Numba itself: after LLVM's inlining nobody would look at what is expected.
@_numba.extending.overload(rarely, inline="always")  # type: ignore[untyped-decorator]
def _(condition: Any) -> Any:
    def compiled(condition: Any) -> Any:
        return _expected_not(condition)

    return compiled


class Callback:
    """A function that the loop can call, compiled (or read from the cache) at its first use."""

    def __init__(self, compiled: Callable[[], Any]) -> None:
        self._compiled = compiled

    @cached_property
    def address(self) -> int:
        """What the loop is given."""
        self._alive = self._compiled()
        return int(self._alive.address)


def cfunc(signature: str, cache: bool = True) -> Callable[[Callable[..., Any]], Callback]:
    """A C function that the loop can call by its `address`."""

    def declared(function: Callable[..., Any]) -> Callback:
        return Callback(lambda: _numba.cfunc(signature, cache=cache)(function))

    return declared


def code(number: int) -> int:
    """A constant that kernels pass to each other, typed.

    Numba compiles a version of the callee for every literal integer that it is given; a NumPy
    scalar has one type.
    """
    typed: Any = np.int64(number)
    return typed  # type: ignore[no-any-return]


def flag(value: bool) -> bool:
    """A truth value that kernels pass to each other, typed as `code` is."""
    typed: Any = np.bool_(value)
    return typed  # type: ignore[no-any-return]
