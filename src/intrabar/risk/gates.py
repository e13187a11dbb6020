"""The three gates of real money: the file, the wire, the person. Each alone is enough to refuse.

No flag, variable or default stands for the third one (live, section 8).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import msgspec

from intrabar.errors import GateError
from intrabar.risk.limits import Limits

Kind = Literal["live", "paper"]
REQUIRED = ("max_position_size_pct", "max_order_value", "allowed_symbols")
LOSSES = ("max_daily_loss_pct", "max_daily_loss")
ARMED_FOR = 7 * 24 * 3_600 * 1_000_000_000  # ns
OF_A_CENT = 0.005


def check_file(mode: str, account: str | None, limits: Limits) -> None:
    """The first gate: the file says that it means real money, which account, and how much.

    Raises
    ------
    GateError
        With all that is missing, and where it goes.
    """
    missing = []
    if mode != "live":
        missing.append(f"trading.mode is {mode!r}; real money needs live")
    if not account:
        missing.append("live.account is missing: the id of the account")
    missing += [f"risk.{name} is missing" for name in REQUIRED if not getattr(limits, name)]
    if not any(getattr(limits, name) for name in LOSSES):
        missing.append(f"risk.{LOSSES[0]} or risk.{LOSSES[1]} is missing")
    if missing:
        raise GateError(f"real money is refused: {'; '.join(missing)}")


def daily_loss(limits: Limits, equity: float) -> float:
    """The daily loss limit in money, the smaller where there are two; infinite without one."""
    of_pct = (limits.max_daily_loss_pct or math.inf) / 100.0 * equity
    return min(limits.max_daily_loss or math.inf, of_pct)


def check_wire(account: str, wanted: Kind, found: str, signs: Mapping[str, str]) -> None:
    """The second gate: everything that the broker shows says the same, of the right account.

    Parameters
    ----------
    account : str
        That the file names.
    wanted : "live" or "paper"
        What is being started.
    found : str
        The account that has answered.
    signs : mapping
        What host, port, pattern of the account and the vendor's own flag say: "live", "paper", or
        anything else where they say nothing.

    Raises
    ------
    GateError
        Another account, signs that differ, none, or of the other kind.
    """
    if found != account:
        raise GateError(f"the broker answers for account {found}, the file names {account}")
    said = (
        ", ".join(f"{name} says {kind}" for name, kind in signs.items())
        or "nothing says what it is"
    )
    kinds = set(signs.values())
    if kinds != {wanted}:
        what = "it may be real money" if wanted == "paper" else "it is not surely real money"
        raise GateError(f"account {account} is refused as {wanted}: {said}; {what}")


def check_typed(account: str, loss: float, typed_account: str, typed_loss: str) -> None:
    """The third gate: a person has typed the account number and the daily loss limit.

    Parameters
    ----------
    loss : float
        The daily loss limit, money in the account's currency.

    Raises
    ------
    GateError
        What was typed is something else.
    """
    if typed_account.strip() != account:
        raise GateError("the account number that was typed is another one: nothing is started")
    try:
        amount = float(typed_loss.strip())
    except ValueError:
        amount = math.nan
    if not abs(amount - loss) < OF_A_CENT:
        raise GateError(
            f"the daily loss limit is {loss:.2f}, what was typed is {typed_loss.strip()!r}: "
            "nothing is started"
        )


class Arming(msgspec.Struct, frozen=True):
    """A person's word for unattended starts: typed as at the third gate.

    Parameters
    ----------
    digest : str
        Of configuration, models and program together.
    at : int, ns
        When it was typed.
    """

    account: str
    digest: str
    at: int
    by: str
    host: str


def check_armed(arming: Arming | None, account: str, digest: str, now: int) -> None:
    """The third gate of an unattended start.

    Raises
    ------
    GateError
        Nobody has armed it, or for another account, another program, or too long ago.
    """
    again = "a person types it again: intrabar live arm"
    if arming is None:
        raise GateError(f"nobody has armed account {account}; {again}")
    if arming.account != account:
        raise GateError(f"account {arming.account} is armed, not {account}; {again}")
    if arming.digest != digest:
        raise GateError(
            f"configuration, models or program have changed since it was armed; {again}"
        )
    if not 0 <= now - arming.at <= ARMED_FOR:
        raise GateError(f"it was armed more than 7 days ago, or in the future; {again}")
