"""The fakes, by what nobody here wrote: Alpaca's own client reads every answer and both streams."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from intrabar.brokers.fakes.alpaca import FakeAlpaca
from intrabar.brokers.fakes.alpaca_prices import Bar, FakePrices
from intrabar.brokers.fakes.alpaca_words import KEY, SECRET
from intrabar.links.clock import LoopClock
from tests.brokers.alpaca import published
from tests.brokers.alpaca.serving import served
from tests.data.live.samples import MINUTE, ns

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.common.exceptions import APIError
    from alpaca.data.enums import Adjustment, DataFeed
    from alpaca.data.historical import StockHistoricalDataClient
    from alpaca.data.historical.corporate_actions import CorporateActionsClient
    from alpaca.data.live import StockDataStream
    from alpaca.data.requests import (
        CorporateActionsRequest,
        StockBarsRequest,
        StockSnapshotRequest,
    )
    from alpaca.data.timeframe import TimeFrame
    from alpaca.trading.client import TradingClient
    from alpaca.trading.enums import OrderClass, OrderSide, QueryOrderStatus, TimeInForce
    from alpaca.trading.models import TradeActivity
    from alpaca.trading.requests import (
        GetOrderByIdRequest,
        GetOrdersRequest,
        LimitOrderRequest,
        MarketOrderRequest,
        ReplaceOrderRequest,
        StopLossRequest,
        TakeProfitRequest,
    )
    from alpaca.trading.stream import TradingStream


def with_client(test: Callable[[FakeAlpaca, Any, Any], Coroutine[Any, Any, None]]) -> None:
    """Alpaca's client in a thread, against the fake; `ask` runs a call of it there."""

    async def main() -> None:
        async with served() as fake:
            client = TradingClient(KEY, SECRET, url_override=fake.server.url)
            client._retry = 0

            async def ask(call: Callable[[Any], Any]) -> Any:
                return await asyncio.to_thread(call, client)

            try:
                await test(fake, client, ask)
            finally:
                client._session.close()

    asyncio.run(main())


def bracket(client_id: str = "abcdef-1-0") -> Any:
    return LimitOrderRequest(
        symbol="AAPL",
        qty=10,
        side=OrderSide.BUY,
        time_in_force=TimeInForce.GTC,
        limit_price=100.0,
        client_order_id=client_id,
        order_class=OrderClass.BRACKET,
        take_profit=TakeProfitRequest(limit_price=110.0),
        stop_loss=StopLossRequest(stop_price=90.0),
    )


def test_its_client_reads_account_assets_and_positions() -> None:
    async def test(fake: FakeAlpaca, client: Any, ask: Any) -> None:
        fake.account.trade("AAPL", 1, 10.0, 99.5)
        fake.account.trade("MSFT", -1, 5.0, 201.0)
        account = await ask(lambda c: c.get_account())
        assert (account.account_number, account.currency) == (fake.account.id, "USD")
        assert float(account.equity) == fake.account.equity
        asset = await ask(lambda c: c.get_asset("AAPL"))
        assert (asset.symbol, asset.tradable) == ("AAPL", True)
        positions = await ask(lambda c: c.get_all_positions())
        have = {x.symbol: (float(x.qty), x.side.value) for x in positions}
        assert have == {"AAPL": (10.0, "long"), "MSFT": (-5.0, "short")}
        client._use_raw_data = True
        assert set(await ask(lambda c: c.get_account())) >= published.ACCOUNT
        for one in await ask(lambda c: c.get_all_positions()):
            assert set(one) >= published.POSITION

    with_client(test)


def test_its_client_places_lists_changes_and_cancels() -> None:
    async def test(fake: FakeAlpaca, client: Any, ask: Any) -> None:
        made = await ask(lambda c: c.submit_order(bracket()))
        assert [leg.status.value for leg in made.legs] == ["held", "held"]
        assert len({made.client_order_id, *(x.client_order_id for x in made.legs)}) == 3
        fake.account.fill(str(made.id), 10.0, 99.0)
        nested = GetOrderByIdRequest(nested=True)
        whole = await ask(lambda c: c.get_order_by_id(made.id, nested))
        words = {leg.type.value: leg.status.value for leg in whole.legs}
        assert (whole.status.value, words) == ("filled", {"limit": "new", "stop": "held"})
        is_open = await ask(lambda c: c.get_orders())
        assert [x.type.value for x in is_open] == ["limit"]
        every = GetOrdersRequest(status=QueryOrderStatus.ALL, nested=True, limit=500)
        assert [len(x.legs) for x in await ask(lambda c: c.get_orders(every))] == [2]
        stop = next(x for x in whole.legs if x.type.value == "stop")
        new = await ask(
            lambda c: c.replace_order_by_id(
                stop.id, ReplaceOrderRequest(stop_price=95.0, client_order_id="abcdef-1-1s")
            )
        )
        assert (new.replaces, new.client_order_id, float(new.qty)) == (stop.id, "abcdef-1-1s", 10.0)
        found = await ask(lambda c: c.get_order_by_client_id("abcdef-1-1s"))
        assert found.id == new.id
        await ask(lambda c: c.cancel_order_by_id(new.id))
        left = await ask(lambda c: c.get_orders(every))
        ends = {leg.status.value for x in left for leg in x.legs}
        assert ends == {"canceled", "replaced"}  # who cancels one of a group cancels all

    with_client(test)


def test_its_client_reads_fills_and_refusals() -> None:
    async def test(fake: FakeAlpaca, client: Any, ask: Any) -> None:
        made = await ask(lambda c: c.submit_order(bracket()))
        fake.account.fill(str(made.id), 4.0, 99.0)
        fake.account.fill(str(made.id), 6.0, 99.5)
        told = await ask(lambda c: c.get("/account/activities/FILL", {"direction": "asc"}))
        fills = [TradeActivity(**one) for one in told]
        assert [(x.qty, x.cum_qty, x.type.value) for x in fills] == [
            (4.0, 4.0, "partial_fill"),
            (6.0, 10.0, "fill"),
        ]
        assert all(set(one) >= published.ACTIVITY for one in told)
        for call, status, code in (
            (lambda c: c.submit_order(bracket()), 422, 40010001),
            (lambda c: c.cancel_order_by_id(made.id), 422, 42210000),
            (lambda c: c.get_order_by_client_id("nobody"), 404, 40410000),
            (lambda c: c.get_asset("NONE"), 404, 40410000),
        ):
            with pytest.raises(APIError) as caught:
                await ask(call)
            assert (caught.value.status_code, caught.value.code) == (status, code)
            assert caught.value.message

    with_client(test)


def test_its_stream_reads_the_updates_of_a_market_order() -> None:
    async def test(fake: FakeAlpaca, client: Any, ask: Any) -> None:
        stream = TradingStream(KEY, SECRET, url_override=fake.hosts.trades)
        told: asyncio.Queue[Any] = asyncio.Queue()

        async def hear(update: Any) -> None:
            told.put_nowait(update)

        stream.subscribe_trade_updates(hear)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            await stream._start_ws()
        consuming = asyncio.ensure_future(stream._consume())
        try:
            order = MarketOrderRequest(
                symbol="AAPL", qty=10, side=OrderSide.BUY, time_in_force=TimeInForce.DAY
            )
            made = await ask(lambda c: c.submit_order(order))
            fake.account.fill(str(made.id), 4.0, 99.0)
            fake.account.fill(str(made.id), 6.0, 99.5)
            async with asyncio.timeout(5.0):
                updates = [await told.get() for _ in range(3)]
        finally:
            consuming.cancel()
            await asyncio.gather(consuming, return_exceptions=True)
            await stream.close()
        events = [getattr(x.event, "value", x.event) for x in updates]
        assert events == ["new", "partial_fill", "fill"]
        assert [x.qty for x in updates[1:]] == [4.0, 6.0]
        assert [float(x.order.filled_qty) for x in updates] == [0.0, 4.0, 10.0]
        assert all(x.execution_id is not None for x in updates)  # of events without a fill too

    with_client(test)


def test_frames_and_orders_have_what_was_published() -> None:
    async def main() -> None:
        async with served() as fake:
            queue: asyncio.Queue[bytes] = asyncio.Queue()
            fake._queues.add(queue)
            fake.account.trade("AAPL", 1, 10.0, 99.0)
            while not queue.empty():
                message = json.loads(queue.get_nowait())
                assert set(message) == {"stream", "data"}
                assert set(message["data"]) == published.UPDATE
                assert set(message["data"]["order"]) == published.ORDER

    asyncio.run(main())


def test_its_client_reads_bars_quotes_and_actions() -> None:
    now = ns("2026-03-02T15:00:30")
    minutes = tuple(Bar(now - 30 * 10**9 - n * MINUTE, 10, 12, 9, 11, 7) for n in range(250, 0, -1))

    async def main() -> None:
        clock = LoopClock(now)
        fake = FakePrices(clock, {"IBM": {"1Min": minutes}})
        fake.actions = {
            "cash_dividends": [
                {
                    "id": "00000000-0000-4000-8000-0000000000bb",
                    "symbol": "IBM",
                    "cusip": "459200101",
                    "rate": 1.67,
                    "special": False,
                    "foreign": False,
                    "process_date": "2026-03-10",
                    "ex_date": "2026-02-10",
                }
            ]
        }
        await fake.server.start()
        bars = StockHistoricalDataClient(KEY, SECRET, url_override=fake.server.url)
        acts = CorporateActionsClient(KEY, SECRET, url_override=fake.server.url)
        try:
            asked = StockBarsRequest(
                symbol_or_symbols=["IBM"],
                timeframe=TimeFrame.Minute,
                start="2026-03-02T09:00:00Z",
                end="2026-03-02T15:00:00Z",
                adjustment=Adjustment.RAW,
                feed=DataFeed.IEX,
            )
            found = await asyncio.to_thread(bars.get_stock_bars, asked)
            assert len(found["IBM"]) == 250  # three pages
            assert (found["IBM"][0].open, found["IBM"][0].volume) == (10.0, 7.0)
            snapshot = StockSnapshotRequest(symbol_or_symbols=["IBM"], feed=DataFeed.IEX)
            seen = await asyncio.to_thread(bars.get_stock_snapshot, snapshot)
            assert seen["IBM"].latest_quote.bid_price < seen["IBM"].latest_trade.price
            paid = await asyncio.to_thread(
                acts.get_corporate_actions, CorporateActionsRequest(symbols=["IBM"])
            )
            assert [x.rate for x in paid["cash_dividends"]] == [1.67]
        finally:
            bars._session.close()
            acts._session.close()
            await fake.server.stop()

    asyncio.run(main())


def test_its_stream_reads_minutes_corrections_and_quotes() -> None:
    at = ns("2026-03-02T15:00")
    bar = Bar(at, 10.0, 12.0, 9.0, 11.0, 7.0)

    class Soon(LoopClock):
        """A clock by which a minute is a fifth of a second."""

        def tick(self) -> float:
            return super().tick() * 300.0

        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds / 300.0)

    async def main() -> None:
        clock = Soon(at)
        clock.start -= round(clock.tick() * 1e9)
        fake = FakePrices(clock, {"IBM": {"1Min": (bar,)}})
        fake.corrected = {"IBM": {at: bar._replace(volume=6.0)}}
        await fake.server.start()
        stream = StockDataStream(KEY, SECRET, url_override=f"{fake.server.socket_url}/v2/iex")
        told: asyncio.Queue[Any] = asyncio.Queue()

        async def hear(message: Any) -> None:
            told.put_nowait(message)

        stream.subscribe_bars(hear, "IBM")
        stream.subscribe_updated_bars(hear, "IBM")
        stream.subscribe_quotes(hear, "IBM")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                await stream._start_ws()
            await stream._send_subscribe_msg()
            consuming = asyncio.ensure_future(stream._consume())
            async with asyncio.timeout(10.0):
                first, second, quote = [await told.get() for _ in range(3)]
            consuming.cancel()
            await asyncio.gather(consuming, return_exceptions=True)
            await stream.close()
        finally:
            await fake.server.stop()
        assert (first.volume, second.volume, second.close) == (6.0, 7.0, 11.0)
        assert round(first.timestamp.timestamp()) * 10**9 == at
        assert quote.bid_price < 11.0 < quote.ask_price

    asyncio.run(main())
