"""Orders that leave together, and what one of them does to the others."""

from __future__ import annotations

from msgspec.structs import replace as with_values

from intrabar.brokers.conforming.scene import DONE, Scene, refused
from intrabar.model.broker_facts import OrderFact, Request


async def an_entry_with_its_stop_and_target(scene: Scene) -> None:
    """All three arrive, as children of their entry; or none leaves."""
    await _arrive(scene, scene.bracket("s", "t"))


async def an_entry_with_its_stop_alone(scene: Scene) -> None:
    """Both arrive; or none leaves."""
    await _arrive(scene, scene.bracket("s"))


async def _arrive(scene: Scene, group: tuple[Request, ...]) -> None:
    found = await scene.submit(*group)
    if not scene.can.bracket:
        for outcome in found:
            refused(outcome, "cannot")
        assert not scene.stage.orders()
        return
    entry = scene.there(group[0].client_id)
    for child in group[1:]:
        there = scene.there(child.client_id)
        assert there.parent == entry.id
        assert (there.side, there.type, there.qty) == (child.side, child.type, child.qty)
        assert child.type == "limit" or there.stop_price == child.stop_price
        assert child.type == "stop" or there.limit_price == child.limit_price
        assert not there.opens
    assert len(scene.stage.orders()) == len(group)


async def a_group_leaves_whole_or_not_at_all(scene: Scene) -> None:
    """A child that cannot leave keeps its entry back."""
    entry, stop = scene.bracket("s")
    for outcome in await scene.submit(entry, with_values(stop, stop_price=float("nan"))):
        refused(outcome)
    assert not scene.stage.orders()


async def a_group_that_the_venue_refuses_leaves_nothing_behind(scene: Scene) -> None:
    """No child without its entry."""
    if not scene.can.bracket:
        await _arrive(scene, scene.bracket("s"))
        return
    scene.stage.fault("submit", "reject")
    await scene.submit(*scene.bracket("s", "t"))
    assert not [order for order in scene.stage.orders() if order.rest]


async def children_rest_when_their_entry_has_filled(scene: Scene) -> None:
    """And are told as working, by their own names or by their entry's."""
    group = await _filled_bracket(scene)
    for child in group[1:]:
        assert scene.there(child.client_id).status == "working"
        await scene.until(
            lambda child=child: any(  # type: ignore[misc]
                fact.state == "working" for fact in _told_of_child(scene, group[0], child)
            ),
            f"{child.client_id} works",
        )


async def a_child_is_named(scene: Scene) -> None:
    """By our name where names are echoed, or by that of its entry; never by another's."""
    group = await _filled_bracket(scene)
    for child in group[1:]:
        for fact in _told_of_child(scene, group[0], child):
            assert fact.client_id in ("", child.client_id) or fact.parent == group[0].client_id
            if scene.can.echoes_id:
                assert fact.client_id == child.client_id or fact.parent == group[0].client_id


async def one_child_that_fills_ends_the_other(scene: Scene) -> None:
    """And both ends are told."""
    group = await _filled_bracket(scene)
    if not group:
        return
    _, stop, target = group
    await scene.stage.fill(target.client_id, 10.0, target.limit_price)
    for child in (stop, target):
        await scene.until(
            lambda child=child: any(  # type: ignore[misc]
                fact.state in DONE for fact in _told_of_child(scene, group[0], child)
            ),
            f"{child.client_id} is over",
        )
    assert scene.there(stop.client_id).filled == 0.0


async def an_entry_that_is_cancelled_takes_its_children_along(scene: Scene) -> None:
    """Nothing is left that could fill."""
    group = scene.bracket("s", "t")
    if not scene.can.bracket:
        await _arrive(scene, group)
        return
    ref = await scene.taken(*group)
    await scene.cancel(ref)
    await scene.told(ref.client_id, lambda x: x.state == "cancelled", "the entry is cancelled")
    await scene.stage.settle()
    assert not [order for order in scene.stage.orders() if order.rest]


async def a_stop_and_a_target_as_alternatives(scene: Scene) -> None:
    """One that fills ends the other; or none leaves."""
    await scene.holds()
    stop = scene.request("stop", -1, position=10.0, reduce_only=True)
    target = scene.request("limit", -1, position=10.0, reduce_only=True, oco=stop.client_id)
    before = len(scene.stage.orders())
    found = await scene.submit(stop, target)
    if not scene.can.oco:
        for outcome in found:
            refused(outcome, "cannot")
        assert len(scene.stage.orders()) == before
        return
    assert len(scene.stage.orders()) == before + 2
    await scene.stage.fill(target.client_id, 10.0, target.limit_price)
    await scene.told(target.client_id, lambda x: x.state == "filled", "the target has filled")
    await scene.told(stop.client_id, lambda x: x.state in DONE, "the stop is over")


async def _filled_bracket(scene: Scene) -> tuple[Request, ...]:
    """An entry that has filled, and its children; nothing where the account refuses a bracket."""
    group = scene.bracket("s", "t")
    entry = group[0]
    if scene.can.bracket:
        await scene.taken(*group)
        await scene.stage.fill(entry.client_id, 10.0, entry.limit_price)
        await scene.until(lambda: scene.total(entry.client_id) == 10.0, "the entry has filled")
        await scene.stage.settle()
        return group
    await _arrive(scene, group)
    return ()


def _told_of_child(scene: Scene, entry: Request, child: Request) -> list[OrderFact]:
    """What is told of a child: by its name, its vendor id, or its entry's name and its type."""
    return [
        fact
        for fact in scene.facts
        if isinstance(fact, OrderFact)
        and (
            scene.is_of(fact, child.client_id)
            or (fact.parent == entry.client_id and fact.type == child.type)
        )
    ]
