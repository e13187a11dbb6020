"""What the fake writes, held against the vendor's own specification: names of fields, and types.

Taken from version 3 of TradeStation's OpenAPI document, by way of a model that was generated from
it and published; every field of an answer is optional there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.fakes.tradestation_data import FakeMarket
from intrabar.brokers.tradestation.orders import group_body, order_body
from intrabar.links.tradestation.client import Client
from intrabar.model.broker_facts import Request
from tests.brokers.tradestation.served import client_of, served

NAME = "0a1b2c-1-0"
ORDER_TEXTS = (
    "AccountID AdvancedOptions ClosedDateTime CommissionFee ConversionRate Currency Duration "
    "FilledPrice GoodTillDate GroupName LimitPrice OpenedDateTime OrderID OrderType "
    "PriceUsedForBuyingPower RejectReason Routing ShowOnlyQuantity Spread Status "
    "StatusDescription StopPrice UnbundledRouteFee"
)
LEG = (
    "AssetType BuyOrSell ExecQuantity ExecutionPrice OpenOrClose OptionType QuantityOrdered "
    "QuantityRemaining StrikePrice Symbol Underlying"
)
STATUSES = (
    "ACK ASS BRC BRF BRO CHG CND COR DIS DOA DON ECN EXE FPR LAT OPN OSO OTHER PLA REC RJC RPD RSN "
    "STP STT SUS UCN CAN EXP OUT RJR SCN TSC UCH REJ FLL FLP"
)


def texts(names: str) -> dict[str, Any]:
    return of(str, names)


def of(kind: type, names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), kind)


SPECIFIED: dict[str, Any] = {
    "Orders": {
        **texts(ORDER_TEXTS),
        "Legs": [texts(LEG)],
        "ConditionalOrders": [texts("OrderID Relationship")],
    },
    "Accounts": {
        **texts("AccountID AccountType Alias AltID Currency Status"),
        "AccountDetail": {
            **of(
                bool,
                "DayTradingQualified EnrolledInRegTProgram IsStockLocateEligible PatternDayTrader "
                "RequiresBuyingPowerWarning",
            ),
            "OptionApprovalLevel": int,
        },
    },
    "Balances": {
        **texts(
            "AccountID AccountType BuyingPower CashBalance Commission Equity MarketValue "
            "TodaysProfitLoss UnclearedDeposit"
        ),
        "BalanceDetail": texts("DayTrades RealizedProfitLoss UnrealizedProfitLoss UnsettledFunds"),
    },
    "Positions": texts(
        "AccountID AssetType AveragePrice Bid Ask ConversionRate DayTradeRequirement "
        "ExpirationDate InitialRequirement MaintenanceMargin Last LongShort MarkToMarketPrice "
        "MarketValue "
        "PositionID Quantity Symbol Timestamp TodaysProfitLoss TotalCost UnrealizedProfitLoss "
        "UnrealizedProfitLossPercent UnrealizedProfitLossQty"
    ),
    "Bars": {
        **texts("High Low Open Close TimeStamp TotalVolume OpenInterest BarStatus"),
        **of(
            int,
            "DownTicks DownVolume Epoch TotalTicks UnchangedTicks UnchangedVolume UpTicks UpVolume",
        ),
        **of(bool, "IsEndOfHistory IsRealtime"),
    },
    "Quotes": {
        **texts(
            "Ask AskSize Bid BidSize Close DailyOpenInterest High Low High52Week "
            "High52WeekTimestamp Last LastSize LastVenue Low52Week Low52WeekTimestamp NetChange "
            "NetChangePct Open PreviousClose PreviousVolume Symbol TickSizeTier TradeTime Volume "
            "VWAP"
        ),
        "MarketFlags": of(bool, "IsBats IsDelayed IsHalted IsHardToBorrow"),
    },
    "Symbols": {
        **texts(
            "AssetType Country Currency Description Exchange ExpirationDate FutureType OptionType "
            "Root StrikePrice Symbol Underlying"
        ),
        "PriceFormat": texts(
            "Format Decimals Fraction SubFraction IncrementStyle Increment PointValue"
        ),
        "QuantityFormat": texts("Format Decimals IncrementStyle Increment MinimumTradeQuantity"),
    },
    "Errors": texts("AccountID Error Message OrderID Symbol"),
    "NextToken": str,
}
PLACED = {"Orders": texts("Error Message OrderID"), "Errors": texts("Error Message OrderID")}
STREAMED = {"Heartbeat": int, "Timestamp": str, "StreamStatus": str, "Error": str, "Message": str}
REQUIRED = set(texts("AccountID OrderType Quantity Symbol TimeInForce TradeAction"))
ASKED = REQUIRED | {"AdvancedOptions", "LimitPrice", "OSOs", "OrderConfirmID", "Route", "StopPrice"}


def unlike(told: Any, known: Any, place: str) -> list[str]:
    """What of an answer the specification does not have, or has of another type."""
    if isinstance(known, dict):
        assert isinstance(told, dict), f"{place}: {told!r}"
        new = [f"{place}.{key}" for key in told.keys() - known.keys()]
        both = told.keys() & known.keys()
        return new + [x for k in both for x in unlike(told[k], known[k], f"{place}.{k}")]
    if isinstance(known, list):
        return [x for one in told for x in unlike(one, known[0], place)]
    return [] if type(told) is known else [f"{place}: {told!r} is no {known.__name__}"]


def held_against(told: dict[str, Any], known: dict[str, Any]) -> list[str]:
    found = []
    for key, value in told.items():
        what = known.get(key)
        if what is None:
            found.append(key)
        else:
            listed = value if isinstance(value, list) else [value]
            found += [x for one in listed for x in unlike(one, what, key)]
    return found


async def all_answers(fake: FakeTradeStation, client: Client) -> list[dict[str, Any]]:
    place = f"/brokerage/accounts/{fake.account.id}"
    bars = {"unit": "Minute", "interval": "1"}
    span = {"firstdate": "2026-03-02T15:00:00Z", "lastdate": "2026-03-02T15:10:00Z"}
    paths = [
        ("/brokerage/accounts", None),
        (f"{place}/balances", None),
        (f"{place}/positions", None),
        (f"{place}/orders", {"pageSize": "2"}),
        (f"{place}/orders/900000001,77", None),
        (f"{place}/historicalorders", {"since": "2026-01-01"}),
        ("/brokerage/accounts/SIM9/orders", None),
        ("/marketdata/quotes/AAPL,NOPE", None),
        ("/marketdata/symbols/AAPL,ES,NOPE", None),
        ("/marketdata/barcharts/AAPL", {**bars, **span}),
    ]
    return [await client.read(path, asked) for path, asked in paths]


def test_every_answer_of_the_fake_is_specified(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        fake.market.futures.add("ES")
        client = client_of(fake, tmp_path)
        entry = Request(NAME, "AAPL", 1, "limit", 10.0, limit_price=9.0)
        exits = (
            Request("0a1b2c-1-0s", "AAPL", -1, "stop", 10.0, stop_price=8.0, parent="0a1b2c-1-0"),
            Request(
                "0a1b2c-1-0t", "AAPL", -1, "limit", 10.0, limit_price=11.0, parent="0a1b2c-1-0"
            ),
        )
        body = group_body((entry, *exits), fake.account.id, False)
        placed = await client.send("POST", "/orderexecution/orders", body)
        assert held_against(placed.told, PLACED) == []
        refused = await client.send("POST", "/orderexecution/orders", body)
        assert held_against(refused.told, PLACED) == []
        assert refused.told["Errors"]
        fake.account.fill("900000001", 4.0, 9.0)
        other = Request("0a1b2c-2-0", "AAPL", 1, "market", 1.0)
        await client.send("POST", "/orderexecution/orders", order_body(other, "", False))
        fake.account.end("900000004", "rejected", "No.")
        for told in await all_answers(fake, client):
            assert held_against(told, SPECIFIED) == []
        for method in ("PUT", "DELETE"):
            for order in ("900000001", "77"):
                path = f"/orderexecution/orders/{order}"
                reply = await client.send(method, path, {"Quantity": "11"})
                assert held_against(reply.told, texts("Error Message OrderID")) == []
        await client.close()

    market = {"AAPL": 100.0, "ES": 5000.0}
    served(lambda: FakeTradeStation(market=FakeMarket(market), page=2), test)


def test_every_frame_of_the_fake_is_specified(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        client = client_of(fake, tmp_path)
        seen: list[dict[str, Any]] = []
        stream = client.stream(f"/brokerage/stream/accounts/{fake.account.id}/orders")
        async for frame in stream:
            seen.append(frame)
            if frame.get("StreamStatus") == "EndSnapshot":
                fake.account.trade("AAPL", 1, 5.0, 100.0)
            if "Heartbeat" in frame:
                break
        await stream.aclose()
        assert [frame for frame in seen if "OrderID" in frame]
        for frame in seen:
            known = SPECIFIED["Orders"] if "OrderID" in frame else STREAMED
            assert unlike(frame, known, "") == []
        await client.close()

    served(lambda: FakeTradeStation(beat=0.05), test)


def test_the_words_of_states_are_the_vendors() -> None:
    from intrabar.brokers.fakes.tradestation_words import WORDS
    from intrabar.brokers.tradestation.reading import STATES

    known = set(STATUSES.split())
    assert set(STATES) <= known
    assert {word for word, _ in WORDS.values()} <= known
    # Of these nobody can say where the order stands: they are looked up.
    assert known - set(STATES) == {
        "ASS",
        "BRC",
        "BRF",
        "BRO",
        "COR",
        "DOA",
        "EXE",
        "OTHER",
        "RJR",
        "UCH",
    }


@pytest.mark.parametrize("kind", ["market", "limit", "stop", "stop_limit"])
def test_what_leaves_has_what_is_required(kind: str) -> None:
    limit = 9.5 if "limit" in kind else float("nan")
    stop = 8.0 if "stop" in kind else float("nan")
    request = Request("0a1b2c-zz-12s", "AAPL", 1, kind, 10.0, limit, stop)
    body = order_body(request, "SIM1", False)
    assert body.keys() >= REQUIRED
    assert set(body) <= ASKED
    assert len(body["OrderConfirmID"]) <= 22
    assert all(isinstance(body[x], str) for x in body.keys() - {"TimeInForce", "OSOs"})
    assert body["OrderType"] in ("Market", "Limit", "StopMarket", "StopLimit")
    pair = group_body((request, request), "SIM1", False)
    assert pair.keys() == {"Type", "Orders"}
    assert pair["Type"] in ("BRK", "OCO", "NORMAL")
