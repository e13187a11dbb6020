"""Frames and answers that others have recorded, through the adapter, and beside the fake's own."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.brokers.fakes.tradestation_data import FakeMarket
from intrabar.brokers.tradestation.adapter import TradeStation
from intrabar.brokers.tradestation.looks import Looks
from intrabar.brokers.tradestation.orders import changed, outcomes
from intrabar.brokers.tradestation.reading import held, order_fact
from intrabar.errors import LinkError
from intrabar.links.broker import Wanted
from intrabar.links.clock import WallClock
from intrabar.links.tradestation.client import Reply
from intrabar.links.tradestation.market_data import quote_of, row_of
from intrabar.model.bars import DAY_NS
from intrabar.model.broker_facts import Accepted, OrderFact, Request
from tests.brokers.tradestation.served import client_of, served
from tests.data.live.samples import ns

HERE = Path(__file__).parent / "recorded"
CASES = [json.loads(line) for line in (HERE / "order_frames.jsonl").read_text().splitlines()]
ANSWERS = json.loads((HERE / "answers.json").read_text())
ENDS = {
    "a stop that is hit": (1.0, 43.03),
    "a stop limit that a person edits, then hit": (2.0, 339.25),
    "a stop without its hit": (1.0, 352.87),
    "a stop that is filled at once": (1.0, 233.96),
    "a limit that is moved and filled": (100.0, 272.22),
    "a limit that a person moves twice": (100.0, 20.57),
    "a change that meets the fill": (100.0, 272.22),
    "a fill that the stream lost, in the next snapshot": (1.0, 298.38),
}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_a_recorded_life_is_told_by_the_stream(case: dict[str, Any], tmp_path: Path) -> None:
    frames = case["frames"]

    async def test(fake: FakeTradeStation) -> list[OrderFact]:
        fake.account.id = "SIM2784990M"
        clock = WallClock()
        wanted = Wanted("SIM2784990M", "paper", ())
        broker = TradeStation(client_of(fake, tmp_path), wanted, clock)
        found: list[OrderFact] = []
        async for fact in broker.events():
            if isinstance(fact, OrderFact):
                found.append(fact)
                if len(found) == len(frames):
                    break
            elif fact.state == "up":
                for frame in frames:
                    fake.say(frame)
        await broker.close()
        return found

    told = served(FakeTradeStation, test)
    assert {fact.vendor_id for fact in told} == {frames[0]["OrderID"]}
    totals = [fact.filled for fact in told]
    assert totals == sorted(totals)
    if case["case"] not in ENDS:
        assert (told[-1].state, told[-1].filled, told[-1].side) == ("expired", 0.0, -1)
        return
    qty, price = ENDS[case["case"]]
    assert (told[-1].state, told[-1].filled, told[-1].average) == ("filled", qty, price)
    # A frame that says "received" may carry the fill: it counts, the order is alive by its word.
    early = [fact for fact in told[:-1] if fact.filled]
    assert all((fact.state, fact.average) == ("working", price) for fact in early)
    assert all(fact.state == "working" for fact in told[:-1])


def test_a_quantity_without_a_price_is_no_fill() -> None:
    good, expired, sold = map(order_fact, ANSWERS["historicalorders"]["Orders"])
    assert (good.symbol, good.side, good.filled, good.average) == ("TYH25", 1, 1.0, 108.4375)
    assert (expired.state, expired.filled) == ("expired", 0.0)
    assert math.isnan(expired.average)
    assert (sold.side, sold.type, sold.state) == (-1, "market", "filled")
    assert good.time == ns("2025-01-24T18:05:03.999999999")


def test_recorded_answers_are_read() -> None:
    assert held(ANSWERS["positions"]["Positions"][0]) == ("AMDY", (1050.0, 7.92))
    bars = [row_of("MSFT", one, DAY_NS) for one in ANSWERS["bars"]["Bars"]]
    assert [bar.stamp for bar in bars] == [ns("2025-03-25"), ns("2025-03-31")]
    assert (bars[0].open, bars[0].close, bars[0].volume) == (393.92, 395.16, 15774968.0)
    assert row_of("MSFT", ANSWERS["bars"]["Bars"][0], 60 * 10**9).stamp == ns("2025-03-25T20:00")
    quote = quote_of("TLT", ANSWERS["quotes"]["Quotes"][0])
    assert quote is not None
    assert (quote.price, quote.bid, quote.ask) == (92.7001, 92.67, 92.73)
    assert quote.time == ns("2025-04-02T23:59:22")
    request = Request("x", "PLTR", 1, "limit", 100.0, limit_price=75.0)
    assert outcomes((request,), Reply(200, ANSWERS["placed"])) == (Accepted("5555555555"),)
    assert changed(Reply(200, ANSWERS["replaced"]), "5555555555") == Accepted("5555555555")


def test_an_account_that_a_look_lacks_is_an_error(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        client = client_of(fake, tmp_path)
        with pytest.raises(LinkError, match="Forbidden"):
            await Looks(client, "123456782C", WallClock()).of_money()
        await client.close()

    served(FakeTradeStation, test)


def shape(told: Any) -> Any:
    """Names and kinds of values; of a list that of its first."""
    if isinstance(told, dict):
        return {key: shape(value) for key, value in told.items()}
    if isinstance(told, list):
        return [shape(told[0])] if told else []
    return type(told).__name__


def lacks(mine: Any, theirs: Any, place: str = "") -> list[str]:
    """Where the fake's answer has what nobody has recorded, or of another kind."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        own = [f"{place}.{key} is new" for key in mine.keys() - theirs.keys()]
        both = mine.keys() & theirs.keys()
        return own + [x for key in both for x in lacks(mine[key], theirs[key], f"{place}.{key}")]
    if isinstance(mine, list) and isinstance(theirs, list):
        return lacks(mine[0], theirs[0], place) if mine and theirs else []
    return [] if mine == theirs else [f"{place}: {mine}, not {theirs}"]


def test_the_fake_writes_what_was_recorded(tmp_path: Path) -> None:
    frames = [frame for case in CASES for frame in case["frames"]]
    order: dict[str, Any] = {}
    for frame in (*frames, *ANSWERS["historicalorders"]["Orders"]):
        order |= {key: value for key, value in frame.items() if key != "Legs"}
    order["Legs"] = [{k: v for frame in frames for k, v in frame["Legs"][0].items()}]

    async def test(fake: FakeTradeStation) -> None:
        client, place = client_of(fake, tmp_path), f"/brokerage/accounts/{fake.account.id}"
        await client.send("POST", "/orderexecution/orders", BODY)
        fake.account.fill("900000001", 3.0, 9.5)
        answers = {
            "accounts": await client.read("/brokerage/accounts"),
            "balances": await client.read(f"{place}/balances"),
            "positions": await client.read(f"{place}/positions"),
            "quotes": {"Quotes": (await client.read("/marketdata/quotes/AAPL"))["Quotes"]},
            "bars": await client.read(
                "/marketdata/barcharts/AAPL",
                {
                    "unit": "Minute",
                    "interval": "1",
                    "firstdate": "2026-03-02T15:00:00Z",
                    "lastdate": "2026-03-02T15:10:00Z",
                },
            ),
        }
        for name, mine in answers.items():
            assert lacks(shape(mine), shape(ANSWERS[name])) == [], name
        listed = (await client.read(f"{place}/orders"))["Orders"]
        assert lacks(shape(listed[0]), shape(order)) == []
        await client.close()

    served(lambda: FakeTradeStation(market=FakeMarket({"AAPL": 100.0})), test)


BODY = {
    "AccountID": "SIM0000001M",
    "Symbol": "AAPL",
    "Quantity": "10",
    "OrderType": "Limit",
    "LimitPrice": "9.5",
    "TradeAction": "BUY",
    "TimeInForce": {"Duration": "GTC"},
    "OrderConfirmID": "0a1b2c-1-0",
}
