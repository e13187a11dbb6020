"""The contract that a symbol is at IB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.asking import RefusedError
from intrabar.links.ibkr.contracts import described
from intrabar.links.ibkr.wire import NOT_FOUND, Wire


async def contract_of(
    wire: Wire, symbol: str, contracts: Mapping[str, Mapping[str, Any]]
) -> raw.Details:
    """Ask IB for the one contract that a symbol is.

    Raises
    ------
    NotFoundError
        IB has none, or the name describes nothing.
    ConfigError
        Its description fits several.
    LinkError
    """
    try:
        found = await wire.details(described(symbol, contracts))
    except RefusedError as error:
        if error.code != NOT_FOUND:
            raise
        raise NotFoundError("contract at IB", symbol, (), none=str(error)) from None
    if not found:
        raise NotFoundError("contract at IB", symbol, (), none="TWS names none")
    if len({x.listed.con_id for x in found}) > 1:
        several = "; ".join(
            f"{x.listed.local} {x.listed.expiry} {x.listed.exchange} {x.listed.currency}, conId "
            f"{x.listed.con_id}"
            for x in found[:5]
        )
        raise ConfigError(
            f"{symbol} fits {len(found)} contracts at IB: {several}; say which in the credentials: "
            f"contracts: {{{symbol}: {{conId: {found[0].listed.con_id}, exchange: "
            f"{found[0].listed.exchange}}}}}"
        )
    return found[0]
