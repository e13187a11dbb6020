"""`intrabar.backtest`: a strategy and bars in, a result out, in one call."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from intrabar.app.bars_in import nanoseconds, read_bars
from intrabar.app.chunked import read_feeds
from intrabar.app.compose import is_open, make_account, make_instrument, make_strategies
from intrabar.app.config import AccountConfig, Config
from intrabar.app.config_file import absolute, read_config, validated
from intrabar.app.progress import bar
from intrabar.data.frames import bars_from_frame
from intrabar.data.pieces import Feed, WholeFeed
from intrabar.data.timeline import market_from_bars
from intrabar.engine.backtest import Run, Setup
from intrabar.engine.chunks import ChunkedResult, ChunkedRun, ChunkedSetup
from intrabar.engine.result import Result, finish
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.sim.machine import Account
from intrabar.strategy.registry import AnyStrategy, load


@overload
def backtest(
    strategy: Any = ..., data: Any = ..., *, chunk: int, out: Path | str, **how: Any
) -> ChunkedResult: ...
@overload
def backtest(strategy: Any = ..., data: Any = ..., *, chunk: None = ..., **how: Any) -> Result: ...
def backtest(  # type: ignore[misc]  # `how` stands for the keywords below
    strategy: Any = None,
    data: Any = None,
    *,
    config: Path | str | Mapping[str, Any] | None = None,
    symbols: str | Sequence[str] | None = None,
    start: Any = None,
    end: Any = None,
    period: str | None = None,
    cash: float | None = None,
    account: Account | Mapping[str, Any] | None = None,
    instruments: Mapping[str, Instrument | Mapping[str, Any]] | None = None,
    params: Mapping[str, Any] | None = None,
    path_policy: str | None = None,
    zone: str | None = None,
    progress: bool = False,
    chunk: int | None = None,
    out: Path | str | None = None,
) -> Result | ChunkedResult:
    """Run strategies over bars.

    Parameters
    ----------
    strategy : strategy, name, or {label: strategy or name}
        A `Bot`, a `Strategy`, `Signals`, or a name with `params`. None: those of `config`.
    data : Bars, frame, path, list or {symbol: any of these}
        None: the data of `config`, or the catalogue's bars of `symbols`. A lone frame is traded
        under the first of `symbols`, else as ASSET.
    config : path or mapping
        A configuration; every other argument goes before what it says.
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
    progress : bool
        Show a progress bar on stderr.
    chunk : bars, optional
        Run in chunks of so many, for a history larger than memory: the catalogue's bars are read
        as they come, and the tables go to files.
    out : folder
        Takes the tables of a run in chunks.

    Returns
    -------
    Result
        Or a `ChunkedResult`, where `chunk` is given; its digest is that of the run at one go.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong.
    DataError, StrategyError
    """
    base = _config(config)
    given = {"symbols": [symbols] if isinstance(symbols, str) else symbols and list(symbols)}
    given |= {"start": start, "end": end, "period": period}
    values = base.model_dump(by_alias=True, exclude_unset=True)
    values |= {key: value for key, value in given.items() if value is not None}
    made = validated(Config, values)
    feeds: tuple[Feed, ...] = ()
    if chunk is not None and data is None:
        feeds, _, _ = read_feeds(made)
        symbols_of = [f.symbol for f in feeds]
    else:
        bars = read_bars(made)[0] if data is None else _trimmed(_bars(data, made, zone), made)
        feeds = tuple(WholeFeed(b) for b in bars)
        symbols_of = [b.symbol for b in bars]
    known = {**base.instruments, **(instruments or {})}
    for symbol in known:
        if symbol not in symbols_of:
            raise NotFoundError("symbol in instruments", symbol, symbols_of)
    traded = tuple(_instrument(symbol, known.get(symbol, {})) for symbol in symbols_of)
    wanted = make_strategies(made.strategies) if strategy is None else _strategies(strategy, params)
    money = _account(base.account, account, cash, path_policy)
    with bar(sys.stderr) if progress else nullcontext() as shown:
        if chunk is None:
            return finish(Run(Setup(market_from_bars(bars), traded, wanted, money, is_open)), shown)
        setup = ChunkedSetup(feeds, traded, wanted, money, chunk, is_open)
        return ChunkedRun(setup, _folder(out)).to_end(shown)


def _folder(out: Path | str | None) -> Path:
    if out is None:
        raise ConfigError("chunk: give out too, the folder that takes the tables")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigError(f"out: {folder} is not empty; name another folder")
    return folder


def _config(given: Path | str | Mapping[str, Any] | None) -> Config:
    if given is None:
        return Config()
    if isinstance(given, Mapping):
        return absolute(validated(Config, given), Path())
    return read_config(given)[0]


def _bars(data: Any, config: Config, zone: str | None) -> list[Bars]:
    if isinstance(data, Mapping):
        wanted = config.symbols or list(data)
        for symbol in wanted:
            if symbol not in data:
                raise NotFoundError("symbol", symbol, data)
        return [_one(data[symbol], symbol, config, zone) for symbol in wanted]
    if isinstance(data, list | tuple):
        if not all(isinstance(one, Bars) for one in data):
            raise ConfigError("data: a list must hold Bars; give frames as {symbol: frame}")
        return list(data)
    symbol = config.symbols[0] if config.symbols else "ASSET"
    return [_one(data, symbol, config, zone)]


def _one(data: Any, symbol: str, config: Config, zone: str | None) -> Bars:
    if isinstance(data, Bars):
        return data if data.symbol == symbol or symbol == "ASSET" else replace(data, symbol=symbol)
    if isinstance(data, str | Path):
        source = {"symbol": symbol, "file": str(data), "zone": zone, "period": config.period}
        one = absolute(validated(Config, {"data": [source]}), Path())
        return read_bars(one.model_copy(update={"instruments": config.instruments}))[0][0]
    if not hasattr(data, "columns"):
        raise ConfigError(f"data: bars, a frame or a file is needed, not {type(data).__name__}")
    own = config.instruments.get(symbol, {}).get("calendar", "")
    return bars_from_frame(data, symbol, zone=zone, period=config.period, calendar=str(own))


def _trimmed(bars: list[Bars], config: Config) -> list[Bars]:
    first, last = nanoseconds(config.start), nanoseconds(config.end, end=True)
    return [b if first is None and last is None else b.between(first, last) for b in bars]


def _instrument(symbol: str, given: Instrument | Mapping[str, Any]) -> Instrument:
    if isinstance(given, Instrument):
        return given if given.symbol == symbol else replace(given, symbol=symbol)
    return make_instrument(symbol, dict(given))


def _strategies(given: Any, params: Mapping[str, Any] | None) -> dict[str, AnyStrategy]:
    if isinstance(given, Mapping):
        return {str(name): _strategy(one, None) for name, one in given.items()}
    made = _strategy(given, params)
    return {given.rpartition(":")[2] if isinstance(given, str) else made.name: made}


def _strategy(given: Any, params: Mapping[str, Any] | None) -> AnyStrategy:
    if isinstance(given, str):
        return load(given, params)
    if params:
        raise ConfigError("params: belong to a strategy that is given by name")
    if not hasattr(given, "indicators") or isinstance(given, type):
        raise ConfigError(
            f"strategy: a Bot, a Strategy, Signals or a name is needed, not {given!r}"
        )
    made: AnyStrategy = given
    return made


def _account(
    base: AccountConfig,
    given: Account | Mapping[str, Any] | None,
    cash: float | None,
    path_policy: str | None,
) -> Account:
    over = {"cash": cash, "path_policy": path_policy}
    over = {key: value for key, value in over.items() if value is not None}
    if isinstance(given, Account):
        if over:
            raise ConfigError(f"{', '.join(over)}: say it in the Account that you give")
        return given
    values = {**base.model_dump(), **(given or {}), **over}
    return make_account(validated(AccountConfig, values, "account."))
