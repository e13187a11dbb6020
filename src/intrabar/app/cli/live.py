"""`intrabar live`: a session with real money, behind three gates."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import sys
import time
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec
from cyclopts import App, Parameter

from intrabar.app.cli.account import Found, broker_of, found, with_capital
from intrabar.app.cli.output import Json, examples
from intrabar.app.cli.paper import on_live_bars, require_known, told, traded_symbols
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.config.file import read_config
from intrabar.app.workers.paper import Ways, live_through
from intrabar.engine.session.shadows import acting
from intrabar.errors import ConfigError, GateError
from intrabar.links.source import BarSource
from intrabar.risk.gates import Arming, check_armed, check_file, check_typed, daily_loss
from intrabar.risk.limits import Limits
from intrabar.sources import versions

ARMED = "armed.json"
RED, PLAIN = "\033[31m", "\033[0m"

app = App(
    name="live",
    help="Trade with real money: three gates, each alone enough to refuse.",
    help_epilogue=examples("intrabar live config.yaml", "intrabar live arm config.yaml"),
)


class Meant(NamedTuple):
    """What is about to trade real money."""

    setup: SessionSetup
    source: BarSource
    account: Found
    loss: float
    digest: str
    remarks: list[str]


@app.default
def live(
    config: Path,
    /,
    *,
    name: str = "",
    take_over: bool = False,
    without: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    restored: bool = False,
    as_json: Json = False,
) -> int:
    """Start a session with real money, or go on with the one of that name.

    Parameters
    ----------
    config : path
        A configuration file with trading.mode live, live.account, and the required limits.
    name : str
        Of the session and its folder; else live.name, else the configuration's name.
    take_over : bool
        Take the account from a process that still runs.
    without : list of str
        Strategies that are called no more.
    restored : bool
        With a broker: the journal was put back, and no other copy of this session lives.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    meant = _meant(config, name)
    require_known(without, meant.setup)
    print("\n".join(shown(meant)), file=sys.stderr)
    account = meant.account.answered.facts.id
    if sys.stdin.isatty():
        _typed(account, meant.loss)
        how = "typed"
    else:
        check_armed(_arming(_folder(meant.setup)), account, meant.digest, time.time_ns())
        how = "armed"
    setup = meant.setup.passed({**_person(), "how": how, "digest": meant.digest})
    ways = Ways(0.0, take_over, tuple(without), restored, stream=sys.stderr, pages=sys.stderr)
    lived = live_through(setup, ways, meant.source, meant.account.make)
    return told(lived, meant.remarks, as_json)


@app.command
def arm(config: Path, /, *, name: str = "") -> int:
    """Let a session with real money start unattended, at most 7 days.

    What is typed here counts for this account, this configuration, these models, this program.

    Parameters
    ----------
    config : path
    name : str
        Of the session.
    """
    meant = _meant(config, name)
    if not sys.stdin.isatty():
        raise GateError("live arm: a person types it, on a terminal; this is none")
    print("\n".join(shown(meant)), file=sys.stderr)
    account = meant.account.answered.facts.id
    _typed(account, meant.loss)
    person = _person()
    arming = Arming(account, meant.digest, time.time_ns(), person["by"], person["host"])
    folder = _folder(meant.setup)
    folder.mkdir(parents=True, exist_ok=True)
    file = os.open(folder / ARMED, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "wb") as out:
        out.write(msgspec.json.encode(arming))
    print(f"{meant.setup.name}: armed for 7 days")
    return 0


def _meant(path: Path, name: str) -> Meant:
    """What a file wants to trade, through the first two gates.

    Raises
    ------
    GateError, ConfigError
    """
    config, remarks = read_config(path, "live")
    limits = config.limits or Limits()
    check_file(config.mode, config.live.account, limits)
    risk = config.risk
    if risk is not None and risk.require_stop is None:
        config = config.model_copy(update={"risk": risk.model_copy(update={"require_stop": True})})
    fills = config.live.model_copy(update={"fills": "broker"})
    config = config.model_copy(update={"live": fills})
    who = broker_of(config, None)
    assert who is not None
    symbols = traded_symbols(config)
    strangers = sorted(set(symbols).difference(limits.allowed_symbols or ()))
    if strangers:
        raise ConfigError(f"risk.allowed_symbols: lacks {', '.join(strangers)}, which it trades")
    account = found(who, config, "live", symbols)
    config = with_capital(config, account.answered)
    setup, source = on_live_bars(config, remarks, name, account.answered)
    if unproven := acting(setup.plan.strategies):
        raise GateError(
            f"real money is refused: the exit of {', '.join(unproven)} learns and acts, and no "
            "scorecard is asked for it yet; write session: shadow, which trades its static arm"
        )
    remarks = [*remarks, *setup.remarks]
    return Meant(
        setup, source, account, daily_loss(limits, config.account.cash), _digest(setup), remarks
    )


def shown(meant: Meant) -> list[str]:
    """What a person sees before anything is typed."""
    setup, account = meant.setup, meant.account
    answered, look = account.answered, account.look
    limits, cash = setup.plan.limits, setup.plan.account.cash
    currency = setup.plan.account.currency
    held = {} if look is None else look.positions
    orders = () if look is None else look.orders
    told = [
        f"{RED}LIVE{PLAIN}       {answered.name}, account {answered.facts.id}: real money",
        f"equity     {answered.equity:,.2f} {currency}; this session has {cash:,.2f}",
        f"positions  {', '.join(f'{q:g} {s}' for s, (q, _) in held.items()) or 'none'}",
        f"orders     {len(orders)} at the broker",
        f"strategies {', '.join(setup.plan.strategies)} ({setup.decides[:12]})",
        f"daily loss {meant.loss:,.2f} {currency}: then everything is closed",
    ]
    for key, value in limits.given().items():
        told.append(f"limit      {key}: {_in_money(key, value, cash, currency)}")
    return [*told, *(f"note       {remark}" for remark in meant.remarks)]


def _in_money(key: str, value: Any, cash: float, currency: str) -> str:
    if key.endswith("_pct") and isinstance(value, float):
        return f"{value:g} % ({value / 100.0 * cash:,.2f} {currency})"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _typed(account: str, loss: float) -> None:
    """The third gate, on a terminal."""
    print("type the account number, then the daily loss limit; anything else ends here")
    check_typed(account, loss, input("account: "), input("daily loss: "))


def _digest(setup: SessionSetup) -> str:
    """Of configuration, models and program together."""
    settings = setup.config.model_dump(mode="json", by_alias=True, exclude_none=True)
    told = [settings, setup.decides, setup.contents, versions()]
    return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()


def _person() -> dict[str, str]:
    return {"by": getpass.getuser(), "host": socket.gethostname()}


def _folder(setup: SessionSetup) -> Path:
    return Path(setup.config.live.folder) / setup.name


def _arming(folder: Path) -> Arming | None:
    """What a person has typed ahead.

    Raises
    ------
    GateError
        Nobody can read it.
    """
    try:
        return msgspec.json.decode((folder / ARMED).read_bytes(), type=Arming)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise GateError(f"{folder / ARMED}: {error}; type it again: intrabar live arm") from None
