"""Which files decide a compiled kernel, which decide an outcome, and the digests of both.

Numba's cache does not see a change in a callee in another file (numba/numba#1833), and a ledger
does not see one at all: both go by these digests. What a kernel is compiled from is every file
that its own file imports, and they import, wherever the line stands.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from intrabar.version import __version__

PACKAGE = os.path.dirname(os.path.abspath(__file__))
HOME = os.path.basename(PACKAGE)
# Compiled, though nothing declares it.
RULES = ("intrabar.exits.", "intrabar.strategy.entries", "intrabar.strategy.predictions")
FRONT = ("intrabar.ui", "intrabar.web")  # what is shown, never what comes out
PACKAGES = ("numpy", "numba", "llvmlite", "polars", "TA-Lib")

# A decorator of `intrabar.kernel`; most files that import from there declare something.
_DECLARES = re.compile(rb"^@?(?:\w+ = )?(?:kernel|inlined|intrinsic|cfunc)\b[^.]", re.MULTILINE)
_IMPORT = b"from intrabar"
_NAME = re.compile(r"\w+")


def read_sources() -> dict[str, bytes]:
    """The text of every module of the package, by its name."""
    sources: dict[str, bytes] = {}
    for folder, _, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    sources[_module(path)] = file.read()
    return sources


def _module(path: str) -> str:
    within = path[len(PACKAGE) - len(HOME) : -len(".py")].replace(os.sep, ".")
    return within.removesuffix(".__init__")


def imported_by(name: str, sources: Mapping[str, bytes]) -> set[str]:
    """The modules of the package that a module imports, in functions too.

    The package itself is none of them: it defines nothing, and loads names when they are used.
    """
    text = sources[name]
    modules: set[str] = set()
    at = text.find(_IMPORT)
    while at >= 0:
        if not text[text.rfind(b"\n", 0, at) + 1 : at].strip():
            end = text.find(b"\n", at)
            if b"(" in text[at:end]:
                end = text.find(b")", at)
            head, _, names = text[at + len(b"from ") : end].decode().partition(" import ")
            modules.add(head)
            modules.update(f"{head}.{each}" for each in _NAME.findall(names))
        at = text.find(_IMPORT, at + 1)
    return {m for m in modules if m in sources and m != HOME}


def kernel_modules(sources: Mapping[str, bytes]) -> frozenset[str]:
    """The modules that kernels and the shipped rules are compiled from."""
    waiting = [
        name
        for name, text in sources.items()
        if name.startswith(RULES) or (b"from intrabar.kernel" in text and _DECLARES.search(text))
    ]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(imported_by(name, sources))
    return frozenset(reached)


def digest_of(names: Iterable[str], sources: Mapping[str, bytes], *versions: str) -> str:
    """A digest of the text of modules, and of the versions that work with it."""
    digest = hashlib.sha256("\0".join((__version__, *versions)).encode())
    for name in sorted(names):
        digest.update(f"\0{name}\0{len(sources[name])}\0".encode() + sources[name])
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Versions of what takes part in a run."""
    from importlib.metadata import PackageNotFoundError, version

    by_name = {"intrabar": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            by_name[name] = version(name)
        except PackageNotFoundError:
            by_name[name] = "none"
    return by_name


@cache
def package_code() -> str:
    """A digest of everything in the package that an outcome can depend on, and of its versions."""
    sources = read_sources()
    tables = {p.name: p.read_bytes() for p in Path(PACKAGE).rglob("*.toml")}
    names = {name for name in sources if not name.startswith(FRONT)}
    return digest_of(names | set(tables), sources | tables, sys.version, *versions().values())
