"""What a call in Python is given, put over a configuration: `backtest`, `audit`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import Any, TypedDict

from intrabar.app.compose.bars import one_of
from intrabar.app.config.file import absolute, read_config, validated
from intrabar.app.config.model import AccountConfig, Config
from intrabar.data.session_ends import SessionEnd
from intrabar.data.traded import Said
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.forks import require_threads
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.model.values import mapping, named, path, shown
from intrabar.risk.limits import Limits
from intrabar.sim.account import Account

AROUND = {
    "actions": "{symbol: path or rows}",
    "margins": "{symbol: path}",
    "detail": "{symbol: Bars, frame or path}",
    "rates": "{pair: Bars, frame or path}",
}


_COSTS = "what trading costs into instruments={{symbol: {{{}}}}}"
_COMMISSION = _COSTS.format("'commission_rate': 0.001, or 'commission_per_contract': 2.5")
_SLIPPAGE = _COSTS.format("'slippage_pct': 0.0005, or 'slippage_ticks': 1")
_MARGIN = "margins into instruments={symbol: {'initial_margin_rate': 0.1, ...}}"
ELSEWHERE = {
    **dict.fromkeys(("commission", "commissions", "fee", "fees", "cost", "costs"), _COMMISSION),
    **dict.fromkeys(("slippage", "spread"), _SLIPPAGE),
    **dict.fromkeys(("margin", "leverage"), _MARGIN),
    **dict.fromkeys(("capital", "initial_capital", "initial_cash", "balance"), "cash=100_000"),
    **dict.fromkeys(("timeframe", "interval", "freq", "resolution"), "period='1h'"),
    **dict.fromkeys(("ticker", "tickers", "instrument"), "symbols='AAPL'"),
    **dict.fromkeys(("tz", "timezone"), "zone='America/New_York'"),
    **dict.fromkeys(("size", "qty", "stake"), "the size into the strategy, Bot(..., qty=1)"),
}
"""What other tools call arguments, and what to write here."""


class RunOptions(TypedDict, total=False):
    """What may be said beside a strategy and data; each goes before what `config` says.

    Parameters
    ----------
    config : path or mapping
        A configuration.
    symbols : str or sequence of str
    start, end : date, time or text
        Both included; UTC unless a zone is given.
    trade_from : date, time or text
        Rows that close before it wake nobody: they warm up.
    period : str
        Of the catalogue's bars, or of a frame: "5m".
    cash : account currency
    account : Account, or a mapping as in a configuration
    instruments : {symbol: Instrument, or a mapping of parameters}
    params : mapping
        Parameters of a strategy given by name.
    path_policy : str
        "worst", "shortest", "best", ...
    calendar : str
        Exchange calendar of instruments for which none is named; "none" for none.
    session_end : "bars" or "calendar"
        What ends the day of an instrument: its last bar of a trade date, or the first bar at or
        after the scheduled close of its calendar, as in a session on live bars.
    zone : str, ZoneInfo or timezone
        Of stamps that carry none.
    actions : {symbol: path, or rows of (ex-date, split, dividend)}
        Splits and dividends.
    margins : {symbol: path}
        Tables of margins that change in the course of time.
    detail : {symbol: Bars, frame or path}
        Lower bars, for the path policy "detail".
    rates : {pair: Bars, frame or path}
        Currency pairs, such as EURUSD, for what is not in the account's currency.
    risk : {limit: value}, or Limits
        What orders obey, over what the configuration says: `{"max_daily_loss_pct": 5}`. Percent is
        percent. The size of an entry is the strategy's: `Bot(..., risk_fraction=0.01)`.
    """

    config: Path | str | Mapping[str, Any] | None
    symbols: str | Sequence[str] | None
    start: Any
    end: Any
    trade_from: Any
    period: str | None
    cash: float | None
    account: Account | Mapping[str, Any] | None
    instruments: Mapping[str, Instrument | Mapping[str, Any]] | None
    params: Mapping[str, Any] | None
    path_policy: str | None
    calendar: str | None
    session_end: SessionEnd | None
    zone: str | tzinfo | None
    actions: Mapping[str, Any] | None
    margins: Mapping[str, Path | str] | None
    detail: Mapping[str, Any] | None
    rates: Mapping[str, Any] | None
    risk: Mapping[str, Any] | Limits | None


def config_given(given: RunOptions) -> tuple[Config, Config]:
    """The configuration as it is, and with what is given in its place.

    Raises
    ------
    UsageError
        It is wrong, or an argument is none of `RunOptions`.
    """
    require_threads()
    for name in given:
        if name in ELSEWHERE:
            raise UsageError(f"unknown argument {name!r}: write {ELSEWHERE[name]}")
        if name not in RunOptions.__annotations__:
            raise NotFoundError("argument", name, RunOptions.__annotations__)
    base = _config(given.get("config"))
    values = base.model_dump(by_alias=True, exclude_unset=True)
    names = ("symbols", "start", "end", "trade_from", "period", "calendar", "session_end", "zone")
    said = {name: given.get(name) for name in names}
    values |= {name: value for name, value in said.items() if value is not None}
    if (risk := given.get("risk")) is not None:
        values["risk"] = _risk(base, risk)
    symbols = values.get("symbols")
    if symbols is not None:
        values["symbols"] = _several(symbols)
    return base, validated(Config, values)


def config_and_account(given: RunOptions) -> tuple[Config, Account, dict[str, Said]]:
    """The configuration with what is given in its place; the account; what instruments are."""
    base, made = config_given(given)
    money, said = account_given(base, given), said_given(base, given)
    # What calendars need of instruments that are given as objects.
    plain = {
        symbol: {"calendar": one.calendar or None} if isinstance(one, Instrument) else dict(one)
        for symbol, one in said.items()
    }
    account = account_config(money, says_currency(base, given))
    return made.model_copy(update={"account": account, "instruments": plain}), money, said


def make_account(given: AccountConfig) -> Account:
    """The account of a configuration.

    Raises
    ------
    ConfigError
        The calibrated path without its probability.
    """
    values = given.model_dump(exclude={"type"})
    return Account(**values, cash_account=given.type == "cash")


def account_config(money: Account, says_currency: bool) -> AccountConfig:
    """An account as a configuration writes it."""
    names = [name for name in AccountConfig.model_fields if hasattr(money, name)]
    values = {name: getattr(money, name) for name in names}
    plain = {name: getattr(value, "word", value) for name, value in values.items()}
    if not says_currency:
        del plain["currency"]
    return AccountConfig(**plain, type="cash" if money.cash_account else "margin")


def says_currency(base: Config, given: RunOptions) -> bool:
    """Whether somebody says in which currency the account is."""
    account = given.get("account")
    if isinstance(account, Account):
        return True
    return "currency" in base.account.model_fields_set or "currency" in (account or {})


def around_given(given: RunOptions) -> dict[str, Mapping[str, Any]]:
    """What is given around the bars: the values by symbol or pair, by argument."""
    found: Mapping[str, Any] = {**given}
    around = {name: mapping(f"{name}:", found.get(name), what) for name, what in AROUND.items()}
    for name, by_symbol in around.items():
        for symbol in by_symbol:
            named(f"{name}: a symbol of it", symbol)
    return around


def rates_given(rates: Mapping[str, Any], config: Config) -> tuple[Bars, ...]:
    """The bars of the currency pairs that are given."""
    named = rates.items()
    return tuple(one_of(bars, pair, config, f"rates.{pair}").bars for pair, bars in named)


def said_given(base: Config, given: RunOptions) -> dict[str, Said]:
    """What is said of instruments, by symbol.

    Raises
    ------
    ConfigError
        It is none of an instrument, several of them, and parameters by symbol.
    """
    given_ones = given.get("instruments")
    known: Any = {} if given_ones is None else given_ones
    several = [known] if isinstance(known, Instrument) else known
    if isinstance(several, list | tuple) and all(isinstance(x, Instrument) for x in several):
        known = {x.symbol: x for x in several}
    if not isinstance(known, Mapping):
        raise ConfigError(
            f"instruments: is {shown(known)}, must be {{symbol: Instrument or parameters}}"
        )
    for symbol, one in known.items():
        if not isinstance(one, Instrument | Mapping):
            raise ConfigError(
                f"instruments.{symbol}: is {shown(one)}, must be a mapping of parameters"
            )
    return {**base.instruments, **known}


def parameters_given(given: RunOptions) -> Mapping[str, Any] | None:
    """The parameters of a strategy given by name.

    Raises
    ------
    ConfigError
        They are no mapping.
    """
    params = given.get("params")
    return None if params is None else mapping("params:", params, "{parameter: value}")


def account_given(base: Config, given: RunOptions) -> Account:
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
    if account is not None and not isinstance(account, Mapping):
        raise ConfigError(
            f"account: is {shown(account)}, must be an Account or a mapping of parameters"
        )
    values = {**base.account.model_dump(), **(account or {}), **over}
    return make_account(validated(AccountConfig, values, "account."))


def _risk(base: Config, given: Any) -> Any:
    """Limits as a configuration says them: by name over those of a file, or all of them."""
    if isinstance(given, Limits):
        return given.given()
    if not isinstance(given, Mapping):
        return given  # the configuration says what is wrong with it
    return {**(base.risk.model_dump(exclude_unset=True) if base.risk else {}), **given}


def _several(symbols: Any) -> list[str]:
    """One name or several, also in an array or an index."""
    many = [symbols] if isinstance(symbols, str) else symbols
    several = isinstance(many, Collection) and getattr(many, "shape", None) != ()
    if not several or isinstance(many, Mapping | bytes):
        raise ConfigError(f"symbols: is {shown(symbols)}, must be a name or a list of names")
    return [named(f"symbols[{k}]:", one) for k, one in enumerate(many)]


def _config(given: Path | str | Mapping[str, Any] | None) -> Config:
    if given is None:
        return Config()
    if isinstance(given, Mapping):
        return absolute(validated(Config, given), Path())
    if not isinstance(given, str | Path):
        raise ConfigError(f"config: is {shown(given)}, must be a path or a mapping")
    return read_config(path("config:", given))[0]
