"""A machine that broke waits until it is put back; what kernels are given is what they read."""

from __future__ import annotations

import gc
import re
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import intrabar
from intrabar.engine.run import Run
from intrabar.errors import RunError, StrategyError
from intrabar.sim.machine import Machine
from intrabar.sim.tables import address_of
from intrabar.strategy.strategy import Strategy
from tests.strategy.markets import setup_of, walk


class Notes(Strategy):
    """Buys at every close and remembers where it was called."""

    def __init__(self) -> None:
        self.called: list[tuple[str, int]] = []

    def on_close(self, now: Any) -> None:
        self.called.append(("close", now.bar))
        now.buy(1)

    def on_open(self, now: Any) -> None:
        self.called.append(("open", now.bar))

    def on_fill(self, fill: Any, now: Any) -> None:
        self.called.append(("fill", now.bar))


class Fails(Strategy):
    """Raises once, after it has asked for something."""

    def __init__(self, hook: str) -> None:
        self.hook = hook
        self.has_failed = False

    def _maybe(self, hook: str, now: Any) -> None:
        if hook == self.hook and now.bar == 5 and not self.has_failed:
            self.has_failed = True
            now.sell(7)
            raise ValueError("once")

    def on_close(self, now: Any) -> None:
        self._maybe("close", now)
        now.buy(1)

    def on_open(self, now: Any) -> None:
        self._maybe("open", now)

    def on_fill(self, fill: Any, now: Any) -> None:
        self._maybe("fill", now)


def failed(hook: str) -> Run:
    run = Run(setup_of(walk(12), Notes(), Fails(hook), Notes(), names=("one", "fails", "two")))
    with pytest.raises(StrategyError, match="once"):
        run.machine.advance()
    return run


def called(run: Run, name: str) -> list[tuple[str, int]]:
    noted: list[tuple[str, int]] = run.running[name].strategy.called  # type: ignore[union-attr]
    return noted


@pytest.mark.parametrize("hook", ["open", "close", "fill"])
def test_after_a_failure_the_run_goes_on_only_when_it_is_put_back(hook: str) -> None:
    run = failed(hook)
    with pytest.raises(RunError, match="a hook has failed at bar 5: it cannot go on from there"):
        run.machine.advance()
    run.machine.return_to(Run(run.setup).machine.checkpoint())
    run.machine.advance()
    assert run.machine.bar == 12


@pytest.mark.parametrize("hook", ["open", "close", "fill"])
def test_without_the_strategy_that_failed_no_hook_is_called_twice(hook: str) -> None:
    run = failed(hook)
    run.machine.take_off(1)
    run.machine.advance()
    calm = Run(setup_of(walk(12), Notes(), Notes(), names=("one", "two")))
    calm.machine.advance()
    for name in ("one", "two"):
        assert called(run, name) == called(calm, name)
    orders = run.machine.orders()
    assert not (orders["qty"] == 7.0).any()  # what the call that failed has asked for is dropped


def test_an_exception_does_not_keep_the_machine() -> None:
    run = failed("close")
    machine = weakref.ref(run.machine)
    run.machine.disconnect()
    gc.collect()
    del run
    gc.collect()
    assert machine() is None


def test_what_was_raised_is_let_go_of_though_the_machine_lives() -> None:
    run = failed("close")
    gc.collect()
    held = [one for one in gc.get_objects() if type(one) is ValueError and str(one) == "once"]
    assert held == []
    assert run.machine.bar == 5


def test_a_snapshot_put_back_again_and_again_takes_no_more_room() -> None:
    class Crowd(Strategy):
        def on_close(self, now: Any) -> None:
            if now.bar < 3:
                for _ in range(1000):
                    now.buy(1, limit=1.0)

    machine = Run(setup_of(walk(40), Crowd())).machine
    machine.advance(10)
    rooms = [len(array) for array in machine.book]
    kept, digest = machine.snapshot(), machine.digest()
    for _ in range(3):
        machine.restore(kept)
    assert [len(array) for array in machine.book] == rooms
    assert machine.digest() == digest
    machine.advance()
    whole = Run(setup_of(walk(40), Crowd())).machine
    whole.advance()
    assert machine.digest() == whole.digest()


def test_a_snapshot_larger_than_the_arrays_makes_them_grow() -> None:
    setup = setup_of(walk(40), Notes())
    far = Run(setup).machine
    far.advance(30)
    near = Run(setup).machine
    near.book = near.book._replace(
        **{name: getattr(near.book, name)[:2] for name in ("orders", "log", "fills")}
    )
    near.restore(far.snapshot())
    assert near.digest() == far.digest()
    near.advance()
    far.advance()
    assert near.digest() == far.digest()


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (np.zeros((4, 1), np.float32), (4, 1)),
        (np.zeros((8, 1))[::2], (4, 1)),
        (np.zeros((4, 1))[::-1], (4, 1)),
        (np.zeros((4, 2), order="F"), (4, 2)),
        (np.zeros((4, 1)), (5, 1)),
        (np.zeros(4), (4, 1)),
        ([0.0] * 4, (4,)),
    ],
)
def test_no_address_of_what_a_kernel_would_read_wrong(array: Any, shape: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"is read|is no array"):
        address_of(array, np.float64, shape)


def test_an_address_is_that_of_the_first_element() -> None:
    array = np.arange(6.0).reshape(3, 2)
    assert address_of(array, np.float64, (None, 2)) == array.__array_interface__["data"][0]


def test_addresses_are_taken_in_one_place() -> None:
    package = Path(intrabar.__file__).parent
    taking = re.compile(r"\.ctypes\b|__array_interface__\[|addressof\(|data_as\(")
    found = {
        str(p.relative_to(package)) for p in package.rglob("*.py") if taking.search(p.read_text())
    }
    assert found == {"sim/tables.py"}


@pytest.mark.parametrize("name", ["open", "close", "session_end", "time"])
def test_a_market_whose_arrays_differ_is_refused(name: str) -> None:
    setup = setup_of(walk(20), Notes())
    short = replace(setup.market, **{name: getattr(setup.market, name)[:-3]})
    with pytest.raises(TypeError, match=r"is read|in a market of"):
        Machine(short, setup.instruments, setup.account, np.zeros((len(short), 1), np.uint8))
