"""Names as the sources write them, and what they say."""

from __future__ import annotations

import pytest

from intrabar.data.calendars import canonical
from intrabar.data.instruments import calendar_of, instrument, kind_of
from intrabar.data.symbols import _names, known, meanings
from intrabar.errors import ConfigError, NotFoundError

FUTURES = """ES @ES ES=F ESH4 ESZ24 es NQ1! CME_MINI:ES1! NYMEX:CL1! ES.c.0 ESM4.CME ESM24.CME @ES.D
/ES /ESH24 ES_F MES1! BTC1! BTC=F ES.FUT 6EH4 &ES"""
CRYPTO = """BTC-USD BTCUSDT BINANCE:BTCUSDT COINBASE:BTCUSD BTC/USDT BTC/USDT:USDT BTCUSDT.P
BTC-PERP BTC-USDT-SWAP BTC_USDT XBTUSD ETHBTC ADAEUR 1000SHIBUSDT PEPEUSDT WIFUSDT TONUSDT
SHIBUSD PEPE-USD
BTC-USDC EURUSDT ABCUSDT 1INCHUSDT"""
FOREX = """EURUSD EUR/USD EUR.USD EUR_USD EURUSD=X JPY=X EURUSDm EURUSD.r EURUSD.raw EURUSD#
FX:EURUSD USDINR USDTRY"""
OTHERS = """ACME AAA ZZZZ USD EUREUR MYFUT ASSET ESH4-ESM4 KC=F COUNTRY INDUSTRY TEST XYZ:ABC BTC
ETH 600519 600519.XX"""


@pytest.mark.parametrize("symbol", [*FUTURES.split(), "ES 03-24", "ES ##-##", "ES MAR24"])
def test_futures_by_their_root(symbol: str) -> None:
    assert kind_of(symbol) == "future"
    one = instrument(symbol)
    assert one.calendar.startswith("CME")
    assert one.symbol == symbol
    if "ES" in symbol.upper():
        assert one.point_value == (5 if "MES" in symbol else 50)


@pytest.mark.parametrize("symbol", CRYPTO.split())
def test_coins_of_any_base(symbol: str) -> None:
    assert (kind_of(symbol), instrument(symbol).calendar) == ("crypto", "24/7")
    quotes = ("USDT", "USDC", "EUR", "USD", "BTC", "PERP")
    quote = next(q for q in quotes if q in symbol[2:])
    assert instrument(symbol).currency == quote.replace("PERP", "USD")


@pytest.mark.parametrize("symbol", FOREX.split())
def test_forex_with_what_brokers_add(symbol: str) -> None:
    assert (kind_of(symbol), instrument(symbol).calendar) == ("forex", "24/5")


@pytest.mark.parametrize(
    ("symbol", "kind", "calendar", "currency"),
    [
        ("XAUUSD", "metal", "24/5", "USD"),
        ("OANDA:XAUUSD", "metal", "24/5", "USD"),
        ("US30", "cfd", "24/5", "USD"),
        ("GER40.cash", "cfd", "24/5", "EUR"),
        ("SPX500USD", "cfd", "24/5", "USD"),
        ("usa500idxusd", "cfd", "24/5", "USD"),
        ("^GSPC", "index", "NYSE", "USD"),
        ("NSE:NIFTY", "index", "NSE", "INR"),
        ("SAP.DE", "share", "XETR", "EUR"),
        ("XETR:SAP", "share", "XETR", "EUR"),
        ("VOD.L", "share", "LSE", "GBP"),
        ("7203.T", "share", "JPX", "JPY"),
        ("RELIANCE.NS", "share", "NSE", "INR"),
        ("600519.SH", "share", "SSE", "CNY"),
        ("0700.HK", "share", "HKEX", "HKD"),
        ("SHOP.TO", "share", "TSX", "CAD"),
        ("MC.PA", "share", "XPAR", "EUR"),
        ("BRK-B", "share", "NYSE", "USD"),
        ("BRK.B", "share", "NYSE", "USD"),
        ("NASDAQ:AAPL", "share", "NYSE", "USD"),
        ("AAPL.US", "share", "NYSE", "USD"),
        ("SPY", "share", "NYSE", "USD"),
    ],
)
def test_other_kinds(symbol: str, kind: str, calendar: str, currency: str) -> None:
    one = instrument(symbol)
    assert (kind_of(symbol), one.calendar, one.currency) == (kind, calendar, currency)


@pytest.mark.parametrize("symbol", OTHERS.split())
def test_nothing_is_known_by_default(symbol: str) -> None:
    assert known(symbol) is None
    assert calendar_of(symbol) == ""


@pytest.mark.parametrize("symbol", ["KC=F", "FDAX1!", "@XY", "/XY", "RS 03-24"])
def test_a_future_of_no_table_is_asked_for(symbol: str) -> None:
    with pytest.raises(ConfigError, match="what a point of it is worth"):
        instrument(symbol)
    assert instrument(symbol, {"point_value": 375}).point_value == 375


def test_a_future_and_a_coin_of_one_name_are_asked_for() -> None:
    assert len(meanings("BTC")) == 2
    with pytest.raises(ConfigError, match="BTC=F, the future or BTC-USD, the coin"):
        instrument("BTC")
    coin, future = instrument("BTC", {"kind": "crypto"}), instrument("BTC", {"kind": "future"})
    assert (coin.calendar, coin.point_value) == ("24/7", 1)
    assert (future.calendar, future.point_value) == ("CME_Crypto", 5)


def test_a_kind_is_said() -> None:
    share = instrument("ACME", {"kind": "share"})
    assert (share.calendar, share.commission_min) == ("NYSE", 1.0)
    with pytest.raises(NotFoundError, match="did you mean 'share'"):
        instrument("ACME", {"kind": "shares"})
    with pytest.raises(ConfigError, match="what a point of it is worth"):
        instrument("MYFUT", {"kind": "future"})


def test_every_calendar_of_the_names_exists() -> None:
    rows = [*_names()["exchanges"].values(), *_names()["indices"].values()]
    for calendar in {row[0] for row in rows}:
        assert canonical(calendar)
