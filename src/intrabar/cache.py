"""Where what can be worked out again is kept from one process to the next."""

from __future__ import annotations

import os
from pathlib import Path


def cache_home() -> Path:
    """Folder named by INTRABAR_CACHE, else `intrabar` in the user's cache folder."""
    home = os.environ.get("INTRABAR_CACHE")
    if home:
        return Path(home)
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "intrabar"
