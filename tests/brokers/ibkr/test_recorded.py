"""The fake against what Trader Workstation itself has sent: frames that others recorded."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as with_values

from intrabar.brokers.fakes.ibkr import frames
from intrabar.brokers.fakes.ibkr.contracts import Contract, stock
from intrabar.brokers.fakes.ibkr.server import FakeTws
from intrabar.brokers.ibkr.reading import completed_fact, fill_fact, order_fact
from intrabar.links.clock import WallClock
from intrabar.links.ibkr import raw
from intrabar.links.ibkr.hearing import Hearing, StrictDecoder
from intrabar.links.ibkr.wire import Wire
from tests.brokers.ibkr.stages import account

HERE = Path(__file__).parent / "recorded"
AAPL = stock(265598, "AAPL", "APPLE INC")
TSLA = stock(76792991, "TSLA", "TESLA INC")
ES = Contract(
    637533641, "ES", "FUT", "ESU5", "CME", "", trading="ES", expiry="20250919", multiplier="50"
)
PROFILE = {"5": 34, "101": 30}
"""Place of a field that server versions from 177 on leave out."""
ORDER = {"account": "DU1234567", "action": "BUY", "type": "MKT", "qty": 100, "client": 100}
MINE: dict[str, list[str]] = {
    "accounts": frames.accounts("DU1234567"),
    "next_id": frames.next_number(5),
    "open_presubmitted": frames.open_order(
        AAPL, **ORDER, number=5, perm=600745656, status="PreSubmitted", least=100, compete=0.02
    ),
    "status_presubmitted": frames.status(5, "PreSubmitted", 0, 100, 0, 600745656, 100),
    "execution": frames.execution(
        -1, 5, AAPL, exchange="IEX", id="0000e0d5.67fe667b.01.01", time="20250415  19:38:31",
        account="DU1234567", side="BOT", qty=100, price=201.94, perm=600745656, client=100,
        total=100, average=201.94,
    ),
    "open_filled": frames.open_order(
        TSLA, **ORDER, number=13, perm=1376327563, status="Filled", commission="1.0", paid="USD"
    ),
    "status_filled": frames.status(13, "Filled", 100, 0, 196.52, 1376327563, 100, last=196.52),
    "commission": frames.commission("00025b46.63f8f39c.01.01", "1.0", "USD"),
    "status_cancelled": frames.status(41, "Cancelled", 0, 100, 0, 71270927, 100),
    "cancelled": frames.notice(41, 202, "Order Canceled - reason:"),
    "completed_cancelled": frames.completed_order(
        ES, action="BUY", qty=1, type="LMT", limit="1000.0", tif="GTC", account="DU1236109",
        perm=616088517, status="Cancelled", time="20250810 09:07:39 America/Los_Angeles",
        text="Cancelled by Trader",
    ),
    "completed_filled": frames.completed_order(
        AAPL, action="BUY", qty=0, type="MKT", account="DU1234567", perm=1824933227,
        status="Filled", filled=100, time="20230306 12:28:30 America/Los_Angeles",
        text="Filled Size: 100",
    ),
    "completed_end": frames.end(102),
    "contract": frames.details(9000, AAPL),
    "contract_end": frames.end(52, 9000),
    "history": frames.history(
        9000, "20230413  16:31:22", "20230415  16:31:22",
        [
            ("20230413", 182.94, 186.5, 180.94, 185.9, 948837.22),
            ("20230414", 183.88, 186.28, 182.01, 185.0, 810998.27),
        ],
    ),
}  # fmt: skip
OTHERWISE = {
    # What the fake says less of, by the places of fields.
    "contract": {*range(15, 17), *range(22, 25), 26, 27, *range(30, 40)},
    # A field that nobody reads: the price that a trailing stop would have.
    "completed_cancelled": {80},
    # Average price and number of trades of a bar.
    "history": {11, 12, 19, 20},
}


def recorded() -> dict[str, tuple[int, list[str]]]:
    """Server version and fields of each frame, by its name."""
    found = {}
    for line in (HERE / "frames.txt").read_text(encoding="utf-8").splitlines():
        version, _, rest = line.partition(" ")
        name, *fields = rest.split("|")
        found[name] = int(version), fields[:-1]
    return found


RECORDED = recorded()


def heard(fields: list[str], version: int) -> list[Any]:
    """What the client of TWS makes of a frame."""
    found: list[Any] = []
    hearing = Hearing(found.append, lambda key: found.append(("end", key)), lambda: None, UTC)
    decoder = StrictDecoder(hearing)
    decoder.serverVersion = version
    decoder.interpret(list(fields))
    return found


def same(one: str, other: str) -> bool:
    """Whether two fields say the same: 185.9000 is 185.9."""
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


@pytest.mark.parametrize("name", MINE)
def test_a_frame_of_the_fake_is_that_of_tws_field_by_field(name: str) -> None:
    version, theirs = recorded()[name]
    if version < 177 and theirs[0] in PROFILE:
        assert theirs.pop(PROFILE[theirs[0]]) == ""
    mine, aside = MINE[name], OTHERWISE.get(name, set())
    if version < 170 and theirs[0] in PROFILE:  # five fields that later versions have
        theirs = [*theirs, *mine[len(theirs) :]]
    pairs = list(enumerate(zip(mine, theirs, strict=name not in ("contract", "execution"))))
    assert not [(n, a, b) for n, (a, b) in pairs if n not in aside and not same(a, b)]


@pytest.mark.parametrize("name", [x for x in RECORDED if x not in ("hello", "account_values")])
def test_every_recorded_frame_can_be_read(name: str) -> None:
    version, fields = RECORDED[name]
    assert not [fact for fact in heard(fields, version) if isinstance(fact, raw.Garbage)]


def test_the_client_hears_the_same_of_both() -> None:
    for name in ("open_filled", "status_filled", "commission", "completed_filled", "history"):
        version, fields = recorded()[name]
        assert repr(heard(MINE[name], 178)) == repr(heard(fields, version)), name
    ((mine,), (theirs,)) = heard(MINE["contract"], 178), heard(RECORDED["contract"][1], 173)
    blank: dict[str, Any] = {"order_types": frozenset()}
    assert with_values(mine, **blank) == with_values(theirs, **blank)


def test_recorded_frames_are_read_as_they_were_meant() -> None:
    (order,), (status,) = (
        heard(RECORDED[name][1], 173) for name in ("open_presubmitted", "status_presubmitted")
    )
    fact = order_fact(order, status, {})
    assert (fact.vendor_id, fact.symbol, fact.side, fact.type) == ("600745656", "AAPL", 1, "market")
    assert (fact.qty, fact.filled, fact.state) == (100.0, 0.0, "acked")
    assert math.isnan(fact.limit_price)  # TWS writes 0.0 for what the type does not have
    assert math.isnan(fact.stop_price)

    (execution,) = heard(RECORDED["execution"][1], 173)
    fill = fill_fact(execution, {}, raw.NAN)
    at = datetime(2025, 4, 15, 19, 38, 31, tzinfo=UTC)
    assert (fill.id, fill.version) == ("0000e0d5.67fe667b.01", 0)
    assert (fill.qty, fill.price, fill.total) == (100.0, 201.94, 100.0)
    assert fill.time == round(at.timestamp()) * 10**9

    (filled,) = heard(RECORDED["completed_filled"][1], 165)
    over = completed_fact(filled, {}, 151.0)
    assert (over.qty, over.filled, over.state) == (100.0, 100.0, "filled")
    (cancelled,) = heard(RECORDED["completed_cancelled"][1], 173)
    over = completed_fact(cancelled, {}, raw.NAN)
    assert (over.symbol, over.qty, over.state) == ("ESU5", 1.0, "cancelled")
    assert over.limit_price == 1000.0


def test_a_number_that_tws_leaves_unset_is_none() -> None:
    fields = list(MINE["commission"])
    (known,) = heard(fields, 178)
    assert known == raw.Commission("00025b46.63f8f39c.01.01", 1.0, "USD")
    for blank in ("", frames.UNSET):
        fields[3] = blank
        (unknown,) = heard(fields, 178)
        assert math.isnan(unknown.amount)


@pytest.mark.parametrize("name", ["execution", "open_filled", "completed_filled", "contract"])
def test_a_frame_that_is_cut_is_told_and_not_taken(name: str) -> None:
    fields = MINE[name][:-9]
    assert heard(fields, 178) == [raw.Garbage(int(fields[0]), heard(fields, 178)[0].text)]


async def _conversation() -> list[list[str]]:
    """The questions of the recorded session, asked of the fake, and all that it answered."""
    there = account()
    there.symbols = {"AAPL": 210.0, "ESZ6": 6302.0}
    tws = FakeTws(there)
    tws.contracts["AAPL"] = replace(AAPL)
    there.trade("AAPL", -1, 110.0, 201.8829709)
    there.trade("ESZ6", 1, 1.0, 6302.295)
    await tws.start()
    said: list[list[str]] = []
    wire = Wire("127.0.0.1", tws.port, 28, WallClock(), lambda fact: None, seconds=1.0)
    await wire.connect(1.0)
    interpret = wire._client.decoder.interpret
    wire._client.decoder.interpret = lambda f: (said.append(list(f)), interpret(f))
    await wire.positions()
    await wire.values()
    await wire.close()
    await tws.stop()
    return said


def test_the_answers_of_a_recorded_session_come_in_the_order_of_the_fake() -> None:
    lines = (HERE / "session.txt").read_text(encoding="utf-8").splitlines()
    theirs = [line[2:].split("|")[:-1] for line in lines if line.startswith("<")]
    asked = [x for x in theirs if x[0] in ("61", "62", "63", "64")]
    mine = asyncio.run(_conversation())
    kinds = [frame[0] for frame in mine]
    assert kinds == ["61", "61", "62", "63", "63", "63", "63", "64"]
    assert [x[0] for x in asked] == ["61", "61", "62", "63", "63", "63", "64"]
    for one, other in zip(mine[:2], asked[:2], strict=True):
        assert len(one) == len(other)
        assert [one[n] for n in (0, 1, 5, 8, 10, 11)] == [other[n] for n in (0, 1, 5, 8, 10, 11)]
        assert float(one[14]) == float(other[14])
    assert float(mine[0][15]) == 201.8829709
    assert float(mine[1][15]) == 315114.75  # what a contract has cost: price times multiplier
    assert mine[2] == asked[2]
    assert len(mine[3]) == len(asked[3])
    assert mine[-1][:2] == asked[-1][:2]
