"""Tests that every broker passes: inherit them, and name a maker.

::

    class TestMine(BrokerConformance):
        make = staticmethod(my_stage)

`my_stage()` is awaited anew in each test and gives a `Stage`: the fake that the broker talks to,
the broker that is tested, and hands on both (`fakes.stage.FakeStage` serves most). What an account
is not able to is asserted to be refused; no test is skipped.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterator
from types import ModuleType
from typing import Any, ClassVar

from intrabar.brokers.conforming import (
    changing,
    gate,
    groups,
    listening,
    looking,
    secrets,
    submitting,
)
from intrabar.brokers.conforming.scene import Scene, Stage

__all__ = ["BrokerConformance", "Stage", "rules"]

Rule = Callable[[Scene], Awaitable[None]]
GATE = {
    f"test_{name}"
    for name in (
        "it_says_which_account_answers",
        "it_says_what_it_can",
        "it_tells_the_grids_of_what_is_traded",
        "another_account_is_refused",
        "an_account_of_another_kind_is_refused",
        "a_symbol_that_it_lacks_is_named",
        "wrong_keys_are_said_to_be_wrong",
        "a_broker_that_is_away_is_said_to_be",
        "a_broker_that_says_nothing_is_given_up",
        "an_answer_to_the_login_that_nobody_can_read_is_an_error",
    )
}
"""Tests that connect by themselves."""


def _made() -> Iterator[tuple[str, Rule]]:
    """The rules that are the same for many words."""
    for kind in submitting.TYPES:
        yield f"test_an_order_of_type_{kind}", submitting.an_order_of_type(kind)
    for tif in submitting.TIFS:
        yield f"test_an_order_that_is_{tif}", submitting.an_order_with_time_in_force(tif)
    for name, qty in (("zero", 0.0), ("below_zero", -5.0), ("nan", float("nan"))):
        yield f"test_a_quantity_of_{name}", submitting.a_quantity_of(qty)
    for name, price in (("nan", float("nan")), ("infinity", float("inf"))):
        yield f"test_a_limit_of_{name}", submitting.a_limit_of(price)
    for fault in (*submitting.LOST, *submitting.PASSING):
        yield f"test_a_submit_that_meets_{fault}", submitting.a_submit_that_meets(fault)
    for fault in changing.LOST:
        yield f"test_a_change_that_meets_{fault}", changing.a_change_that_meets(fault)
        yield f"test_a_cancel_that_meets_{fault}", changing.a_cancel_that_meets(fault)
    for how in ("cancelled", "expired", "rejected"):
        yield f"test_an_order_that_is_{how}_there", listening.an_end_by_the_venue(how)
    for fault in listening.FAULTS:
        yield f"test_a_frame_that_meets_{fault}", listening.a_frame_that_meets(fault)
    for fault in looking.FAULTS:
        yield f"test_a_look_up_that_meets_{fault}", looking.a_look_up_that_meets(fault)
        yield f"test_a_look_that_meets_{fault}", looking.a_look_that_meets(fault)
        if fault != "expire_token":  # a new one may be had each time
            yield (
                f"test_a_look_of_which_all_meets_{fault}",
                looking.a_look_of_which_all_meets(fault),
            )


def _plain(module: ModuleType) -> Iterator[tuple[str, Rule]]:
    for name, function in vars(module).items():
        is_rule = inspect.iscoroutinefunction(function) and function.__module__ == module.__name__
        if is_rule and not name.startswith("_"):
            yield f"test_{name}", function


def rules() -> dict[str, Rule]:
    """All that a broker promises, by the name of its test."""
    modules = (gate, submitting, groups, listening, changing, looking, secrets)
    plain = [pair for module in modules for pair in _plain(module)]
    return dict([*plain, *_made()])


class BrokerConformance:
    """What a broker promises; `make` is the only thing to give."""

    make: ClassVar[Any]  # async () -> Stage
    run: ClassVar[Any] = staticmethod(asyncio.run)  # runs a coroutine to its end


async def carry_out(rule: Rule, stage: Stage, *, connects: bool = True) -> None:
    """One rule on a stage, which is closed behind it."""
    scene = Scene(stage)
    try:
        if connects:
            await scene.begin()
        await rule(scene)
    finally:
        await scene.end()


def _test(name: str, rule: Rule) -> Callable[[BrokerConformance], None]:
    def test(self: BrokerConformance) -> None:
        async def main() -> None:
            await carry_out(rule, await self.make(), connects=name not in GATE)

        self.run(main())

    test.__name__, test.__doc__ = name, rule.__doc__
    return test


for _name, _rule in rules().items():
    setattr(BrokerConformance, _name, _test(_name, _rule))
