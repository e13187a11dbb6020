"""Names of instruments: what a symbol says of its kind, calendar and currency.

Names are read as TradingView (`NQ1!`, `CME_MINI:ES1!`, `BINANCE:BTCUSDT.P`), CCXT
(`BTC/USDT:USDT`), Yahoo (`ES=F`, `EURUSD=X`, `^GSPC`, `7203.T`), IBKR (`EUR.USD`), NinjaTrader
(`ES 03-24`), Databento (`ES.c.0`, `ESM4.CME`), TradeStation (`@ES.D`), thinkorswim (`/ES`) and
brokers of forex (`EURUSDm`, `EURUSD.r`) write them. A name that none of these rules fits is not
known: it is nothing by default.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

MONTHS = "FGHJKMNQUVXZ"
_NAMED_MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"

# Ends of a future's name after its root: a month, a continuous series, a place in the row.
_FUTURE_ENDS = (
    r"[1-9]!",  # ES1!
    rf"[{MONTHS}](?:\d{{1,2}}|20\d\d)",  # ESH4, ESZ24, ESZ2024
    r" (?:\d\d|##)-(?:\d\d|##)",  # ES 03-24
    rf" (?:{_NAMED_MONTHS})\d\d",  # ES MAR24
    r"\.[CNV]\.\d+",  # ES.c.0
    r"\.(?:FUT|CME|CBT|NYM|CMX)",
    r"[_-](?:F|FUT|CONT|CONTINUOUS)",
    r"#[A-Z]?",
)
_PERPETUAL = re.compile(r"(?:\.P|[-_]?PERP|-PERPETUAL|[-_]SWAP)$")
_ROUND_THE_CLOCK = "24/7"
_WEEKDAYS = "24/5"


@dataclass(frozen=True, slots=True)
class Name:
    """What the name of an instrument says.

    Parameters
    ----------
    kind : {"share", "future", "forex", "metal", "crypto", "cfd", "index"}
    calendar : str
        Exchange calendar; "" where the name does not tell.
    currency : str
        In which it is priced.
    root : str
        Of a future.
    pair : tuple of str
        Base and quote currency; empty for what is no pair.
    hundredth : str
        What prices are quoted in where it is a hundredth of the currency: "pence".
    """

    kind: str
    calendar: str
    currency: str
    root: str = ""
    pair: tuple[str, str] | tuple[()] = ()
    hundredth: str = ""


def known(symbol: str) -> Name | None:
    """What a symbol says of itself; None where it fits no rule.

    Notes
    -----
    The root of a future goes before a share of the same letters: CL is crude oil. A future and a
    coin of the same letters are both, so the name is not known (`meanings`).
    """
    bare = " ".join(symbol.upper().split())
    if meanings(symbol):
        return None
    if re.fullmatch(r"[A-Z_]+:.+", bare):  # in BTC/USDT:USDT the colon stands behind a pair
        venue, _, rest = bare.partition(":")
        return _at_venue(venue, rest)
    return (
        _bloomberg(bare)
        or _future(bare)
        or _index(bare)
        or _cfd(bare)
        or _pair(bare)
        or _listed(bare)
        or _us_share(bare)
    )


def is_future_name(symbol: str) -> bool:
    """Whether a name is written as only futures are, by a root that may not be in the table."""
    bare = symbol.strip().upper().rpartition(":")[2]
    ends = (r"=F", r"[1-9]!", r" (?:\d\d|##)-(?:\d\d|##)", r"\.[CNV]\.\d+")
    return bool(re.fullmatch(rf"[A-Z0-9]{{1,5}}(?:{'|'.join(ends)})", bare)) or bool(
        re.fullmatch(r"[@/&][A-Z0-9]{1,5}(?:\.[A-Z])?", bare)
    )


def meanings(symbol: str) -> tuple[str, ...]:
    """What a bare name may stand for where it is both a future and a coin; else nothing."""
    bare = symbol.strip().upper()
    if bare in ("BTC", "ETH") and bare in roots():
        return f"{bare}=F, the future", f"{bare}-USD, the coin"
    return ()


@cache
def roots() -> dict[str, list[Any]]:
    """Rows of the futures in the table, by root."""
    found: dict[str, list[Any]] = _toml("instruments")["futures"]
    return found


def _at_venue(venue: str, rest: str) -> Name | None:
    venues = _names()["venues"]
    if rest.startswith(("^", "/")):
        return None
    if venue in venues["suffix"]:
        return _index(rest) or _listed(f"{rest}.{venues['suffix'][venue]}")
    if venue in venues["future"]:
        return _future(rest)
    if venue in venues["crypto"]:
        return _pair(rest, crypto=True)
    if venue in venues["forex"]:
        return _cfd(rest) or _index(rest) or _pair(rest)
    if venue in ("SP", "DJ", "NASDAQ", "CBOE") and (index := _index(rest)):
        return index
    if venue in venues["share"] and re.fullmatch(r"[A-Z]{1,6}(?:[.\-/][A-Z]{1,2})?", rest):
        return Name("share", "NYSE", "USD")
    return None


def _bloomberg(bare: str) -> Name | None:
    if match := re.fullmatch(r"([A-Z./]+) (?:US|UN|UW|UQ) EQUITY", bare):
        return Name("share", "NYSE", "USD")
    if match := re.fullmatch(r"(.+) (?:CURNCY|BGN CURNCY)", bare):
        return _pair(match[1])
    return None


def _future(bare: str) -> Name | None:
    table = roots()
    name = re.sub(r"^[@/&]", "", bare).removesuffix("=F")
    if bare[:1] == "@":
        name = re.sub(r"(?:\.[A-Z]|=\d+[A-Z]*)$", "", name)  # @ES.D, @ES=103XN
    if bare[:1] == "&":
        name = name.removesuffix("_CCB")
    name = re.sub(rf"(?<=[{MONTHS}]\d)\.(?:CME|CBT|NYM|CMX)$", "", name)
    name = re.sub(rf"(?<=[{MONTHS}]\d\d)\.(?:CME|CBT|NYM|CMX)$", "", name)
    for end in ("", *_FUTURE_ENDS):
        match = re.fullmatch(rf"([A-Z0-9]{{2,3}}?){end}", name)
        if match and match[1] in table:
            return Name("future", table[match[1]][-1], "USD", root=match[1])
    return None


def _index(bare: str) -> Name | None:
    row = _names()["indices"].get(bare.removeprefix("^").removeprefix("."))
    return Name("index", *row) if row else None


def _cfd(bare: str) -> Name | None:
    table = _names()["cfds"]
    name = re.sub(r"\.?IDX(?=/?[A-Z]{3}$)|[/_ -]", "", bare)
    name = re.sub(r"(?:[.#+].*|CASH|M|\.)$", "", name) if name not in table else name
    if name in table:
        return Name("cfd", _WEEKDAYS, table[name])
    if len(name) > 5 and name[:-3] in table and name[-3:] in _currencies("forex"):
        return Name("cfd", _WEEKDAYS, name[-3:])
    return None


def _pair(bare: str, crypto: bool = False) -> Name | None:
    name = _PERPETUAL.sub("", bare).removesuffix("=X")
    is_perpetual = name != bare.removesuffix("=X")
    if bare.endswith("=X") and name in _currencies("forex"):
        return _pair_name("USD", name)  # Yahoo's JPY=X
    name = re.sub(r"^P[IF]_", "", name)
    settled = re.fullmatch(r"([A-Z0-9]+/[A-Z0-9]+):[A-Z0-9]+(?:-\d+)?", name)  # CCXT
    name = settled[1] if settled else name
    apart = re.fullmatch(r"([A-Z0-9]+)[-/_.]([A-Z]+)", name)
    if apart and (found := _pair_name(apart[1], apart[2])):
        return found
    if joined := _joined(name, crypto):
        return joined
    with_end = re.fullmatch(r"([A-Z]{3})[/_]?([A-Z]{3})(?:[._#+!-]\w*|[A-Z]{1,5}|\+)", name)
    if with_end and with_end[1] in (*_currencies("forex"), *_currencies("metals")):
        return _pair_name(with_end[1], with_end[2], crypto=False)  # a broker's EURUSD.r
    if is_perpetual and re.fullmatch(r"[A-Z0-9]{2,10}", name):
        return _pair_name(name, "USD")
    return None


def _joined(name: str, crypto: bool) -> Name | None:
    """A pair without a mark between its two names: BTCUSDT."""
    stable, quotes = _currencies("stable"), _currencies("crypto_quotes")
    ends = [quote for quote in {*stable, *quotes, *_currencies("forex")} if name.endswith(quote)]
    bases = {quote: name.removesuffix(quote) for quote in sorted(ends, key=len)}
    named = (*_currencies("coins"), *_currencies("forex"), *_currencies("metals"))
    for quote, base in bases.items():
        if base in named and (found := _pair_name(base, quote)):
            return found
    # Any coin, where the quote says so: words end in TRY and ETH too.
    for quote, base in bases.items():
        sure = crypto or quote in ("USDT", "USDC", "FDUSD", "USD", "EUR")
        if sure and re.fullmatch(r"[A-Z0-9]{3,12}", base) and (found := _pair_name(base, quote)):
            return found
    return None


def _pair_name(base: str, quote: str, crypto: bool = True) -> Name | None:
    if base == quote:
        return None
    if base in _currencies("forex") and quote in _currencies("forex"):
        return Name("forex", _WEEKDAYS, quote, pair=(base, quote))
    if base in _currencies("metals") and quote in _currencies("forex"):
        return Name("metal", _WEEKDAYS, quote, pair=(base, quote))
    if crypto and quote in (*_currencies("stable"), *_currencies("crypto_quotes")):
        return Name("crypto", _ROUND_THE_CLOCK, quote, pair=(base, quote))
    return None


def _listed(bare: str) -> Name | None:
    stem, dot, suffix = bare.rpartition(".")
    row = _names()["exchanges"].get(suffix) if dot else None
    if row is None or not re.fullmatch(r"[A-Z0-9&\-]{1,12}(?:\.[A-Z])?", stem):
        return None
    calendar, currency = row
    hundredth = _names()["hundredths"].get(suffix, "")
    return Name("share", calendar, currency, hundredth=hundredth)


def _us_share(bare: str) -> Name | None:
    plain = re.sub(r"[-/ ](?=[A-Z]$)", ".", bare)  # BRK-B, BRK/B, BRK B
    return Name("share", "NYSE", "USD") if plain in _us() else None


@cache
def _us() -> frozenset[str]:
    return frozenset(_names()["us"]["shares"].split())


@cache
def _currencies(which: str) -> tuple[str, ...]:
    return tuple(_names()["currencies"][which])


@cache
def _names() -> dict[str, Any]:
    return _toml("symbols")


@cache
def _toml(name: str) -> dict[str, Any]:
    text = files("intrabar.data").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
