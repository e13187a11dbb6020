"""Policies of folders, as often as they are asked for read once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from intrabar.engine.tables.feature_table import probe_features
from intrabar.errors import FileError
from intrabar.exits.policy import Policy
from intrabar.exits.policy_windows import load_policies


def read_policies(folder: Path | str) -> tuple[Policy, ...]:
    """The policies of a folder: one, or one per window of a walk-forward.

    Raises
    ------
    FileError, RunError, ConfigError
        As `load_policies`.
    """
    folder = Path(folder)
    try:
        found = sorted(x for x in folder.rglob("*") if x.is_file())
        told = tuple((x.stat().st_mtime_ns, x.stat().st_size) for x in found)
    except OSError as error:
        raise FileError(f"{folder} cannot be read: {error.strerror or error}") from None
    return _read(folder.absolute(), told)


@lru_cache(maxsize=64)  # the runs of a sweep read the same folder
def _read(folder: Path, _: Any) -> tuple[Policy, ...]:
    return load_policies(folder, probe_features)


def policies_of(exit_: Any) -> tuple[Policy, ...]:
    """The policies of a learned exit; none of one that has no policy. Raises as `read_policies`."""
    given = getattr(exit_, "policy", None)
    return read_policies(given) if isinstance(given, str) else given or ()


def hash_of(policies: Sequence[Policy]) -> str:
    """The hash of a prior: that of a policy, or of those of several; "" for none."""
    hashes = [x.hash for x in policies]
    if len(hashes) < 2:
        return "".join(hashes)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
