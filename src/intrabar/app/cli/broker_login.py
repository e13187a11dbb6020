"""`intrabar broker login`: a person logs in at a broker, whose token is kept in a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from intrabar.errors import FileError, UsageError
from intrabar.links.tradestation.credentials import VARIABLES, key_of
from intrabar.links.tradestation.credentials import token_file as named_file
from intrabar.links.tradestation.login import PORT, answered, begin, exchanged
from intrabar.links.tradestation.service import LIVE, NAME
from intrabar.links.tradestation.tokens import write_token


def login(
    name: str,
    /,
    *,
    token_file: Path | None = None,
    port: int = PORT,
) -> int:
    """Log in at a broker in a browser, and keep its refresh token in a file.

    The key is read from TRADESTATION_CLIENT_ID and TRADESTATION_CLIENT_SECRET, or from the files
    that those names with _FILE behind them name; a key without a secret is one of PKCE.

    Parameters
    ----------
    name : str
        tradestation: the others take keys that do not change.
    token_file : path, optional
        Where the token goes; else where TRADESTATION_REFRESH_TOKEN_FILE says.
    port : int
        Of this machine, to which the key may be answered: 31022 or 3000 as a rule.
    """
    if name.strip().lower() != NAME:
        raise UsageError(
            f"there is no login at {name}: its page says which keys it takes; {NAME} has one"
        )
    if not 1 <= port <= 65_535:
        raise UsageError(f"--port is {port}, must be 1 to 65535")
    file = _file(token_file)
    asyncio.run(_logged_in(file, port))
    print(f"the refresh token is in {file}, which you alone can read; name it where sessions run:")
    print(f"{VARIABLES['refresh_token']}_FILE={file.absolute()}")
    return 0


def _file(given: Path | None) -> Path:
    """Where the token goes, which can be written: before anybody logs in."""
    file = named_file(None) if given is None else given.expanduser()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            raise IsADirectoryError(21, "Is a directory")
        write_token(file.with_name(f".{file.name}.try"), "try")
        file.with_name(f".{file.name}.try").unlink()
    except OSError as error:
        raise FileError(f"--token-file: {file} cannot be written: {error.strerror}") from None
    return file


async def _logged_in(file: Path, port: int) -> None:
    key = key_of({})
    asked = begin(LIVE, key, port)
    print(f"open this page and log in, within five minutes:\n\n{asked.url}\n", file=sys.stderr)
    code = await answered(asked)
    write_token(file, await exchanged(LIVE, key, asked, code))
