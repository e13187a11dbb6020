"""What a login to TradeStation needs, by reference, as configurations write it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrabar.errors import ConfigError, SecretError
from intrabar.links.clock import Clock
from intrabar.links.tradestation.service import NAME, Service
from intrabar.links.tradestation.tokens import Key, Tokens
from intrabar.model.secret import Secret, resolve

ID, SECRET, TOKEN = "client_id", "client_secret", "refresh_token"
VARIABLES = {
    ID: "TRADESTATION_CLIENT_ID",
    SECRET: "TRADESTATION_CLIENT_SECRET",
    TOKEN: "TRADESTATION_REFRESH_TOKEN",
}
PLACE = f"credentials of {NAME}"


def tokens_of(service: Service, credentials: Mapping[str, Any], clock: Clock) -> Tokens:
    """The tokens of a login.

    Parameters
    ----------
    service : Service
    credentials : mapping
        `client_id` and `client_secret`, references or fetched; without a secret the key is one
        of PKCE. `refresh_token`, a reference to a file, which is written when there is a new one.
        What is missing is looked for in the environment, in `VARIABLES`.
    clock : Clock

    Raises
    ------
    ConfigError, SecretError
    """
    for name in credentials:
        if name not in VARIABLES:
            raise ConfigError(f"{PLACE}: {name!r} is not known; there are: {', '.join(VARIABLES)}")
    return Tokens(service, key_of(credentials), token_file(credentials.get(TOKEN)), clock)


def key_of(credentials: Mapping[str, Any]) -> Key:
    """The key of the program that calls.

    Raises
    ------
    SecretError
    """
    told = _resolved(ID, credentials.get(ID, f"${{{VARIABLES[ID]}}}"))
    secret = credentials.get(SECRET)
    name = VARIABLES[SECRET]
    if secret is None and (name in os.environ or f"{name}_FILE" in os.environ):
        secret = f"${{{name}}}"
    return Key(told.reveal(), None if secret is None else _resolved(SECRET, secret))


def token_file(reference: Any) -> Path:
    """The file of a refresh token.

    Parameters
    ----------
    reference : str, optional
        `file:/path`, or `${NAME}` where NAME_FILE names the file. None: `VARIABLES`.

    Raises
    ------
    SecretError
        It names no file.
    """
    text = f"${{{VARIABLES[TOKEN]}}}" if reference is None else str(reference)
    named = re.fullmatch(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", text)
    if text.startswith("file:"):
        return Path(text.removeprefix("file:")).expanduser()
    if named is not None and (path := os.environ.get(f"{named[1]}_FILE")):
        return Path(path).expanduser()
    variable = named[1] if named is not None else VARIABLES[TOKEN]
    raise SecretError(
        f"{PLACE}: {TOKEN}: TradeStation may give a new one at any time, so it stands in a file "
        f"that can be written: file:/path, or {variable}_FILE in the environment; "
        "intrabar broker login tradestation makes one"
    )


def _resolved(name: str, value: Any) -> Secret:
    return value if isinstance(value, Secret) else resolve(str(value), f"{PLACE}: {name}")
