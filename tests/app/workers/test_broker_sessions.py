"""Whole sessions with the simulated broker: they are paper, whenever their process dies."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from intrabar.app.compose.broker_fills import SIMULATED, Answered
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import recorded_session
from intrabar.app.compose.session_setup import SessionSetup
from intrabar.app.workers.lived import Lived
from intrabar.app.workers.paper import live_through
from intrabar.app.workers.simulated_exchange import FILE, SimulatedExchange
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.engine.session.rerun import rerun
from intrabar.errors import StoreError
from intrabar.journal.emergency import Emergency
from intrabar.journal.journal import Journal
from intrabar.model.broker_facts import AccountFacts
from intrabar.model.entry import Entry
from intrabar.model.instrument import Instrument
from tests.engine.chunks.test_chunks import walk
from tests.live.bots import BOTS

WARM_UP = 48
ANSWERED = Answered(
    SIMULATED, AccountFacts(SIMULATED, {"kind": "paper"}, "USD"), SimulatedBroker.can, "paper"
)


class Killed(BaseException):
    """The process is gone."""


@dataclass
class World:
    """A session of one bot on hourly bars, in a folder."""

    folder: Path
    bot: str = "CoinFlip, FixedRatio"
    rows: int = 90
    seed: int = 1
    until: int = 2**62  # bars that close later have not come yet

    def setup(self, name: str, answered: Answered | None = ANSWERED) -> SessionSetup:
        bars = [walk("A", self.seed, self.rows, 0.1), walk("B", self.seed + 1, self.rows, 0.3)]
        bars = [b.between(0, self.until) for b in bars]
        terms: dict[str, Any] = {"calendar": "24/7", "fee_per_trade": 1.0, "tick_size": 0.01}
        instruments = {s: Instrument(s, initial_margin_rate=0.1, **terms) for s in "AB"}
        given: dict[str, Any] = {"cash": 50_000.0, "instruments": instruments}
        strategies = BOTS[self.bot](Random(self.seed), self.rows)
        recipe = Recipe.of_call(strategies, bars, given)  # type: ignore[arg-type]
        live = {"warm_up": WARM_UP, "folder": str(self.folder)}
        config = recipe.config
        config = config.model_copy(
            update={"live": config.live.model_copy(update=live), "session_end": "calendar"}
        )
        return recorded_session(replace(recipe, config=config), name, answered=answered)

    def live(self, name: str = "main", answered: Answered | None = ANSWERED) -> Lived:
        return live_through(self.setup(name, answered))

    def fills(self, name: str = "main") -> list[tuple[str, ...]]:
        with (self.folder / name / "fills.csv").open() as file:
            return [
                (x["time"], x["symbol"], x["side"], x["qty"], x["price"], x["cost"])
                for x in csv.DictReader(file)
            ]

    def sent(self, name: str = "main") -> list[str]:
        """The client ids of all orders that have reached the broker, in order."""
        lines = (self.folder / name / FILE).read_text().splitlines()
        found = [json.loads(line) for line in lines]
        return [one["client_id"] for line in found for one in line.get("group", ())]


def stands(lived: Lived) -> tuple[Any, ...]:
    session = lived.session
    return session.count, session.equity, session.cash, session.positions


@pytest.mark.parametrize(
    "bot",
    [
        "CoinFlip, FixedPercent",
        "CoinFlip, FixedRatio",
        "CoinFlip, TrailingATR",
        "MovingAverageCrossover, TrailingATR",
        "TrendFollowing, FixedRatio, interpreted",
    ],
)
def test_a_market_behind_the_broker_is_paper(tmp_path: Path, bot: str) -> None:
    world = World(tmp_path, bot, rows=150)
    paper, broker = world.live("paper", None), world.live("broker")
    assert stands(broker) == stands(paper)
    assert world.fills("broker") == world.fills("paper")
    assert len(world.fills("broker")) > 2
    assert len(set(world.sent("broker"))) == len(world.sent("broker"))


def test_what_it_journals_is_worked_out_again_record_by_record(tmp_path: Path) -> None:
    world = World(tmp_path)
    lived = world.live()
    entries = lived._entries()
    plan = world.setup("main").as_begun(entries[0].body).plan
    made = rerun(plan, entries)
    assert made.difference is None
    assert made.session.machine.digest() == lived.digest


def test_a_session_that_goes_on_ends_as_one_that_was_never_stopped(tmp_path: Path) -> None:
    whole = stands(World(tmp_path / "whole").live())
    times = walk("A", 1, 90, 0.1).close_time
    World(tmp_path / "part", until=int(times[65])).live()
    again = World(tmp_path / "part")
    assert stands(again.live()) == whole
    assert again.fills() == World(tmp_path / "whole").fills()
    assert len(set(again.sent())) == len(again.sent())


def dying(monkeypatch: pytest.MonkeyPatch, place: int, before: bool) -> Callable[[], bool]:
    """Let the process die at a commit; whether it has come there."""
    append, count = Journal.append, [0]

    def at(self: Journal, entries: Any) -> int:
        count[0] += 1
        if count[0] == place and before:
            raise Killed
        seq = append(self, entries)
        if count[0] == place:
            raise Killed
        return seq

    monkeypatch.setattr(Journal, "append", at)
    return lambda: count[0] >= place


def deaths(monkeypatch: pytest.MonkeyPatch, folder: Path, step: int) -> int:
    """Die at every so-manieth commit, before and after it, and go on; how often that was."""
    rows = WARM_UP + 16
    World(folder / "whole", rows=rows).live()
    whole = World(folder / "whole", rows=rows)
    expected, died = stands(whole.live()), 0
    for place in range(1, 10_000, step):
        for before in (True, False):
            world = World(folder / f"{place}-{before}", rows=rows)
            with monkeypatch.context() as patch:
                has_died = dying(patch, place, before)
                try:
                    world.live()
                except Killed:
                    died += 1
                if not has_died():
                    return died
            assert stands(world.live()) == expected, (place, before)
            assert world.fills() == whole.fills(), (place, before)
            assert len(set(world.sent())) == len(world.sent()), (place, before)
    raise AssertionError("it does not end")


def test_killed_at_many_commits_the_books_are_those_of_the_uninterrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deaths(monkeypatch, tmp_path, 13) >= 6


@pytest.mark.slow
def test_killed_at_every_commit_the_books_are_those_of_the_uninterrupted_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert deaths(monkeypatch, tmp_path, 1) > 60


@pytest.mark.parametrize("place", [1, 2])
def test_killed_after_an_order_has_left_it_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    expected = stands(World(tmp_path / "whole").live())
    world, submit, append = World(tmp_path / "killed"), SimulatedExchange.submit, Journal.append
    left: list[Any] = []

    async def leaving(self: SimulatedExchange, group: Any) -> Any:
        left.append(group)
        return await submit(self, group)

    def dead(self: Journal, entries: Any) -> int:
        if len(left) >= place:  # it is there, and nothing is written any more
            raise Killed
        return append(self, entries)

    with monkeypatch.context() as patch:
        patch.setattr(SimulatedExchange, "submit", leaving)
        patch.setattr(Journal, "append", dead)
        with pytest.raises(Killed):
            world.live()
    assert stands(world.live()) == expected
    assert len(set(world.sent())) == len(world.sent())


def test_while_the_journal_is_away_nothing_is_decided_and_it_halts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    append, count = Journal.append, [0]

    def away(self: Journal, entries: Any) -> int:
        count[0] += 1
        if count[0] == 60:
            raise StoreError("the disk is full")
        return append(self, entries)

    monkeypatch.setattr(Journal, "append", away)
    monkeypatch.setattr(Journal, "reconcile_last", lambda self: "nothing open")
    monkeypatch.setattr("intrabar.app.workers.commits.PAUSE", 0.0)
    lived = world.live()
    assert lived.level.word == "halted"
    told: list[Entry] = lived._entries()
    assert any(e.kind == "emergency" for e in told)


def test_what_was_sent_without_a_journal_is_ours_at_the_next_start(tmp_path: Path) -> None:
    times = walk("A", 1, 90, 0.1).close_time
    first = World(tmp_path, until=int(times[65]))
    lived = first.live()
    (held,) = lived.session.positions
    door = lived.session.door
    assert door is not None
    name, side = f"{door.rules.code}-e1", -1 if held["qty"] > 0 else 1
    deed = {"kind": "exit", "at": int(times[65]), "name": name, "symbol": held["symbol"]}
    deed |= {"side": side, "qty": abs(held["qty"])}
    emergency = Emergency([tmp_path / "main"])
    emergency.halt(int(times[65]), "the disk was full")
    emergency.note({"deed": deed})
    order = {"client_id": name, "type": "market", "reduce_only": True}
    order |= {x: deed[x] for x in ("symbol", "side", "qty")}
    with (tmp_path / "main" / FILE).open("a") as file:  # it has reached the broker
        file.write(json.dumps({"time": int(times[65]), "group": [order]}) + "\n")
    again = World(tmp_path).live()
    assert again.level.word == "halted"
    assert again.session.positions == []
    assert not emergency.lines()
    assert again.session.door is not None
    assert again.session.door.tickets[name].state.value == "filled"
    assert "foreign" not in str(again.session.door.tickets)
