"""Random sessions: bars, what befalls them, limits that bite, and one kind of strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

import numpy as np

from intrabar.app.compose.recipe import Recipe, TradedMarket
from intrabar.app.compose.session import recorded_session
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.data.actions import Actions, CorporateAction
from intrabar.data.continuous import Roll
from intrabar.engine.run import Setup
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.session import Session
from intrabar.model.bars import Bars
from intrabar.model.instrument import Instrument
from intrabar.risk.limits import Limits
from tests.engine.chunks.test_chunks import DAY, START, walk
from tests.engine.session.sessions import plan_of
from tests.live.bots import BOTS

BEFALLS = ("nothing", "splits and dividends", "rolls")
LIMITS: tuple[dict[str, Any] | None, ...] = (
    None,
    None,
    {"max_order_qty": 4.0, "allow_short": False},
    {"max_position_size_pct": 2.0, "orders_per_day": 4},
    {"max_daily_loss_pct": 0.2, "resume": None},
    {"max_daily_loss_pct": 0.1, "on_daily_loss": "reduce", "max_positions": 1},
    {"max_portfolio_leverage": 0.3, "require_stop": True},
)


@dataclass(frozen=True)
class World:
    """All that decides a session; the same seed gives the same one in every process.

    Parameters
    ----------
    bot : one of `BOTS`
    seed : int
    rows : int
        Hours, at the most.
    warm_up : rows
        Before the first that is traded.
    """

    bot: str
    seed: int
    rows: int = 80
    warm_up: int = 48  # what two days of longer bars need

    @cached_property
    def draw(self) -> Random:
        return Random(f"{self.bot} {self.seed}")

    @cached_property
    def befalls(self) -> str:
        return Random(f"befalls {self.seed} {self.bot}").choice(BEFALLS)

    @cached_property
    def limits(self) -> Limits | None:
        said = Random(f"limits {self.seed} {self.bot}").choice(LIMITS)
        return None if said is None else Limits.of({**said, "day": "00:00 UTC"})

    @cached_property
    def recipe(self) -> Recipe:
        seed = Random(f"bars {self.seed} {self.bot}").randint(0, 10**6)
        bars = [walk("A", seed, self.rows, 0.1), walk("B", seed + 1, self.rows, 0.3)]
        times = len(np.unique(np.concatenate([b.close_time for b in bars])))
        strategies = BOTS[self.bot](self.draw, times)
        terms: dict[str, Any] = {"calendar": "24/7", "fee_per_trade": 1.0, "tick_size": 0.01}
        instruments = {s: Instrument(s, initial_margin_rate=0.1, **terms) for s in "AB"}
        given: dict[str, Any] = {"cash": 50_000.0, "instruments": instruments}
        if self.limits is not None:
            given["risk"] = self.limits
        recipe = Recipe.of_call(strategies, bars, given)  # type: ignore[arg-type]
        series = recipe.series
        assert series is not None
        first = series[0]
        if self.befalls == "rolls":
            first = replace(first, rolls=rolls(bars[0], seed))
        elif self.befalls == "splits and dividends":
            first = replace(first, actions=actions(seed))
        live = recipe.config.live.model_copy(update={"warm_up": self.warm_up})
        config = recipe.config.model_copy(update={"live": live, "session_end": "calendar"})
        return replace(recipe, series=(first, *series[1:]), config=config)

    def setup(self, folder: str, url: str | None = None) -> SessionSetup:
        """What `live_through` takes, in a folder of sessions and with its journal at an address."""
        config = self.recipe.config
        live = config.live.model_copy(update={"folder": folder})
        store = config.store.model_copy(update={"url": url})
        config = config.model_copy(update={"live": live, "store": store})
        return recorded_session(replace(self.recipe, config=config), "main")

    @cached_property
    def base(self) -> TradedMarket:
        return self.recipe.traded_market()

    @cached_property
    def whole(self) -> Setup:
        """A backtest of all of its rows."""
        base = self.base
        return Setup(
            base.market,
            base.instruments,
            self.recipe.strategies,
            base.account,
            risk=self.limits,
        )

    def plan(self) -> Plan:
        """A plan with strategies of its own, as a process that is started again has them."""
        fresh = World(self.bot, self.seed, self.rows, self.warm_up)
        setup = fresh.whole
        limits = self.limits
        if limits is not None:
            limits = limits.filled_in(len(setup.instruments), setup.market.period)
        return plan_of(setup, self.bars, limits)

    @property
    def bars(self) -> Sequence[Bars]:
        return [one.bars for one in self.recipe.series or ()]

    def session(self) -> Session:
        return Session(self.plan())


def actions(seed: int) -> Actions:
    """A split and a dividend within the hours."""
    draw = Random(seed)
    first = START // DAY
    split = draw.choice((2.0, 1.5, 0.5))
    return Actions(
        "A", (CorporateAction(first + 1, split), CorporateAction(first + 2, 1.0, 0.5)), "given"
    )


def rolls(bars: Bars, seed: int) -> tuple[Roll, ...]:
    """Changes of the contract in front."""
    rows = sorted(Random(seed).sample(range(5, len(bars)), 3))
    return tuple(
        Roll(
            int(bars.close_time[k]), round(float(bars.close[k - 1]) + 0.3, 2), f"A{n}", f"A{n + 1}"
        )
        for n, k in enumerate(rows)
    )
