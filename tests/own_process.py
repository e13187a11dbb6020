"""Python in a process of its own, as a user starts it, with the package under test."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


def python(*arguments: str, folder: Path) -> str:
    """Run Python in a folder; what it printed."""
    found = find_spec("intrabar")
    assert found is not None
    assert found.origin is not None
    package = str(Path(found.origin).parents[1])
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=240,
        env={**os.environ, "PYTHONPATH": package},
    )
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout
