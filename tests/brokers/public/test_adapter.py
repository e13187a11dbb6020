"""What the suite does not ask: hidden orders, full answers, gates, the vendor's own rules."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace

from intrabar.brokers.fakes import public as vendors
from intrabar.brokers.fakes.public import FakePublic
from intrabar.brokers.public import looks
from intrabar.brokers.public.adapter import NO_PAPER, PublicBroker, make
from intrabar.brokers.public.ids import order_id
from intrabar.errors import AuthError, ConfigError, GateError, LinkError
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import Accepted, Change, OrderFact, Ref, Refused, Request, Unknown
from intrabar.model.secret import Secret
from tests.brokers.public.places import ACCOUNT, Quick, fake, login
from tests.brokers.public.specification import against

TLS = tuple[ssl.SSLContext, ssl.SSLContext]
WANTED = Wanted(ACCOUNT, "live", ("AAPL",))
LIMIT = Request("0a1b2c-1-0", "AAPL", 1, "limit", 10.0, 90.0, tif="day")
STOP = Request(
    "0a1b2c-1-0s", "AAPL", -1, "stop", 10.0, stop_price=80.0, reduce_only=True,
    parent="0a1b2c-1-0", position=10.0,
)  # fmt: skip


def at(test: Callable[[FakePublic, PublicBroker], Awaitable[None]], **given: Any) -> FakePublic:
    """A test at a fake that listens."""

    async def main() -> FakePublic:
        vendor = fake(**given)
        await vendor.server.start()
        link = login(vendor, None, Quick(), seconds=0.5)
        broker = PublicBroker(link, WANTED, Quick(), host=link.url)
        try:
            await test(vendor, broker)
        finally:
            await broker.close()
            await vendor.server.stop()
        return vendor

    return asyncio.run(main())


def test_all_that_is_said_is_as_the_specification_has_it() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.connect()
        await broker.submit((LIMIT, STOP))
        vendor.account.fill(order_id("0a1b2c-1-0", ACCOUNT), 10.0, 90.0)
        await broker.snapshot(0)
        await broker.find(Ref(LIMIT))
        await broker.cancel(Ref(LIMIT))
        answers = [
            ("Portfolio", vendor._portfolio()),
            *(("Order", vendor._order(x)) for x in vendor.account.orders.values()),
            ("Quote", vendor._quote("AAPL")),
            ("Instrument", vendor._instrument("AAPL")["instrument"]),
        ]
        for name, told in answers:
            assert against(name, told) == []
        for call in vendor.server.calls:
            if call.method == "POST" and call.path.endswith("/order"):
                assert against("OrderRequest", call.json) == []

    at(test)


def test_an_order_that_is_not_shown_yet_is_accepted_and_told_later() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        (outcome,) = await broker.submit((LIMIT,))
        assert outcome == Accepted(order_id("0a1b2c-1-0", ACCOUNT))
        assert await broker.find(Ref(LIMIT)) is None
        async for fact in broker.events():
            if isinstance(fact, OrderFact):
                assert (fact.client_id, fact.state) == ("0a1b2c-1-0", "working")
                return

    at(test, hides=6)


def test_an_order_that_is_over_before_it_is_seen_open_is_told() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.submit((LIMIT,))
        vendor.account.fill(order_id("0a1b2c-1-0", ACCOUNT), 10.0, 90.0)
        told = []
        async for fact in broker.events():
            told.append(fact)
            if isinstance(fact, OrderFact):
                break
        assert [getattr(fact, "state", "fill") for fact in told] == ["up", "fill", "filled"]

    at(test)


def test_a_full_answer_is_halved_until_all_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "LIMIT", 10)
    monkeypatch.setattr(vendors, "LIMIT", 10)

    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        now = vendor.now
        for n in range(95):
            request = Request(f"0a1b2c-{n}-0", "AAPL", 1, "limit", 1.0, 90.0, tif="day")
            await broker.submit((request,))
            order = vendor.account.orders[order_id(request.client_id, ACCOUNT)]
            order.created = now - (94 - n) * DAY_NS // 5
            vendor.account.end(order.id, "cancelled")
        look = await broker.snapshot(0)
        assert len({fact.client_id for fact in look.orders}) == 95
        assert "orders" in look.complete

    at(test)


def test_what_cannot_be_seen_whole_is_not_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "LIMIT", 2)
    monkeypatch.setattr(vendors, "LIMIT", 2)

    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        for n in range(3):
            request = Request(f"0a1b2c-{n}-0", "AAPL", 1, "limit", 1.0, 90.0, tif="day")
            await broker.submit((request,))
            vendor.account.orders[order_id(request.client_id, ACCOUNT)].created = 10**18
        vendor.account.now = lambda: 10**18 + 10**9
        broker._looks._clock = type("Then", (Quick,), {"now": lambda self: 10**18})()
        look = await broker.snapshot(0)
        assert look.complete == {"positions", "balance"}

    at(test)


def test_an_order_that_is_too_old_to_be_shown_is_not_said_to_be_absent() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        old = Ref(LIMIT, sent=WallClock().now() - 31 * DAY_NS)
        with pytest.raises(LinkError, match="older than what Public shows"):
            await broker.find(old)

    at(test)


@pytest.mark.parametrize("hides", [0, 100])
def test_an_exit_that_the_vendor_has_not_made_is_part_of_its_entry(hides: int) -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.submit((LIMIT, STOP))
        found = await broker.find(Ref(STOP))
        if hides:
            assert found is None  # nobody shows it yet; it is asked for again
            return
        assert found is not None
        assert (found.state, found.parent, found.vendor_id) == ("acked", "0a1b2c-1-0", "")
        await broker.cancel(Ref(LIMIT))
        found = await broker.find(Ref(STOP))
        assert found is not None
        assert found.state == "cancelled"

    at(test, hides=hides)


def test_an_exit_is_cancelled_by_the_name_of_its_entry() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.submit((LIMIT, STOP))
        outcome = await broker.cancel(Ref(STOP))
        assert isinstance(outcome, Refused)
        assert outcome.code == "not_open"
        vendor.account.fill(order_id("0a1b2c-1-0", ACCOUNT), 10.0, 90.0)
        assert isinstance(await broker.cancel(Ref(STOP)), Accepted)
        found = await broker.find(Ref(STOP))
        assert found is not None
        assert (found.client_id, found.state) == ("0a1b2c-1-0s", "cancelled")

    at(test)


def test_a_moved_exit_of_a_bracket_is_found_by_its_new_name() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.submit((LIMIT, STOP))
        vendor.account.fill(order_id("0a1b2c-1-0", ACCOUNT), 10.0, 90.0)
        change = Change(float("nan"), stop_price=85.0, client_id="0a1b2c-1-1s")
        leg = next(x for x in vendor.account.orders.values() if x.parent)
        outcome = await broker.replace(Ref(STOP, (leg.id,)), change)
        assert outcome == Accepted(order_id("0a1b2c-1-1s", ACCOUNT))
        old = await broker.find(Ref(STOP, (leg.id,)))
        assert old is not None
        assert (old.state, old.replaced_by) == ("cancelled", order_id("0a1b2c-1-1s", ACCOUNT))

    at(test)


def test_a_moved_exit_whose_answer_was_lost_is_found_by_its_new_name() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.submit((LIMIT, STOP))
        vendor.account.fill(order_id("0a1b2c-1-0", ACCOUNT), 10.0, 90.0)
        vendor.faults.add("replace", "lose_answer", 1)
        change = Change(float("nan"), stop_price=85.0, client_id="0a1b2c-1-1s")
        assert isinstance(await broker.replace(Ref(STOP), change), Unknown)
        new = await broker.find(Ref(replace(STOP, client_id="0a1b2c-1-1s", stop_price=85.0)))
        assert new is not None
        assert (new.state, new.stop_price) == ("working", 85.0)
        old = await broker.find(Ref(STOP))
        assert old is not None
        assert (old.state, old.replaced_by) == ("cancelled", new.vendor_id)

    at(test)


def test_a_change_that_leaves_nothing_does_not_leave() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await broker.submit((LIMIT,))
        vendor.account.fill(order_id("0a1b2c-1-0", ACCOUNT), 4.0, 90.0)
        outcome = await broker.replace(Ref(LIMIT), Change(4.0, client_id="0a1b2c-1-1"))
        assert isinstance(outcome, Refused)
        assert outcome.not_sent
        assert len(vendor.account.orders) == 1

    at(test)


def test_a_lost_answer_is_unknown_and_the_order_is_there_once() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        vendor.faults.add("submit", "lose_answer", 1)
        (outcome,) = await broker.submit((LIMIT,))
        assert isinstance(outcome, Unknown)
        found = await broker.find(Ref(LIMIT))
        assert found is not None
        assert (found.client_id, found.state) == ("0a1b2c-1-0", "working")

    vendor = at(test)
    assert sum(call.path.endswith("/order") for call in vendor.server.calls) == 1


def test_tokens_are_minted_one_at_a_time_and_anew_when_they_are_refused() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        await asyncio.gather(*(broker.snapshot(0) for _ in range(5)))
        assert sum(FakePublic.kind_of(c) == "token" for c in vendor.server.calls) == 1
        vendor.tokens.clear()
        await asyncio.gather(*(broker.snapshot(0) for _ in range(5)))
        assert sum(FakePublic.kind_of(c) == "token" for c in vendor.server.calls) == 2

    at(test)


def test_an_empty_answer_is_not_no_orders() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        vendor._told = lambda call: (  # type: ignore[method-assign]
            {} if call.path.endswith("search") else FakePublic._told(vendor, call)
        )
        assert (await broker.snapshot(0)).complete == {"positions", "balance"}

    at(test)


def test_a_vendor_that_says_no_to_a_look_is_a_fault_of_the_link() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        vendor.account.id = "closed"  # 400 from now on: "Account is invalid or unauthorized"
        for call in (broker.snapshot(0), broker.find(Ref(LIMIT))):
            with pytest.raises(LinkError, match="invalid or unauthorized"):
                await call
        async for fact in broker.events():
            assert getattr(fact, "state", "") == "down"
            break

    at(test)


@pytest.mark.parametrize("permission", ["RESTRICTED_CLOSE_ONLY", "RESTRICTED_NO_TRADING"])
def test_an_account_that_may_not_trade_is_refused(permission: str) -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        with pytest.raises(GateError, match=permission):
            await broker.connect()

    at(test, permission=permission)


def test_another_host_than_the_vendors_is_no_real_money() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        broker._host = "https://api.public.com"
        assert (await broker.connect()).kind == "unknown"

    at(test)


def test_there_is_no_paper() -> None:
    credentials = {"secret": Secret("some-secret-of-ours")}
    with pytest.raises(GateError) as told:
        make(credentials, Wanted(ACCOUNT, "paper"), WallClock())
    assert str(told.value) == NO_PAPER


def test_credentials_that_are_not_known_are_refused() -> None:
    with pytest.raises(ConfigError, match="'key' is not known; there are: secret"):
        make({"key": "x"}, Wanted(ACCOUNT, "live"), WallClock())


def test_the_wire_is_tls_and_a_certificate_of_strangers_is_refused(tls: TLS) -> None:
    async def main() -> None:
        vendor = fake(tls[0])
        await vendor.server.start()
        link = login(vendor, tls[1])
        broker = PublicBroker(link, WANTED, Quick(), host=link.url)
        assert (await broker.connect()).kind == "live"
        await broker.close()
        strange = login(vendor, ssl.create_default_context(), Quick())
        with pytest.raises(LinkError, match=r"not reached.*CERTIFICATE|not reached"):
            await PublicBroker(strange, WANTED, Quick()).connect()
        await strange.close()
        await vendor.server.stop()

    asyncio.run(main())


def test_a_login_that_is_refused_is_not_asked_for_every_two_seconds() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        wrong = PublicBroker(login(vendor, None, Quick(), secret="no-such-secret"), WANTED, Quick())

        async def listen() -> None:
            async for fact in wrong.events():
                assert getattr(fact, "state", "") == "down"

        listening = asyncio.ensure_future(listen())
        await asyncio.wait({listening}, timeout=0.5)  # thirty seconds of its clock
        assert sum(FakePublic.kind_of(c) == "token" for c in vendor.server.calls) == 1
        await wrong.close()
        await asyncio.wait_for(listening, 2.0)

    at(test)


def test_wrong_keys_say_what_to_do() -> None:
    async def test(vendor: FakePublic, broker: PublicBroker) -> None:
        wrong = PublicBroker(login(vendor, None, Quick(), secret="no-such-secret"), WANTED, Quick())
        with pytest.raises(AuthError, match="make a new one in the settings"):
            await wrong.connect()
        await wrong.close()

    at(test)
