"""`intrabar session order`, `modify`, `cancel` and `close`: orders by hand."""

from __future__ import annotations

from intrabar.app.cli.session_asking import Folder, asked
from intrabar.app.cli.session_folders import folder_of
from intrabar.app.folders.journals import SESSIONS


def order(
    name: str,
    /,
    *,
    side: str,
    qty: float,
    symbol: str | None = None,
    strategy: str | None = None,
    type: str = "market",  # noqa: A002 - the word of the field
    limit: float | None = None,
    stop: float | None = None,
    stop_loss: float | None = None,
    take_profit: float | None = None,
    tif: str = "gtc",
    sessions: Folder = SESSIONS,
) -> int:
    """Give an order by hand.

    Parameters
    ----------
    name : str
    side : str
        buy or sell.
    qty : float
    symbol : str
    strategy : str
        Whose position it is; else "by hand".
    type : str
        market, limit, stop, stop_limit or moc.
    limit, stop, stop_loss, take_profit : price
    tif : str
        gtc, day, ioc or fok.
    sessions : path
    """
    request = {
        "kind": "order", "side": side, "qty": qty, "symbol": symbol, "strategy": strategy,
        "type": type, "limit_price": limit, "stop_price": stop, "stop_loss": stop_loss,
        "take_profit": take_profit, "tif": tif,
    }  # fmt: skip
    return asked(folder_of(name, sessions), request)


def modify(
    name: str,
    number: int,
    /,
    *,
    qty: float | None = None,
    limit: float | None = None,
    stop: float | None = None,
    sessions: Folder = SESSIONS,
) -> int:
    """Change a working order.

    Parameters
    ----------
    name : str
    number : int
        Of the order.
    qty : float
    limit, stop : price
    sessions : path
    """
    request = {"kind": "modify", "order": number, "qty": qty, "limit_price": limit}
    return asked(folder_of(name, sessions), {**request, "stop_price": stop})


def cancel(name: str, number: int, /, *, sessions: Folder = SESSIONS) -> int:
    """Cancel a working order.

    Parameters
    ----------
    name : str
    number : int
        Of the order.
    sessions : path
    """
    return asked(folder_of(name, sessions), {"kind": "cancel", "order": number})


def close(
    name: str,
    symbol: str | None = None,
    /,
    *,
    strategy: str | None = None,
    sessions: Folder = SESSIONS,
) -> int:
    """Close the position of a strategy in a symbol.

    Parameters
    ----------
    name : str
    symbol : str
    strategy : str
        Whose; else "by hand".
    sessions : path
    """
    request = {"kind": "close", "symbol": symbol, "strategy": strategy}
    return asked(folder_of(name, sessions), request)
