"""The adapter of Alpaca: its gate, groups, names, totals, refusals, pages, deadlines."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.alpaca import words
from intrabar.brokers.alpaca.adapter import Alpaca
from intrabar.brokers.fakes.account import Order
from intrabar.brokers.fakes.alpaca import FakeAlpaca
from intrabar.brokers.fakes.alpaca_words import KEY, SECRET
from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.server import Answer, Call, FakeServer, Feed, Streamed
from intrabar.errors import ConfigError, GateError, LinkError, Timeout
from intrabar.links.alpaca.hosts import LIVE, PAPER, Hosts, Keys
from intrabar.links.alpaca.rest import Refusal, Rest, instant
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.model.broker_facts import (
    Accepted,
    Change,
    FillFact,
    OrderFact,
    Ref,
    Refused,
    Request,
    Unknown,
)
from intrabar.model.secret import Secret
from tests.brokers.alpaca import published
from tests.brokers.alpaca.serving import (
    ENTRY,
    GAIN,
    OUT,
    STOP,
    TARGET,
    Heard,
    adapter,
    connected,
    served,
)

Test = Callable[[Alpaca, FakeAlpaca, Heard], Awaitable[None]]


def played(test: Test, faults: Faults | None = None, **how: Any) -> None:
    async def main() -> None:
        async with connected(faults, **how) as (broker, fake, heard):
            await test(broker, fake, heard)

    asyncio.run(main())


async def accepted(broker: Alpaca, *group: Request) -> list[str]:
    """The vendor ids of a group that is taken."""
    found = await broker.submit(group)
    assert all(isinstance(x, Accepted) for x in found), found
    return [x.vendor_id for x in found if isinstance(x, Accepted)]


def of(facts: list[Any], vendor_id: str) -> list[OrderFact]:
    return [x for x in facts if isinstance(x, OrderFact) and x.vendor_id == vendor_id]


# The gate


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"account_number": "123456789"}, "keys are of account 123456789"),
        ({"trading_blocked": True}, "may not trade .*trading_blocked"),
        ({"status": "ACCOUNT_UPDATED"}, "may not trade .*ACCOUNT_UPDATED"),
    ],
)
def test_an_account_that_is_another_or_blocked_is_refused(more: dict[str, Any], match: str) -> None:
    async def main() -> None:
        async with served() as fake:
            fake.facts = more
            broker = adapter(fake)
            with pytest.raises(GateError, match=match):
                await broker.connect()
            await broker.close()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("key", "kind", "hosts"),
    [("AKREALMONEY123456789", "paper", PAPER), (KEY, "live", LIVE), ("XX12345678", "live", LIVE)],
)
def test_keys_of_the_other_kind_are_refused_before_anything_is_asked(
    key: str, kind: Any, hosts: Hosts
) -> None:
    dead = Hosts(hosts.kind, "http://127.0.0.1:9", "http://127.0.0.1:9", "ws://x", "ws://x")
    wanted = Wanted("PA1", kind)
    keys = {"api_key": Secret(key), "secret_key": Secret(SECRET)}
    broker = Alpaca(keys, wanted, WallClock(), hosts=dead)
    with pytest.raises(GateError, match="key says"):
        asyncio.run(broker.connect())


def test_a_paper_account_behind_the_host_of_real_money_is_refused() -> None:
    async def main() -> None:
        async with served() as fake:
            live = replace(fake.hosts, kind="live")
            keys = {"api_key": Secret(KEY), "secret_key": Secret(SECRET)}
            broker = Alpaca(keys, Wanted(fake.account.id, "live"), WallClock(), hosts=live)
            broker._keys = Keys(Secret("AKLOOKSREAL123456789"), Secret(SECRET))
            with pytest.raises(GateError, match="account says paper"):
                await broker.connect()
            await broker.close()

    asyncio.run(main())


def test_hosts_follow_from_the_kind() -> None:
    keys = {"api_key": Secret(KEY), "secret_key": Secret(SECRET)}
    for kind, hosts in (("paper", PAPER), ("live", LIVE)):
        broker = Alpaca(keys, Wanted("PA1", kind), WallClock())  # type: ignore[arg-type]
        assert broker._hosts is hosts
    assert "paper-api" in PAPER.trading
    assert "paper" not in LIVE.trading + LIVE.trades
    with pytest.raises(ConfigError, match="'token' is not known"):
        Alpaca({**keys, "token": "x"}, Wanted("PA1", "paper"), WallClock())


# Groups and names


def test_legs_have_our_names_in_the_stream_in_looks_and_in_another_process() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        entry, stop, target = await accepted(broker, ENTRY, STOP, TARGET)
        fake.account.fill(entry, 10.0, 99.0)
        facts = await heard.until(lambda told: any(x.state == "working" for x in of(told, target)))
        names = {(x.client_id, x.parent) for x in of(facts, stop)}
        assert names == {(STOP.client_id, ENTRY.client_id)}
        again = adapter(fake)
        await again.connect()
        for one, vendor_id in ((STOP, stop), (TARGET, target)):
            for ids in ((), (vendor_id,)):
                fact = await again.find(Ref(one, ids))
                assert fact is not None
                assert (fact.vendor_id, fact.client_id) == (vendor_id, one.client_id)
        look = await again.snapshot(0)
        assert {x.client_id for x in look.orders} == {x.client_id for x in (ENTRY, STOP, TARGET)}
        await again.close()

    played(test)


def test_alternatives_are_one_order_and_each_is_found_in_another_process() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        fake.account.trade("AAPL", 1, 10.0, 100.0)
        stop, _ = await accepted(broker, OUT, GAIN)
        posts = [x.json for x in fake.server.calls if x.method == "POST"]
        assert [x["order_class"] for x in posts] == ["oco"]
        await heard.until(lambda told: bool(of(told, stop)))
        assert {x.client_id for x in of(heard.facts, stop)} == {OUT.client_id}
        again = adapter(fake)
        await again.connect()
        sent = fake.account.orders[stop].created
        fact = await again.find(Ref(OUT, (), sent))
        assert fact is not None
        assert (fact.vendor_id, fact.client_id, fact.parent) == (stop, OUT.client_id, "")
        assert await again.find(Ref(OUT, (), sent, (stop,))) is None
        assert await again.find(Ref(replace(OUT, qty=7.0), (), sent)) is None
        await again.close()

    played(test)


def test_a_leg_that_is_told_before_its_group_is_answered_has_its_name() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        fake.account.trade("AAPL", 1, 10.0, 100.0)
        fake.faults.slow = 0.2
        fake.faults.add("submit", "slow")
        stop, _ = await accepted(broker, OUT, GAIN)
        await heard.until(lambda told: bool(of(told, stop)))
        assert {x.client_id for x in of(heard.facts, stop)} == {OUT.client_id}

    played(test)


def test_two_legs_that_may_be_the_same_order_are_not_guessed() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        fake.account.trade("AAPL", 1, 20.0, 100.0)
        fake.account.holds = False
        stop, _ = await accepted(broker, OUT, GAIN)
        more = replace(OUT, client_id="abcdef-8-0"), replace(GAIN, client_id="abcdef-9-0")
        await accepted(broker, *more)
        again = adapter(fake)
        await again.connect()
        with pytest.raises(LinkError, match="may be any of 2"):
            await again.find(Ref(OUT, (), fake.account.orders[stop].created))
        await again.close()

    played(test)


@pytest.mark.parametrize(
    ("group", "match"),
    [
        ((GAIN,), "leave together"),
        ((replace(OUT, client_id="abcdef-4-0"), OUT), "one stop and one target"),
        ((ENTRY, STOP, replace(STOP, client_id="abcdef-1-0x")), "one stop and one target"),
        ((replace(ENTRY, tif="ioc"), STOP, TARGET), "day or gtc only"),
        (
            (
                replace(ENTRY, client_id="abcdef-5-0", type="stop", limit_price=float("nan"),
                        stop_price=120.0),
                replace(ENTRY, oco="abcdef-5-0"),
            ),
            "exits as alternatives",
        ),
    ],
)  # fmt: skip
def test_what_cannot_go_together_does_not_leave(group: tuple[Request, ...], match: str) -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        for outcome in await broker.submit(group):
            assert isinstance(outcome, Refused)
            assert (outcome.code, outcome.not_sent) == ("cannot", True)
            assert match in outcome.text
        assert not fake.account.orders

    played(test)


def test_a_stop_that_is_held_and_older_than_the_look_is_in_it() -> None:
    """It is listed as open nowhere, and its entry is over."""

    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        entry, stop, target = await accepted(broker, ENTRY, STOP, TARGET)
        fake.account.fill(entry, 10.0, 99.0)
        later = fake.account.now() + 10 * 10**9
        for _ in range(2):
            look = await broker.snapshot(later)
            shown = {(x.vendor_id, x.state) for x in look.orders}
            assert {(stop, "working"), (target, "working")} <= shown
            later = look.at
        fake.account.now = lambda: later
        fake.account.end(target, "expired")  # made before, over after
        look = await broker.snapshot(later)
        assert (target, "expired") in {(x.vendor_id, x.state) for x in look.orders}

    played(test)


def test_legs_of_an_entry_that_has_filled_in_part_cover_nothing() -> None:
    """They wait for the whole of it, under the same word as a stop that waits for its target."""

    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        entry, stop, _ = await accepted(broker, ENTRY, STOP, TARGET)
        fake.account.fill(entry, 4.0, 99.0)
        await heard.until(lambda told: any(x.filled == 4.0 for x in of(told, entry)))
        look = await broker.snapshot(0)
        found = await broker.find(Ref(STOP, (stop,)))
        assert found is not None
        states = {x.state for x in (found, *of(heard.facts, stop), *of([*look.orders], stop))}
        assert states == {"acked"}
        fake.account.fill(entry, 6.0, 99.0)
        await heard.until(lambda told: any(x.state == "working" for x in of(told, stop)[-1:]))
        look = await broker.snapshot(0)
        found = await broker.find(Ref(STOP, (stop,)))
        assert found is not None
        assert (found.state, of([*look.orders], stop)[0].state) == ("working", "working")

    played(test)


def test_legs_work_when_the_order_has_filled_that_took_the_place_of_their_entry() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        entry, stop, _ = await accepted(broker, ENTRY, STOP, TARGET)
        change = Change(float("nan"), limit_price=101.0, client_id="abcdef-1-1")
        new = await broker.replace(Ref(ENTRY, (entry,)), change)
        assert isinstance(new, Accepted)
        fake.account.fill(new.vendor_id, 10.0, 101.0)
        await heard.until(lambda told: any(x.state == "working" for x in of(told, stop)[-1:]))
        look = await broker.snapshot(0)
        (fact,) = of([*look.orders], stop)
        assert (fact.state, fact.client_id) == ("working", STOP.client_id)

    played(test)


# Changes


def test_what_a_replaced_order_has_filled_counts_in_all_that_is_told_of_the_new_one() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        (old,) = await accepted(broker, ENTRY)
        fake.account.fill(old, 4.0, 99.0)
        change = Change(10.0, limit_price=101.0, client_id="abcdef-1-1")
        outcome = await broker.replace(Ref(ENTRY, (old,)), change)
        assert isinstance(outcome, Accepted)
        new = outcome.vendor_id
        assert fake.account.orders[new].qty == 6.0  # Alpaca counts anew
        fake.account.fill(new, 3.0, 101.0)
        facts = await heard.until(lambda told: any(x.filled == 7.0 for x in of(told, new)))
        last = of(facts, new)[-1]
        assert (last.qty, last.filled, last.client_id) == (10.0, 7.0, "abcdef-1-1")
        assert last.average == pytest.approx((4 * 99.0 + 3 * 101.0) / 7)
        assert of(facts, old)[-1].replaced_by == new
        fills = [x for x in facts if isinstance(x, FillFact)]
        assert [(x.qty, x.total) for x in fills] == [(4.0, 4.0), (3.0, 7.0)]
        look = await broker.snapshot(0)
        assert [(x.qty, x.total) for x in look.fills] == [(4.0, 4.0), (3.0, 7.0)]
        again = await broker.replace(Ref(ENTRY, (old,)), Change(float("nan"), 102.0))
        assert isinstance(again, Accepted)
        assert fake.account.orders[again.vendor_id].qty == 3.0

    played(test)


def test_a_leg_is_moved_under_its_name_and_its_bracket_is_cancelled_whole() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        entry, _, target = await accepted(broker, ENTRY, STOP, TARGET)
        fake.account.fill(entry, 10.0, 99.0)
        change = Change(float("nan"), stop_price=95.0, client_id="abcdef-1-1s")
        outcome = await broker.replace(Ref(STOP, ()), change)
        assert isinstance(outcome, Accepted)
        new = outcome.vendor_id
        facts = await heard.until(lambda told: bool(of(told, new)))
        fact = of(facts, new)[-1]
        assert (fact.client_id, fact.parent, fact.state) == (
            "abcdef-1-1s",
            ENTRY.client_id,
            "working",
        )
        assert isinstance(await broker.cancel(Ref(TARGET, (target,))), Accepted)
        await heard.until(lambda told: any(x.state == "cancelled" for x in of(told, new)))

    played(test)


# Refusals


@pytest.mark.parametrize(
    ("status", "code", "text", "why"),
    [
        (403, 40310000, "insufficient buying power", "funds"),
        (403, 40310000, "insufficient qty available for order (requested: 1)", "held"),
        (403, 40310000, "potential wash trade detected. use complex orders", "wash_trade"),
        (403, 40310100, "trade denied due to pattern day trading protection", "pdt"),
        (422, 42210000, 'asset "AAPL" cannot be sold short', "no_borrow"),
        (422, 42210000, "invalid limit_price 1.005. sub-penny increment", "invalid_price"),
        (422, 42210000, "qty must be > 0", "invalid_quantity"),
        (422, 40010001, "could not find asset NONE", "unknown_symbol"),
        (403, 40310000, "something new", ""),
    ],
)
def test_why_alpaca_says_no(status: int, code: int, text: str, why: str) -> None:
    assert words.refused(Refusal(status, code, text)).code == why
    assert words.refused(Refusal(status, code, text)).text == text
    assert words.refused(Refusal(422, 42210000, "order is not open"), "not_open").code == "not_open"


def test_an_order_is_posted_once_whatever_is_answered() -> None:
    """The client alone would post it four times."""
    for fault, kind in (("429", Refused), ("500", Unknown), ("mute", Unknown)):

        async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard, kind: type = kind) -> None:
            (outcome,) = await broker.submit((ENTRY,))
            assert isinstance(outcome, kind)
            assert len([x for x in fake.server.calls if x.method == "POST"]) == 1

        played(test, Faults([(("submit", 0), fault)]), seconds=0.3)


def test_a_name_that_is_taken_by_an_older_order_is_a_clash() -> None:
    """Though it is the same in every field: it is none of this session's."""

    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        (vendor_id,) = await accepted(broker, ENTRY)
        (again,) = await broker.submit((ENTRY,))
        assert again == Accepted(vendor_id, works=True)
        fake.account.orders[vendor_id].created -= 3600 * 10**9
        (again,) = await broker.submit((ENTRY,))
        assert isinstance(again, Refused)
        assert again.code == "id_clash"

    played(test)


# Looks


def test_a_look_goes_through_all_pages_though_orders_are_of_one_moment() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        broker._looks._page = 7
        moment = fake.account.now()
        fake.account.now = lambda: moment + len(fake.account.orders) // 5 * 10**6
        for n in range(23):
            fake.account.place([Order("", f"n{n}", "AAPL", 1, "limit", 1.0, 50.0)])
        look = await broker.snapshot(0)
        assert "orders" in look.complete
        assert len(look.orders) == 23
        fake.account.now = lambda: moment
        for n in range(9):  # more of one moment than a page has
            fake.account.place([Order("", f"m{n}", "AAPL", 1, "limit", 1.0, 50.0)])
        look = await broker.snapshot(0)
        assert "orders" not in look.complete
        assert "positions" in look.complete

    played(test)


def test_a_fill_that_nobody_can_read_spoils_the_fills_alone() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        fake.account.trade("AAPL", 1, 10.0, 100.0)
        fake.account.trade("AAPL", 1, 1.0, float("nan"))
        fake.account.positions["AAPL"] = 11.0, 100.0
        look = await broker.snapshot(0)
        assert look.complete >= {"orders", "positions"}
        assert "fills" not in look.complete
        assert look.positions == {"AAPL": (11.0, 100.0)}

    played(test)


def test_a_price_leaves_as_it_was_meant() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        (vendor_id,) = await accepted(broker, replace(ENTRY, limit_price=103.96000000000001))
        assert fake.account.orders[vendor_id].limit_price == 103.96

    played(test)


def test_orders_of_others_that_we_could_not_send_do_not_blind_a_look() -> None:
    """By an amount of money, of options in one, of a type that we have not."""
    by_money = published.order(id="1", notional="500", qty=None, filled_qty="2.5", status="filled")
    options = published.order(id="2", order_class="mleg", symbol="", side="", type="")
    trailing = published.order(id="3", type="trailing_stop", limit_price=None, stop_price="90")
    (a, _), (b, _) = words.flat([by_money, options, trailing], "here")
    fact = words.order_fact(a)
    assert (fact.qty, fact.filled, fact.state) == (2.5, 2.5, "filled")
    assert words.order_fact(b).type == "trailing_stop"


@pytest.mark.parametrize(
    ("word", "kind", "state"),
    [
        ("new", "limit", "working"),
        ("accepted", "limit", "acked"),
        ("accepted", "stop", "working"),
        ("held", "stop", "working"),
        ("held", "limit", "acked"),
        ("pending_new", "stop", "acked"),
        ("pending_cancel", "limit", "working"),
        ("suspended", "stop", "acked"),
        ("done_for_day", "limit", "acked"),
        ("canceled", "limit", "cancelled"),
        ("expired", "limit", "expired"),
        ("rejected", "limit", "rejected"),
        ("replaced", "limit", "cancelled"),
        ("restated", "limit", "unknown"),
    ],
)
def test_status_words(word: str, kind: str, state: str) -> None:
    fact = words.order_fact(published.order(status=word, type=kind))
    assert fact.state == state
    assert bool(fact.text) == (state in ("unknown", "rejected"))
    partial = words.order_fact(
        published.order(status=word, type=kind, filled_qty=4, filled_avg_price=99.5, qty=10.0)
    )  # numbers may be numbers
    assert partial.state == ("partial" if state in ("working", "acked") else state)
    assert (partial.qty, partial.filled, partial.average) == (10.0, 4.0, 99.5)


# The link


def test_times_keep_their_nanoseconds() -> None:
    assert instant("2025-09-23T14:00:00.4519828Z", "t") % 10**9 == 451_982_800
    assert instant("2025-09-23T10:00:00-04:00", "t") == instant("2025-09-23T14:00:00Z", "t")
    assert instant(None, "t") == 0
    with pytest.raises(LinkError, match="no time"):
        instant("yesterday", "t")


def test_an_answer_that_drips_is_over_in_time() -> None:
    async def drip(feed: Feed) -> None:
        while True:
            await feed.beat(b" ")
            await asyncio.sleep(0.02)

    async def handle(call: Call) -> Answer | Streamed:
        return Streamed(drip)

    async def main() -> None:
        server = FakeServer(handle, lambda call: "", Faults())
        await server.start()
        hosts = Hosts("paper", server.url, server.url, "", "")
        rest = Rest(hosts, Keys(Secret(KEY), Secret(SECRET)), WallClock(), seconds=0.3)
        try:
            with pytest.raises(Timeout, match="in time"):  # by the transport, in its thread
                await rest.read("trading", "/account", {})
        finally:
            rest.close()
            await server.stop()

    asyncio.run(main())


def test_who_gives_a_submit_up_waits_until_it_can_no_longer_leave() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        wrong: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, what: wrong.append(what))
        task = asyncio.ensure_future(broker.submit((ENTRY,)))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.sleep(0.05)
        assert not task.done()
        await asyncio.wait({task})
        assert task.cancelled()
        del task
        gc.collect()
        assert wrong == []  # nobody waits for how it has ended, and nothing is said of that

    played(test, Faults([(("submit", 0), "mute")]), seconds=0.6)


def test_a_stream_that_is_connected_and_mute_is_left() -> None:
    async def test(broker: Alpaca, fake: FakeAlpaca, heard: Heard) -> None:
        fake.account.trade("AAPL", 1, 10.0, 100.0)
        await heard.up(2)
        down = next(x for x in heard.facts if getattr(x, "state", "") == "down")
        assert "mute" in down.reason

    played(test, Faults([(("event", 0), "mute")]))
