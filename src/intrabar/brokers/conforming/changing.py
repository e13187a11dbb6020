"""Changes and cancels: they stand, are refused, or are in doubt; an order is never lost by one."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace as with_values

from intrabar.brokers.conforming.scene import ALIVE, DONE, Scene, refused
from intrabar.model.broker_facts import Accepted, Ref, Refused, Unknown

Rule = Callable[[Scene], Coroutine[Any, Any, None]]


async def a_price_is_changed(scene: Scene) -> None:
    """What it leaves alone stays."""
    ref = await scene.rests()
    price = scene.stage.price - 12.0
    outcome, after = await scene.replace(ref, limit_price=price)
    assert isinstance(outcome, Accepted), outcome
    there = scene.there(after.client_id)
    assert (there.limit_price, there.qty, there.side) == (price, 10.0, 1)
    fact = await scene.find(after)
    assert fact is not None
    assert (fact.limit_price, fact.qty) == (price, 10.0)
    assert fact.state in ALIVE


async def a_change_keeps_its_order_or_makes_a_new_one(scene: Scene) -> None:
    """As `replace` says; then by the name that it was given, and the old one says which."""
    ref = await scene.rests()
    outcome, after = await scene.replace(ref, limit_price=scene.stage.price - 12.0)
    assert isinstance(outcome, Accepted), outcome
    old = scene.there(ref.client_id)
    if scene.can.replace == "same":
        assert after.vendor_ids == ref.vendor_ids
        assert len(scene.stage.orders()) == 1
        return
    new = scene.there(after.client_id)
    assert new.id != old.id
    assert outcome.vendor_id in ("", new.id)
    told = await scene.told(ref.client_id, lambda x: bool(x.replaced_by), "what took its place")
    assert told.replaced_by == new.id


async def a_new_quantity_is_the_one_in_all(scene: Scene) -> None:
    """What has filled counts."""
    ref = await scene.rests()
    await scene.stage.fill(ref.client_id, 3.0, scene.stage.price - 10.0)
    await scene.until(lambda: scene.total(ref.client_id) == 3.0, "three have filled")
    outcome, after = await scene.replace(ref, qty=8.0)
    assert isinstance(outcome, Accepted), outcome
    assert scene.there(after.client_id).rest == 5.0


async def a_stop_is_moved(scene: Scene) -> None:
    """As all trailing stops are."""
    if "stop" not in scene.can.types:
        refused((await scene.submit(scene.request("stop")))[0], "cannot")
        return
    await scene.holds()
    ref = await scene.rests("stop", side=-1, position=10.0)
    price = scene.stage.price - 5.0
    outcome, after = await scene.replace(ref, stop_price=price)
    assert isinstance(outcome, Accepted), outcome
    assert scene.there(after.client_id).stop_price == price
    assert not scene.there(after.client_id).opens


async def a_change_off_the_grid_does_not_leave(scene: Scene) -> None:
    """Quantity or price; the order stays."""
    ref = await scene.rests()
    outcome, _ = await scene.replace(ref, qty=-1.0)
    refused(outcome, "invalid_quantity")
    there = scene.there(ref.client_id)
    assert (there.qty, there.status in ("working", "accepted")) == (10.0, True)


async def what_is_over_is_not_changed(scene: Scene) -> None:
    """A soft refusal: look it up. It changes nothing."""
    ref = await _filled(scene)
    outcome, _ = await scene.replace(ref, limit_price=scene.stage.price - 12.0)
    assert isinstance(outcome, Unknown) or refused(outcome, "not_open", not_sent=False)
    assert scene.there(ref.client_id).filled == 10.0


async def what_is_over_is_not_cancelled(scene: Scene) -> None:
    """A soft refusal: look it up."""
    ref = await _filled(scene)
    outcome = await scene.cancel(ref)
    assert isinstance(outcome, Unknown) or refused(outcome, "not_open", not_sent=False)
    fact = await scene.find(ref)
    assert fact is not None
    assert fact.state == "filled"


async def _filled(scene: Scene) -> Ref:
    ref = await scene.rests()
    await scene.stage.fill(ref.client_id, 10.0, scene.stage.price - 10.0)
    await scene.told(ref.client_id, lambda x: x.state == "filled", "it has filled")
    return ref


async def what_is_not_there_is_not_cancelled(scene: Scene) -> None:
    """It is refused, and nothing else ends."""
    ref = await scene.rests()
    stranger = with_values(ref.order, client_id="0a1b2c-zz-0")
    outcome = await scene.cancel(Ref(stranger, ("99999999",)))
    assert isinstance(outcome, Unknown) or refused(outcome, "not_open", not_sent=False)
    assert scene.there(ref.client_id).rest == 10.0


async def a_cancel_ends_an_order(scene: Scene) -> None:
    """That it has ended is told by an event, its fills stay."""
    ref = await scene.rests()
    await scene.stage.fill(ref.client_id, 4.0, scene.stage.price - 10.0)
    await scene.until(lambda: scene.total(ref.client_id) == 4.0, "four have filled")
    assert isinstance(await scene.cancel(ref), Accepted)
    told = await scene.told(ref.client_id, lambda x: x.state == "cancelled", "it is cancelled")
    assert told.filled == 4.0
    assert scene.there(ref.client_id).status == "cancelled"


LOST = ("lose_request", "lose_answer", "drop", "garbage", "mute", "500", "429", "expire_token")


def a_change_that_meets(fault: str) -> Rule:
    """Rule: it is answered in time and never with an error; a look-up says what is true.

    An accepted one stands; the order lives on under one name or the other.
    """

    async def rule(scene: Scene) -> None:
        ref = await scene.rests()
        price = scene.stage.price - 12.0
        scene.stage.fault("replace", fault)
        outcome, after = await scene.replace(ref, limit_price=price)
        alive = [order for order in scene.stage.orders() if order.rest]
        assert len(alive) == 1
        if isinstance(outcome, Accepted):
            assert alive[0].limit_price == price
        elif isinstance(outcome, Refused):
            assert alive[0].limit_price == ref.order.limit_price
        names = {after.client_id: after, ref.client_id: ref}
        found = [await scene.find(name) for name in names.values()]
        lives = [fact for fact in found if fact is not None and fact.state in ALIVE]
        assert [fact.limit_price for fact in lives] == [alive[0].limit_price]

    return rule


def a_cancel_that_meets(fault: str) -> Rule:
    """Rule: it is answered in time and never with an error; a look-up says what is true."""

    async def rule(scene: Scene) -> None:
        ref = await scene.rests()
        scene.stage.fault("cancel", fault)
        outcome = await scene.cancel(ref)
        assert isinstance(outcome, Accepted | Refused | Unknown)
        there = scene.there(ref.client_id)
        if isinstance(outcome, Accepted):
            assert there.status == "cancelled"
        fact = await scene.find(ref)
        assert fact is not None
        assert (fact.state in DONE) == (not there.rest)

    return rule


async def another_process_changes_and_cancels(scene: Scene) -> None:
    """All that it needs is the reference."""
    ref = await scene.rests()
    await scene.begin_anew()
    outcome, after = await scene.replace(ref, limit_price=scene.stage.price - 12.0)
    assert isinstance(outcome, Accepted), outcome
    assert scene.there(after.client_id).limit_price == scene.stage.price - 12.0
    await scene.begin_anew()
    assert isinstance(await scene.cancel(after), Accepted)
    assert scene.there(after.client_id).status == "cancelled"
