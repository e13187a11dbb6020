"""`intrabar.backtest` and `intrabar.audit`: a strategy and bars in, an answer out, in one call."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from intrabar.app.around import market_of, require_detail
from intrabar.app.bars_in import Series, given_series, nanoseconds, read_series
from intrabar.app.compose import is_open, make_account, make_instrument, make_strategies
from intrabar.app.config import AccountConfig, Config
from intrabar.app.config_file import absolute, read_config, validated
from intrabar.app.fed import Fed, fed, rates_for, read_feeds
from intrabar.app.progress import bar
from intrabar.data.actions import actions_of, read_actions
from intrabar.data.alongside import Alongside
from intrabar.data.frames import bars_from_frame
from intrabar.data.margins import read_margins
from intrabar.data.pieces import WholeFeed
from intrabar.engine.audit import Make
from intrabar.engine.audit import audit as look_ahead_audit
from intrabar.engine.audit_report import AuditReport
from intrabar.engine.backtest import Run, Setup
from intrabar.engine.chunks import ChunkedResult, ChunkedRun, ChunkedSetup
from intrabar.engine.result import Result, finish
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars, Market
from intrabar.model.enums import PathPolicy
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
    actions: Mapping[str, Any] | None = None,
    margins: Mapping[str, Path | str] | None = None,
    detail: Mapping[str, Any] | None = None,
    rates: Mapping[str, Any] | None = None,
    progress: bool = False,
    chunk: int | None = None,
    out: Path | str | None = None,
) -> Result | ChunkedResult:
    """Run strategies over bars.

    Parameters
    ----------
    strategy : strategy, name, or {label: strategy or name}
        A `Bot`, a `Strategy`, `Signals`, `Weights`, or a name with `params`. None: those of
        `config`.
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
    actions : {symbol: path, or rows of (ex-date, split, dividend)}
        Splits and dividends.
    margins : {symbol: path}
        Tables of margins that change in the course of time.
    detail : {symbol: Bars, frame or path}
        Lower bars, for the path policy "detail".
    rates : {pair: Bars, frame or path}
        Currency pairs, such as EURUSD, for what is not in the account's currency.
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
    make: Make | None = (lambda _: _strategies(strategy, params)) if strategy is not None else None
    given = {"symbols": symbols, "start": start, "end": end, "period": period}
    money = (account, cash, path_policy)
    around = {"actions": actions, "margins": margins, "detail": detail, "rates": rates}
    if chunk is None:
        setup = _setup(
            make,
            data,
            config,
            given=given,
            account=money,
            instruments=instruments,
            zone=zone,
            around=around,
        )
        with bar(sys.stderr) if progress else nullcontext() as shown:
            return finish(Run(setup), shown)
    base, made, own = _with_account(config, given, money)
    found = (
        read_feeds(made)
        if data is None
        else [fed(given_series(b)) for b in _trimmed(_bars(data, made, zone), made)]
    )
    symbols_ = [one.feed.symbol for one in found]
    traded = _traded(symbols_, base, instruments, around)
    along = [_alongside(one, made, around, zone) for one in found]
    if own.path_policy is PathPolicy.DETAIL:
        require_detail([one.detail is not None for one in along], symbols_)
    more = [WholeFeed(_one(x, pair, made, zone)) for pair, x in (rates or {}).items()]
    chunked = ChunkedSetup(
        tuple(one.feed for one in found),
        traded,
        make_strategies(made.strategies) if strategy is None else _strategies(strategy, params),
        own,
        chunk,
        is_open,
        tuple(along),
        rates_for(found, traded, made, more)[0],
    )
    with bar(sys.stderr) if progress else nullcontext() as shown:
        return ChunkedRun(chunked, _folder(out)).to_end(shown)


def _folder(out: Path | str | None) -> Path:
    if out is None:
        raise ConfigError("chunk: give out too, the folder that takes the tables")
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ConfigError(f"out: {folder} is not empty; name another folder")
    return folder


def audit(
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
    actions: Mapping[str, Any] | None = None,
    margins: Mapping[str, Path | str] | None = None,
    detail: Mapping[str, Any] | None = None,
    rates: Mapping[str, Any] | None = None,
    cuts: int = 20,
    seed: int = 0,
    progress: bool = False,
) -> AuditReport:
    """Change the bars after many places, and see whether anything before them changes.

    Parameters
    ----------
    strategy : as in `backtest`, or a function of the market that makes one, or {label: either}
        Give a function where a strategy holds arrays that were worked out from the bars: only so
        can they be worked out again from other ones.
    data, config, symbols, start, end, period, cash, account, instruments, params, path_policy, zone
    actions, margins, detail, rates
        As in `backtest`.
    cuts : int, >= 1
        Bars after which the future is replaced.
    seed : int
        Of the bars chosen and of the values put in.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    AuditReport
        `is_clean`, `verdict`, `leaks` and what was tried.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong.
    DataError, StrategyError
    """
    makers = _makers(strategy, params) if strategy is not None else None
    setup = _setup(
        makers,
        data,
        config,
        given={"symbols": symbols, "start": start, "end": end, "period": period},
        account=(account, cash, path_policy),
        instruments=instruments,
        zone=zone,
        around={"actions": actions, "margins": margins, "detail": detail, "rates": rates},
    )
    if not progress:
        return look_ahead_audit(setup, makers, cuts=cuts, seed=seed)
    with bar(sys.stderr, "trials") as shown:
        return look_ahead_audit(setup, makers, cuts=cuts, seed=seed, progress=shown)


def _setup(
    make: Make | None,
    data: Any,
    config: Path | str | Mapping[str, Any] | None,
    *,
    given: Mapping[str, Any],
    account: Money,
    instruments: Mapping[str, Instrument | Mapping[str, Any]] | None,
    zone: str | None,
    around: Mapping[str, Mapping[str, Any] | None],
) -> Setup:
    """What decides a run, from arguments over a configuration; `make` None: its strategies."""
    base, made, money = _with_account(config, given, account)
    series = (
        read_series(made)
        if data is None
        else [given_series(b) for b in _trimmed(_bars(data, made, zone), made)]
    )
    series = [_with_around(s, made, around, zone) for s in series]
    traded = _traded([s.bars.symbol for s in series], base, instruments, around)
    rates = [_one(x, pair, made, zone) for pair, x in (around["rates"] or {}).items()]
    market, _, _ = market_of(series, traded, made, rates)
    return Setup(
        market,
        traded,
        make_strategies(made.strategies) if make is None else make(market),
        money,
        is_open,
    )


Money = tuple[Account | Mapping[str, Any] | None, float | None, str | None]
"""Account, cash and path policy, as they are given."""


def _with_account(
    config: Path | str | Mapping[str, Any] | None, given: Mapping[str, Any], money: Money
) -> tuple[Config, Config, Account]:
    """`_made`, the second with the account that is given."""
    base, made = _made(config, given)
    account = _account(base.account, *money)
    own = {"currency": account.currency, "path_policy": account.path_policy.word}
    made = made.model_copy(update={"account": made.account.model_copy(update=own)})
    return base, made, account


def _made(
    config: Path | str | Mapping[str, Any] | None, given: Mapping[str, Any]
) -> tuple[Config, Config]:
    """The configuration as it is, and with what is given in its place."""
    base = _config(config)
    values = base.model_dump(by_alias=True, exclude_unset=True)
    values |= {key: value for key, value in given.items() if value is not None}
    if isinstance(values.get("symbols"), str):
        values["symbols"] = [values["symbols"]]
    elif given["symbols"] is not None:
        values["symbols"] = list(given["symbols"])
    return base, validated(Config, values)


def _traded(
    symbols: Sequence[str],
    base: Config,
    instruments: Mapping[str, Instrument | Mapping[str, Any]] | None,
    around: Mapping[str, Mapping[str, Any] | None],
) -> tuple[Instrument, ...]:
    known = {**base.instruments, **(instruments or {})}
    for place, names in {"instruments": known, **around}.items():
        for symbol in names or ():
            if symbol not in symbols and place != "rates":
                raise NotFoundError(f"symbol in {place}", symbol, symbols)
    return tuple(_instrument(symbol, known.get(symbol, {})) for symbol in symbols)


def _with_around(
    series: Series, config: Config, around: Mapping[str, Mapping[str, Any] | None], zone: str | None
) -> Series:
    """A series with what the arguments say is around it."""
    return replace(series, **_around(series.bars.symbol, config, around, zone))


def _alongside(
    one: Fed, config: Config, around: Mapping[str, Mapping[str, Any] | None], zone: str | None
) -> Alongside:
    """The same for a feed."""
    made = _around(one.feed.symbol, config, around, zone)
    if "detail" in made:
        made["detail"] = WholeFeed(made["detail"])
    return replace(one.alongside, **made)


def _around(
    symbol: str, config: Config, around: Mapping[str, Mapping[str, Any] | None], zone: str | None
) -> dict[str, Any]:
    """What the arguments say is around the bars of a symbol."""
    given = {key: named[symbol] for key, named in around.items() if named and symbol in named}
    made: dict[str, Any] = {}
    if "actions" in given:
        of = read_actions if isinstance(given["actions"], str | Path) else actions_of
        made["actions"] = of(given["actions"], symbol)
    if "margins" in given:
        made["margins"] = read_margins(given["margins"], symbol)
    if "detail" in given:
        finer = config.model_copy(update={"period": None})
        made["detail"] = _one(given["detail"], symbol, finer, zone)
    return made


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
        return read_series(one.model_copy(update={"instruments": config.instruments}))[0].bars
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


def _makers(given: Any, params: Mapping[str, Any] | None) -> Make:
    """Strategies by label for any market: a function makes its own anew, the others stay."""

    def of(one: Any, market: Market) -> Any:
        is_function = callable(one) and not isinstance(one, type) and not hasattr(one, "indicators")
        return one(market) if is_function else one

    def make(market: Market) -> dict[str, AnyStrategy]:
        if isinstance(given, Mapping):
            return _strategies({name: of(one, market) for name, one in given.items()}, None)
        return _strategies(of(given, market), params)

    return make


def _strategy(given: Any, params: Mapping[str, Any] | None) -> AnyStrategy:
    if isinstance(given, str):
        return load(given, params)
    if params:
        raise ConfigError("params: belong to a strategy that is given by name")
    if not hasattr(given, "indicators") or isinstance(given, type):
        raise ConfigError(
            f"strategy: a Bot, a Strategy, Signals, Weights or a name is needed, not {given!r}"
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
