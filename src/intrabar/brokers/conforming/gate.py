"""The link: which account answers, what it says of itself, and when it does not come about."""

from __future__ import annotations

from dataclasses import replace

from intrabar.brokers.conforming.scene import Scene, is_up, raises
from intrabar.errors import AuthError, ConfigError, GateError, LinkError, NotFoundError
from intrabar.links.broker import Broker, Wanted
from intrabar.model.broker_facts import Can, Refused, Unknown
from intrabar.model.enums import OrderType, TimeInForce


async def it_says_which_account_answers(scene: Scene) -> None:
    """Id, kind by every sign, currency."""
    facts = await scene.within(scene.broker.connect(), "connect")
    assert facts.id == scene.stage.account
    assert facts.signs
    assert facts.kind == scene.stage.kind
    assert len(facts.currency) == 3
    assert facts.currency.isupper()


async def it_says_what_it_can(scene: Scene) -> None:
    """In words that are known, and the same before and after the link."""
    can = scene.can
    assert isinstance(can, Can)
    assert can == scene.broker.can
    assert can.types <= {x.word for x in OrderType}
    assert can.tifs <= {x.word for x in TimeInForce}
    assert {"market", "limit"} <= can.types
    assert can.replace in ("same", "new_order")
    assert can.lists_done >= 0
    assert can.paper or scene.stage.kind == "live"
    assert "stop" not in can.types or can.covers


async def it_tells_the_grids_of_what_is_traded(scene: Scene) -> None:
    """Where it tells one, its steps are above 0."""
    facts = await scene.within(scene.broker.connect(), "connect")
    assert set(facts.grids) <= {scene.stage.symbol}
    for grid in facts.grids.values():
        for step in (grid.tick, grid.lot, grid.point_value):
            assert step > 0.0 or step != step


async def another_account_is_refused(scene: Scene) -> None:
    """The one that the file names, or none."""
    await _is_refused(scene, replace(scene.wanted, account="NOT-" + scene.stage.account))


async def an_account_of_another_kind_is_refused(scene: Scene) -> None:
    """Real money is never taken for paper, nor paper for real money."""
    is_paper = scene.stage.kind == "paper"
    await _is_refused(scene, replace(scene.wanted, kind="live" if is_paper else "paper"))


async def a_symbol_that_it_lacks_is_named(scene: Scene) -> None:
    """Before anything is traded."""
    wanted = replace(scene.wanted, symbols=(scene.stage.symbol, scene.stage.unknown))
    broker = scene.stage.broker(wanted)
    error = await raises(NotFoundError, scene.within(broker.connect(), "connect"))
    assert scene.stage.unknown in str(error)
    await broker.close()


async def wrong_keys_are_said_to_be_wrong(scene: Scene) -> None:
    """As a login that was refused, without the keys."""
    if not scene.stage.secrets:
        return  # it asks for none
    broker = scene.stage.broker(scene.wanted, wrong_keys=True)
    error = await raises(AuthError, scene.within(broker.connect(), "connect"))
    assert not any(secret in str(error) for secret in scene.stage.secrets)
    await broker.close()


async def a_broker_that_is_away_is_said_to_be(scene: Scene) -> None:
    """At once, as an error of the link."""
    await scene.stage.leave()
    await _does_not_connect(scene)
    await scene.stage.come_back()


async def a_broker_that_says_nothing_is_given_up(scene: Scene) -> None:
    """In time, as an error of the link."""
    for kind in ("token", "connect"):
        scene.stage.fault(kind, "mute", 50)
    await _does_not_connect(scene)


async def an_answer_to_the_login_that_nobody_can_read_is_an_error(scene: Scene) -> None:
    """Of the link; no account is made of it."""
    for kind in ("token", "connect"):
        scene.stage.fault(kind, "garbage", 50)
    await _does_not_connect(scene)


async def the_link_is_told_as_up_before_anything_else(scene: Scene) -> None:
    """What is told before is the link's own."""
    await scene.rests()
    first = next(n for n, fact in enumerate(scene.facts) if is_up(fact))
    assert all(hasattr(fact, "reason") for fact in scene.facts[:first])


async def it_is_closed_twice(scene: Scene) -> None:
    """Without a word."""
    await scene.within(scene.broker.close(), "close")
    await scene.within(scene.broker.close(), "close")


async def its_stream_ends_when_it_is_closed(scene: Scene) -> None:
    """It does not hang."""

    async def listen() -> None:
        async for _ in scene.broker.events():
            pass

    await scene.hush()
    await scene.within(scene.broker.close(), "close")
    await scene.within(listen(), "the stream of what is closed")


async def a_closed_broker_sends_nothing(scene: Scene) -> None:
    """And says so."""
    await scene.hush()
    await scene.within(scene.broker.close(), "close")
    request = scene.request()
    (outcome,) = await scene.within(scene.broker.submit((request,)), "submit")
    assert isinstance(outcome, Refused | Unknown)
    assert scene.stage.truth(request.client_id) is None


async def _is_refused(scene: Scene, wanted: Wanted) -> None:
    async def try_it() -> None:
        broker = scene.stage.broker(wanted)
        try:
            await scene.within(broker.connect(), "connect")
        finally:
            await broker.close()

    await raises((GateError, ConfigError), try_it())


async def _does_not_connect(scene: Scene) -> None:
    broker: Broker = scene.stage.broker(scene.wanted)
    await raises(LinkError, scene.within(broker.connect(), "connect"))
    await broker.close()
