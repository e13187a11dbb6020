"""Credentials as a configuration has them: names that are known, secrets by reference."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from intrabar.errors import ConfigError
from intrabar.model.secret import Secret, resolve


def require_known(owner: str, credentials: Mapping[str, Any], known: Collection[str]) -> None:
    """Refuse names that nobody reads.

    Parameters
    ----------
    owner : str
        Whose they are: "tradestation".

    Raises
    ------
    ConfigError
    """
    for key in credentials:
        if key not in known:
            names = ", ".join(known) or "none"
            raise ConfigError(f"credentials of {owner}: {key!r} is not known; there are: {names}")


def secret_of(owner: str, credentials: Mapping[str, Any], key: str, variable: str) -> Secret:
    """A secret: the one that was fetched, or the one that a reference names.

    Parameters
    ----------
    variable : str
        Of the environment, where the credentials do not say.

    Raises
    ------
    SecretError
        The reference does not resolve.
    """
    value = credentials.get(key, f"${{{variable}}}")
    return (
        value if isinstance(value, Secret) else resolve(str(value), f"credentials.{key} of {owner}")
    )
