"""Hyperparameters of a file: those of a search here, or names and values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from intrabar.errors import ConfigError, FileError
from intrabar.learn.settings import params_hash
from intrabar.model.instant import instant_ns
from intrabar.model.values import path as path_of
from intrabar.model.values import shown

BEST = "best_hyperparameters.json"
FORMAT = "hyperparameters/1"
UNKNOWN = "unknown search"


class Found(NamedTuple):
    """Hyperparameters, and what is known of how they were found.

    Parameters
    ----------
    params : mapping
    search_until : int or None, ns UTC
        The last instant that their search has seen; None where nobody knows.
    told : str
        "" where they were written into the configuration.
    """

    params: Mapping[str, Any]
    search_until: int | None = None
    told: str = ""


def hyperparameters_of(given: str | Mapping[str, Any] | None, home: Path) -> Found:
    """Those of a configuration: none, names and values, or a file.

    Raises
    ------
    FileError
        The file is missing, or was changed since the search that wrote it.
    ConfigError
        It holds something else.
    """
    if given is None:
        return Found({})
    if isinstance(given, Mapping):
        return Found(_plain(given, "hyperparameters"))
    path = home / path_of("hyperparameters", given)
    if path.is_dir():
        path = path / BEST
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FileError(
            f"hyperparameters: {path}: no such file; make it: intrabar predict search CONFIG"
        ) from None
    except OSError as error:
        raise FileError(f"hyperparameters: {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"hyperparameters: {path} is no JSON ({error}); write names and values such as "
            '{"units": 32}, or write them into the configuration'
        ) from None
    if not isinstance(told, dict):
        raise ConfigError(f"hyperparameters: {path} is {shown(told)}, must be names and values")
    if "format" not in told and "params" not in told:
        return Found(_plain(told, f"hyperparameters: {path}"), None, UNKNOWN)
    params, expected = told.get("params"), told.get("sha256")
    if told.get("format") != FORMAT or not isinstance(params, dict):
        raise FileError(
            f"hyperparameters: {path}: format {told.get('format')!r}, expected {FORMAT!r}; search "
            "anew, or install the version that made it"
        )
    if params_hash(params) != expected:
        raise FileError(
            f"hyperparameters: {path} was changed: SHA-256 of params {params_hash(params)}, "
            f"expected {expected}; search anew, or write names and values alone"
        )
    try:
        until = instant_ns(str(told["search_until"]))
    except (KeyError, ValueError) as error:
        raise FileError(f"hyperparameters: {path}: search_until: {error}; search anew") from None
    return Found(params, until, f"{told.get('trials', '?')} trials")


def _plain(given: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Values that a manifest can hold."""
    for name, value in given.items():
        if not isinstance(name, str) or not isinstance(value, bool | int | float | str | None):
            raise ConfigError(
                f"{place}: {shown(name)} is {shown(value)}, must be a name and a number, text or "
                "truth"
            )
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{place}: {name} is {value}, must be finite")
    return dict(given)
