"""Instruments: what a symbol is and what trading it costs, from the table that comes with this.

`symbols.known` reads the name. Futures have the contract of their root, pairs their currencies,
shares their exchange. A name that says nothing is taken for nothing: it has no calendar, costs a
round rate, and `traded` (app) tells its tick from its bars and says so in the result.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from intrabar.data.symbols import Name, is_future_name, known, meanings, roots
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.instrument import Instrument

__all__ = [
    "KINDS",
    "calendar_of",
    "describe",
    "futures",
    "instrument",
    "kind_of",
    "known",
    "pair_of",
    "require_said",
]

KINDS = ("share", "future", "forex", "metal", "crypto", "cfd", "index")

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
_MONEY = ("point_value", "tick_value", "contract_size")


def instrument(symbol: str, overrides: Mapping[str, Any] | None = None) -> Instrument:
    """Parameters of a symbol: those of the table, with the user's over them.

    Parameters
    ----------
    symbol : str
    overrides : mapping, optional
        Names and numbers as configurations write them; `kind` says what the symbol is, where
        its name does not. A margin, slippage or commission that is given one way (per contract,
        as a rate) drops the table's other way, and a commission also the table's minimum.

    Raises
    ------
    NotFoundError
        An unknown parameter, kind or calendar.
    ConfigError
        A value out of bounds, or a symbol that could be two things.
    """
    given = dict(overrides or {})
    kind = require_kind(given.pop("kind", None))
    require_said(symbol, {**given, "kind": kind} if kind else given)
    values = _defaults(symbol, kind)
    for name in given:
        for other in _INSTEAD.get(name, ()):
            values.pop(other, None)
    return Instrument.from_mapping(symbol, {**values, **given})


def require_said(symbol: str, said: Mapping[str, Any]) -> None:
    """Ask for what neither a name nor bars can tell: the worth of a point of a future.

    Raises
    ------
    ConfigError
        The message has what to write.
    """
    kind = said.get("kind")
    if kind is None and (both := meanings(symbol)) and not _tells_money(said):
        raise ConfigError(
            f"{symbol} may be {' or '.join(both)}: use one of these names, or say what it is, "
            f"instruments: {{{symbol}: {{kind: crypto}}}}"
        )
    is_future = kind == "future" if kind else is_future_name(symbol)
    in_table = known(symbol) or symbol.strip().upper() in roots()
    if _tells_money(said) or in_table or not is_future:
        return
    raise ConfigError(
        f"{symbol} is a future that is not in the table, and bars do not tell what a point of it "
        f"is worth; say it: instruments: {{{symbol!r}: {{tick_size: 0.25, point_value: 50, "
        "calendar: CME_Equity}}"
    )


def _tells_money(said: Mapping[str, Any]) -> bool:
    return any(said.get(name) is not None for name in _MONEY)


def require_kind(kind: Any) -> str | None:
    """What somebody says a symbol is; None where nobody says it.

    Raises
    ------
    NotFoundError
        There is no such kind.
    """
    if kind is not None and (not isinstance(kind, str) or kind not in KINDS):
        raise NotFoundError("kind", str(kind), KINDS)
    return kind


def kind_of(symbol: str) -> str:
    """What a symbol is, one of `KINDS`; "" where its name does not tell."""
    name = known(symbol)
    return name.kind if name else ""


def calendar_of(symbol: str, said: Mapping[str, Any] | None = None) -> str:
    """Calendar of a symbol: as it was said, else of its name; "" where neither tells."""
    said = said or {}
    if said.get("calendar") is not None:
        return str(said["calendar"])
    return str(_defaults(symbol, require_kind(said.get("kind"))).get("calendar", ""))


def describe(symbol: str) -> str:
    """A sentence about where the parameters of a symbol come from."""
    name = known(symbol)
    if name is None:
        return f"{symbol}: not in the table; its tick is told by its bars, a point is worth 1"
    if name.root:
        title, *_, date, _, calendar = roots()[name.root]
        return f"{symbol}: {title} ({name.root}), calendar {calendar}, margins of {date}"
    what = {
        "cfd": "a contract for difference",
        "index": "an index",
        "share": "a share",
        "metal": "an ounce of metal",
    }.get(name.kind, f"a {name.kind} pair")
    unit = f", quoted in {name.hundredth}" if name.hundredth else ""
    return f"{symbol}: {what}, calendar {name.calendar}, in {name.currency}{unit}"


def pair_of(symbol: str) -> tuple[str, str] | None:
    """Base and quote currency of a pair: ("EUR", "USD"); None for anything else."""
    name = known(symbol)
    return name.pair if name and name.pair else None


def futures() -> dict[str, str]:
    """Roots of the futures in the table, and their names."""
    return {root: str(row[0]) for root, row in roots().items()}


def _defaults(symbol: str, kind: str | None) -> dict[str, Any]:
    name = known(symbol)
    if name is None or (kind is not None and kind != name.kind):
        name = _of_kind(symbol, kind)
    if name is None:
        return dict(_table()["unknown"])
    if name.root:
        _, tick, value, initial, maintenance, _, commission, calendar = roots()[name.root]
        return {
            "tick_size": tick,
            "point_value": value / tick,
            "commission_per_contract": commission,
            "slippage_ticks": 1,
            "initial_margin": initial,
            "maintenance_margin": maintenance,
            "calendar": calendar,
        }
    abroad = name.kind == "share" and name.currency != "USD"
    values = dict(_table()["share_abroad" if abroad else name.kind])
    values |= {"calendar": name.calendar or values.get("calendar", ""), "currency": name.currency}
    if name.hundredth:
        values["point_value"] = 0.01
    if name.kind == "forex" and name.currency in ("JPY", "HUF", "KRW", "IDR"):
        values["tick_size"] = 0.001
    return values


def _of_kind(symbol: str, kind: str | None) -> Name | None:
    """A name that is taken for what it is said to be."""
    if kind is None:
        return None
    bare = symbol.strip().upper()
    if kind == "future":
        root = bare if bare in roots() else ""
        return Name(kind, roots()[root][-1], "USD", root) if root else None
    own = {"share": "NYSE", "index": "NYSE"}
    return Name(kind, own.get(kind, ""), "USD")


@cache
def _table() -> dict[str, Any]:
    text = files("intrabar.data").joinpath("instruments.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
