"""The symbol that a file's name tells, where it tells one."""

from __future__ import annotations

import re
from pathlib import Path

from intrabar.data.instruments import known
from intrabar.errors import DataError

_ENDS = (
    ".csv", ".txt", ".tsv", ".dat", ".prn", ".gz", ".zip", ".bz2", ".xz", ".zst", ".json", ".jsonl",
    ".parquet", ".feather", ".arrow", ".ipc", ".xlsx", ".xls", ".xlsm",
)  # fmt: skip

# What vendors write beside the symbol.
_NOISE = {
    "dat", "ascii", "mt", "mt4", "mt5", "nt", "ninja", "ninjatrader", "histdata", "com", "data",
    "prices", "price", "history", "historical", "stock", "stocks", "ohlc", "ohlcv", "bars", "bar",
    "candles", "candle", "candlestick", "kline", "klines", "spot", "futures", "um", "perp",
    "trades", "trade", "quote", "quotes", "download", "downloaded", "raw", "adjusted", "unadjusted",
    "adj", "all", "us",
    "bid", "ask", "mid", "hour", "hourly", "minute", "minutes", "min", "daily", "day", "days",
    "weekly", "monthly", "intraday", "eod", "full", "d", "h", "m", "w", "yahoo", "yfinance",
    "stooq", "kibot", "firstrate", "polygon", "alpaca", "tiingo", "quandl", "eodhd", "dukascopy",
    "tradingview", "tradestation", "metatrader", "tick", "ticks", "sample", "test", "train",
    "export", "exported", "final", "new", "old", "copy", "time", "series", "market", "utc", "gmt",
    "est", "index", "default", "csv", "part", "merged", "combined", "indicators", "actions",
}  # fmt: skip
_VENUES = {
    "binance", "binanceus", "coinbase", "bitstamp", "kraken", "bitfinex", "gemini", "bybit", "okx",
    "okex", "ftx", "kucoin", "huobi", "bitmex", "deribit", "poloniex", "bittrex", "mexc", "gateio",
    "nasdaq", "nyse", "amex", "arca", "batsx", "cme", "mini", "cbot", "nymex", "comex", "fx",
    "oanda", "fxcm", "forexcom", "tvc", "capitalcom", "pepperstone", "sp", "dj", "cboe",
    "nse", "bse",
    "lse", "xetr", "tsx", "asx", "hkex", "sse", "szse", "bats", "eurex", "ice", "icmarkets",
}  # fmt: skip
_PERIOD = r"(?:m|h|d|w|mn)\d{1,4}|\d{1,4}(?:s|sec|m|min|mins|minute|h|hour|d|day|w|mo|yr|y)?"
_DATE = r"\d{4}(?:\d{2}){0,5}|\d{1,2}\.\d{1,2}\.\d{4}"


def symbol_of(path: Path) -> str:
    """Symbol that a file's name tells: "nvda_hourly.csv.gz" is NVDA.

    Notes
    -----
    Known are the names of TradingView (`BINANCE_BTCUSDT, 60.csv`), Binance
    (`BTCUSDT-1m-2024-01.zip`), HistData (`DAT_ASCII_EURUSD_M1_2024.csv`), freqtrade
    (`BTC_USDT-5m.json`), CryptoDataDownload, Stooq and MetaTrader, and whatever has one word that
    is neither a period, a date nor a word of vendors.

    Raises
    ------
    DataError
        The name tells none, or several.
    """
    stem = path.name
    while stem.lower().endswith(_ENDS):
        stem = stem[: stem.rindex(".")]
    whole = re.sub(r"\s*\(\d+\)$", "", stem).strip()
    whole = re.sub(r"\.us$", "", whole, flags=re.IGNORECASE)  # Stooq
    whole = re.sub(r"^([A-Za-z]{6})(?:1|5|15|30|60|240|1440)$", r"\1", whole)  # MetaTrader 4
    comma = re.fullmatch(r"(?:[A-Z0-9]+_)*([^_,]+), ?[\w ]+", whole)  # TradingView
    if comma:
        return comma[1].strip().upper()
    words = [w for w in re.split(r"[\s_,()]+|-(?!USD|EUR|GBP|BTC|[A-Z]$)", whole) if w]
    left = [w for w in words if not _is_noise(w)]
    if known(whole) and left == words:
        return whole.upper()
    if len(left) > 1 and left[0].lower() in _VENUES:
        left = [w for w in left if w.lower() not in _VENUES] or left
    if len(left) > 1 and len({*map(str.upper, left)}) > 1:
        for joined in ("".join(left[:2]), "".join(left[1:])):
            name = known(joined)
            if name and name.pair and len(left) <= 3:
                return joined.upper()
    if len(left) == 1 and re.fullmatch(r"[\w.^=@/!#$:+\-]+", left[0]):
        return left[0].upper()
    what = f"{' or '.join(left[:4])}" if left else "none"
    raise DataError(
        f"{path.name}: the name of the file does not tell the symbol ({what}); name it: --symbol "
        f"{left[0].upper() if left else 'AAPL'}"
    )


def _is_noise(word: str) -> bool:
    lower = word.lower()
    return lower in _NOISE or bool(re.fullmatch(rf"(?:{_PERIOD})|(?:{_DATE})(?:-\d+)*", lower))
