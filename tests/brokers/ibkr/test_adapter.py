"""What is special about TWS: its remarks, numbers, clients, the gate, and its nights."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as with_values

from intrabar.brokers.fakes.account import FakeAccount
from intrabar.brokers.fakes.ibkr import frames
from intrabar.brokers.fakes.ibkr.contracts import CONTRACTS, stock
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.brokers.ibkr.adapter import Ibkr
from intrabar.errors import AuthError, ConfigError, GateError, LinkError, NotFoundError
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.ibkr.settings import PORTS, settings_of, signs_of
from intrabar.links.ibkr.wire import Wire
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
from intrabar.model.facts import LinkFact
from tests.brokers.ibkr.stages import ACCOUNT, account, adapter

NAN = float("nan")
BUY = Request("0a1b2c-1-0", "AAPL", 1, "limit", 10.0, 95.0)
STOP = Request(
    "0a1b2c-2-0", "AAPL", -1, "stop", 10.0, stop_price=90.0, reduce_only=True, position=10.0
)
TARGET = Request(
    "0a1b2c-3-0", "AAPL", -1, "limit", 10.0, 110.0, reduce_only=True, position=10.0,
    oco=STOP.client_id,
)  # fmt: skip
Facts = list[Any]


class Desk:
    """A TWS and an adapter that is connected to it, and what that has told."""

    def __init__(self, there: FakeAccount, tws: FakeTws) -> None:
        self.there, self.tws = there, tws
        self.facts: Facts = []
        self.news = asyncio.Event()
        self.broker: Ibkr = adapter(tws, Wanted(ACCOUNT, "paper"))

    async def connect(self, *symbols: str, **credentials: Any) -> Any:
        self.broker = adapter(self.tws, Wanted(ACCOUNT, "paper", symbols), **credentials)
        found = await self.broker.connect()
        self.listening = asyncio.ensure_future(self._listen())
        return found

    async def until(self, holds: Callable[[Facts], bool]) -> None:
        async with asyncio.timeout(8.0):
            while not (self.facts and holds(self.facts)):
                self.news.clear()
                await self.news.wait()

    async def heard(self) -> None:
        """Wait until all that TWS has said was taken in: it is asked something."""
        await self.broker.snapshot(0)

    def orders(self, client_id: str) -> list[OrderFact]:
        return [x for x in self.facts if isinstance(x, OrderFact) and x.client_id == client_id]

    def fills(self) -> list[FillFact]:
        return [x for x in self.facts if isinstance(x, FillFact)]

    def number(self, client_id: str) -> int:
        order = self.there.by_client_id(client_id)
        assert order is not None
        owner = self.tws.desk.owner(order)
        assert owner is not None
        return owner.number

    def sent(self) -> list[list[str]]:
        return [f for f in self.tws.messages if f[0] == "3"]

    async def _listen(self) -> None:
        async for fact in self.broker.events():
            self.facts.append(fact)
            self.news.set()


def at_desk(test: Callable[[Desk], Awaitable[Any]], **how: Any) -> Any:
    async def main() -> Any:
        there = account(**how)
        tws = FakeTws(there)
        await tws.start()
        desk = Desk(there, tws)
        try:
            return await test(desk)
        finally:
            await desk.broker.close()
            await tws.stop()

    return asyncio.run(main())


@pytest.mark.parametrize("code", [399, 10349, 2109, 10311, 777])
def test_a_remark_ends_no_order(code: int) -> None:
    """10349 is what `ib_async` itself takes for a cancel; 777 nobody knows."""

    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        desk.tws.tell_all(frames.notice(desk.number(BUY.client_id), code, "by the way"))
        await desk.heard()
        fact = await desk.broker.find(Ref(BUY))
        assert fact is not None
        assert fact.state == "working"
        assert {x.state for x in desk.orders(BUY.client_id)} == {"working"}

    at_desk(test)


def test_a_refused_change_ends_no_order() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        desk.tws.faults.add("replace", "reject")
        outcome = await desk.broker.replace(Ref(BUY), Change(NAN, 96.0))
        assert isinstance(outcome, Refused)
        await desk.heard()
        fact = await desk.broker.find(Ref(BUY))
        assert fact is not None
        assert (fact.state, fact.limit_price) == ("working", 95.0)
        assert {x.state for x in desk.orders(BUY.client_id)} == {"working"}

    at_desk(test)


def test_an_order_that_the_venue_refuses_later_is_rejected_with_its_words() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        order = desk.there.by_client_id(BUY.client_id)
        assert order is not None
        desk.there.end(order.id, "rejected", "no shares to be had")
        await desk.until(lambda _: any(x.state == "rejected" for x in desk.orders(BUY.client_id)))
        assert "no shares" in desk.orders(BUY.client_id)[-1].text

    at_desk(test)


def test_what_tws_itself_has_failed_at_is_unknown() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        desk.tws.faults.add("submit", "500")
        (outcome,) = await desk.broker.submit((BUY,))
        assert isinstance(outcome, Unknown)

    at_desk(test)


def test_an_order_says_all_that_tws_would_put_in() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL", "ESZ6")
        desk.there.symbols["ESZ6"] = 6300.0
        await desk.broker.submit((BUY,))
        future = replace_values(STOP, symbol="ESZ6", qty=1.0, position=1.0, client_id="0a1b2c-9-0")
        await desk.broker.submit((replace_values(future, stop_price=6200.0),))
        share, es = desk.sent()
        assert (share[21], share[23], share[26], share[27]) == ("GTC", ACCOUNT, BUY.client_id, "1")
        assert share[33] == "0"
        assert es[33] == "1"  # at night too: there IB's regular hours are a part of the session
        assert es[22] == "0a1b2c-9-0.oca"
        assert es[46] == "2"  # reduces the others, with overfill block

    at_desk(test)


def test_a_bracket_is_transmitted_by_its_last_child() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        stop, target = (
            replace_values(x, client_id=BUY.client_id + letter, parent=BUY.client_id, oco="")
            for x, letter in ((STOP, "s"), (TARGET, "t"))
        )
        await desk.broker.submit((BUY, stop, target))
        entry, one, other = desk.sent()
        assert [x[27] for x in (entry, one, other)] == ["0", "0", "1"]
        assert (one[28], other[28]) == (entry[1], entry[1])
        assert one[22] == other[22] != ""

    at_desk(test)


def test_a_target_joins_the_group_of_its_stop_even_of_another_process() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((STOP,))
        await desk.broker.close()
        await desk.connect("AAPL")
        (outcome,) = await desk.broker.submit((TARGET,))
        assert isinstance(outcome, Accepted)
        stop, target = desk.sent()
        assert stop[22] == target[22] != ""
        assert stop[27] == target[27] == "1"

    at_desk(test)


def test_a_new_price_leaves_the_quantity_that_is_there_now() -> None:
    """An alternative that fills in part takes as much from the stop, there."""

    async def test(desk: Desk) -> None:
        desk.there.positions["AAPL"] = 10.0, 100.0
        await desk.connect("AAPL")
        await desk.broker.submit((STOP,))
        await desk.broker.submit((TARGET,))
        target = desk.there.by_client_id(TARGET.client_id)
        assert target is not None
        desk.there.fill(target.id, 3.0, 110.0)
        outcome = await desk.broker.replace(Ref(STOP), Change(NAN, stop_price=91.0))
        assert isinstance(outcome, Accepted)
        stop = desk.there.by_client_id(STOP.client_id)
        assert stop is not None
        assert (stop.qty, stop.stop_price) == (7.0, 91.0)

    at_desk(test)


def test_an_order_of_another_client_is_named_and_left_alone() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL", client_id=21)
        await desk.broker.submit((BUY,))
        await desk.broker.close()
        await desk.connect("AAPL", client_id=22)
        for outcome in (
            await desk.broker.cancel(Ref(BUY)),
            await desk.broker.replace(Ref(BUY), Change(5.0)),
        ):
            assert isinstance(outcome, Refused)
            assert outcome.code == "cannot"
            assert "client_id to 21" in outcome.text
        fact = await desk.broker.find(Ref(BUY))
        assert fact is not None
        assert fact.state == "working"

    at_desk(test)


def test_what_happens_to_an_order_of_another_process_is_told_with_what_it_is() -> None:
    """A status says neither symbol nor side: they are known before the first one comes."""

    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        await desk.broker.close()
        desk.facts.clear()
        await desk.connect("AAPL")
        order = desk.there.by_client_id(BUY.client_id)
        assert order is not None
        desk.there.end(order.id, "cancelled")
        await desk.until(lambda facts: facts[-1:] != [] and _is_over(facts[-1]))
        assert (desk.facts[-1].client_id, desk.facts[-1].symbol) == (BUY.client_id, "AAPL")

    at_desk(test)


def test_a_status_of_an_order_that_was_never_shown_makes_it_be_asked_for() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        told = desk.tws.desk.told
        desk.tws.desk.told = lambda *x: [f for f in told(*x) if f[0] != "5"]  # type: ignore[method-assign]
        await desk.broker.submit((BUY,))
        await desk.until(lambda _: bool(desk.orders(BUY.client_id)))
        assert desk.orders(BUY.client_id)[0].state == "working"

    at_desk(test)


def test_a_cancel_does_not_wait_behind_questions() -> None:
    """The client lets 45 messages a second go, in their order."""

    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        wire = desk.broker._wire
        assert wire is not None
        reads = [asyncio.ensure_future(wire.executions(ACCOUNT, 0)) for _ in range(90)]
        await asyncio.sleep(0)
        assert isinstance(await desk.broker.cancel(Ref(BUY)), Accepted)
        asked = [f[0] for f in desk.tws.messages]
        assert asked.index("4") < 45
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)

    at_desk(test)


def test_two_orders_of_one_name_are_neither() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        await desk.broker.submit((BUY,))
        with pytest.raises(LinkError, match="several orders"):
            await desk.broker.find(Ref(BUY))

    at_desk(test)


def test_a_fill_is_told_with_its_cost_when_that_comes_and_corrected_by_the_end_of_its_id() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        order = desk.there.by_client_id(BUY.client_id)
        assert order is not None
        desk.there.fill(order.id, 10.0, 95.0)
        await desk.until(lambda _: len(desk.fills()) == 2)
        first, second = desk.fills()
        assert first.cost != first.cost
        assert (second.cost, second.id, second.version) == (1.0, first.id, 0)
        told = desk.tws.desk.executed(-1, desk.there.fills[0], order, CONTRACTS["AAPL"])
        told[14] = told[14].removesuffix("01") + "02"
        told[20] = "94.5"
        desk.tws.tell_all(told)
        await desk.until(lambda _: len(desk.fills()) == 3)
        assert (desk.fills()[2].id, desk.fills()[2].version) == (first.id, 1)
        assert desk.fills()[2].price == 94.5

    at_desk(test)


def test_a_cost_in_another_currency_is_no_cost() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        await desk.broker.submit((BUY,))
        order = desk.there.by_client_id(BUY.client_id)
        assert order is not None
        cost = desk.tws.desk.cost
        desk.tws.desk.cost = lambda fill: [*cost(fill)[:4], "EUR", *cost(fill)[5:]]  # type: ignore[method-assign]
        desk.there.fill(order.id, 10.0, 95.0)
        await desk.heard()
        look = await desk.broker.snapshot(0)
        assert [x.cost for x in (*desk.fills(), *look.fills) if x.cost == x.cost] == []

    at_desk(test)


def test_without_its_line_to_ib_nothing_leaves_and_it_is_told_when_it_is_back() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        desk.tws.tell_all(frames.notice(-1, 1100, "Connectivity between IB and TWS has been lost."))
        await desk.until(lambda facts: _is(facts[-1], "down"))
        (outcome,) = await desk.broker.submit((BUY,))
        assert isinstance(outcome, Refused)
        assert outcome.not_sent
        assert desk.sent() == []
        desk.tws.tell_all(frames.notice(-1, 1102, "Connectivity restored - data maintained."))
        await desk.until(lambda facts: _is(facts[-1], "up"))
        assert isinstance((await desk.broker.submit((BUY,)))[0], Accepted)

    at_desk(test)


def test_bytes_that_are_no_frame_end_the_connection_and_another_is_made() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        for connection in desk.tws.clients.values():
            connection._writer.write(struct.pack(">I", 9_999_999))  # the rest never comes
        await desk.until(lambda facts: any(_is(x, "down") for x in facts))
        await desk.until(lambda facts: _is(facts[-1], "up"))
        assert isinstance((await desk.broker.submit((BUY,)))[0], Accepted)

    at_desk(test)


def test_a_login_that_has_become_another_is_not_used_again() -> None:
    async def test(desk: Desk) -> None:
        await desk.connect("AAPL")
        desk.tws.accounts = ["U7654321"]
        desk.tws.cut()
        await desk.until(lambda facts: _is(facts[-1], "down") and "U7654321" in facts[-1].reason)
        (outcome,) = await desk.broker.submit((BUY,))
        assert isinstance(outcome, Refused)
        assert desk.sent() == []

    at_desk(test)


def test_a_client_id_that_is_taken_is_said_to_be() -> None:
    async def test(desk: Desk) -> None:
        desk.tws.taken = {21}
        with pytest.raises(AuthError, match="client id 21 is in use"):
            await desk.connect("AAPL")

    at_desk(test)


def test_a_line_that_is_gone_is_an_error_of_the_link_whatever_is_asked() -> None:
    async def test(desk: Desk) -> None:
        wire = Wire("127.0.0.1", desk.tws.port, 40, WallClock(), lambda fact: None, seconds=0.5)
        await wire.connect(0.5)
        await wire.close()
        for ask in (wire.values, wire.positions, wire.open_orders, wire.completed):
            with pytest.raises(LinkError, match="closed"):
                await ask()
        with pytest.raises(LinkError):
            wire.next_number()

    at_desk(test)


def test_a_tws_that_closes_at_once_says_what_to_allow() -> None:
    async def test(desk: Desk) -> None:
        desk.tws.faults.add("connect", "drop")
        with pytest.raises(LinkError, match="trusted IPs"):
            await desk.connect("AAPL")

    at_desk(test)


@pytest.mark.parametrize(
    ("port", "accounts", "kind"),
    [
        (7497, ("DU1234567",), "paper"),
        (4002, ("DF1234567", "DU1234568"), "paper"),
        (5555, ("DU1234567",), "paper"),  # a port that somebody has changed says nothing
        (7496, ("U1234567",), "live"),
        (4001, ("U1234567", "U1234568"), "live"),
        (5555, ("U1234567",), "unknown"),
        (7497, ("U1234567",), "unknown"),
        (4001, ("DU1234567",), "unknown"),
        (4002, ("DU1234567", "U1234567"), "unknown"),
        (4002, ("X99",), "unknown"),
        (4002, (), "unknown"),
    ],
)
def test_port_and_accounts_must_say_the_same(
    port: int, accounts: tuple[str, ...], kind: str
) -> None:
    signs = signs_of(port, accounts)
    said = signs.popitem()[1] if len({*signs.values()}) == 1 else "unknown"
    assert (said if said in ("paper", "live") else "unknown") == kind


def test_the_usual_port_is_that_of_the_kind() -> None:
    assert PORTS[settings_of({}, "paper").port] == "paper"
    assert PORTS[settings_of({}, "live").port] == "live"


@pytest.mark.parametrize(
    ("credentials", "words"),
    [
        ({"prot": 4002}, "'prot' is not known"),
        ({"port": 0}, "port"),
        ({"port": "x"}, "port"),
        ({"client_id": 0}, "client_id"),
        ({"host": 7}, "host"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"contracts": ["AAPL"]}, "contracts"),
        ({"contracts": {"SAP": {"exchnge": "IBIS"}}}, "exchnge"),
    ],
)
def test_credentials_that_cannot_be_are_refused(credentials: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        settings_of(credentials)


def test_what_credentials_do_not_say_the_environment_may(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("PORT", "7497"), ("CLIENT_ID", "30"), ("ZONE", "Europe/Berlin")):
        monkeypatch.setenv(f"IBKR_{name}", text)
    found = settings_of({"client_id": 31})
    assert (found.port, found.client_id, found.zone) == (7497, 31, "Europe/Berlin")
    monkeypatch.setenv("IBKR_PORT", "gateway")
    with pytest.raises(ConfigError, match="IBKR_PORT is 'gateway'"):
        settings_of({})


def test_a_future_has_its_grid_and_its_average_is_a_price() -> None:
    async def test(desk: Desk) -> None:
        desk.there.symbols["ESZ6"] = 6300.0
        facts = await desk.connect("ESZ26", "EURUSD")
        assert (facts.grids["ESZ26"].tick, facts.grids["ESZ26"].point_value) == (0.25, 50.0)
        assert facts.grids["EURUSD"].tick == 0.00005
        desk.there.trade("ESZ6", -1, 2.0, 6300.25)
        look = await desk.broker.snapshot(0)
        assert look.positions == {"ESZ26": (-2.0, 6300.25)}

    at_desk(test)


def test_a_symbol_that_fits_several_contracts_is_asked_about() -> None:
    async def test(desk: Desk) -> None:
        desk.tws.contracts["AAPL2"] = stock(999, "AAPL", "ANOTHER")
        with pytest.raises(ConfigError, match="conId 265598"):
            await desk.connect("AAPL")
        await desk.connect("AAPL", contracts={"AAPL": {"conId": 265598, "exchange": "SMART"}})

    at_desk(test)


def test_what_a_name_does_not_tell_is_described_or_refused() -> None:
    async def test(desk: Desk) -> None:
        desk.tws.contracts["SAP.DE"] = replace(stock(14204, "SAP"), currency="EUR")
        with pytest.raises(NotFoundError, match=r"contracts: \{SAP.DE:"):
            await desk.connect("SAP.DE")
        said = {"symbol": "SAP", "secType": "STK", "exchange": "SMART", "currency": "EUR"}
        facts = await desk.connect("SAP.DE", contracts={"SAP.DE": said})
        assert set(facts.grids) == {"SAP.DE"}

    at_desk(test)


def test_a_paper_account_is_no_real_money() -> None:
    async def test(desk: Desk) -> None:
        broker = adapter(desk.tws, Wanted(ACCOUNT, "live"))
        with pytest.raises(GateError, match="refused as live"):
            await broker.connect()

    at_desk(test)


def _is(fact: Any, state: str) -> bool:
    return isinstance(fact, LinkFact) and fact.state == state


def _is_over(fact: Any) -> bool:
    return isinstance(fact, OrderFact) and fact.state == "cancelled"


def replace_values(request: Request, **values: Any) -> Request:
    return with_values(request, **values)
