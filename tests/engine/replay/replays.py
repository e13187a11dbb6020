"""Setups for replays, orders of scenarios given by hand, and the plain run to compare with."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from intrabar.engine.replay import track as replay_track
from intrabar.engine.replay.replay import Replay
from intrabar.engine.run import Run, Setup, tell
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.indicators import sma
from intrabar.model.enums import OrderType, Role, TimeInForce
from intrabar.sim import state
from intrabar.sim.machine import Machine
from intrabar.strategy.bot import Bot
from intrabar.strategy.desk import Desk
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.gates import Gates
from intrabar.strategy.running_bot import RunningBot
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import RunningStrategy, Strategy
from intrabar.strategy.views import View
from tests.strategy.markets import setup_of, walk

Act = Callable[[View], Any]
Given = tuple[tuple[int, int], str, str, Act]  # place in the run, symbol, strategy, what


class Part:
    """Something that a strategy holds and that points back to it."""

    def __init__(self, owner: Strategy) -> None:
        self.owner = owner
        self.seen: list[float] = []


class Busy(Strategy):
    """Remembers in every way there is, and acts on what it remembers."""

    def __init__(self, seed: int = 3) -> None:
        self.draw = random.Random(seed)
        self.generator = np.random.default_rng(seed)
        self.part = Part(self)
        self.last = np.zeros(3)
        self.heard: list[Any] = []
        self.now: Any = None
        self.owned: dict[str, int] = {}

    def indicators(self) -> dict[str, Any]:
        return {"mean": sma(4)}

    def on_start(self) -> None:
        self.heard.append("start")

    def on_open(self, now: Any) -> None:
        self.heard.append((now.bar, now.open))
        if self.draw.random() < 0.2 and not now.is_flat:
            now.close_position()

    def on_close(self, now: Any) -> None:
        assert self.part.owner is self
        self.now = now
        self.part.seen.append(now.close)
        self.last = np.roll(self.last, 1)
        self.last[0] = now["mean"]
        for x in now:
            if x.is_flat and self.draw.random() < 0.3:
                far = 0.01 * x.close * self.generator.random()
                self.owned[x.symbol] = x.buy(
                    10, stop_loss=x.close - far, take_profit=x.close + 2 * far
                )
            elif self.draw.random() < 0.2 and x.symbol in self.owned:
                x.modify_stop_loss(x.close * 0.999)

    def on_fill(self, fill: Any, now: Any) -> None:
        self.heard.append((now.bar, fill))
        if self.draw.random() < 0.1:
            now.sell(1, at_close=True)

    def on_order(self, order: Any, now: Any) -> None:
        self.heard.append((now.bar, order))


def memory(strategy: Strategy) -> str:
    """What a strategy remembers, to be compared."""
    held = {k: v for k, v in vars(strategy).items() if k not in ("now", "part", "generator")}
    part, generator = vars(strategy).get("part"), vars(strategy).get("generator")
    drawn = generator.bit_generator.state if generator is not None else None
    random_state = held.pop("draw").getstate() if "draw" in held else None
    return repr((held, part and part.seen, drawn, random_state))


def everyone(seed: int, bars: int = 40, missing: float = 0.2) -> Setup:
    """Bots, compiled and interpreted, signals and Python strategies in one account."""
    market = walk(bars, seed, ("A", "B"), missing=missing, wild=0.006)
    draw = np.random.default_rng(seed)
    side = {x: draw.choice([1.0, -1.0, 0.0, np.nan], bars, p=(0.1, 0.1, 0.1, 0.7)) for x in "AB"}
    gates = Gates(daily_loss=0.001)
    strategies: dict[str, Any] = {
        "busy": Busy(seed),
        "trails": Bot(CoinFlip(), TrailingATR(3, 1.0), risk_fraction=0.01, gates=gates),
        "plain": Bot(CoinFlip(seed=5), FixedRatio(3, 1.0, 2.0), risk_fraction=0.02),
        "slow": Bot(
            CoinFlip(seed=6), TrailingATR(4, 1.0), 0.01, gates=gates, warm_up=8, interpreted=True
        ),
        "signals": Signals(side, qty=3.0, stop=0.6, target=0.5),
        "hand": Strategy(),
    }
    return setup_of(market, *strategies.values(), names=list(strategies), cash=20_000.0)


def often_kept(setup: Setup, every: int, monkeypatch: pytest.MonkeyPatch) -> Replay:
    """A replay that keeps a checkpoint every so many bars, whatever that costs."""
    monkeypatch.setattr(replay_track, "COPYING", math.inf)
    replay = Replay(setup)
    replay._track.spacing = every
    return replay


def moment(bar: int, step: int) -> tuple[int, int]:
    """Where in the run a command by hand takes effect that is given before a step of a bar."""
    return (bar - 1, state.STEP_END) if step == state.STEP_OPEN and bar else (bar, step)


def walked(machine: Machine, bar: int, step: int) -> None:
    """Go on to a place, bar by bar, past bars on which something waits in the inbox."""
    account = machine.book.account[0]
    if account["inbox"] and account["step"] == state.STEP_OPEN and (bar, step) > (machine.bar, 0):
        machine.advance(machine.bar, state.STEP_ON_OPEN)
    machine.advance(bar, step)


@dataclass
class Plain:
    """A run that only ever goes forward: its digest, and what its strategies remember."""

    setup: Setup
    given: Sequence[Given] = ()
    place: tuple[int, int] = (1 << 40, 0)
    run: Run = field(init=False)

    def __post_init__(self) -> None:
        self.run = run = Run(self.setup)
        tell(run.running, "on_start")
        names, symbols = list(self.setup.strategies), self.setup.market.symbols
        for at, symbol, strategy, act in self.given:
            if at > self.place:
                break
            walked(run.machine, *at)
            desk = Desk(
                run.machine,
                names.index(strategy),
                symbols.index(symbol),
                {},
                run.frames.history({}),
                run.clock,
            )
            act(View(desk, 1, {}))
        walked(run.machine, min(self.place[0], len(self.setup.market)), self.place[1])

    def state(self) -> tuple[str, list[str]]:
        """Everything that another run is compared by."""
        return state_of(self.run)


def state_of(run: Run) -> tuple[str, list[str]]:
    """The digest of a run, and what its strategies remember."""
    known: list[str] = []
    for running in run.running.values():
        if isinstance(running, RunningStrategy):
            known.append(memory(running.strategy))
        elif isinstance(running, RunningBot):
            days = [running.record[0][n] for n in ("day_now", "day_equity", "day_halted")]
            known.append(repr((running.counts.tolist(), days)))
    return run.machine.digest(), known


def order_of(order: dict[str, Any], ids: dict[str, int], number_of: Callable[[str], int]) -> Act:
    """An order, cancel or change of a scenario as something to do with a view.

    The market takes what a scenario says, whether a strategy might say it or not.
    """
    names = ("qty", "limit_price", "stop_price", "trail", "stop_loss", "take_profit")

    def act(view: View) -> None:
        prices = {name: order.get(name) for name in names}
        if "cancel" in order or "modify" in order:
            kind = state.CANCEL if "cancel" in order else state.MODIFY
            view._desk.put(kind, id=number_of(order.get("cancel") or order["modify"]), **prices)
            return
        until = order.get("until")
        ids[order["id"]] = view._desk.put(
            state.SUBMIT,
            side=int(order["side"]),
            type=OrderType[order["type"].upper()],
            tif=TimeInForce[order.get("tif", "gtc").upper()],
            role=Role.PLAIN,
            reduce_only=bool(order.get("reduce_only")),
            oco=ids.get(order.get("oco") or "", -1),
            until=None if until is None else int(until * 86_400_000_000_000),
            **prices,
        )

    return act
