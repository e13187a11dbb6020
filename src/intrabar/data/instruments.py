"""Instruments: what a symbol is and what trading it costs, from the table that comes with this.

Futures are known by their root (`ES`, also as `@ES`, `ES=F`, `ESH4`), forex and crypto pairs by
their currencies (`EURUSD`, `BTC-USD`). Any other symbol is taken for a US share, and
`describe` says so. A root goes before a share of the same letters: CL is crude oil.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from intrabar.model.instrument import Instrument

_MONTH = r"[FGHJKMNQUVXZ]\d{1,2}(?:\d{2})?"

# Overriding one side of a pair drops the other: a margin in money replaces the margin rate.
_INSTEAD = {
    "initial_margin": ("initial_margin_rate",),
    "initial_margin_rate": ("initial_margin",),
    "maintenance_margin": ("maintenance_margin_rate",),
    "maintenance_margin_rate": ("maintenance_margin",),
    "slippage_ticks": ("slippage_pct",),
    "slippage_pct": ("slippage_ticks",),
    "commission_per_contract": ("commission_rate", "commission_min", "commission_max"),
    "commission_rate": ("commission_per_contract", "commission_min", "commission_max"),
    "tick_value": ("point_value",),
    "contract_size": ("point_value",),
}


def instrument(symbol: str, overrides: Mapping[str, Any] | None = None) -> Instrument:
    """Parameters of a symbol: those of the table, with the user's over them.

    Parameters
    ----------
    symbol : str
    overrides : mapping, optional
        Names and numbers as configurations write them. A margin, slippage or commission that is
        given one way (per contract, as a rate) drops the table's other way, and a commission
        also the table's minimum.

    Raises
    ------
    NotFoundError
        An unknown parameter.
    ConfigError
        A value out of bounds.
    """
    values = _defaults(symbol)
    given = dict(overrides or {})
    for name in given:
        for other in _INSTEAD.get(name, ()):
            values.pop(other, None)
    return Instrument.from_mapping(symbol, {**values, **given})


def kind_of(symbol: str) -> str:
    """What a symbol is taken for: "future", "forex", "crypto", or "share" for all others."""
    if _root(symbol):
        return "future"
    if _pair(symbol, "crypto"):
        return "crypto"
    return "forex" if _pair(symbol, "forex") else "share"


def describe(symbol: str) -> str:
    """A sentence about where the parameters of a symbol come from."""
    root = _root(symbol)
    if root:
        name, *_, date, _, calendar = _table()["futures"][root]
        return f"{symbol}: {name} ({root}), calendar {calendar}, margins of {date}"
    kind = kind_of(symbol)
    if kind == "share":
        return f"{symbol}: not in the table, taken for a US share"
    return f"{symbol}: a {kind} pair"


def pair_of(symbol: str) -> tuple[str, str] | None:
    """Base and quote currency of a pair: ("EUR", "USD"); None for anything else."""
    return _pair(symbol, "forex") or _pair(symbol, "crypto")


def futures() -> dict[str, str]:
    """Roots of the futures in the table, and their names."""
    return {root: str(row[0]) for root, row in _table()["futures"].items()}


def _defaults(symbol: str) -> dict[str, Any]:
    table = _table()
    root = _root(symbol)
    if root:
        _, tick, value, initial, maintenance, _, commission, calendar = table["futures"][root]
        return {
            "tick_size": tick,
            "point_value": value / tick,
            "commission_per_contract": commission,
            "slippage_ticks": 1,
            "initial_margin": initial,
            "maintenance_margin": maintenance,
            "calendar": calendar,
        }
    kind = kind_of(symbol)
    values = dict(table[kind])
    pair = _pair(symbol, kind)
    if pair:
        values["currency"] = pair[1]
        if pair[1] == "JPY":
            values["tick_size"] = 0.001
    return values


def _root(symbol: str) -> str:
    known = _table()["futures"]
    bare = symbol.upper().removeprefix("@").removesuffix("=F")
    if bare in known:
        return bare
    match = re.fullmatch(rf"([A-Z0-9]{{2,3}}?){_MONTH}", bare)
    return match[1] if match and match[1] in known else ""


def _pair(symbol: str, kind: str) -> tuple[str, str] | None:
    names = _table()["currencies"]
    if kind not in ("forex", "crypto"):
        return None
    quotes = names["forex"] if kind == "forex" else names["crypto_quotes"]
    bare = symbol.upper().removesuffix("=X")
    apart = re.fullmatch(r"([A-Z]+)[-/_.]([A-Z]+)", bare)
    for base in names[kind]:
        if apart and apart[1] == base and apart[2] in quotes and apart[2] != base:
            return base, apart[2]
        rest = bare.removeprefix(base)
        if not apart and rest != bare and rest in quotes and rest != base:
            return base, rest
    return None


@cache
def _table() -> dict[str, Any]:
    text = files("intrabar.data").joinpath("instruments.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
