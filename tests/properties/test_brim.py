"""Every array of a run filled to its brim: nothing is written behind it, nothing comes out other.

Each array is a part of a longer one whose other rows have a pattern that must stay. Runs begin with
arrays of a row or two, so that they grow again and again, in the middle of steps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from intrabar.engine.run import Run, Setup
from intrabar.errors import RunError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.model.bars import Action
from intrabar.model.enums import ActionKind, Settlement
from intrabar.model.instrument import Instrument
from intrabar.sim.inbox import LEAST
from intrabar.sim.machine import Machine
from intrabar.sim.room import RECORDS
from intrabar.sim.tables import table_of
from intrabar.strategy.bot import Bot
from intrabar.strategy.entries import CoinFlip
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.weights import Weights
from tests.engine.test_refused_orders import Careless
from tests.strategy.markets import NAN, setup_of, walk

BEHIND = 64  # rows
PATTERN = 0x5A
SYMBOLS = ("A", "B")


class Guard:
    """Gives a machine arrays that end where its memory does not."""

    def __init__(self, machine: Machine, rooms: dict[str, int]) -> None:
        self.machine = machine
        self.made: list[tuple[NDArray[Any], int]] = []
        book = machine.book
        self._lay({name: getattr(book, name)[:room] for name, room in rooms.items()})
        machine._tell_growth()
        machine.on_growth.insert(0, self._grown)

    def _lay(self, arrays: dict[str, NDArray[Any]]) -> None:
        laid = {}
        for name, array in arrays.items():
            whole = np.zeros(len(array) + BEHIND, array.dtype)
            whole[: len(array)] = array
            whole.view(np.uint8).reshape(len(whole), -1)[len(array) :] = PATTERN
            self.made.append((whole, len(array)))
            laid[name] = whole[: len(array)]
        self.machine.book = self.machine.book._replace(**laid)

    def _grown(self) -> None:
        held = [whole for whole, _ in self.made]
        arrays = {name: getattr(self.machine.book, name) for name in ("inbox", *RECORDS)}
        self._lay({n: a for n, a in arrays.items() if not any(a.base is whole for whole in held)})
        self.machine._book_table[:] = table_of(self.machine.book)

    @property
    def holds(self) -> bool:
        """Whether nothing was written behind an array."""
        return all(
            bool((whole.view(np.uint8).reshape(len(whole), -1)[rows:] == PATTERN).all())
            for whole, rows in self.made
        )


class Fills(Strategy):
    """Puts as much into the inbox as one call may."""

    def __init__(self, bars: tuple[int, ...]) -> None:
        self.bars = bars

    def on_close(self, now: Any) -> None:
        if now.bar in self.bars:
            for k in range(LEAST):
                now.buy(1, limit=1.0 + 0.01 * k)


class Busy(Strategy):
    """Orders, changes and withdrawals in every hook."""

    def __init__(self) -> None:
        self.last: int | None = None

    def on_open(self, now: Any) -> None:
        self.last = now.buy(1, stop_loss=now.open - 0.5, take_profit=now.open + 0.5)

    def on_close(self, now: Any) -> None:
        if not now.is_flat:
            now.modify_stop_loss(now.close - 0.7)
            now.modify_take_profit(now.close + 0.7)
        else:
            now.sell(2, stop_loss=now.close + 1.0)
        if now.bar % 5 == 0 and self.last is not None:
            now.cancel(self.last)

    def on_fill(self, fill: Any, now: Any) -> None:
        now.buy(1, limit=2.0)

    def on_order(self, order: Any, now: Any) -> None:
        if order.order % 3 == 0:
            now.buy(1, limit=3.0, tif="day")


MADE = {
    "compiled": lambda: Bot(CoinFlip(1, 0.5), FixedRatio(3, 1.0, 1.0), 0.0, 2.0),
    "trailing": lambda: Bot(CoinFlip(2, 0.5), TrailingATR(3, 1.0), 0.0, 1.0),
    "interpreted": lambda: Bot(CoinFlip(3, 0.5), TrailingATR(3, 1.0), 0.0, 1.0, interpreted=True),
    "signals": lambda: Signals({s: ([1.0, NAN, 0.0, -1.0] * 10) for s in SYMBOLS}, 2.0),
    "weights": lambda: Weights(np.tile([[0.2, -0.1], [NAN, NAN], [-0.1, 0.3]], (14, 1))[:40]),
    "busy": Busy,
    "careless": Careless,
    "fills": lambda: Fills((4, 5, 19)),
    "fills too": lambda: Fills((5, 20)),
}


def full_of_actions(seed: int, names: list[str]) -> Setup:
    market = walk(40, seed, SYMBOLS)
    actions = [Action(k, 0, ActionKind.DIVIDEND, 0.01) for k in (6, 6, 6, 6, 6, 6, 6, 20)]
    actions += [Action(11, 1, ActionKind.SPLIT, ratio) for ratio in (2.0, 0.5, 2.0, 0.5, 3.0)]
    market = replace(
        market,
        day=np.arange(40) // 4,
        session_end=np.tile((np.arange(40) % 4 == 3)[:, None], (1, 2)).astype(np.uint8),
        actions=tuple(sorted(actions, key=lambda a: a.bar)),
    )
    instruments = [Instrument(s, tick_size=0.01, initial_margin=10.0) for s in SYMBOLS]
    how = {"cash": 1e7, "settlement": Settlement.DAILY, "interest_rate": 0.03}
    return setup_of(
        market, *(MADE[n]() for n in names), names=names, instruments=instruments, **how
    )


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 99),
    st.lists(st.sampled_from(list(MADE)), min_size=1, max_size=5, unique=True),
    st.fixed_dictionaries({name: st.integers(1, 40) for name in ("inbox", *RECORDS)}),
)
def test_a_run_at_the_brim_of_every_array_is_the_same_run(
    seed: int, names: list[str], rooms: dict[str, int]
) -> None:
    setup = full_of_actions(seed, names)
    run, large = Run(setup), Run(setup)
    guard = Guard(run.machine, rooms)
    run.to_end()
    large.to_end()
    assert run.machine.digest() == large.machine.digest()
    assert guard.holds


@pytest.mark.parametrize("name", ["compiled", "signals", "weights", "trailing"])
def test_a_compiled_strategy_after_one_that_filled_the_inbox(name: str) -> None:
    """What one strategy asks for takes no room from another."""
    together = Run(full_of_actions(1, ["fills", "fills too", name]))
    guard = Guard(together.machine, {"inbox": LEAST})
    together.to_end()
    assert guard.holds
    fills = together.machine.fills()
    alone = Run(full_of_actions(1, [name]))
    alone.to_end()
    own = fills[fills["strategy"] == 2]
    assert len(own) == len(alone.machine.fills())


def test_a_compiled_hook_that_puts_too_much_stops_the_run() -> None:
    """The last row of the inbox takes what is lost, and the run says so."""
    run = Run(full_of_actions(1, ["weights", "compiled"]))
    machine = run.machine
    machine.advance(5)
    guard = Guard(machine, {"inbox": 1})
    # The loop would make room; a hook that is called by hand finds none.
    machine.book.account["lost"] = 1
    machine.book.account["inbox"] = 0
    with pytest.raises(RunError, match="1 commands were lost at bar 5"):
        machine.advance()
    with pytest.raises(RunError, match="it cannot go on from there"):
        machine.advance()
    assert guard.holds
