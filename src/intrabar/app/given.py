"""What a call in Python is given, put over a configuration: `backtest`, `audit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from intrabar.app.around import market_of
from intrabar.app.bars_given import bars_of, one_of, with_around
from intrabar.app.bars_in import given_series, read_series
from intrabar.app.compose import is_open, make_account, make_instrument, make_strategies
from intrabar.app.config import AccountConfig, Config
from intrabar.app.config_file import absolute, read_config, validated
from intrabar.app.strategies_given import in_zone
from intrabar.engine.audit import Make
from intrabar.engine.backtest import Setup
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.instrument import Instrument
from intrabar.sim.account import Account

AROUND = ("actions", "margins", "detail", "rates")


class Given(TypedDict, total=False):
    """What may be said beside a strategy and data; each goes before what `config` says.

    Parameters
    ----------
    config : path or mapping
        A configuration.
    symbols : str or sequence of str
    start, end : date, time or text
        Both included; UTC unless a zone is given.
    period : str
        Of the catalogue's bars, or of a frame: "5m".
    cash : account currency
    account : Account, or a mapping as in a configuration
    instruments : {symbol: Instrument, or a mapping of parameters}
    params : mapping
        Parameters of a strategy given by name.
    path_policy : str
        "worst", "shortest", "best", ...
    zone : str
        IANA zone of stamps in frames that carry none.
    actions : {symbol: path, or rows of (ex-date, split, dividend)}
        Splits and dividends.
    margins : {symbol: path}
        Tables of margins that change in the course of time.
    detail : {symbol: Bars, frame or path}
        Lower bars, for the path policy "detail".
    rates : {pair: Bars, frame or path}
        Currency pairs, such as EURUSD, for what is not in the account's currency.
    """

    config: Path | str | Mapping[str, Any] | None
    symbols: str | Sequence[str] | None
    start: Any
    end: Any
    period: str | None
    cash: float | None
    account: Account | Mapping[str, Any] | None
    instruments: Mapping[str, Instrument | Mapping[str, Any]] | None
    params: Mapping[str, Any] | None
    path_policy: str | None
    zone: str | None
    actions: Mapping[str, Any] | None
    margins: Mapping[str, Path | str] | None
    detail: Mapping[str, Any] | None
    rates: Mapping[str, Any] | None


def setup_given(make: Make | None, data: Any, given: Given) -> Setup:
    """What decides a run.

    Parameters
    ----------
    make : function of the market
        Its strategies; None: those of the configuration.
    data : as in `backtest`
    given : Given

    Raises
    ------
    UsageError, DataError
    """
    base, made, money = config_and_account(given)
    zone = given.get("zone")
    around = around_given(given)
    series = (
        read_series(made) if data is None else [given_series(b) for b in bars_of(data, made, zone)]
    )
    series = [with_around(s, made, around, zone) for s in series]
    traded = instruments_given([s.bars.symbol for s in series], base, given)
    rates = [one_of(x, pair, made, zone) for pair, x in around["rates"].items()]
    market, _, _ = market_of(series, traded, made, rates)
    strategies = make_strategies(made.strategies) if make is None else make(market)
    return Setup(market, traded, in_zone(strategies, zone), money, is_open)


def config_given(given: Given) -> tuple[Config, Config]:
    """The configuration as it is, and with what is given in its place.

    Raises
    ------
    UsageError
        It is wrong, or an argument is none of `Given`.
    """
    for name in given:
        if name not in Given.__annotations__:
            raise NotFoundError("argument", name, Given.__annotations__)
    base = _config(given.get("config"))
    values = base.model_dump(by_alias=True, exclude_unset=True)
    said = {name: given.get(name) for name in ("symbols", "start", "end", "period")}
    values |= {name: value for name, value in said.items() if value is not None}
    symbols = values.get("symbols")
    if symbols is not None:
        values["symbols"] = [symbols] if isinstance(symbols, str) else list(symbols)
    return base, validated(Config, values)


def config_and_account(given: Given) -> tuple[Config, Config, Account]:
    """As `config_given`, the second with what the account says; and the account."""
    base, made = config_given(given)
    money = account_given(base, given)
    own = {"currency": money.currency, "path_policy": money.path_policy.word}
    return base, made.model_copy(update={"account": made.account.model_copy(update=own)}), money


def around_given(given: Given) -> dict[str, Mapping[str, Any]]:
    """What is given around the bars: the values by symbol or pair, by argument."""
    found: Mapping[str, Any] = {**given}
    return {name: found.get(name) or {} for name in AROUND}


def instruments_given(symbols: Sequence[str], base: Config, given: Given) -> tuple[Instrument, ...]:
    """The traded instruments.

    Raises
    ------
    NotFoundError
        Something is given for a symbol that is not traded.
    """
    known = {**base.instruments, **(given.get("instruments") or {})}
    for place, named in {"instruments": known, **around_given(given)}.items():
        for symbol in named:
            if symbol not in symbols and place != "rates":
                raise NotFoundError(f"symbol in {place}", symbol, symbols)
    return tuple(_instrument(symbol, known.get(symbol, {})) for symbol in symbols)


def account_given(base: Config, given: Given) -> Account:
    """The account.

    Raises
    ------
    ConfigError
        A value is wrong, or stands beside an `Account` that says it already.
    """
    account = given.get("account")
    over = {name: given.get(name) for name in ("cash", "path_policy")}
    over = {name: value for name, value in over.items() if value is not None}
    if isinstance(account, Account):
        if over:
            raise ConfigError(f"{', '.join(over)}: say it in the Account that you give")
        return account
    values = {**base.account.model_dump(), **(account or {}), **over}
    return make_account(validated(AccountConfig, values, "account."))


def _config(given: Path | str | Mapping[str, Any] | None) -> Config:
    if given is None:
        return Config()
    if isinstance(given, Mapping):
        return absolute(validated(Config, given), Path())
    return read_config(given)[0]


def _instrument(symbol: str, given: Instrument | Mapping[str, Any]) -> Instrument:
    if isinstance(given, Instrument):
        return given if given.symbol == symbol else replace(given, symbol=symbol)
    return make_instrument(symbol, dict(given))
