"""`intrabar session adopt` and `transfer`: what a person answers for at a broker."""

from __future__ import annotations

from intrabar.app.cli.session_asking import Folder, asked
from intrabar.app.cli.session_folders import folder_of
from intrabar.app.folders.journals import SESSIONS


def adopt(
    name: str,
    symbol: str,
    /,
    *,
    stop: float | None = None,
    reason: str = "a person adopts it",
    sessions: Folder = SESSIONS,
) -> int:
    """Take a position over that the broker has and nothing explains.

    It enters the book at the broker's average price, for the strategy whose symbol it is.

    Parameters
    ----------
    name : str
    symbol : str
    stop : price
        Where its stop goes; needed under require_stop.
    reason : str
    sessions : path
    """
    request = {"kind": "adopt", "symbol": symbol, "stop": stop, "reason": reason}
    return asked(folder_of(name, sessions), request)


def transfer(
    name: str,
    amount: float,
    /,
    *,
    reason: str = "a person names it",
    sessions: Folder = SESSIONS,
) -> int:
    """Say that money came to the account (above 0), or went, beside the session.

    Parameters
    ----------
    name : str
    amount : money
        Account currency.
    reason : str
    sessions : path
    """
    request = {"kind": "transfer", "amount": amount, "reason": reason}
    return asked(folder_of(name, sessions), request)
