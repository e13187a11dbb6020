"""Symbols and IB's contracts: what a name describes, and how what IB tells is named.

A share is its name (AAPL, BRK.B), a pair its two currencies (EURUSD), a future its contract (ESZ6).
Whatever else there is, and shares of other exchanges, is described in the credentials.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from intrabar.errors import ConfigError, NotFoundError
from intrabar.links.ibkr.raw import Listed

MONTHS = "FGHJKMNQUVXZ"
_CURRENCIES = "AUD CAD CHF CNH CZK DKK EUR GBP HKD HUF ILS JPY MXN NOK NZD PLN SEK SGD TRY USD ZAR"
CURRENCIES = frozenset(_CURRENCIES.split())
FIELDS = frozenset(
    {
        "conId",
        "symbol",
        "secType",
        "lastTradeDateOrContractMonth",
        "multiplier",
        "exchange",
        "primaryExchange",
        "currency",
        "localSymbol",
        "tradingClass",
    }
)
"""What a description may say, as IB writes it."""
_EXCHANGES = {
    "CME": "ES MES NQ MNQ RTY M2K 6E 6J 6B 6A 6C 6S 6N M6E M6B M6A",
    "CBOT": "YM MYM ZT ZF ZN TN ZB UB ZC ZS ZW ZL ZM",
    "NYMEX": "CL MCL NG RB HO PL",
    "COMEX": "GC MGC SI SIL HG",
}
EXCHANGES = {root: name for name, roots in _EXCHANGES.items() for root in roots.split()}
_FUTURE = re.compile(rf"([A-Z0-9]{{1,4}}?)([{MONTHS}])(\d|\d\d|20\d\d)")


def described(symbol: str, said: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What to ask IB for, in its own words.

    Parameters
    ----------
    symbol : str
    said : mapping
        By symbol, what the credentials say (`contracts`).

    Raises
    ------
    NotFoundError
        The name does not tell.
    """
    if symbol in said:
        return dict(said[symbol])
    name = symbol.strip().upper()
    pair = name.replace("/", "").replace(".", "").removesuffix("=X")
    if len(pair) == 6 and {pair[:3], pair[3:]} <= CURRENCIES:
        return {
            "symbol": pair[:3],
            "secType": "CASH",
            "currency": pair[3:],
            "exchange": "IDEALPRO",
        }
    future = _FUTURE.fullmatch(name)
    if future is not None and future[1] in EXCHANGES:
        root, month, year = future.groups()
        found = {"symbol": root, "secType": "FUT", "exchange": EXCHANGES[root], "currency": "USD"}
        if len(year) == 1:
            return {**found, "localSymbol": name}
        month_number = MONTHS.index(month) + 1
        return {
            **found,
            "lastTradeDateOrContractMonth": f"20{year[-2:]}{month_number:02}",
        }
    if re.fullmatch(r"[A-Z]{1,5}([./ -][A-Z])?", name) and name not in EXCHANGES:
        plain = re.sub(r"[./-]", " ", name)
        return {"symbol": plain, "secType": "STK", "exchange": "SMART", "currency": "USD"}
    raise NotFoundError(
        "contract at IB",
        symbol,
        (),
        none="its name does not tell what it is; futures are named by their contract (ESZ6), "
        f"others are described in the credentials: contracts: {{{symbol}: {{symbol: SAP, secType: "
        "STK, exchange: SMART, primaryExchange: IBIS, currency: EUR}}",
    )


def plain_name(what: Listed) -> str:
    """How a contract is named that nobody here has asked for."""
    if what.kind == "STK":
        return what.symbol.replace(" ", ".")
    if what.kind == "CASH":
        return what.symbol + what.currency
    return what.local or f"{what.symbol} {what.expiry}".strip()


def point_value(multiplier: str, magnifier: int = 1) -> float:
    """What a move of 1 in the price is worth."""
    return float(multiplier or 1) / magnifier


def require_described(said: Any) -> dict[str, dict[str, Any]]:
    """`contracts` of the credentials.

    Raises
    ------
    ConfigError
        Not a table of tables, or a field that IB does not have.
    """
    place = "credentials of ibkr: contracts"
    if not isinstance(said, Mapping) or not all(isinstance(x, Mapping) for x in said.values()):
        raise ConfigError(f"{place}: a table of descriptions by symbol is wanted, not {said!r}")
    for symbol, fields in said.items():
        unknown = sorted(set(fields) - FIELDS)
        if unknown:
            raise ConfigError(
                f"{place}.{symbol}: {unknown[0]!r} is no field of a contract; there are: "
                f"{', '.join(sorted(FIELDS))}"
            )
    return {str(symbol): dict(fields) for symbol, fields in said.items()}
