"""What the suite does not ask of Moomoo: accounts that are named, locks, limits, its words."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import pytest

from intrabar.brokers.fakes.moomoo import PASSWORD, FakeOpenD
from intrabar.brokers.fakes.moomoo_frames import No
from intrabar.brokers.moomoo.adapter import MoomooBroker, make
from intrabar.brokers.moomoo.words import STATES, fact_of, fill_of
from intrabar.errors import AuthError, ConfigError, GateError, LinkError
from intrabar.links import moomoo as links
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.model.broker_facts import Accepted, FillFact, OrderFact, Ref, Refused, Request
from intrabar.model.secret import redact
from tests.brokers.moomoo.places import ACCOUNT, broker_at, opend

Env = Literal["SIMULATE", "REAL"]
LIMIT = Request("0a1b2c-1-0", "AAPL", 1, "limit", 10.0, 90.0, tif="day")
ROW = {
    "order_id": "7",
    "remark": "0a1b2c-1-0",
    "code": "US.AAPL",
    "trd_side": "SELL_SHORT",
    "order_type": "STOP",
    "order_status": "SUBMITTED",
    "qty": 10.0,
    "price": 0.0,
    "aux_price": 80.5,
    "dealt_qty": 0.0,
    "dealt_avg_price": 0.0,
    "last_err_msg": "",
    "create_time": "2026-03-02 09:31:00.123",
    "updated_time": "2026-03-02 09:31:00.250",
}


def at(
    test: Callable[[FakeOpenD, MoomooBroker], Awaitable[None]], env: Env = "SIMULATE"
) -> FakeOpenD:
    """A test at a gateway that listens."""

    async def main() -> FakeOpenD:
        gateway = opend(env)
        await gateway.start()
        kind: Literal["paper", "live"] = "paper" if env == "SIMULATE" else "live"
        broker = broker_at(gateway, Wanted(ACCOUNT, kind, ("AAPL",)))
        try:
            await test(gateway, broker)
        finally:
            await broker.close()
            await gateway.stop()
        return gateway

    return asyncio.run(main())


@pytest.mark.parametrize("env", ["SIMULATE", "REAL"])
def test_every_call_names_its_environment_and_its_account(env: Env) -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        await broker.submit((LIMIT,))
        await broker.find(Ref(LIMIT))
        await broker.snapshot(0)
        await broker.cancel(Ref(LIMIT))

    headers = [x.asked.header for x in at(test, env).asked if 2100 < x.proto < 2300]
    assert len(headers) >= 8
    assert {(h.trdEnv, h.accID) for h in headers} == {(int(env == "REAL"), int(ACCOUNT))}


def test_real_trading_is_unlocked_and_again_after_each_connection() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        gateway.cut()
        gateway.unlocked = False
        await broker._line._trading.connection.ended.wait()  # type: ignore[union-attr]
        assert isinstance((await broker.submit((LIMIT,)))[0], Accepted)
        gateway.unlocked = False
        again = Request("0a1b2c-2-0", "AAPL", 1, "limit", 10.0, 90.0, tif="day")
        assert isinstance((await broker.submit((again,)))[0], Accepted)

    asked = [x for x in at(test, "REAL").asked if x.proto == 2005]
    assert len(asked) == 3
    digest = hashlib.md5(PASSWORD.encode()).hexdigest()
    assert {x.asked.pwdMD5 for x in asked} == {digest}
    assert digest not in redact(f"it was {digest}")


def test_a_wrong_trade_password_says_so() -> None:
    async def main() -> None:
        gateway = opend("REAL")
        await gateway.start()
        broker = broker_at(gateway, Wanted(ACCOUNT, "live"), "not-that-password")
        for _ in range(3):
            with pytest.raises(AuthError, match="check the trade password"):
                await broker.connect()
        assert sum(x.proto == 2005 for x in gateway.asked) == 1  # of many it would lock
        await broker.close()
        await gateway.stop()

    asyncio.run(main())


def test_an_account_is_a_number() -> None:
    async def main() -> None:
        with pytest.raises(GateError, match="is a number, not 'DU123'"):
            await broker_at(opend(), Wanted("DU123", "paper")).connect()

    asyncio.run(main())


def test_a_port_that_is_closed_is_said_at_once_and_leaves_no_thread() -> None:
    async def main() -> None:
        before = threading.active_count()
        with pytest.raises(LinkError, match="start it and log in there"):
            await MoomooBroker(Wanted(ACCOUNT, "paper"), WallClock(), port=1).connect()
        assert threading.active_count() == before

    asyncio.run(main())


def test_threads_of_the_client_do_not_keep_the_process() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        others = [t for t in threading.enumerate() if t is not threading.main_thread()]
        assert others
        assert all(thread.daemon for thread in others)

    at(test)


def test_what_is_pushed_of_another_account_is_not_told() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        told: list[Any] = []
        broker._line.told = lambda what, row: told.append(row)
        broker._line._pushed("order", ROW | {"acc_id": 12})
        assert told == []
        broker._line._pushed("order", ROW | {"acc_id": int(ACCOUNT)})
        assert len(told) == 1

    at(test)


def test_an_order_that_opend_has_although_it_says_no_is_accepted() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        place = gateway._place

        def placed(asked: Any, told: Any) -> None:
            place(asked, told)
            raise No("Price deviates too much")

        gateway._place = placed  # type: ignore[method-assign]
        (outcome,) = await broker.submit((LIMIT,))
        assert outcome == Accepted("1")

    at(test)


def test_orders_beyond_the_limit_are_refused_and_exits_keep_their_part() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        broker._line._seconds = 0.02  # of which half is waited for
        broker._line._trading.connection._seconds = 5.0  # type: ignore[union-attr]
        outcomes = []
        for n in range(14):
            request = Request(f"0a1b2c-{n}-0", "AAPL", 1, "limit", 1.0, 90.0, tif="day")
            outcomes += await broker.submit((request,))
        entries = sum(isinstance(x, Accepted) for x in outcomes)
        assert entries <= 13
        refused = [x for x in outcomes if isinstance(x, Refused)]
        assert refused
        assert all(x.code == "rate" and x.not_sent for x in refused)
        leave = Request("0a1b2c-x-0", "AAPL", -1, "limit", 1.0, 99.0, tif="day", position=5.0)
        assert isinstance((await broker.submit((leave,)))[0], Accepted)

    at(test)


def test_a_market_order_is_one_of_the_day_and_others_say_what_there_is() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        market = Request("0a1b2c-1-0", "AAPL", 1, "market", 10.0, tif="gtc")
        assert await broker.submit((market,)) == (Accepted("1"),)
        assert gateway.account.orders["1"].tif == "day"
        resting = Request("0a1b2c-2-0", "AAPL", 1, "limit", 10.0, 90.0, tif="gtc")
        (outcome,) = await broker.submit((resting,))
        assert isinstance(outcome, Refused)
        assert outcome.not_sent
        assert "it takes day" in outcome.text

    at(test)


def test_real_fills_have_ids_and_simulated_ones_do_not() -> None:
    async def test(gateway: FakeOpenD, broker: MoomooBroker) -> None:
        await broker.connect()
        await broker.submit((LIMIT,))
        kinds = []
        async for fact in broker.events():
            if isinstance(fact, OrderFact) and fact.state == "working":
                gateway.account.fill("1", 4.0, 90.0)
            kinds.append(type(fact))
            if isinstance(fact, OrderFact) and fact.filled == 4.0:
                break
        look = await broker.snapshot(0)
        assert (FillFact in kinds) == broker.can.fill_ids == bool(look.fills)

    for env in ("SIMULATE", "REAL"):
        at(test, env)  # type: ignore[arg-type]


def test_an_order_in_our_words() -> None:
    fact = fact_of(ROW)
    assert (fact.symbol, fact.side, fact.type, fact.state) == ("AAPL", -1, "stop", "working")
    assert fact.stop_price == 80.5
    assert fact.limit_price != fact.limit_price
    assert fact.time == 1_772_461_860_250_000_000
    part = fact_of(ROW | {"dealt_qty": 4.0, "dealt_avg_price": 80.0})
    assert (part.state, part.filled, part.average) == ("partial", 4.0, 80.0)


def test_a_timeout_of_theirs_is_unknown() -> None:
    for word in ("TIMEOUT", "FILL_CANCELLED", "N/A"):
        assert word not in STATES
        fact = fact_of(ROW | {"order_status": word, "last_err_msg": "who knows"})
        assert (fact.state, fact.text) == ("unknown", f"Moomoo says {word} who knows")


def test_each_word_of_the_client_is_read() -> None:
    moomoo = links.package()
    words = set(_words(moomoo.OrderStatus))
    assert words - STATES.keys() == {"N/A", "TIMEOUT", "FILL_CANCELLED"}
    assert STATES.keys() <= words


def _words(kind: Any) -> list[str]:
    return [v for k, v in vars(kind).items() if k.isupper() and isinstance(v, str)]


@pytest.mark.parametrize(
    ("status", "qty", "version"), [("OK", 4.0, 0), ("CHANGED", 4.0, 1), ("CANCELLED", 0.0, 1)]
)
def test_a_fill_that_is_taken_back_says_so(status: str, qty: float, version: int) -> None:
    row = {"deal_id": 5, "order_id": "7", "code": "US.AAPL", "trd_side": "BUY", "qty": 4.0}
    row |= {"price": 90.0, "create_time": "2026-03-02 09:31:00", "status": status}
    fill = fill_of(row)
    assert (fill.id, fill.qty, fill.version) == ("5", qty, version)


def test_credentials_are_checked_where_they_are_written() -> None:
    with pytest.raises(ConfigError, match="'key' is not known"):
        make({"key": 1}, Wanted(ACCOUNT, "paper"), WallClock())
    with pytest.raises(ConfigError, match="no port of OpenD"):
        make({"port": 0}, Wanted(ACCOUNT, "paper"), WallClock())
    with pytest.raises(ConfigError, match="MOOMOO_TRADE_PASSWORD is not set"):
        make({}, Wanted(ACCOUNT, "live"), WallClock())


def test_a_home_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)
    with pytest.raises(ConfigError, match="set HOME"):
        links.package()
