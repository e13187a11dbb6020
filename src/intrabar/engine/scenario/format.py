"""What a scenario file may hold: read at the border, and refused with the place and the remedy.

Only what no market could understand is refused here. What a market refuses (a quantity that is
not whole lots, a price that is missing or not above 0) is let through: its rejection is part of
the result. A bar may be off its own range by less than a tick, as rounded sources are.
"""

from __future__ import annotations

import math
from dataclasses import fields
from numbers import Number
from typing import Any

import numpy as np

from intrabar.engine.scenario.orders import LAST_UNTIL, check_orders
from intrabar.engine.scenario.values import (
    check_flag,
    check_keys,
    check_length,
    check_name,
    check_number,
    check_whole,
    check_word,
    shown,
)
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.enums import (
    MarginCall,
    MarginCheck,
    PathPolicy,
    Settlement,
)
from intrabar.model.instrument import Instrument
from intrabar.model.prices import reaches

SCENARIO = {
    "name", "instruments", "account", "path_policy", "seed", "close_at_end",
    "bars", "days", "detail", "fx", "actions", "path_trust", "orders", "expect",
}  # fmt: skip
ACCOUNT = {
    "cash", "type", "margin_call", "margin_check", "close_at_end", "close_delisted",
    "currency", "interest_rate", "debit_rate", "settlement",
}  # fmt: skip
ACTION_VALUES = ("split", "dividend", "roll_from")
MARGIN_VALUES = (
    "initial_margin", "maintenance_margin", "initial_margin_rate", "maintenance_margin_rate",
)  # fmt: skip
INSTRUMENT = {f.name for f in fields(Instrument)} | {"tick_value", "contract_size"}
COLUMNS = ("open", "high", "low", "close", "volume")


def check_plain(place: str, value: Any) -> None:
    """Refuse what JSON does not have, at any depth; numbers may be NumPy's."""
    if isinstance(value, dict):
        for name, inner in value.items():
            check_plain(f"{place}.{name}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            check_plain(place, inner)
    elif value is not None and not isinstance(value, str | Number | np.bool_):
        raise ConfigError(f"{place}: {shown(value)}, must be what JSON has")


def check_scenario(scenario: Any) -> None:
    """Refuse what is not a scenario.

    Raises
    ------
    ConfigError, NotFoundError
        A field is missing, unknown or out of range; the message names the place.
    """
    if not isinstance(scenario, dict):
        raise ConfigError(f"a scenario is a JSON object, not {shown(scenario)}")
    check_plain("scenario", scenario)
    check_keys("scenario", scenario, SCENARIO)
    for name in ("instruments", "bars"):
        if not scenario.get(name):
            raise ConfigError(f"{name}: missing or empty; a scenario needs instruments and bars")
    ticks = check_instruments(scenario["instruments"])
    length = check_bars(scenario["bars"], ticks)
    check_account(scenario)
    check_course(scenario, ticks, length)
    orders = scenario.get("orders") or []
    if not isinstance(orders, list):
        raise ConfigError(f"orders: {shown(orders)}, must be a list")
    check_orders(orders, ticks, length)
    expect = scenario.get("expect")
    if expect is not None:
        check_expect(expect)


def check_instruments(given: Any) -> dict[str, float]:
    """The tick sizes by symbol."""
    if not isinstance(given, list):
        raise ConfigError(f"instruments: {shown(given)}, must be a list")
    ticks: dict[str, float] = {}
    for n, x in enumerate(given):
        place = f"instruments[{n}]"
        check_keys(place, x, INSTRUMENT)
        symbol = x.get("symbol")
        check_name(f"{place}.symbol", symbol)
        if symbol in ticks:
            raise ConfigError(f"{place}.symbol: {symbol!r} is there already; rename one")
        for name, value in x.items():
            if name == "tiers":
                check_tiers(f"{place}.tiers", value)
            elif name in ("calendar", "currency"):
                check_name(f"{place}.{name}", value)
            elif name != "symbol":
                signed = name in ("maker_rate", "swap_long", "swap_short")
                check_number(f"{place}.{name}", value, -math.inf if signed else 0.0)
                if name in ("tick_value", "contract_size"):
                    check_number(f"{place}.{name}", value, above=0.0)
        ticks[symbol] = float(x.get("tick_size", 0.01))
    return ticks


def check_tiers(place: str, tiers: Any) -> None:
    """Refuse what is not rows of a quantity, a commission per contract and a rate."""
    if not isinstance(tiers, list):
        raise ConfigError(f"{place}: {shown(tiers)}, must be a list")
    for n, row in enumerate(tiers):
        if not isinstance(row, list) or len(row) != 3:
            raise ConfigError(
                f"{place}[{n}]: {shown(row)} is not "
                "[from_qty, commission_per_contract, commission_rate]"
            )
        for value in row:
            check_number(f"{place}[{n}]", value, 0.0)


def check_bars(bars: Any, ticks: dict[str, float]) -> int:
    """The length of the timeline."""
    check_keys("bars", bars, ticks)
    length, longest = 0, ""
    for symbol, rows in bars.items():
        place = f"bars.{symbol}"
        if not isinstance(rows, list):
            raise ConfigError(f"{place}: {shown(rows)}, must be a list of bars")
        if longest and len(rows) != length:
            raise ConfigError(
                f"{place}: {len(rows)} bars, but bars.{longest} has {length}; "
                "write null where a symbol has no bar"
            )
        length, longest = len(rows), symbol
        for t, row in enumerate(rows):
            if row is not None:
                check_bar(f"{place}[{t}]", row, ticks[symbol])
    if length == 0:
        raise ConfigError("bars: there are none")
    return length


def check_bar(place: str, row: Any, tick: float) -> None:
    """Refuse a bar that contradicts itself by a tick or more."""
    if not isinstance(row, list) or len(row) != len(COLUMNS):
        raise ConfigError(f"{place}: {shown(row)} is not [open, high, low, close, volume] or null")
    for name, value in zip(COLUMNS, row, strict=True):
        check_number(f"{place}: {name}", value)
        if value < 0 or (value == 0 and name != "volume"):
            bound = "0 or more" if name == "volume" else "above 0"
            raise ConfigError(f"{place}: {name} is {value}, must be {bound}")
    open_, high, low, close, _ = row
    if is_beyond(low, high, tick):
        raise ConfigError(
            f"{place}: high {high} is below low {low}; the order is open, high, low, close, volume"
        )
    for name, price in (("open", open_), ("close", close)):
        if is_beyond(low, price, tick) or is_beyond(price, high, tick):
            raise ConfigError(
                f"{place}: {name} {price} is outside the bar's low {low} to high {high}"
            )


def is_beyond(above: float, below: float, tick: float) -> bool:
    """Whether a price is a tick or more above another; without a grid, above it at all."""
    return above - below >= tick and not reaches(-1, float(above), float(below), tick)


def check_account(scenario: dict[str, Any]) -> None:
    """Refuse what an account, a path or a seed cannot be."""
    account = scenario.get("account") or {}
    check_keys("account", account, ACCOUNT)
    if "cash" in account:
        check_number("account.cash", account["cash"], above=0.0)
    check_name("account.currency", account.get("currency", "USD"))
    if account.get("type", "margin") not in ("margin", "cash"):
        raise NotFoundError("account.type", str(account["type"]), ("margin", "cash"))
    check_word("account.margin_call", account.get("margin_call", "all"), MarginCall)
    check_word("account.margin_check", account.get("margin_check", "reject"), MarginCheck)
    check_word("account.settlement", account.get("settlement", "none"), Settlement)
    for name in ("interest_rate", "debit_rate"):
        check_number(f"account.{name}", account.get(name, 0.0), 0.0)
    check_word("path_policy", scenario.get("path_policy", "worst"), PathPolicy)
    trust = scenario.get("path_trust", 1.0)
    check_number("path_trust", trust, 0.0)
    if trust > 1:
        raise ConfigError(f"path_trust: {trust}, must be a probability, 0 to 1")
    check_flag("account.close_at_end", account.get("close_at_end", False))
    check_flag("account.close_delisted", account.get("close_delisted", False))
    check_flag("close_at_end", scenario.get("close_at_end", False))
    check_whole("seed", scenario.get("seed", 0), 0, 2**63 - 1, "a whole number")


def check_course(scenario: dict[str, Any], ticks: dict[str, float], length: int) -> None:
    """Refuse days, rates, lower bars and actions that do not fit the timeline."""
    days = scenario.get("days")
    if days is not None:
        check_length("days", days, length)
        for t, day in enumerate(days):
            check_whole(f"days[{t}]", day, 0, LAST_UNTIL, "a whole number")
            if t and day < days[t - 1]:
                raise ConfigError(f"days[{t}]: {day}, must not be below {days[t - 1]} before it")
    check_rates(scenario, length)
    check_detail(scenario.get("detail"), ticks, length)
    actions = scenario.get("actions") or []
    if not isinstance(actions, list):
        raise ConfigError(f"actions: {shown(actions)}, must be a list")
    for n, action in enumerate(actions):
        check_action(f"actions[{n}]", action, scenario["bars"], length)


def check_detail(detail: Any, ticks: dict[str, float], length: int) -> None:
    """Refuse what are not lists of lower bars; null stands where there are none."""
    if detail is None:
        return
    check_keys("detail", detail, ticks)
    for symbol, rows in detail.items():
        check_length(f"detail.{symbol}", rows, length)
        for t, lower in enumerate(rows):
            if lower is None:
                continue
            if not isinstance(lower, list):
                place = f"detail.{symbol}[{t}]"
                raise ConfigError(f"{place}: {shown(lower)}, must be a list of bars or null")
            for k, row in enumerate(lower):
                check_lower_bar(f"detail.{symbol}[{t}][{k}]", row)


def check_lower_bar(place: str, row: Any) -> None:
    """Refuse what is not four prices; whether they fit the bar is the market's business."""
    if not isinstance(row, list) or len(row) != 4:
        raise ConfigError(f"{place}: {shown(row)} is not [open, high, low, close]")
    for value in row:
        check_number(place, value, above=0.0)


def check_rates(scenario: dict[str, Any], length: int) -> None:
    """Refuse rates of exchange that are missing or do not fit the timeline."""
    rates = scenario.get("fx") or {}
    if not isinstance(rates, dict):
        raise ConfigError(f"fx: {shown(rates)}, must be an object")
    own = (scenario.get("account") or {}).get("currency", "USD")
    for n, x in enumerate(scenario["instruments"]):
        currency = x.get("currency", "USD")
        if currency != own and currency not in rates:
            raise ConfigError(
                f"instruments[{n}].currency: {currency} needs rates; give fx.{currency}"
            )
    for currency, values in rates.items():
        check_length(f"fx.{currency}", values, length)
        for t, value in enumerate(values):
            check_number(f"fx.{currency}[{t}]", value, above=0.0)


def check_action(place: str, action: Any, bars: dict[str, Any], length: int) -> None:
    """Refuse an action that is not one, or falls where its symbol has no bar."""
    check_keys(place, action, {"at", "symbol", *ACTION_VALUES, *MARGIN_VALUES})
    check_whole(f"{place}.at", action.get("at"), 0, length - 1, "an index of the timeline")
    check_name(f"{place}.symbol", action.get("symbol"))
    if action["symbol"] not in bars:
        raise NotFoundError(f"symbol in {place}", action["symbol"], bars)
    if bars[action["symbol"]][action["at"]] is None:
        raise ConfigError(f"{place}.at: {action['symbol']} has no bar at {action['at']}")
    values = [name for name in ACTION_VALUES if name in action]
    margins = [name for name in MARGIN_VALUES if name in action]
    if len(values) + bool(margins) != 1:
        raise ConfigError(f"{place}: needs one of {', '.join(ACTION_VALUES)}, or margins")
    for name in values + margins:
        check_number(f"{place}.{name}", action[name], 0.0)
        if name in ("split", "roll_from"):
            check_number(f"{place}.{name}", action[name], above=0.0)


def check_expect(expect: Any) -> None:
    """Refuse an expectation that names what no result has."""
    check_keys("expect", expect, {"name", "fills", "orders", "equity", "status", "ledger"})
    for name in ("fills", "orders", "equity", "ledger"):
        if not isinstance(expect.get(name, []), list):
            raise ConfigError(f"expect.{name}: {shown(expect[name])}, must be a list")
