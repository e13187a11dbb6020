"""A file in either dialect: ours, or the sections `trading`, `backtesting` and `data: {provider}`.

`normal` turns those into ours. What a backtest or a session cannot obey it does not swallow: it
comes back as a remark, and the report shows it.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from intrabar.app.config.kinds import Day
from intrabar.app.config.live import LiveConfig, SourceOfBars
from intrabar.app.config.model import Config, StrategyConfig
from intrabar.app.config.section import Section
from intrabar.errors import ConfigError


class Trading(Section):
    """Section `trading` of an older file."""

    mode: Literal["simulation", "backtest", "backtesting", "live", "paper"] = "simulation"
    initial_capital: float | None = Field(default=None, gt=0)
    symbols: list[str] = Field(default_factory=list)
    update_interval: float | None = Field(default=None, gt=0)


class Backtesting(Section):
    """Section `backtesting` of an older file."""

    start_date: Day | None = None
    end_date: Day | None = None
    initial_capital: float | None = Field(default=None, gt=0)
    symbols: list[str] = Field(default_factory=list)


class Provider(Section):
    """Section `data` of an older file: the vendor that `intrabar data fetch --config` asks.

    Parameters
    ----------
    provider : str
        "yfinance" or "alphaavantage".
    cache_enabled : bool
        Keep the vendor's answers for a while.
    cache_dir : folder
        Relative to the file; "" for this program's own.
    credentials : mapping
        References to secrets: `api_key: ${ALPHAVANTAGE_API_KEY}`.
    """

    provider: str
    cache_enabled: bool = True
    cache_dir: str = ""
    credentials: dict[str, Any] = Field(default_factory=dict)


class File(Config):
    """What a file may hold: ours, and the older sections."""

    trading: Trading = Trading()
    backtesting: Backtesting = Backtesting()


OLDER_PARAMETERS = {"fast_period": "fast", "slow_period": "slow"}


Purpose = Literal["backtest", "paper", "live"]


def normal(
    file: File, provider: Provider | None = None, purpose: Purpose = "backtest"
) -> tuple[Config, list[str]]:
    """Our configuration of a file in either dialect.

    Returns
    -------
    Config
    list of str
        What the file asks for and is not done.

    Raises
    ------
    ConfigError
        `trading.mode` asks for something else.
    """
    mode = _mode(file)
    if (mode == "live" and purpose != "live") or (mode == "paper" and purpose == "backtest"):
        raise ConfigError(f"trading.mode: {mode!r} is no {purpose}; set it to 'simulation'")
    remarks = []
    values = {name: getattr(file, name) for name in Config.model_fields} | {"mode": mode}
    if file.brokerage is not None and purpose == "backtest":
        remarks.append("brokerage is not read: a backtest sends no order")
        values["brokerage"] = None
    named = [x.label for x in file.strategies if x.symbols]
    if named and purpose == "backtest":
        remarks.append(
            f"symbols of {', '.join(named)}: only a session with a broker reads them; here every "
            "strategy may trade all"
        )
    if provider is not None and purpose == "backtest":
        remarks.append(
            f"data.provider: {provider.provider} is not asked by a backtest, whose bars come from "
            "the catalogue; intrabar data fetch --config FILE puts them there"
        )
    backtesting, trading = file.backtesting, file.trading
    values["start"] = file.start or backtesting.start_date
    values["end"] = file.end or backtesting.end_date
    values["symbols"] = file.symbols or backtesting.symbols or trading.symbols
    if file.limits is not None and not values["symbols"] and not file.data:
        values["symbols"] = list(file.limits.allowed_symbols or ())
    cash = backtesting.initial_capital or trading.initial_capital
    if cash and "cash" not in file.account.model_fields_set:
        values["account"] = file.account.model_copy(update={"cash": cash})
    values["strategies"] = [_renamed(s) for s in file.strategies]
    values["live"] = _lived(file, provider)
    return Config(**values), remarks


def _mode(file: File) -> str:
    """What a session of a file is for."""
    said = file.trading.mode
    if said.startswith("backtest"):
        said = "simulation"
    if "simulation" not in (said, file.mode) and said != file.mode:
        raise ConfigError(
            f"mode: is {file.mode!r}, and trading.mode is {said!r}; write one of them"
        )
    return file.mode if said == "simulation" else said


def _renamed(strategy: StrategyConfig) -> StrategyConfig:
    if strategy.name != "MovingAverageCrossover":
        return strategy
    params = {OLDER_PARAMETERS.get(k, k): v for k, v in strategy.params.items()}
    return strategy.model_copy(update={"params": params})


def _lived(file: File, provider: Provider | None) -> LiveConfig:
    """Section `live` with what older sections say of it."""
    live = file.live
    told: dict[str, Any] = {}
    if live.pause is None and file.trading.update_interval is not None:
        told["pause"] = file.trading.update_interval
    if provider is not None and not live.sources:
        credentials = dict(provider.credentials)
        told["sources"] = [SourceOfBars(name=provider.provider, credentials=credentials)]
    return live.model_copy(update=told)
