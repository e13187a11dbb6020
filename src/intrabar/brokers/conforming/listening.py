"""What the stream tells: every order and fill, once or often, in order or not; and its gaps."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from intrabar.brokers.conforming.scene import ALIVE, NAN, Scene, is_up
from intrabar.brokers.tickets import State
from intrabar.model.broker_facts import CashFact, FillFact, OrderFact
from intrabar.model.facts import LinkFact

Rule = Callable[[Scene], Coroutine[Any, Any, None]]
FAULTS = ("lose_event", "duplicate", "reorder", "slow", "drop", "mute", "garbage")


async def an_order_that_is_taken_is_told(scene: Scene) -> None:
    """With what it is, in words of ours."""
    ref = await scene.rests()
    (fact, *_) = scene.orders_told(ref.client_id)
    there = scene.there(ref.client_id)
    assert (fact.vendor_id, fact.symbol, fact.side) == (there.id, there.symbol, there.side)
    assert (fact.type, fact.qty, fact.limit_price) == (there.type, there.qty, there.limit_price)
    assert State(fact.state)
    if scene.can.echoes_id:
        assert fact.client_id == ref.client_id


async def a_fill_is_told(scene: Scene) -> None:
    """Quantity and price of it, and how much that is in all."""
    ref = await scene.rests()
    price = scene.stage.price - 10.5
    await scene.stage.fill(ref.client_id, 3.0, price)
    await scene.until(lambda: scene.total(ref.client_id) == 3.0, "three have filled")
    fills = scene.fills_told(ref.client_id)
    if fills:
        assert [(x.qty, x.price, x.side) for x in fills] == [(3.0, price, 1)]
        assert fills[0].total in (3.0, NAN) or fills[0].total != fills[0].total
    else:
        told = [x.average for x in scene.orders_told(ref.client_id) if x.filled == 3.0]
        assert told[-1] == price
    assert not scene.can.fill_ids or fills


async def fills_in_parts_add_up(scene: Scene) -> None:
    """To the quantity and the money of the broker."""
    ref = await scene.rests()
    price = scene.stage.price - 10.0
    for n, qty in enumerate((3.0, 2.0, 5.0), 1):
        await scene.stage.fill(ref.client_id, qty, price - n)
    await scene.until(lambda: scene.total(ref.client_id) == 10.0, "all has filled")
    await scene.told(ref.client_id, lambda x: x.state == "filled", "the order is filled")
    money = 3 * (price - 1) + 2 * (price - 2) + 5 * (price - 3)
    fills = scene.fills_told(ref.client_id)
    averages = [x.average for x in scene.orders_told(ref.client_id) if x.filled == 10.0]
    if len(fills) == 3:
        assert abs(sum(x.qty * x.price for x in fills) - money) < 1e-6
    else:
        assert not scene.can.fill_ids
        assert abs(averages[-1] * 10.0 - money) < 1e-4


async def no_status_says_more_than_has_filled(scene: Scene) -> None:
    """Cumulative quantities are those of the broker at that time."""
    ref = await scene.rests()
    for _ in range(4):
        await scene.stage.fill(ref.client_id, 2.0, scene.stage.price - 10.0)
    await scene.until(lambda: scene.total(ref.client_id) == 8.0, "eight have filled")
    for fact in scene.facts:
        if isinstance(fact, OrderFact):
            assert fact.filled in (0.0, 2.0, 4.0, 6.0, 8.0)
            assert not fact.filled or fact.average == scene.stage.price - 10.0
            assert fact.state != "filled"


def an_end_by_the_venue(how: str) -> Rule:
    """Rule: it is told, with the fills that it leaves."""

    async def rule(scene: Scene) -> None:
        ref = await scene.rests()
        if how != "rejected":
            await scene.stage.fill(ref.client_id, 4.0, scene.stage.price - 10.0)
        await scene.stage.end(ref.client_id, how)  # type: ignore[arg-type]
        # A vendor may have one word for what expires and what is cancelled.
        words = {how} if how == "rejected" else {"cancelled", "expired"}
        told = await scene.told(ref.client_id, lambda x: x.state in words, f"it is {how}")
        assert told.filled == (0.0 if how == "rejected" else 4.0)

    return rule


def a_frame_that_meets(fault: str) -> Rule:
    """Rule: fills after it are told, or a gap is; and a look at the account has them all."""

    async def rule(scene: Scene) -> None:
        ref = await scene.rests()
        told = len(scene.facts)
        scene.stage.fault("event", fault)
        for _ in range(3):
            await scene.stage.fill(ref.client_id, 2.0, scene.stage.price - 10.0)
        if fault in ("drop", "mute", "garbage"):
            await scene.until(
                lambda: (
                    any(_is_gap(fact) for fact in scene.facts[told:])
                    or scene.total(ref.client_id) == 6.0
                ),
                "the gap is told",
            )
        if fault != "lose_event":
            await _is_known(scene, ref.client_id, 6.0)
        await scene.stage.fill(ref.client_id, 1.0, scene.stage.price - 10.0)
        await _is_known(scene, ref.client_id, 7.0)
        assert scene.total(ref.client_id) <= 7.0
        total = [x.total for x in scene.fills_told(ref.client_id) if x.total == x.total]
        assert len(total) == len(set(total)), "no fill under two ids"

    return rule


async def _is_known(scene: Scene, client_id: str, qty: float) -> None:
    """The quantity is told by the stream, or by a look after the link is up again."""
    await scene.until(
        lambda: scene.total(client_id) == qty or _is_up_again(scene), f"{qty:g} are known"
    )
    if scene.total(client_id) != qty:
        look = await scene.within(scene.broker.snapshot(0), "a look")
        (fact,) = [x for x in look.orders if scene.is_of(x, client_id)]
        assert fact.filled == qty


def _is_gap(fact: Any) -> bool:
    return isinstance(fact, LinkFact) and fact.state != "up"


def _is_up_again(scene: Scene) -> bool:
    states = [is_up(fact) for fact in scene.facts if isinstance(fact, LinkFact)]
    return False in states[states.index(True) :] and states[-1]


async def a_broker_that_comes_back_is_listened_to(scene: Scene) -> None:
    """Its absence is told, and what happens later is told again."""
    ref = await scene.rests()
    told = len(scene.facts)
    await scene.stage.leave()
    await scene.until(lambda: any(map(_is_gap, scene.facts[told:])), "the gap is told")
    await scene.stage.come_back()
    await scene.until(lambda: _is_up_again(scene), "the link is up again")
    await scene.stage.fill(ref.client_id, 2.0, scene.stage.price - 10.0)
    await scene.until(lambda: scene.total(ref.client_id) == 2.0, "it tells fills again")


async def a_fill_in_a_gap_is_found(scene: Scene) -> None:
    """By the stream's own snapshot, or by a look."""
    ref = await scene.rests()
    told = len(scene.facts)
    await scene.stage.leave()
    await scene.until(lambda: any(map(_is_gap, scene.facts[told:])), "the gap is told")
    await scene.stage.fill(ref.client_id, 2.0, scene.stage.price - 10.0)
    await scene.stage.come_back()
    await scene.until(lambda: _is_up_again(scene), "the link is up again")
    await _is_known(scene, ref.client_id, 2.0)


async def connections_that_are_cut_are_made_again(scene: Scene) -> None:
    """Three times over; who has no stream may not notice."""
    ref = await scene.rests()
    for n in range(1, 4):
        told = len(scene.facts)
        await scene.stage.cut()
        await scene.stage.fill(ref.client_id, 1.0, scene.stage.price - 10.0)
        await scene.until(
            lambda told=told, n=n: (  # type: ignore[misc]
                any(map(is_up, scene.facts[told:])) or scene.total(ref.client_id) == n
            ),
            "it is up",
        )
        await _is_known(scene, ref.client_id, float(n))


async def what_others_trade_is_not_ours(scene: Scene) -> None:
    """It is told without a name of ours, or a look has it; the position is the broker's."""
    ref = await scene.rests()
    await scene.stage.trade(1, 5.0, scene.stage.price)
    look = await scene.within(scene.broker.snapshot(0), "a look")
    assert look.positions[scene.stage.symbol][0] == 5.0
    for fact in (*scene.facts, *look.orders, *look.fills):
        if isinstance(fact, OrderFact | FillFact) and not scene.is_of(fact, ref.client_id):
            assert fact.client_id != ref.client_id
    assert scene.total(ref.client_id) == 0.0


async def a_status_that_nobody_knows_is_unknown(scene: Scene) -> None:
    """With the vendor's word, and the order is taken for neither alive nor over."""
    ref = await scene.rests()
    told = len(scene.facts)
    await scene.stage.show(ref.client_id, "QUANTUM")
    fact = await scene.find(ref)
    assert fact is not None
    assert fact.state == "unknown"
    assert "QUANTUM" in fact.text
    for fact in scene.facts[told:]:
        if scene.is_of(fact, ref.client_id) and isinstance(fact, OrderFact):
            assert fact.state in ("unknown", *ALIVE)


async def what_covers_is_working(scene: Scene) -> None:
    """A stop under each of the words of `covers` rests and triggers by itself."""
    if "stop" not in scene.can.types:
        request = scene.request("stop")
        await scene.submit(request)
        assert scene.count(request.client_id) == 0
        return
    await scene.holds()
    ref = await scene.rests("stop", side=-1, position=10.0)
    assert scene.can.covers
    for word in sorted(scene.can.covers):
        await scene.stage.show(ref.client_id, word)
        fact = await scene.find(ref)
        assert fact is not None
        assert fact.state == "working", word


async def money_that_comes_is_told_or_seen(scene: Scene) -> None:
    """By a fact with its id, or by the balance."""
    before = await scene.within(scene.broker.snapshot(0), "a look")
    await scene.stage.pay(250.0)
    after = await scene.within(scene.broker.snapshot(0), "a look")
    assert abs(after.balance - before.balance - 250.0) < 0.01
    for fact in scene.facts:
        if isinstance(fact, CashFact):
            assert fact.id
            assert fact.amount == 250.0


async def ids_of_fills_are_the_same_in_stream_and_look(scene: Scene) -> None:
    """Where `fill_ids` says so; and no id is used twice."""
    ref = await scene.rests()
    for _ in range(3):
        await scene.stage.fill(ref.client_id, 2.0, scene.stage.price - 10.0)
    await scene.until(lambda: scene.total(ref.client_id) == 6.0, "six have filled")
    look = await scene.within(scene.broker.snapshot(0), "a look")
    shown = [x.id for x in look.fills if scene.is_of(x, ref.client_id)]
    told = [x.id for x in scene.fills_told(ref.client_id)]
    assert len(shown) == len(set(shown))
    if scene.can.fill_ids:
        assert len(told) == 3
        assert sorted(shown) == sorted(told)
        assert "fills" in look.complete
