"""`ib.learn.adopt`: a policy of a network that was trained elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from intrabar.app.calls.learn import named
from intrabar.app.folders.places import require_new
from intrabar.errors import UsageError
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import write_policy
from intrabar.indicators.features import features_of
from intrabar.learn.extra import require_ml
from intrabar.learn.foreign_files import Asked, adopted
from intrabar.model.instant import utc_ns
from intrabar.model.values import path, shown

DAY_S = 86_400


def adopt(
    file: str | Path,
    *,
    trained_until: Any,
    features: str | Sequence[str] | None = None,
    arms: Sequence[float] | None = None,
    normal: str | Path | None = None,
    name: str | None = None,
    out: str | Path = "policies",
) -> Policy:
    """Make a policy's folder of a network that was trained elsewhere.

    Parameters
    ----------
    file : path
        `.zip` of stable-baselines3's PPO with a MlpPolicy, of which the weights alone are read; or
        `.pt` of TorchScript with its `.meta.json`.
    trained_until : date, time or text
        The last instant that anything of it was learned from: of a date the end of the day, UTC
        unless a zone is given. It stands in the policy as declared.
    features : str or sequence of str, optional
        A set, "exit/1", or features; needed where the file does not tell them.
    arms : sequence of ATR multiples, optional
        One per number that it gives; needed where the file does not tell them.
    normal : path, optional
        An `.npz` with `mean` and `var` of a VecNormalize.
    name : str, optional
        Of the policy; that of the file.
    out : folder
        Of policies.

    Raises
    ------
    UsageError
        Something is not told, the folder is there, or the extra `ml` is missing.
    FileError, RunError
        The file cannot be read, its network is none that trades here, or nothing can be written.
    """
    require_ml()
    file = path("file:", file)
    asked = Asked(
        None if features is None else features_of(features),
        _until(trained_until),
        arms,
        None if normal is None else path("normal:", normal),
    )
    folder = path("out:", out) / named(file.stem if name is None else name)
    require_new(folder, "policy")
    policy, told = adopted(file, asked)
    write_policy(policy, folder, {"command": "learn adopt", **told})
    return policy


def _until(given: Any) -> int:
    try:
        stamp = given if isinstance(given, datetime) else datetime.fromisoformat(str(given))
    except ValueError:
        raise UsageError(
            f"trained_until: {shown(given)} is no time, such as 2020-01-31 or 2020-01-31T21:00Z"
        ) from None
    is_date = len(str(given)) <= len("2020-01-31")
    if is_date:
        return utc_ns(datetime.combine(stamp.date(), time(), UTC)) + DAY_S * 10**9 - 1
    return utc_ns(stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC))
