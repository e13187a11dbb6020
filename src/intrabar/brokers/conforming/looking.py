"""Look-ups and looks: what they say is true and whole, or they say that it is not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace as with_values

from intrabar.brokers.conforming.scene import ALIVE, Scene, raises, same_price
from intrabar.errors import LinkError
from intrabar.model.broker_facts import OrderFact, Snapshot

Rule = Callable[[Scene], Coroutine[Any, Any, None]]
PARTS = {"orders", "fills", "positions", "balance"}
FAULTS = ("500", "429", "garbage", "drop", "lose_answer", "mute", "expire_token")
MANY = 30


async def an_order_is_found(scene: Scene) -> None:
    """As it stands."""
    ref = await scene.rests()
    _is_true(scene, ref.client_id, await scene.find(ref))


async def an_order_is_found_before_its_id_is_known(scene: Scene) -> None:
    """By our name; where names are not said, by what it is, among those that nobody has."""
    other = await scene.rests()
    ref = await scene.rests(limit_price=other.order.limit_price)
    bare = scene.ref(ref.order, vendor_id=False)
    _is_true(scene, ref.client_id, await scene.find(bare))


async def another_process_finds_an_order(scene: Scene) -> None:
    """Nothing is remembered."""
    ref = await scene.rests()
    await scene.begin_anew()
    _is_true(scene, ref.client_id, await scene.find(ref))
    _is_true(scene, ref.client_id, await scene.find(scene.ref(ref.order, vendor_id=False)))


async def an_order_that_is_not_there_is_not_found(scene: Scene) -> None:
    """None, and no other order for it."""
    ref = await scene.rests()
    request = scene.request(qty=7.0)
    found = await scene.find(scene.ref(request, vendor_id=False))
    assert found is None
    same = with_values(ref.order, client_id=request.client_id)
    assert await scene.find(scene.ref(same, vendor_id=False)) is None


async def an_order_that_is_over_is_found(scene: Scene) -> None:
    """As far back as `lists_done` says, and at least of today."""
    ref = await scene.rests()
    await scene.stage.fill(ref.client_id, 4.0, scene.stage.price - 10.0)
    await scene.cancel(ref)
    await scene.told(ref.client_id, lambda x: x.state == "cancelled", "it is cancelled")
    fact = await scene.find(ref)
    _is_true(scene, ref.client_id, fact)
    assert fact is not None
    assert (fact.state, fact.filled) == ("cancelled", 4.0)


def a_look_up_that_meets(fault: str) -> Rule:
    """Rule: it says what is true, or raises an error of the link; never that there is none."""

    async def rule(scene: Scene) -> None:
        ref = await scene.rests()
        scene.stage.fault("find", fault, 50)
        scene.stage.fault("look", fault, 50)
        with contextlib.suppress(LinkError):
            _is_true(scene, ref.client_id, await scene.find(ref))

    return rule


async def a_look_has_everything(scene: Scene) -> None:
    """Orders, fills, positions and balance, and that it is whole."""
    await scene.holds()
    ref = await scene.rests()
    look = await _look(scene)
    assert look.complete == PARTS
    _is_true(scene, ref.client_id, _of(scene, look, ref.client_id))
    assert set(look.positions) == {scene.stage.symbol}
    assert look.positions[scene.stage.symbol] == (10.0, scene.stage.price - 10.0)
    assert abs(look.balance - scene.stage.balance()) < 0.01
    assert look.at > 0


async def an_empty_account_is_flat(scene: Scene) -> None:
    """And whole all the same."""
    look = await _look(scene)
    assert look.complete == PARTS
    assert (look.orders, look.fills, look.positions) == ((), (), {})


async def a_short_position_is_below_zero(scene: Scene) -> None:
    """Its average is its price."""
    await scene.stage.trade(-1, 5.0, scene.stage.price)
    look = await _look(scene)
    assert look.positions == {scene.stage.symbol: (-5.0, scene.stage.price)}


async def a_position_that_is_closed_is_gone(scene: Scene) -> None:
    """Or stands there as 0."""
    await scene.stage.trade(1, 5.0, scene.stage.price)
    await scene.stage.trade(-1, 5.0, scene.stage.price)
    look = await _look(scene)
    assert look.positions.get(scene.stage.symbol, (0.0, 0.0))[0] == 0.0


async def a_look_has_what_is_over(scene: Scene) -> None:
    """From `since` on, or it says from when (`done_since`)."""
    filled = await scene.rests()
    await scene.stage.fill(filled.client_id, 10.0, scene.stage.price - 10.0)
    ended = await scene.rests()
    await scene.cancel(ended)
    await scene.told(ended.client_id, lambda x: x.state == "cancelled", "it is cancelled")
    look = await _look(scene)
    for client_id, state in ((filled.client_id, "filled"), (ended.client_id, "cancelled")):
        fact = _of(scene, look, client_id)
        assert fact is not None, client_id
        assert fact.state == state
    assert look.done_since <= look.at - scene.can.lists_done


async def a_look_has_more_than_a_page(scene: Scene) -> None:
    """Every order, once."""
    refs = [await scene.taken(scene.request(qty=float(n))) for n in range(1, MANY + 1)]
    look = await _look(scene)
    assert "orders" in look.complete
    assert len(look.orders) == MANY
    for ref in refs:
        _is_true(scene, ref.client_id, _of(scene, look, ref.client_id))


def a_look_that_meets(fault: str) -> Rule:
    """Rule: in any of its parts: what is said to be whole is; else it is not said to be."""

    async def rule(scene: Scene) -> None:
        await scene.holds()
        ref = await scene.rests()
        for _ in range(6):
            scene.stage.fault("look", fault)
            with contextlib.suppress(LinkError):
                look = await _look(scene)
                if "orders" in look.complete:
                    _is_true(scene, ref.client_id, _of(scene, look, ref.client_id))
                if "positions" in look.complete:
                    assert look.positions[scene.stage.symbol][0] == 10.0
                if "balance" in look.complete:
                    assert abs(look.balance - scene.stage.balance()) < 0.01

    return rule


def a_look_of_which_all_meets(fault: str) -> Rule:
    """Rule: it raises an error of the link, or says that nothing is whole."""

    async def rule(scene: Scene) -> None:
        await scene.holds()
        scene.stage.fault("look", fault, 50)
        with contextlib.suppress(LinkError):
            assert not (await _look(scene)).complete

    return rule


async def a_broker_that_is_away_is_not_flat(scene: Scene) -> None:
    """Its looks are errors."""
    ref = await scene.rests()
    await scene.stage.leave()
    await raises(LinkError, scene.within(scene.broker.snapshot(0), "a look"))
    await raises(LinkError, scene.find(ref))
    await scene.stage.come_back()


async def _look(scene: Scene) -> Snapshot:
    return await scene.within(scene.broker.snapshot(0), "a look")


def _of(scene: Scene, look: Snapshot, client_id: str) -> OrderFact | None:
    found = [fact for fact in look.orders if scene.is_of(fact, client_id)]
    assert len(found) <= 1
    return found[0] if found else None


def _is_true(scene: Scene, client_id: str, fact: OrderFact | None) -> None:
    """What is said of an order is what is there."""
    there = scene.there(client_id)
    assert fact is not None, f"{client_id} is there, and was not found"
    assert fact.vendor_id in ("", there.id)
    assert (fact.symbol, fact.side, fact.type) == (there.symbol, there.side, there.type)
    assert (fact.qty, fact.filled) == (there.qty, there.filled)
    assert same_price(fact.limit_price, there.limit_price)
    assert same_price(fact.stop_price, there.stop_price)
    assert (fact.state in ALIVE) == (there.rest > 0.0)
    assert not fact.filled or abs(fact.average - there.average) < 1e-6
