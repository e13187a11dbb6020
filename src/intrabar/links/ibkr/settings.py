"""Where TWS or IB Gateway listens, as a configuration says it; and what port and account tell."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from intrabar.errors import ConfigError
from intrabar.links.credentials import require_known
from intrabar.links.ibkr.contracts import require_described
from intrabar.model.values import Bounds, taken

PORTS = {7497: "paper", 4002: "paper", 7496: "live", 4001: "live"}
"""Of TWS and of Gateway, as they are set when nobody has changed them."""
_PAPER = re.compile(r"D[A-Z]*\d+")
_LIVE = re.compile(r"[UFI]\d+")
_PORT = Bounds(1, 65_535, whole=True)
_CLIENT = Bounds(1, 2**31 - 1, whole=True)  # 0 is that of TWS itself


class Settings(msgspec.Struct, frozen=True):
    """What the credentials of `ibkr` say.

    Parameters
    ----------
    port : int
        0: the usual one of Gateway.
    client_id : int
        Of the connection for orders; that for bars has the next one.
    zone : str
        Of TWS, where its times have none; "": this machine's.
    contracts : dict
        Descriptions by symbol, of what names do not tell.
    """

    host: str = "127.0.0.1"
    port: int = 0
    client_id: int = 21
    zone: str = ""
    contracts: dict[str, dict[str, Any]] = {}

    @property
    def local(self) -> tzinfo | None:
        """The zone of TWS; None: this machine's."""
        return ZoneInfo(self.zone) if self.zone else None


def settings_of(credentials: Mapping[str, Any], kind: str = "paper") -> Settings:
    """Read the credentials.

    What they do not say is that of `IBKR_HOST`, `IBKR_PORT`, `IBKR_CLIENT_ID` and `IBKR_ZONE` of
    the environment, else the usual.

    Parameters
    ----------
    kind : "paper" or "live"
        Of the account that is wanted; it says which port is the usual one.

    Raises
    ------
    ConfigError
        A name that nobody reads, or a value that cannot be.
    """
    require_known("ibkr", credentials, Settings.__struct_fields__)
    credentials = {**_of_environment(), **credentials}
    place = "credentials.{} of ibkr:"
    usual = {"port": 4002 if kind == "paper" else 4001, "client_id": Settings().client_id}
    numbers = {
        name: int(taken(place.format(name), credentials.get(name, usual[name]), bounds))
        for name, bounds in (("port", _PORT), ("client_id", _CLIENT))
    }
    texts = {name: credentials.get(name, getattr(Settings(), name)) for name in ("host", "zone")}
    for name, text in texts.items():
        if not isinstance(text, str):
            raise ConfigError(f"{place.format(name)} a text is wanted, not {text!r}")
    if texts["zone"]:
        try:
            ZoneInfo(texts["zone"])
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ConfigError(
                f"{place.format('zone')} {texts['zone']!r} is not known; write America/New_York"
            ) from None
    contracts = require_described(credentials.get("contracts", {}))
    return Settings(texts["host"], numbers["port"], numbers["client_id"], texts["zone"], contracts)


def _of_environment() -> dict[str, Any]:
    """What the environment says, by the names of the credentials.

    Raises
    ------
    ConfigError
        A number that is none.
    """
    found: dict[str, Any] = {}
    for name in ("host", "port", "client_id", "zone"):
        variable = f"IBKR_{name.upper()}"
        text = os.environ.get(variable, "").strip()
        if text and name in ("port", "client_id"):
            if not text.isdigit():
                raise ConfigError(f"{variable} is {text!r}, must be a whole number")
            found[name] = int(text)
        elif text:
            found[name] = text
    return found


def signs_of(port: int, accounts: tuple[str, ...]) -> dict[str, str]:
    """What port and account ids say of a login: "paper", "live", or that they say nothing.

    Paper accounts begin with D (DU, DF of advisors). Of several accounts all must say the same. A
    port that somebody has changed says nothing: paper goes by the account, real money wants the
    port of TWS or Gateway that is real money's.
    """
    kinds = {account_kind(account) for account in accounts} or {"unknown"}
    said = kinds.pop() if len(kinds) == 1 else "mixed"
    if port not in PORTS and said == "paper":
        return {"accounts": said}
    return {"port": PORTS.get(port, "unknown"), "accounts": said}


def account_kind(account: str) -> str:
    """What the pattern of an account id says."""
    if _PAPER.fullmatch(account):
        return "paper"
    return "live" if _LIVE.fullmatch(account) else "unknown"
