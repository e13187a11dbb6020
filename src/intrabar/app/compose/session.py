"""From a configuration to a session: its plan, its history, and the bars that it lives through."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from intrabar.app.compose.bars import one_of
from intrabar.app.compose.broker_fills import Answered, answered_in, fills_in, fills_of
from intrabar.app.compose.predictions import predictor_of
from intrabar.app.compose.recipe import Recipe, TradedMarket, is_open
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.compose.strategies import in_zone
from intrabar.app.compose.warm_up import LENGTHS, longest, rows_of_models, warm_rows
from intrabar.app.config.model import Config
from intrabar.data.alongside import Alongside
from intrabar.data.live.vendors import sources_named
from intrabar.data.periods import parse_period
from intrabar.engine.chunks.setup import usual_phase
from intrabar.engine.judged import first_day_begins
from intrabar.engine.session.broker_fills import BrokerFills
from intrabar.engine.session.closing import flatten_of
from intrabar.engine.session.marks import Known
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.row import rows_of
from intrabar.engine.session.shadows import in_shadow
from intrabar.engine.tables.lessons import require_unseen
from intrabar.engine.tables.predicted import requests_of
from intrabar.errors import ConfigError, DataError
from intrabar.links.clock import Clock
from intrabar.links.source import BarSource
from intrabar.model.bars import DAY_NS, Bars
from intrabar.model.facts import SourceCan
from intrabar.model.values import shown
from intrabar.risk.limits import Limits, left_out
from intrabar.strategy.registry import AnyStrategy
from intrabar.strategy.signals import Signals
from intrabar.strategy.weights import Weights

CLOSED_BARS = SourceCan("none", 0.0, corrects=True, quotes=True)
"""What a record is able to."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,79}")


def recorded_session(
    recipe: Recipe,
    name: str = "",
    *,
    begun: Mapping[str, Any] | None = None,
    answered: Answered | None = None,
) -> SessionSetup:
    """A session that lives through the bars that a recipe has.

    With `begun`, the body of its `session.started`, it has no predictor: what its journal has is
    all that is asked for. With `answered` a broker fills.

    Raises
    ------
    UsageError, DataError
        As a backtest; or there are too few bars to warm up.
    """
    config = _of_a_session(recipe.config)
    answered = answered_in(begun) if begun is not None else answered
    base = replace(recipe, config=config).traded_market()
    strategies = in_zone(recipe.strategies, config.zone)
    first = warm_rows(config, strategies, base.market)
    along = {s.bars.symbol: Alongside(s.actions, s.margins, s.rolls) for s in base.series}
    bars = {s.bars.symbol: s.bars for s in base.series}
    broker = _broker(config, base, strategies, CLOSED_BARS, answered, begun)
    plan = plan_of(config, base, strategies, (begun or {}).get("predictions", {}), broker)
    predictor, told = None, list[str]()
    if begun is None:
        predictor, told = predictor_of(config, plan, base.market, is_recorded=True)
    return SessionSetup(
        session_name(config, name),
        plan,
        config,
        tuple(rows_of(base.market, first)),
        int(base.market.time[first]),
        along,
        bars,
        _rates(base, first - 1),
        (*_remarks(recipe.config, base), *told, *_learned(plan, int(base.market.time[first]))),
        predictor,
        answered,
        base.market,
    )


def live_session(
    recipe: Recipe,
    history: Sequence[Bars],
    now: int,
    name: str = "",
    *,
    begun: Mapping[str, Any] | None = None,
    answered: Answered | None = None,
    can: SourceCan = CLOSED_BARS,
) -> SessionSetup:
    """A session on the bars of a source, from now on.

    Parameters
    ----------
    recipe : Recipe
    history : sequence of Bars
        What the source has of each symbol up to now.
    now : int, ns UTC
    begun, answered : optional
        As `recorded_session`.
    can : SourceCan
        Of the source.

    Raises
    ------
    UsageError, DataError
        Too few bars, or a calendar that nobody knows.
    """
    config = _of_a_session(recipe.config, start=None, end=None)
    answered = answered_in(begun) if begun is not None else answered
    series = tuple(one_of(bars, bars.symbol, config) for bars in history)
    base = replace(recipe, config=config, series=series).traded_market()
    for x in base.instruments:
        if not x.calendar and base.market.period < DAY_NS:
            raise ConfigError(
                f"{x.symbol}: nobody knows when its exchange is open; write instruments: "
                f"{{{x.symbol}: {{calendar: NYSE}}}}, or 24/7"
            )
    strategies = in_zone(recipe.strategies, config.zone)
    least = LENGTHS * max(longest(strategies, base.market.period), 1)
    if requests_of(strategies):
        least = max(least, rows_of_models(config))
    wanted = config.live.warm_up if isinstance(config.live.warm_up, int) else least
    for j, symbol in enumerate(base.market.symbols):
        there = int(np.count_nonzero(~np.isnan(base.market.open[:, j])))
        if there < wanted:
            raise DataError(
                f"{symbol}: the source has {there} bars up to now, {wanted} are asked for to warm "
                "up; write live: {warm_up: fewer bars}"
            )
    along = {s.bars.symbol: Alongside(s.actions, s.margins, s.rolls) for s in base.series}
    broker = _broker(config, base, strategies, can, answered, begun)
    plan = plan_of(config, base, strategies, (begun or {}).get("predictions", {}), broker)
    predictor, told = None, list[str]()
    if begun is None:
        predictor, told = predictor_of(config, plan, base.market, is_recorded=False)
    return SessionSetup(
        session_name(config, name),
        plan,
        config,
        tuple(rows_of(base.market)),
        now + 1,
        along,
        None,
        _rates(base, -1),
        (*_remarks(recipe.config, base), *told, *_learned(plan, now + 1)),
        predictor,
        answered,
    )


def source_of(config: Config, clock: Clock, calendars: Mapping[str, str]) -> BarSource:
    """The source of live bars that a configuration names; of several the next where one is down.

    Raises
    ------
    ConfigError, NotFoundError, SecretError, MissingExtra
    """
    if not config.live.sources:
        raise ConfigError(
            "live.sources: there is no source of bars; write live: {sources: [{name: yfinance}]}, "
            "or give --recorded"
        )
    named = [(one.name, one.credentials) for one in config.live.sources]
    return sources_named(named, clock, calendars=calendars, pause=config.live.pause)


def live_period(config: Config) -> int:
    """The period of the rows of a session on live bars, ns.

    Raises
    ------
    ConfigError
        Nobody says it.
    """
    said = config.live.period or config.period
    if said is None:
        raise ConfigError("live.period: is missing; write live: {period: 1m}, or 5m, 1h, 1d")
    return parse_period(said)


def plan_of(
    config: Config,
    base: TradedMarket,
    strategies: Mapping[str, AnyStrategy],
    told: Mapping[str, Sequence[str]],
    broker: BrokerFills | None = None,
) -> Plan:
    """The plan of a session over a market."""
    live, market = config.live, base.market
    limits = Limits() if config.limits is None else config.limits
    if config.limits is not None:
        limits = limits.filled_in(len(base.instruments), market.period)
    has_rows = any(isinstance(s, Signals | Weights) for s in strategies.values())
    traded, shadowed = in_shadow(strategies)
    return Plan(
        base.instruments,
        traded,
        base.account,
        market.period,
        is_open,
        limits,
        live.look_back,
        live.on_error,
        first_day_begins(base.instruments[0], int(market.time[0])),
        len(market) if has_rows else 0,
        None if live.flatten is None else flatten_of(live.flatten),
        expire_days=live.expire_days,
        phases=tuple(usual_phase([s.bars]) for s in base.series),
        told=told,
        shadowed=shadowed,
        broker=broker,
    )


def _broker(
    config: Config,
    base: TradedMarket,
    strategies: Mapping[str, AnyStrategy],
    can: SourceCan,
    answered: Answered | None,
    begun: Mapping[str, Any] | None,
) -> BrokerFills | None:
    """Where the fills come from, if not from the market."""
    if begun is not None:
        return fills_in(begun)
    if answered is None:
        return None
    period = base.market.period
    return fills_of(config, answered, base.instruments, strategies, can, period)


def _of_a_session(config: Config, **dates: None) -> Config:
    """A configuration as a session has it: days end by the calendar, and only a person resumes."""
    risk = config.risk and config.risk.model_copy(update={"resume": None})
    return config.model_copy(update={"session_end": "calendar", "risk": risk, **dates})


def _learned(plan: Plan, trade_from: int) -> tuple[str, ...]:
    """What there is to say of policies; refuses those that know the first row that is traded."""
    first = np.array([trade_from], np.int64)
    told = require_unseen(plan.given, plan.symbols, first, None, plan.period, states={})
    traded = (
        f"{name}: its learned exit is in shadow: {plan.strategies[name].exit!r} trades, and what "  # type: ignore[union-attr]
        "the other would have earned is simulated beside it; session: act in the exit lets it trade"
        for name in plan.shadowed
    )
    return (*(x.text for x in told), *traded)


def _remarks(config: Config, base: TradedMarket) -> tuple[str, ...]:
    """What there is to say of the bars, and of limits that a session does not have."""
    told = [remark.text for remark in base.remarks]
    if config.limits is not None:
        told += [
            f"risk.{key} is not checked: it needs quotes, and bars have none"
            for key in left_out(config.limits)
        ]
        if config.limits.resume is not None:
            told.append(
                "risk.resume: next_day is of backtests alone; the breaker of a session stays until "
                "a person resumes it"
            )
    return tuple(told)


def session_name(config: Config, name: str) -> str:
    """The name of a session, which is also that of its folder.

    Raises
    ------
    ConfigError
    """
    found = name or config.live.name or re.sub(r"[^A-Za-z0-9]+", "-", config.name).strip("-")
    return folder_name("name:" if name else "live.name:", found or "main")


def folder_name(place: str, name: Any) -> str:
    """The name of a session, as it may stand in paths.

    Raises
    ------
    ConfigError
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigError(
            f"{place} is {shown(name)}, must be letters, digits, points and dashes, at most 80"
        )
    return name


@contextmanager
def seeded(name: str) -> Iterator[None]:
    """Random numbers that a strategy draws are the same at each start of a session."""
    before = random.getstate(), np.random.get_state()  # noqa: NPY002 - strategies may draw from it
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])  # noqa: NPY002


def _rates(base: TradedMarket, row: int) -> dict[tuple[str, str], Known]:
    """What each foreign currency is worth at a row."""
    market, own = base.market, base.account.currency
    if market.fx is None:
        return {}
    return {
        (x.currency, own): Known(float(market.fx[row, j]), int(market.time[row]))
        for j, x in enumerate(base.instruments)
        if x.currency != own
    }
