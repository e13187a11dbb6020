"""Moomoo's client writes its logs under the home folder as soon as it is imported."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_home, _folder = os.environ.get("HOME"), tempfile.mkdtemp()
os.environ["HOME"] = _folder
try:
    import moomoo  # noqa: F401
finally:
    if _home is None:
        del os.environ["HOME"]
    else:
        os.environ["HOME"] = _home

FOLDER = Path(_folder)
