"""Kernels that came compiled in the wheel: copied into the cache at the first start.

A wheel may carry them in `intrabar/compiled/DIGEST/CPU`, for processors of level x86-64-v3 and for
any. They are taken only under the digest that they were made with, of every source that a kernel
is compiled from and of Python, Numba, llvmlite and NumPy; one edit, and everything is compiled on
the machine, as without them. They are copied because Numba adds to its folder what it still
compiles, and names folders after the place of the sources.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
from numba.core.caching import UserProvidedCacheLocator

PACKAGE = Path(__file__).parent
SHIPPED = PACKAGE / "compiled"
RULES = "rules"  # folder in the cache of what compiled rules are written to

# What a processor must have, best first (the psABI's levels).
CPUS: dict[str, frozenset[str]] = {
    "x86-64-v3": frozenset(("avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe")),
    "generic": frozenset(),
}


def shipped_cpu(digest: str) -> str:
    """The processor for which kernels were shipped under a digest; "" where none fit."""
    there = [cpu for cpu in CPUS if (SHIPPED / digest / cpu).is_dir()]
    if not there:
        return ""
    has = {feature for feature, on in llvm.get_host_cpu_features().items() if on}
    return next((cpu for cpu in there if has >= CPUS[cpu]), "")


def fill(cache: Path, digest: str, cpu: str) -> None:
    """Copy what was shipped into the cache, where it is not there yet.

    A folder of it appears whole or not at all; of processes that begin together, one wins.
    """
    for folder in (SHIPPED / digest / cpu).iterdir():
        target = cache / _numba_folder(folder.name, cache)
        if target.exists():
            continue
        part = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            shutil.copytree(folder, part)
            part.rename(target)
        except OSError:  # no room, or another process was first: at worst it is compiled here
            shutil.rmtree(part, ignore_errors=True)


def gather(cache: Path, into: Path) -> None:
    """Collect a filled cache in the form in which a wheel carries it; for who builds the wheel."""
    packages = {path.parent.relative_to(PACKAGE.parent) for path in PACKAGE.rglob("*.py")}
    for name in (RULES, *sorted(".".join(package.parts) for package in packages)):
        compiled = cache / _numba_folder(name, cache)
        if compiled.is_dir():
            shutil.copytree(compiled, into / name)


def _numba_folder(name: str, cache: Path) -> str:
    """Where Numba looks for the kernels of a package such as `intrabar.sim`, or of the rules."""
    sources = cache / RULES if name == RULES else PACKAGE.parent.joinpath(*name.split("."))
    locator: Any = UserProvidedCacheLocator
    folder: str = locator.get_suitable_cache_subpath(str(sources / "any.py"))
    return folder
