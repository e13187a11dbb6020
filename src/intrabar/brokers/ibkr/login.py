"""Into TWS: the right account of the right kind."""

from __future__ import annotations

from collections.abc import Callable

from intrabar.brokers.fitting import require_wanted
from intrabar.errors import GateError
from intrabar.links.broker import Wanted
from intrabar.links.clock import Clock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.settings import Settings, signs_of
from intrabar.links.ibkr.wire import Wire
from intrabar.model.broker_facts import AccountFacts

LOGIN = 30.0  # seconds


async def log_in(
    at: Settings,
    wanted: Wanted,
    clock: Clock,
    hear: Callable[[raw.Fact], None],
    seconds: float,
    silence: float,
) -> tuple[Wire, dict[str, str]]:
    """A connection, and what port and accounts say of it.

    Raises
    ------
    GateError
        TWS is logged in to another account, or to one of another kind.
    LinkError
    """
    wire = Wire(
        at.host,
        at.port,
        at.client_id,
        clock,
        hear,
        seconds=seconds,
        silence=silence,
        zone=at.local,
    )
    accounts = await wire.connect(min(LOGIN, 3.0 * seconds))
    signs = signs_of(at.port, accounts)
    try:
        if wanted.account not in accounts:
            raise GateError(
                f"TWS at {at.host}:{at.port} is logged in to {', '.join(accounts)}, not to "
                f"{wanted.account}: log in there, or name the port of the other one"
            )
        require_wanted(wanted, AccountFacts(wanted.account, signs, ""))
    except GateError:
        await wire.close()
        raise
    return wire, signs
