"""Real money, paper money and who answers: what is refused, and with which exit code."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from intrabar.app.cli import live
from intrabar.app.cli.main import run
from intrabar.brokers.known import BROKERS
from intrabar.brokers.simulated import SimulatedBroker
from intrabar.errors import AuthError, GateError
from intrabar.links.broker import Offer
from intrabar.model.broker_facts import AccountFacts, Snapshot
from intrabar.risk.gates import Arming, check_armed

ALL = frozenset({"orders", "fills", "positions", "balance"})


class Answering:
    """A broker that says who it is, and nothing else."""

    can = SimulatedBroker.can
    signs: ClassVar[dict[str, str]] = {"host": "paper", "id": "paper"}
    id = "77"
    error: Exception | None = None

    def __init__(self, credentials: dict[str, Any], wanted: Any, clock: Any) -> None:
        self.wanted = wanted

    async def connect(self) -> AccountFacts:
        if self.error is not None:
            raise self.error
        return AccountFacts(self.id, dict(self.signs), "USD")

    async def snapshot(self, since: int) -> Snapshot:
        return Snapshot(0, ALL, balance=12_345.0)

    async def close(self) -> None:
        return None


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> type[Answering]:
    class Own(Answering):
        pass

    monkeypatch.setitem(BROKERS._own, "answering", Offer(Own, Own.can))  # type: ignore[arg-type]
    return Own


def file(tmp_path: Path, more: str = "", live_more: str = "") -> str:
    path = tmp_path / "it.yaml"
    path.write_text(
        f"""
symbols: [A]
calendar: 24/7
strategies: [{{name: CoinFlip, params: {{exit: {{name: FixedPercent}}}}}}]
brokerage: {{name: answering}}
live: {{account: "77", capital: 1000, period: 1h, folder: {tmp_path}{live_more}}}
{more}
""",
        encoding="utf-8",
    )
    return str(path)


REAL = """
trading: {mode: live}
risk: {max_daily_loss_pct: 2, max_position_size_pct: 10, max_order_value: 100, allowed_symbols: [A]}
"""


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = run(arguments)
    return code, capsys.readouterr().err


def test_the_file_is_the_first_gate(
    tmp_path: Path, answering: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = said(capsys, "live", file(tmp_path))
    assert code == 4
    assert "trading.mode is 'simulation'" in told
    assert "risk.max_order_value is missing" in told


@pytest.mark.parametrize(
    ("command", "signs"),
    [
        ("live", {"host": "paper", "id": "paper"}),
        ("live", {"host": "live", "id": "paper"}),
        ("live", {"host": "live", "id": "?"}),
        ("live", {}),
        ("paper", {"host": "live", "id": "live"}),
        ("paper", {"host": "live", "id": "paper"}),
        ("paper", {}),
    ],
)
def test_the_wire_is_the_second_gate(
    tmp_path: Path,
    answering: Any,
    capsys: pytest.CaptureFixture[str],
    command: str,
    signs: dict[str, str],
) -> None:
    answering.signs = signs
    more = REAL if command == "live" else ""
    flags = ["--broker", "answering"] if command == "paper" else []
    code, told = said(capsys, command, file(tmp_path, more), *flags)
    assert "account 77 is refused" in told
    assert code == 4


def test_another_account_and_a_refused_login_are_one_sentence(
    tmp_path: Path, answering: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answering.id = "78"
    code, told = said(capsys, "paper", file(tmp_path), "--broker", "answering")
    assert (code, told.count("\n")) == (4, 1)
    assert "answers for account 78, the file names 77" in told
    answering.error = AuthError("the key is refused; make a new one")
    code, told = said(capsys, "paper", file(tmp_path), "--broker", "answering")
    assert (code, told.count("\n")) == (4, 1)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--broker", "answerin"], "did you mean 'answering'?"),
        (["--broker", "simulated"], "give --recorded too"),
        (["--broker", "answering", "--recorded", "data"], "does not fill bars of the past"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path,
    answering: Any,
    capsys: pytest.CaptureFixture[str],
    flags: list[str],
    told: str,
) -> None:
    code, error = said(capsys, "paper", file(tmp_path), *flags)
    assert code == 2
    assert told in error


def test_an_arming_that_nobody_can_read_is_none(tmp_path: Path) -> None:
    assert live._arming(tmp_path) is None
    (tmp_path / live.ARMED).write_text("{", encoding="utf-8")
    with pytest.raises(GateError, match="type it again"):
        live._arming(tmp_path)
    arming = Arming("77", "abc", time.time_ns(), "me", "here")
    (tmp_path / live.ARMED).write_bytes(msgspec.json.encode(arming))
    check_armed(live._arming(tmp_path), "77", "abc", time.time_ns())
    with pytest.raises(GateError, match="have changed"):
        check_armed(live._arming(tmp_path), "77", "other", time.time_ns())
