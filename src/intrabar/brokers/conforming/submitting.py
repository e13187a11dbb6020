"""What leaves arrives as it was meant, once; what cannot, does not leave."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from msgspec.structs import replace as with_values

from intrabar.brokers.conforming.scene import NAN, Scene, refused, same_price
from intrabar.model.broker_facts import Accepted, Refused, Request, Unknown

TYPES = ("market", "limit", "stop", "stop_limit", "moc")
TIFS = ("gtc", "day", "gtd", "ioc", "fok")
Rule = Callable[[Scene], Coroutine[Any, Any, None]]


def an_order_of_type(kind: str) -> Rule:
    """Rule: it arrives as it was meant, or is refused before it leaves."""

    async def rule(scene: Scene) -> None:
        request = scene.request(kind)
        if kind == "moc" and "day" in scene.can.tifs:
            request = with_values(request, tif="day", until=0)
        await _arrives(scene, request, kind in scene.can.types)

    return rule


def an_order_with_time_in_force(tif: str) -> Rule:
    """Rule: it arrives as it was meant, or is refused before it leaves."""

    async def rule(scene: Scene) -> None:
        request = scene.request(tif=tif, until=scene.until_of(tif))
        await _arrives(scene, request, tif in scene.can.tifs)
        if tif in scene.can.tifs:
            there = scene.there(request.client_id)
            assert there.tif == tif
            assert there.until == request.until

    return rule


async def _arrives(scene: Scene, request: Request, may: bool) -> None:
    (outcome,) = await scene.submit(request)
    if not may:
        refused(outcome, "cannot")
        assert scene.count(request.client_id) == 0
        return
    assert isinstance(outcome, Accepted), outcome
    there = scene.there(request.client_id)
    assert (there.symbol, there.side, there.type) == (request.symbol, request.side, request.type)
    assert there.qty == request.qty
    assert same_price(there.limit_price, request.limit_price)
    assert same_price(there.stop_price, request.stop_price)
    assert scene.count(request.client_id) == 1
    assert not outcome.vendor_id or outcome.vendor_id == there.id


async def a_price_arrives_to_the_last_bit(scene: Scene) -> None:
    """No float creeps in on the way."""
    price = scene.stage.price - 9.93
    price = round(price, 2)
    request = scene.request(limit_price=price)
    await scene.taken(request)
    assert scene.there(request.client_id).limit_price == price


async def a_sale_of_what_is_held_is_a_sale(scene: Scene) -> None:
    """It closes."""
    await scene.holds()
    request = scene.request(side=-1, position=10.0)
    await scene.taken(request)
    assert not scene.there(request.client_id).opens


async def a_sale_of_what_is_not_held_sells_short(scene: Scene) -> None:
    """It opens; or it is refused clearly."""
    request = scene.request(side=-1)
    (outcome,) = await scene.submit(request)
    if isinstance(outcome, Accepted):
        assert scene.there(request.client_id).opens
    else:
        refused(outcome, "no_borrow", "cannot", not_sent=False)


async def a_purchase_of_what_is_short_covers(scene: Scene) -> None:
    """It closes; or there is nothing short."""
    await scene.stage.trade(-1, 10.0, scene.stage.price)
    request = scene.request(position=-10.0)
    await scene.taken(request)
    assert not scene.there(request.client_id).opens


async def an_order_that_turns_a_position_round_goes_in_one_or_not_at_all(scene: Scene) -> None:
    """`nets` says which."""
    await scene.holds()
    request = scene.request("market", -1, 15.0, position=10.0)
    (outcome,) = await scene.submit(request)
    if scene.can.nets:
        assert isinstance(outcome, Accepted), outcome
    else:
        refused(outcome, "cannot")
        assert scene.count(request.client_id) == 0


def a_quantity_of(qty: float) -> Rule:
    """Rule: it does not leave."""

    async def rule(scene: Scene) -> None:
        request = scene.request(qty=qty)
        refused((await scene.submit(request))[0], "invalid_quantity")
        assert scene.count(request.client_id) == 0

    return rule


async def a_part_of_a_share_leaves_only_where_it_may(scene: Scene) -> None:
    """`fractional` says where; nothing is rounded."""
    request = scene.request(qty=1.5)
    (outcome,) = await scene.submit(request)
    if scene.can.fractional:
        assert isinstance(outcome, Accepted), outcome
        assert scene.there(request.client_id).qty == 1.5
    else:
        refused(outcome, "invalid_quantity")
        assert scene.count(request.client_id) == 0


def a_limit_of(price: float) -> Rule:
    """Rule: it does not leave."""

    async def rule(scene: Scene) -> None:
        request = scene.request(limit_price=price)
        refused((await scene.submit(request))[0], "invalid_price")
        assert scene.count(request.client_id) == 0

    return rule


async def a_stop_without_a_price_does_not_leave(scene: Scene) -> None:
    """Nor one whose account takes none."""
    request = scene.request("stop", stop_price=NAN)
    refused((await scene.submit(request))[0], "invalid_price", "cannot")
    assert scene.count(request.client_id) == 0


async def a_price_off_the_grid_is_not_rounded(scene: Scene) -> None:
    """It is refused before it leaves where the grid is told; else it arrives as it is, or not."""
    request = scene.request(limit_price=scene.stage.price - 9.995)
    (outcome,) = await scene.submit(request)
    there = scene.stage.truth(request.client_id)
    if isinstance(outcome, Accepted):
        assert there is not None
        assert there.limit_price == request.limit_price
    else:
        refused(outcome, "invalid_price", not_sent=False)
        assert there is None or there.status == "rejected"


async def a_symbol_that_nobody_knows_is_refused(scene: Scene) -> None:
    """By them, or before it leaves."""
    request = with_values(scene.request(), symbol=scene.stage.unknown)
    (outcome,) = await scene.submit(request)
    if isinstance(outcome, Accepted):
        await scene.told(request.client_id, lambda x: x.state == "rejected", "it is rejected")
    else:
        refused(outcome, "unknown_symbol", not_sent=False)


async def what_the_venue_refuses_is_refused(scene: Scene) -> None:
    """By its answer or by an event, with the vendor's words; it is not unknown."""
    scene.stage.fault("submit", "reject")
    request = scene.request()
    (outcome,) = await scene.submit(request)
    if isinstance(outcome, Accepted):
        told = await scene.told(request.client_id, lambda x: x.state == "rejected", "its end")
        assert told.text
    else:
        refused(outcome, not_sent=False)
        assert not outcome.not_sent  # type: ignore[union-attr]
    there = scene.stage.truth(request.client_id)
    assert there is None or not there.rest


async def orders_at_the_same_time_keep_their_answers(scene: Scene) -> None:
    """Each its own."""
    requests = [scene.request(qty=float(n)) for n in range(1, 6)]
    found = await asyncio.gather(*(scene.submit(x) for x in requests))
    for request, (outcome,) in zip(requests, found, strict=True):
        assert isinstance(outcome, Accepted), outcome
        there = scene.there(request.client_id)
        assert there.qty == request.qty
        assert outcome.vendor_id in ("", there.id)


async def a_name_that_is_sent_twice_makes_one_order_where_it_says_so(scene: Scene) -> None:
    """`dedups`; the second answer is the first one's order, or that the name is taken."""
    request = scene.request()
    await scene.taken(request)
    (again,) = await scene.submit(request)
    assert scene.count(request.client_id) == (1 if scene.can.dedups else 2)
    if scene.can.dedups and isinstance(again, Accepted):
        assert again.vendor_id in ("", scene.there(request.client_id).id)
    elif scene.can.dedups:
        refused(again, "id_clash", not_sent=False)


async def a_name_of_another_order_is_a_clash(scene: Scene) -> None:
    """Where names are unique: it is never taken for that order."""
    request = scene.request()
    await scene.taken(request)
    (again,) = await scene.submit(with_values(request, qty=7.0, side=-request.side))
    if scene.can.dedups:
        refused(again, "id_clash", not_sent=False)
        assert scene.count(request.client_id) == 1
        assert scene.there(request.client_id).qty == request.qty


LOST = ("lose_request", "lose_answer", "drop", "garbage", "mute", "500")
PASSING = ("429", "expire_token", "slow")


def a_submit_that_meets(fault: str) -> Rule:
    """Rule: it is answered in time and never with an error; one order is there at most.

    What was not answered is unknown, unless it is sure that it did not leave, or it was asked again
    under the same name where that is harmless.
    """

    async def rule(scene: Scene) -> None:
        scene.stage.fault("submit", fault)
        request = scene.request()
        (outcome,) = await scene.submit(request)
        count = scene.count(request.client_id)
        assert len(scene.stage.orders()) == count <= 1
        if isinstance(outcome, Accepted):
            assert count == 1
            assert fault in PASSING or scene.can.dedups
        elif isinstance(outcome, Refused):
            assert count == 0
            assert fault in PASSING or outcome.not_sent
        else:
            assert isinstance(outcome, Unknown)
            assert outcome.text

    return rule


async def a_submit_to_a_broker_that_is_away_is_answered(scene: Scene) -> None:
    """Nothing was written, or nobody knows."""
    await scene.stage.leave()
    (outcome,) = await scene.submit(scene.request())
    assert isinstance(outcome, Unknown) or refused(outcome)
    await scene.stage.come_back()
