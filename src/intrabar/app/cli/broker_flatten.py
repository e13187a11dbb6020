"""`intrabar broker flatten`: an account is emptied, whatever has become of its session."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Literal

from intrabar.app.compose.broker_fills import new_code
from intrabar.app.compose.session import session_name
from intrabar.app.config.file import read_config
from intrabar.app.workers.emptying import Left, emptied
from intrabar.brokers.known import broker_named, known_broker
from intrabar.errors import ConfigError, GateError
from intrabar.journal.emergency import Emergency
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.risk.gates import check_typed


def flatten(
    config: Path,
    /,
    *,
    account: str,
    kind: Literal["paper", "live"] = "paper",
) -> int:
    """Cancel every order of an account and close every position, foreign ones too.

    It needs no strategy, no source of bars and no journal: of the file it reads who the broker is,
    and its keys. The session of the file is marked: it begins halted. One that still runs is to be
    killed first (intrabar kill), or its process ended.

    Parameters
    ----------
    config : path
        A configuration with the section brokerage.
    account : str
        Its id, which is typed again where it is real money.
    kind : "paper" or "live"
    """
    made, _ = read_config(config, "live" if kind == "live" else "paper")
    if made.brokerage is None:
        raise ConfigError("brokerage: is missing; write brokerage: {name: ..., credentials: {...}}")
    if kind == "live":
        if not sys.stdin.isatty():
            raise GateError("broker flatten: a person types the account, on a terminal")
        check_typed(account, 0.0, input("account: "), "0")
    name = known_broker(made.brokerage.name)
    clock = WallClock()
    broker = broker_named(name, Wanted(account, kind), dict(made.brokerage.credentials), clock)
    folder = Path(made.live.folder) / session_name(made, "")
    if folder.is_dir():
        Emergency([folder]).halt(clock.now(), f"broker flatten of account {account}")
        print(f"{folder.name}: it begins halted")
    left = asyncio.run(emptied(broker, clock, account, kind, new_code(), print))
    return _told(left)


def _told(left: Left) -> int:
    if left.is_empty:
        print("flat: a look shows no position and no order")
        return 0
    held = ", ".join(f"{qty:g} {symbol}" for symbol, qty in left.positions.items())
    print(f"not flat: {held or 'no position'}; {left.orders} orders; try again, or call the broker")
    return 1
