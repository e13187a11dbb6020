"""What a run is made of, as a configuration file says it (`config.yaml`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
)

from intrabar.app.config.kinds import Day, Zone
from intrabar.app.config.learning import LearnConfig, PredictConfig
from intrabar.app.config.live import BrokerageConfig, LiveConfig, StoreConfig
from intrabar.app.config.section import Section, refused
from intrabar.data.session_ends import SessionEnd
from intrabar.errors import ConfigError
from intrabar.model.values import from_text, taken
from intrabar.risk.limits import KEYS, Limits, limit
from intrabar.risk.limits import RULES as OF_LIMITS
from intrabar.sim.account import RULES, money


def _named(given: Any) -> Any:
    """Contracts as {symbol: file}; a list names symbols of the catalogue."""
    return dict.fromkeys(given, "") if isinstance(given, list) else given


class Source(Section):
    """Where the bars of a symbol come from: a file, the demo's bars, or else the catalogue.

    Parameters
    ----------
    symbol : str
    file : path, optional
        CSV or Parquet, relative to the configuration file.
    catalogue : folder, optional
    sample : bool
        Bars of the package `bokeh_sampledata`, adjusted.
    format, zone, label, period, calendar, side, time_format, ambiguous, decimal, scale : optional
        How to read the file; what is left out is told by the file.
    columns : {field: column} or list, optional
        What the header does not tell; of a file without one, its columns in their order.
    only : {column: value}
        The rows of one instrument among several.
    sort : bool
        Put rows that are out of order in order.
    actions : path, optional
        Splits and dividends; else those that the catalogue has of the symbol.
    adjustment : {"raw", "split", "all"}, optional
        What was done to the prices: of bars that are adjusted for splits only the dividends are
        paid, of "all" nothing; else what the catalogue knows, or raw.
    margins : path, optional
        Margins from each date on.
    detail : path, optional
        Lower bars for `path_policy: detail`; else the shortest that the catalogue has.
    contracts : list of str, or {str: path}
        A continuous future of these contracts of the catalogue, or of files.
    roll : "volume", int or list of dates
        When a contract gives way to the next one.
    """

    symbol: str
    file: str | None = None
    catalogue: str | None = None
    sample: bool = False
    format: str | None = None
    zone: Zone = None
    label: Literal["start", "end"] | None = None
    period: str | None = None
    calendar: str | None = None
    side: Literal["mid", "bid", "ask"] = "mid"
    columns: dict[str, str] | list[str] | None = None
    only: dict[str, str] = Field(default_factory=dict)
    time_format: str | None = None
    ambiguous: Literal["raise", "earliest", "latest"] = "raise"
    decimal: Literal[".", ","] | None = None
    scale: float | None = None
    sort: bool = False
    actions: str | None = None
    adjustment: Literal["raw", "split", "all"] | None = None
    margins: str | None = None
    detail: str | None = None
    contracts: Annotated[dict[str, str], BeforeValidator(_named)] = Field(default_factory=dict)
    roll: Any = None


class AccountConfig(Section):
    """The money of the run and its rules, by the rules of `Account`."""

    cash: float = 100_000.0
    margin_call: str = "all"
    margin_check: str = "reject"
    path_policy: str = "worst"
    type: Literal["margin", "cash"] = "margin"
    close_at_end: bool = False
    close_delisted: bool = False
    seed: int = 0
    path_trust: float | None = None
    currency: str = "USD"
    interest_rate: float = 0.0
    debit_rate: float = 0.0
    settlement: str = "none"

    @field_validator(*(x for x in RULES if x != "cash_account"), "currency", mode="before")
    @classmethod
    def _as_account(cls, given: Any, about: ValidationInfo) -> Any:
        """A value as an `Account` takes it; a file may write numbers and truths as text."""
        try:
            if about.field_name == "currency":
                return money("", given)
            rule = RULES[str(about.field_name)]
            value = taken("", from_text(given, rule), rule)
        except ConfigError as error:
            raise refused(error) from None
        return getattr(value, "word", value)


class RiskConfig(Section):
    """What orders obey, by the rules of `Limits`; percent is percent."""

    max_daily_loss_pct: float | None = None
    max_daily_loss: float | None = None
    max_drawdown_pct: float | None = None
    max_position_size_pct: float | None = None
    max_portfolio_leverage: float | None = None
    max_position_qty: float | None = None
    max_positions: int | None = None
    max_order_qty: float | None = None
    max_order_value: float | None = None
    allowed_symbols: list[str] | None = None
    allow_short: bool | None = None
    require_stop: bool | None = None
    price_collar_pct: float | None = None
    max_spread_pct: float | None = None
    orders_per_minute: int | None = None
    orders_per_day: int | None = None
    duplicate_seconds: float | None = None
    stale_after: float | None = None
    max_loss_to_stops_pct: float | None = None
    day: str | None = None
    on_daily_loss: str | None = None
    resume: str | None = None

    @field_validator(*KEYS, mode="before")
    @classmethod
    def _as_limit(cls, given: Any, about: ValidationInfo) -> Any:
        """A value as `Limits` take it; a file may write numbers and truths as text."""
        key = str(about.field_name)
        try:
            value = limit("", key, from_text(given, OF_LIMITS.get(key, str)))
        except ConfigError as error:
            raise refused(error) from None
        return list(value) if isinstance(value, tuple) else value

    @property
    def limits(self) -> Limits:
        """As the run takes them."""
        return Limits.of(self.model_dump())


class StrategyConfig(Section):
    """A strategy by name; `as` names the instance where one name is used twice.

    With a broker its `symbols` say what it trades: no two strategies share one.
    """

    name: str
    as_: str | None = Field(
        default=None, validation_alias=AliasChoices("as", "as_"), serialization_alias="as"
    )
    enabled: bool = True
    symbols: list[str] = Field(default_factory=list)
    params: dict[str, Any] = Field(default_factory=dict)

    @property
    def label(self) -> str:
        """How the run calls it."""
        return self.as_ or self.name.rpartition(":")[2]


READER = "intrabar.app.compose.described:from_arrays"
"""The strategy that a file of signals or weights is, which was kept with a run."""


def _strategies(given: Any) -> Any:
    """Strategies of which some are no more than a name."""
    several = [given] if isinstance(given, str) else given
    if not isinstance(several, list):
        return several
    return [{"name": one} if isinstance(one, str) else one for one in several]


class SweepConfig(Section):
    """Many runs instead of one.

    Parameters
    ----------
    parameters : {place: values}
        A list, or a mapping with `from`, `to` and `step` or `count` (and `log`).
    constraints : list of str
        Such as `fast < slow`.
    sample : {"grid", "random", "latin", "optuna"}
    count : int, optional
        Of points, unless it is a grid.
    seed : int
    metric : str
        What the best is by.
    """

    parameters: dict[str, Any] = Field(default_factory=dict)
    constraints: list[Any] = Field(default_factory=list)
    sample: Literal["grid", "random", "latin", "optuna"] = "grid"
    count: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)
    metric: str = "sharpe"


class WalkForwardConfig(Section):
    """Windows to choose on, and windows to prove it on.

    Parameters
    ----------
    train, test, step : bars, or a stretch of the calendar such as "2y", "6m", "4w", "10d"
        `step` is the length of the test where it is not given.
    anchored : bool
        Every train starts at the first bar.
    purge : bars
        How long a position may last: what is decided so close to a test is not trained on.
    embargo : bars
        Right before a test, never trained on.
    """

    train: int | str = "2y"
    test: int | str = "6m"
    step: int | str | None = None
    anchored: bool = False
    purge: int = Field(default=0, ge=0, le=2**40)
    embargo: int = Field(default=0, ge=0, le=2**40)


class Config(Section):
    """A whole run.

    Parameters
    ----------
    name : str
        Title of the report.
    data : list of Source
    symbols : list of str
        Those of `data` where empty, in the order in which they act.
    period : str, optional
        Period to take from the catalogue.
    calendar : str, optional
        Exchange calendar of the instruments for which none is named nearer; "none" for none.
    session_end : "bars" or "calendar"
        What ends the day of an instrument, at which DAY orders expire: its last bar of a trade
        date, or the first bar at or after the scheduled close of its calendar, as in a session on
        live bars, which does not know what its last bar is.
    zone : str, optional
        IANA zone of stamps that carry none, where their source names none.
    start, end : date or time
        UTC unless a zone is given; both included.
    trade_from : date or time, optional
        Rows that close before it wake nobody: they warm up. Of a session too, where `live.warm_up`
        says nothing; a backtest from the same time on has the session's trades.
    account : AccountConfig
    rates : list of Source
        Currency pairs, for what is not in the account's currency; else those of the catalogue.
    instruments : {symbol: {parameter: value}}
        Over the values that come with Intrabar.
    strategies : list of StrategyConfig, or of names
    risk : RiskConfig, optional
        What orders obey, and when the breaker ends entering; no limits without it.
    calibrated : path, optional
        Path truth of the symbol, made by `intrabar data path-truth --out`: the expected result
        under random paths is told beside the band.
    report : bool
    out : folder of run folders
    chunk : bars, optional
        Run in chunks of so many, for a history larger than memory.
    sweep : SweepConfig, optional
        What `intrabar sweep` changes from run to run; a backtest does not read it.
    walk_forward : WalkForwardConfig, optional
        The windows of `intrabar walk-forward`, which chooses among the trials of `sweep`.
    learn : LearnConfig, optional
        What exits learn from; a backtest does not read it.
    predict : PredictConfig, optional
        What is predicted, by what; a backtest does not read it.
    mode : "simulation", "paper" or "live"
        What a session of it is for; a file says it as `trading.mode`.
    brokerage : BrokerageConfig, optional
        Who fills the orders of a session, where that is a broker.
    live : LiveConfig
        How a session of it lives.
    store : StoreConfig
        Where its journal is.
    """

    name: str = ""
    data: list[Source] = Field(default_factory=list)
    symbols: list[str] = Field(default_factory=list)
    period: str | None = None
    calendar: str | None = None
    session_end: SessionEnd = "bars"
    zone: Zone = None
    start: Day | None = None
    end: Day | None = None
    trade_from: Day | None = None
    account: AccountConfig = AccountConfig()
    rates: list[Source] = Field(default_factory=list)
    instruments: dict[str, dict[str, Any]] = Field(default_factory=dict)
    strategies: Annotated[list[StrategyConfig], BeforeValidator(_strategies)] = Field(
        default_factory=list
    )
    risk: RiskConfig | None = None
    calibrated: str | None = None
    report: bool = True
    out: str = "runs"
    chunk: int | None = Field(default=None, ge=1)
    sweep: SweepConfig | None = None
    walk_forward: WalkForwardConfig | None = None
    learn: LearnConfig | None = None
    predict: PredictConfig | None = None
    mode: Literal["simulation", "paper", "live"] = "simulation"
    brokerage: BrokerageConfig | None = None
    live: LiveConfig = LiveConfig()
    store: StoreConfig = StoreConfig()

    @property
    def traded(self) -> list[str]:
        """The symbols of the run, in order."""
        return self.symbols or [source.symbol for source in self.data]

    @property
    def limits(self) -> Limits | None:
        """What its orders obey; None where it has no section `risk`."""
        return None if self.risk is None else self.risk.limits
