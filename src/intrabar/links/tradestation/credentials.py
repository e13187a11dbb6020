"""What a login to TradeStation needs, by reference, as configurations write it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intrabar.errors import SecretError
from intrabar.links.clock import Clock
from intrabar.links.credentials import require_known, secret_of
from intrabar.links.tradestation.service import NAME, Service
from intrabar.links.tradestation.tokens import Key, Tokens

ID, SECRET, TOKEN = "client_id", "client_secret", "refresh_token"
VARIABLES = {
    ID: "TRADESTATION_CLIENT_ID",
    SECRET: "TRADESTATION_CLIENT_SECRET",
    TOKEN: "TRADESTATION_REFRESH_TOKEN",
}


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
    require_known(NAME, credentials, tuple(VARIABLES))
    return Tokens(service, key_of(credentials), token_file(credentials.get(TOKEN)), clock)


def key_of(credentials: Mapping[str, Any]) -> Key:
    """The key of the program that calls.

    Raises
    ------
    SecretError
    """
    told = secret_of(NAME, credentials, ID, VARIABLES[ID])
    name = VARIABLES[SECRET]
    if SECRET not in credentials and not {name, f"{name}_FILE"} & os.environ.keys():
        return Key(told.reveal())
    return Key(told.reveal(), secret_of(NAME, credentials, SECRET, name))


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
        f"credentials.{TOKEN} of {NAME}: TradeStation may give a new one at any time, so it stands "
        f"in a file that can be written: file:/path, or {variable}_FILE in the environment; "
        "intrabar broker login tradestation makes one"
    )
