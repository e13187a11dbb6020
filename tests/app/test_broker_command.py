"""`intrabar broker`: the list, and the check of an account."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli.main import run
from intrabar.brokers.checking import Check, Checker
from intrabar.links.broker import Wanted
from intrabar.model.broker_facts import Change, Outcome, Ref, Request
from tests.brokers.test_conformance import NamesNothing
from tests.brokers.wired import SimulatedStage, Wired

FIVE = {"tradestation", "ibkr", "alpaca", "public", "moomoo"}


def test_the_list_has_the_five_with_their_proofs(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["broker", "list", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert {*FIVE, "simulated"} <= set(found)
    for one in found.values():
        if one["shipped"]:
            assert one["tests"] >= 60
            assert one["source"]
            assert one["install"] or "limit" in one["can"]["types"]
        else:
            assert one["why"]
    assert run(["broker", "list"]) == 0
    assert "tradestation" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("public --orders --account 1", "Public has no paper accounts; `intrabar paper` simulates"),
        ("alpca --account 1", "did you mean 'alpaca'"),
        ("simulated --account x", "has no account to connect to"),
        ("alpaca", "live.account"),
        ("alpaca --config there.yaml", "brokerage.name of there.yaml is tradestation"),
        ("alpaca --config none.yaml", "none.yaml"),
    ],
)
def test_a_check_that_cannot_be_is_a_sentence(
    line: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.yaml").write_text("brokerage: {name: tradestation}\nsymbols: [AAPL]\n")
    assert run(["broker", "check", *line.split()]) != 0
    assert says in capsys.readouterr().err


class Moving(Wired):
    """Its market goes on when something was asked."""

    async def submit(self, group: tuple[Request, ...]) -> tuple[Outcome, ...]:
        return await self._then(super().submit(group))

    async def replace(self, ref: Ref, change: Change) -> Outcome:
        return await self._then(super().replace(ref, change))

    async def cancel(self, ref: Ref) -> Outcome:
        return await self._then(super().cancel(ref))

    async def _then(self, call: Any) -> Any:
        found = await call
        await self.stage.settle()
        return found


class MovingWithoutNames(NamesNothing, Moving):
    pass


def checked(make: type[Wired], limit: float | None) -> tuple[list[Check], SimulatedStage]:
    async def main() -> tuple[list[Check], SimulatedStage]:
        stage = SimulatedStage(make)
        wanted = Wanted("simulated", "paper", ("A",))
        checks = await Checker(make(stage, wanted), wanted, 0.3).run(limit)
        return checks, stage

    return asyncio.run(main())


def test_a_check_reads_and_with_an_order_leaves_nothing_behind() -> None:
    checks, stage = checked(Moving, None)
    assert all(one.holds for one in checks), checks
    assert stage.orders() == []
    checks, stage = checked(Moving, 1.0)
    assert all(one.holds for one in checks), checks
    assert [order.status for order in stage.orders()] == ["cancelled"]
    assert {"echoes_id", "replace", "it changes the order"} <= {one.what for one in checks}


def test_a_check_finds_what_an_adapter_says_wrongly() -> None:
    checks, _ = checked(MovingWithoutNames, 1.0)
    (wrong,) = [one for one in checks if one.holds is False]
    assert wrong.what == "echoes_id"


def test_what_could_not_be_cancelled_is_named() -> None:
    class Keeps(Moving):
        async def cancel(self, ref: Ref) -> Outcome:
            return (await self.submit((ref.order,)))[0]  # a refusal: its name is taken

    checks, _ = checked(Keeps, 1.0)
    assert any("CANCEL IT BY HAND" in one.text and one.holds is False for one in checks)
