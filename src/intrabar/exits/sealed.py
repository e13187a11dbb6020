"""JSON that holds the SHA-256 of its own content, so that damage and edits are noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrabar.errors import RunError


def sealed(told: Mapping[str, Any]) -> bytes:
    """The text of a mapping with its `sha256`; floats in the fewest digits that give them back.

    Raises
    ------
    ValueError
        A number is NaN or infinite.
    """
    whole = {**told, "sha256": _digest_of(told)}
    return (json.dumps(whole, indent=2, allow_nan=False) + "\n").encode()


def unsealed(content: bytes, path: Path, form: str, advice: str) -> dict[str, Any]:
    """What a sealed text says.

    Parameters
    ----------
    content : bytes
    path : Path
        Where it stood, for messages.
    form : str
        The `format` that it must have.
    advice : str
        What to do where it is damaged.

    Raises
    ------
    RunError
        It is no JSON, of another format, or was changed.
    """
    try:
        told = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path} is no JSON ({error}), or cut short: {advice}") from None
    found = told.get("format") if isinstance(told, dict) else None
    if found != form:
        raise RunError(
            f"{path}: format {found!r}, expected {form!r}: install the version that made it, or "
            "make it anew"
        )
    digest = _digest_of(told)
    if told.get("sha256") != digest:
        raise RunError(
            f"{path} was changed: SHA-256 {digest} of its content, expected {told.get('sha256')}: "
            f"{advice}"
        )
    return dict(told)


def _digest_of(told: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in told.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
