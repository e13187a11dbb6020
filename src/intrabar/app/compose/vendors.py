"""Vendors of bars as a call, a command or the section `data` of an older file names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrabar.app.config.file import read_yaml, validated
from intrabar.app.config.older import Provider
from intrabar.cache import cache_home
from intrabar.data.live.answers import Answers
from intrabar.data.live.vendors import known_source, vendor_named
from intrabar.errors import ConfigError
from intrabar.model import values

FOLDER = "answers"
"""Of the cache: answers of vendors."""


def answers_of(
    source: str,
    credentials: Mapping[str, Any] | None = None,
    cache_dir: Path | str | None = None,
    cache_enabled: bool = True,
) -> Answers:
    """A vendor with its answers in a folder.

    Parameters
    ----------
    source : str
    credentials : mapping, optional
        References to secrets, as configurations write them.
    cache_dir : path, optional
        None: below the cache folder of this program.
    cache_enabled : bool

    Raises
    ------
    NotFoundError, ConfigError, MissingExtra
    """
    source = values.named("source:", source)
    if credentials is not None:
        what = "a mapping of names to references"
        credentials = {
            str(k): v for k, v in values.mapping("credentials:", credentials, what).items()
        }
    folder = cache_home() / FOLDER
    if cache_dir is not None:
        folder = values.path("cache_dir:", cache_dir).expanduser()
    keeps = values.truth("cache_enabled:", cache_enabled)
    return Answers(vendor_named(source, credentials), folder if keeps else None)


def vendor_in(path: Path, source: str | None = None) -> tuple[Answers, list[str]]:
    """The vendor that a configuration file names in `data`, and the symbols that it trades.

    Parameters
    ----------
    path : path
    source : str, optional
        Another one, with the file's folder and symbols; it must not need its credentials.

    Raises
    ------
    ConfigError
        The file cannot be read, or names none.
    """
    given = read_yaml(path)
    data = given.get("data")
    if not isinstance(data, dict):
        if source is None:
            raise ConfigError(
                f"{path}: data.provider: the file names no source; write data: {{provider: "
                "yfinance}, or name one: --source yfinance"
            )
        data = {"provider": source}
    try:
        provider = validated(Provider, data, "data.")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    own = source is None or known_source(source) == known_source(provider.provider)
    folder = None
    if provider.cache_dir:
        where = values.path(f"{path}: data.cache_dir:", provider.cache_dir).expanduser()
        folder = path.parent / where
    answers = answers_of(
        provider.provider if source is None else source,
        (provider.credentials or None) if own else None,
        folder,
        provider.cache_enabled,
    )
    return answers, _symbols(given)


def _symbols(given: Mapping[str, Any]) -> list[str]:
    """Symbols of a file in either dialect, unread otherwise."""
    places = (given, given.get("trading"), given.get("backtesting"))
    for place in places:
        found = place.get("symbols") if isinstance(place, dict) else None
        if isinstance(found, list) and found:
            return [str(symbol) for symbol in found]
    return []
