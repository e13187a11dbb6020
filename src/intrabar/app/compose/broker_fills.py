"""A session whose fills come from a broker: what it knows of the account, and what it refuses."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from intrabar.app.config.model import Config
from intrabar.brokers.names import CODE_LENGTH, DIGITS
from intrabar.engine.session.bodies import body_from, in_body
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.clocks import SECOND_NS
from intrabar.engine.session.graces import Graces
from intrabar.errors import ConfigError
from intrabar.model.broker_facts import AccountFacts, Can
from intrabar.model.facts import SourceCan
from intrabar.model.instrument import Instrument
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.strategy import Strategy, defines

SIMULATED = "simulated"
STOP = "stop"


class Answered(NamedTuple):
    """Who has answered.

    Parameters
    ----------
    name : str
        Of the broker.
    facts : AccountFacts
    can : Can
    kind : "paper" or "live"
        What the session is for.
    equity : money
        Of the account; NaN where nobody says.
    """

    name: str
    facts: AccountFacts
    can: Can
    kind: Literal["paper", "live"]
    equity: float = math.nan


def new_code() -> str:
    """Six letters that the names of a session's orders begin with, drawn at random."""
    return "".join(secrets.choice(DIGITS[:32]) for _ in range(CODE_LENGTH))


def fills_of(
    config: Config,
    answered: Answered,
    instruments: Sequence[Instrument],
    strategies: Mapping[str, AnyStrategy],
    source: SourceCan,
    period: int,
) -> BrokerFills:
    """What a new session must know of an account.

    Raises
    ------
    ConfigError
        All that such a session refuses, each with its place.
    """
    symbols = _owned(config, [x.symbol for x in instruments], strategies)
    problems = [*symbols[1], *_refused(config, answered, instruments, strategies, source)]
    if problems:
        raise ConfigError("\n".join(problems))
    live, is_simulated = config.live, answered.name == SIMULATED
    return BrokerFills(
        new_code(),
        answered.can,
        Graces(live.close_grace, live.act_within).in_ns(source, period)[1],
        round(live.absence_after * SECOND_NS),
        live.naked_seconds,
        live.on_stop_refused,
        live.watched_stops,
        "tolerate" if live.foreign == "tolerate" else "block",
        holds=not is_simulated,
        symbols=symbols[0],
    )


def broker_body(answered: Answered, fills: BrokerFills) -> dict[str, Any]:
    """What `session.started` says of the broker."""
    return {
        "name": answered.name,
        "account": answered.facts.id,
        "kind": answered.kind,
        "code": fills.code,
        "can": in_body(fills.can),
        "act_within": fills.act_within,
        "absence_after": fills.absence_after,
        "naked_seconds": fills.naked_seconds,
        "on_stop_refused": fills.on_stop_refused,
        "watched_stops": fills.watched_stops,
        "foreign": fills.foreign,
        "holds": fills.holds,
        "symbols": {name: list(symbols) for name, symbols in fills.symbols.items()},
    }


def answered_in(started: Mapping[str, Any]) -> Answered | None:
    """The account of a session that has begun; None where the market fills."""
    body = started.get("broker")
    if body is None:
        return None
    facts = AccountFacts(body["account"], {"kind": body["kind"]}, "")
    return Answered(body["name"], facts, body_from(body["can"], Can), body["kind"])


def fills_in(started: Mapping[str, Any]) -> BrokerFills | None:
    """What a session that has begun knows of its account; None where the market fills."""
    body = started.get("broker")
    if body is None:
        return None
    return BrokerFills(
        body["code"],
        body_from(body["can"], Can),
        body["act_within"],
        body["absence_after"],
        body["naked_seconds"],
        body["on_stop_refused"],
        body["watched_stops"],
        body["foreign"],
        holds=body["holds"],
        symbols={name: tuple(symbols) for name, symbols in body["symbols"].items()},
    )


def _owned(
    config: Config, known: Sequence[str], strategies: Mapping[str, AnyStrategy]
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Whose each symbol is, and what is wrong with that."""
    said = {x.label: tuple(x.symbols) for x in config.strategies if x.enabled}
    owned: dict[str, tuple[str, ...]] = {}
    problems, owner = [], dict[str, str]()
    for k, name in enumerate(strategies):
        symbols = said.get(name, ())
        if not symbols and len(strategies) == 1:
            symbols = tuple(known)
        if not symbols:
            problems.append(
                f"strategies[{k}].symbols: is missing; with a broker each strategy names its own: "
                f"symbols: [{known[0]}]"
            )
        for symbol in symbols:
            if symbol not in known:
                names = ", ".join(known)
                problems.append(
                    f"strategies[{k}].symbols: {symbol!r} is not traded; there are: {names}"
                )
            elif symbol in owner:
                problems.append(
                    f"strategies[{k}].symbols: {symbol} is {owner[symbol]}'s already; a broker "
                    "nets positions, so each symbol belongs to one strategy"
                )
            owner.setdefault(symbol, name)
        owned[name] = symbols
    return owned, problems


def _refused(
    config: Config,
    answered: Answered,
    instruments: Sequence[Instrument],
    strategies: Mapping[str, AnyStrategy],
    source: SourceCan,
) -> Iterator[str]:
    """What a session with broker fills does not do, each with its place."""
    can, live = answered.can, config.live
    for k, data in enumerate(config.data):
        if data.contracts:
            yield f"data[{k}].contracts: a continuous future cannot be ordered; name the contract"
    if STOP not in can.types and not live.watched_stops:
        yield (
            f"live.watched_stops: {answered.name} has no stop orders in this account; write true "
            "to let this program watch the stops"
        )
    if live.watched_stops and answered.kind == "live":
        yield "live.watched_stops: is true; with real money a stop rests at the broker"
    for name, strategy in strategies.items():
        sees = source.opens != "none"
        if not sees and isinstance(strategy, Strategy) and defines(strategy, "on_open"):
            yield f"strategies: {name} has on_open, and the source of bars shows no opens in time"
    for x in instruments:
        if not x.calendar:
            yield (
                f"instruments.{x.symbol}.calendar: is missing; write NYSE or what its exchange is, "
                "or 24/7"
            )
        yield from _off_grid(x, answered)


def _off_grid(x: Instrument, answered: Answered) -> Iterator[str]:
    """Where the broker's tick, lot or point value are others than ours."""
    grid = answered.facts.grids.get(x.symbol)
    if grid is None:
        return
    for key, own, theirs in (
        ("tick_size", x.tick_size, grid.tick),
        ("lot", x.lot, grid.lot),
        ("point_value", x.point_value, grid.point_value),
    ):
        if math.isfinite(theirs) and own != theirs:
            yield f"instruments.{x.symbol}.{key}: is {own:g}, the broker's is {theirs:g}"
