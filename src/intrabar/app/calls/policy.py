"""`intrabar.policy`: what a learned exit trades by, from its folder."""

from __future__ import annotations

from pathlib import Path

from intrabar.engine.tables.policies import read_policies
from intrabar.exits.policy import Policy
from intrabar.model.values import path


def policy(folder: str | Path) -> Policy | tuple[Policy, ...]:
    """Read the policy of a folder, for `ib.exits.Learned` and `ib.exits.Hybrid`.

    Parameters
    ----------
    folder : path
        "policies/trend".

    Returns
    -------
    Policy or tuple of Policy
        One, or those of the windows of a walk-forward, in the order of `trained_until`.

    Raises
    ------
    FileError, RunError, ConfigError
        It is none, was changed or cut short, or its features are others now.
    """
    found = read_policies(path("policy: folder", folder))
    return found[0] if len(found) == 1 else found
