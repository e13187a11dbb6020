"""The machine code of kernels, compiled anew: what comes from a cache cannot be looked at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import intrabar

FUSED = re.compile(r"\bv?fn?m(add|sub|la|ls)")  # of x86, and of ARM


def assembly(code: str, cache: Path) -> str:
    """What `code` prints, in a process with an empty cache.

    Parameters
    ----------
    code : str
        Calls kernels, then `show(kernel, ...)`.
    cache : Path
        An empty folder.
    """
    show = (
        "def show(*kernels):\n"
        "    for each in kernels:\n"
        "        print(each.__name__, *each.inspect_asm().values())\n"
    )
    package, root = Path(intrabar.__file__).parents[1], Path(__file__).parents[1]
    paths = os.pathsep.join(map(str, (package, root)))
    done = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", show + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "PYTHONPATH": paths, "INTRABAR_CACHE": str(cache)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
