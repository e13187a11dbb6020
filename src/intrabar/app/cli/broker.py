"""`intrabar broker`: which brokers there are, what is proven of each, and how an account does."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import msgspec
from cyclopts import App, Parameter

from intrabar.app.cli.output import Json, examples, print_json, print_table
from intrabar.brokers.checking import Check, Checker
from intrabar.brokers.known import BROKERS, broker_named, known_broker, offer_of
from intrabar.brokers.proofs import Proof, proofs
from intrabar.errors import GateError, MissingExtra, UsageError
from intrabar.links.broker import Wanted

DAY = 24 * 3_600 * 1_000_000_000

broker = App(
    name="broker",
    help="See which brokers there are, and how an account does.",
    help_epilogue=examples(
        "intrabar broker list",
        "intrabar broker check tradestation --account SIM0000001M --orders",
    ),
)


broker.command(
    "intrabar.app.cli.broker_login:login",
    name="login",
    help="Log in at a broker in a browser, and keep its refresh token in a file.",
    help_epilogue=examples(
        "intrabar broker login tradestation --token-file tradestation.token",
    ),
)


broker.command(
    "intrabar.app.cli.broker_flatten:flatten",
    name="flatten",
    help="Cancel every order of an account and close every position.",
    help_epilogue=examples("intrabar broker flatten config.yaml --account SIM0000001M"),
)


@broker.command(name="list")
def list_(*, as_json: Json = False) -> int:
    """List the brokers: what each can, and what is proven of it.

    Parameters
    ----------
    as_json : bool
        A list of objects.
    """
    names = list(dict.fromkeys([*BROKERS.names(), *sorted(proofs())]))
    found = [_row(name) for name in names]
    if as_json:
        print_json(found)
        return 0
    header = ["name", "ready", "paper", "orders", "tests", "its fake was held against"]
    rows = [
        [
            one["name"],
            one["install"] or one["why"] or "yes",
            _yes(one["can"], "paper"),
            ", ".join(one["can"]["types"]) if one["can"] else "",
            str(one["tests"] or ""),
            one["source"],
        ]
        for one in found
    ]
    print_table(header, rows, right=["tests"])
    return 0


@broker.command
def check(
    name: str,
    /,
    *,
    account: str | None = None,
    orders: Annotated[bool, Parameter(negative="")] = False,
    symbol: str = "AAPL",
    limit: float = 1.0,
    config: Path | None = None,
    as_json: Json = False,
) -> int:
    """Look whether a paper account does what its adapter says.

    Reads alone; with --orders one order to buy 1 far below the market, which is changed and
    cancelled. A broker without paper accounts is only read.

    Parameters
    ----------
    name : str
        Of `intrabar broker list`.
    account : str, optional
        Its id; else that of the configuration.
    orders : bool
        Send the order too.
    symbol : str
        What it is for.
    limit : price
        Of the order, far below the market.
    config : Path, optional
        Its sections brokerage (credentials) and live (account).
    as_json : bool
        Print JSON.
    """
    name = known_broker(name)
    can = offer_of(name).can
    if orders and not can.paper:
        raise GateError(
            f"{name.capitalize()} has no paper accounts; `intrabar paper` simulates on its bars"
        )
    credentials, named = _configured(config, name)
    account = account or named
    if account is None:
        raise UsageError("which account? --account ID, or live.account in a file with --config")
    wanted = Wanted(account, "paper" if can.paper else "live", (symbol,))
    checker = Checker(broker_named(name, wanted, credentials), wanted)
    checks = asyncio.run(checker.run(limit if orders else None))
    if as_json:
        print_json([one._asdict() for one in checks])
    else:
        rows = [[_word(one), one.what, one.text] for one in checks]
        print_table(["", "what", "seen"], rows)
    return 0 if all(one.holds is not False for one in checks) else 1


def _configured(config: Path | None, name: str) -> tuple[dict[str, Any], str | None]:
    """Credentials and account of a file; nothing where there is none."""
    if config is None:
        return {}, None
    from intrabar.app.config.file import read_config

    read, _ = read_config(config, purpose="live")
    brokerage = read.brokerage
    if brokerage is None or known_broker(brokerage.name) != name:
        said = "none" if brokerage is None else brokerage.name
        raise UsageError(f"brokerage.name of {config} is {said}, not {name}")
    return dict(brokerage.credentials), read.live.account


def _row(name: str) -> dict[str, Any]:
    proof = proofs().get(name, Proof(why="" if name in BROKERS else "nobody offers it"))
    install, can = "", None
    if name in BROKERS:
        try:
            can = _plain(msgspec.to_builtins(offer_of(name).can))
        except MissingExtra as error:
            install = str(error).rpartition(": ")[2]
    return {
        "name": name,
        "shipped": name in BROKERS,
        "install": install,
        "can": can,
        "tests": proof.tests,
        "source": proof.source,
        "why": proof.why,
    }


def _plain(can: dict[str, Any]) -> dict[str, Any]:
    """What it can, with words in order, and days instead of nanoseconds."""
    days = can.pop("lists_done") / DAY
    words = {key: sorted(value) if isinstance(value, list) else value for key, value in can.items()}
    return {**words, "lists_done_days": days}


def _yes(can: dict[str, Any] | None, key: str) -> str:
    return "" if can is None else "yes" if can[key] else "no"


def _word(one: Check) -> str:
    return {True: "ok", False: "FAILED", None: "?"}[one.holds]
