"""Names that columns have in the files of vendors, programs and exchanges.

A name is compared in lower case, without brackets, and with one blank for blanks, underscores,
points and hyphens: "<CLOSE>" is "close", "Open_Time" is "open time", "4. close" is "close".
"""

from __future__ import annotations

import re
import unicodedata

STAMPS = (
    "open time", "opentime", "time open", "timeopen", "start time", "starttime", "begin",
    "begins at", "period start", "start", "candle time", "bar time", "bartime", "datetime",
    "date time", "datetimes", "ts event", "ts", "window start", "timestamp", "time stamp", "unix",
    "unixtime", "mts", "date/time", "date / time", "unix timestamp", "unix time", "epoch", "t",
    "time", "date", "time key",
    "trade date", "tradedate", "trade time", "trading date", "tradingdate", "dtyyyymmdd",
    "yyyymmdd", "caldt", "day", "gmt time", "local time", "utc time", "utc", "日期", "时间",
    "交易日期", "交易时间", "日時", "日付", "날짜", "data", "datum", "fecha", "dt", "datadate",
    "ref date", "price date", "quote date",
)  # fmt: skip
"""Columns of stamps; those of a bar's opening go before others."""

CLOCKS = (
    "time",
    "clock",
    "hour",
    "hora",
    "zeit",
    "godzina",
    "czas",
    "heure",
    "时间",
    "ora",
    "时刻",
    "uhrzeit",
    "time of day",
    "tijd",
    "horario",
    "horário",
    "orario",
    "saat",
    "время",
)
DAYS = (
    "date", "day", "dtyyyymmdd", "yyyymmdd", "trade date", "tradedate", "trading date", "日期",
    "交易日期", "日付", "data", "datum", "fecha", "datadate", "ref date",
)  # fmt: skip

PRICES = {
    "open": (
        "open", "open price", "opening price", "openprice", "openprc", "price open", "o", "op",
        "openp", "otwarcie", "开盘", "开盘价", "開盤價", "開盤", "今开", "始値", "시가",
        "apertura", "abertura", "eröffnung", "eröffnungskurs", "eröffn", "erste", "erster",
        "ouverture", "ouv", "aç",
        "açılış",
    ),
    "high": (
        "high", "high price", "highprice", "highest price", "price high", "askhi", "h", "hi",
        "highp", "najwyzszy", "najwyższy", "最高", "最高价", "最高價", "高値", "고가", "massimo",
        "max", "maximum", "máximo", "maximo", "alto", "hoch", "höchst", "tageshoch", "haut",
        "plus haut", "yüksek",
    ),
    "low": (
        "low", "low price", "lowprice", "lowest price", "price low", "bidlo", "l", "lo", "lowp",
        "najnizszy", "najniższy", "最低", "最低价", "最低價", "安値", "저가", "minimo", "min",
        "minimum", "mínimo", "bajo", "tief", "tiefst", "tagestief", "bas", "plus bas", "düşük",
    ),
    "close": (
        "close", "close price", "closing price", "closeprice", "price close", "close/last",
        "last", "last price", "latest", "close / last", "c", "cl", "closep", "price", "prc",
        "settle",
        "settlement price", "zamkniecie", "zamknięcie", "收盘", "收盘价", "收盤價", "收盤",
        "終値", "종가", "cierre", "chiusura", "ultimo", "último", "fechamento", "schluss",
        "schlusskurs", "letzter", "zuletzt", "clôture", "cloture", "dernier", "şimdi",
    ),
}  # fmt: skip

VOLUMES = (
    "volume", "total volume", "totalvolume", "vol", "trading volume", "tradedvolume",
    "volume traded", "traded volume", "share volume", "shares traded", "no of shares",
    "total traded quantity", "total trade quantity", "tottrdqty", "ttl trd qnty", "quantity",
    "qty", "volumefrom", "volume from", "v", "wolumen", "成交量", "成交股数", "出来高", "거래량",
    "volumen", "volumes", "umsatz", "vol base", "base volume", "basevolume", "base vol",
    "amount traded", "lots", "real volume",
)  # fmt: skip
TICK_VOLUMES = ("tick volume", "tickvolume", "tickvol", "tick vol", "ticks")

TICKERS = (
    "symbol", "ticker", "tickers", "sym", "code", "ts code", "tscode", "act symbol", "instrument",
    "contract", "security", "stock", "stock code", "tic", "asset", "pair", "coin", "underlying",
    "root symbol", "raw symbol", "product", "instrument name", "股票代码", "代码", "证券代码",
    "name", "instrument id", "permno", "isin", "cusip", "gvkey", "epic", "scrip", "company",
    "股票名称", "名称", "asset id", "id", "sid", "secid", "security id", "stock id", "symbol id",
    "ticker id", "coin id", "pair id", "product id", "contract id", "figi", "ric", "sedol", "wkn",
    "cik", "sec id", "assetid", "instrumentid", "series",
)  # fmt: skip
"""Columns that say what a row is of. Names of companies and numbers do not name a symbol."""

VENDORS = (
    "adj close", "adjusted close", "adj open", "adj high", "adj low", "adj volume", "dividends",
    "dividend amount", "stock splits", "split coefficient", "split ratio", "ex dividend",
    "capital gains", "repaired?", "vwap", "wap", "average", "bar count", "barcount", "trade count",
    "trades", "number of trades", "transactions", "n", "count", "close time", "quote volume",
    "quote asset volume", "taker buy volume", "taker buy quote volume",
    "taker buy base asset volume", "taker buy quote asset volume", "ignore", "spread", "oi",
    "open interest", "openint", "turnover", "amount",
    "change", "change %", "pct chg", "pre close", "preclose", "rtype", "publisher id",
    "exchange", "currency", "interval", "level", "timespan", "per", "market cap", "marketcap",
)  # fmt: skip
"""Columns that vendors write beside a bar."""

LOOSE = (
    "name", "instrument id", "permno", "isin", "cusip", "gvkey", "company", "股票名称", "名称",
    "asset id", "id", "sid", "secid", "security id", "stock id", "symbol id", "ticker id",
    "coin id", "pair id", "product id", "contract id", "figi", "ric", "sedol", "wkn", "cik",
    "sec id", "assetid", "instrumentid", "series",
)  # fmt: skip
HOURS = ("hour", "hora", "heure", "ora", "stunde", "hr", "hh")
PARTS = ("year", "month", "day", "hour", "minute", "minutes", "second", "mm", "yyyy", "hh")
"""Columns that hold a part of a stamp each."""


_ZONES = ("gmt", "utc", "est", "edt", "et", "eet", "cet", "cst", "pst")


def plain(name: str) -> str:
    """A column's name as it is compared."""
    text = unicodedata.normalize("NFKC", name).strip("\ufeff\u200b \t\"'").casefold()
    text = re.sub(r"^<(.*)>$", r"\1", text.strip())
    text = re.sub(r"^\d{1,2}[a-z]?\. +(?=\D)", "", text)
    return re.sub(r"[\s_.\-]+", " ", text).strip()


def zone_in(name: str) -> str:
    """Zone that a column of stamps has in its name: "Time (EET)" is in EET, "Gmt time" in UTC."""
    text = plain(name)
    if offset := re.search(r"\b(?:utc|gmt) ?[+\-]? ?\d{1,2}(?: ?:? ?00)?\b", name.lower()):
        return offset[0].replace(" ", "")
    found = re.search(r"[(\[]\s*([a-z]+(?: [a-z]+)?/?[a-z ]*)\s*[)\]]", text)
    if found:
        return found[1].strip()
    words = text.split(" ")
    for word in (words[0], words[-1]):
        if len(words) > 1 and word in (
            "gmt",
            "utc",
            "est",
            "edt",
            "et",
            "eet",
            "cet",
            "cst",
            "pst",
        ):
            return word
    return "utc" if text == "utc" else ""


def bare(name: str) -> str:
    """A column's name without its zone: "Time (EET)" is "time"."""
    text = plain(name)
    zone = zone_in(name)
    if not zone or text in STAMPS:
        return text
    text = re.sub(r"[(\[].*?[)\]]", "", text).strip()
    text = re.sub(r"(?:utc|gmt) ?\+? ?\d[\d: ]*$", "", text).strip()
    words = [w for w in text.split(" ") if w != zone]
    return " ".join(words)


def price_count(names: list[str]) -> int:
    """How many of open, high, low and close a row of names has, by their known names."""
    have = {plain(n) for n in names}
    count = sum(any(word in have for word in words) for words in PRICES.values())
    quoted = any("bidopen" in n.replace(" ", "") for n in have)
    return 4 if quoted else count
