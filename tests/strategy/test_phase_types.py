"""Looking ahead does not compile: a type per phase, refused by mypy and by the interpreter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mypy import api

from intrabar.errors import CausalityError, StrategyError
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtOpen
from tests.strategy.markets import run_of, walk

SOURCE = Path(__file__).parents[2] / "src"

PROGRAM = """
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose, AtOpen


class Mine(Strategy):
    def on_open(self, now: AtOpen) -> None:
        if now.{at_open} > now.previous_close:
            now.buy(1, {option}=now.open - 1.0)

    def on_close(self, now: AtClose) -> None:
        if now.{at_close} < now.history("close", 2)[0]:
            now.close_position()
"""


class Asks(Strategy):
    """Asks at the open for what the whole bar would tell."""

    def __init__(self, name: str) -> None:
        self.asked = name
        self.error: Exception | None = None

    def on_open(self, now: AtOpen) -> None:
        try:
            getattr(now, self.asked)
        except CausalityError as e:
            self.error = e
            raise


@pytest.mark.parametrize("name", ["high", "low", "close", "volume"])
def test_the_rest_of_the_bar_is_refused_at_the_open_with_a_sentence(name: str) -> None:
    strategy = Asks(name)
    with pytest.raises(StrategyError, match=f"{name} of this bar is not known at OPEN") as caught:
        run_of(walk(5), strategy)
    assert str(strategy.error) == (
        f"{name} of this bar is not known at OPEN, only its open is. Use history({name!r}, 1) "
        "for the bar before, or decide in on_close."
    )
    assert isinstance(strategy.error, AttributeError)
    assert caught.value.__cause__ is strategy.error


def test_an_unknown_name_at_the_open_is_a_plain_attribute_error() -> None:
    class Typo(Strategy):
        def on_open(self, now: AtOpen) -> None:
            now.opne  # type: ignore[attr-defined] # noqa: B018

    with pytest.raises(StrategyError, match="AttributeError: AtOpen has no 'opne'"):
        run_of(walk(5), Typo())


def checked(tmp_path: Path, monkeypatch: Any, **names: str) -> tuple[str, int]:
    """What mypy says of a strategy that reads these names."""
    file = tmp_path / "mine.py"
    file.write_text(PROGRAM.format(**{"option": "stop_loss", **names}))
    monkeypatch.setenv("MYPYPATH", str(SOURCE))
    configuration = tmp_path / "mypy.ini"
    configuration.write_text("[mypy]\nstrict = True\nfollow_imports = silent\n")
    out, err, status = api.run(
        [
            "--config-file",
            str(configuration),
            "--cache-dir",
            str(tmp_path.parent / "mypy"),
            str(file),
        ]
    )
    assert not err
    return out, status


def test_mypy_accepts_what_each_phase_knows(tmp_path: Path, monkeypatch: Any) -> None:
    out, status = checked(tmp_path, monkeypatch, at_open="open", at_close="high")
    assert status == 0, out


@pytest.mark.parametrize("name", ["high", "low", "close", "volume"])
def test_mypy_refuses_the_rest_of_the_bar_at_the_open(
    tmp_path: Path, monkeypatch: Any, name: str
) -> None:
    out, status = checked(tmp_path, monkeypatch, at_open=name, at_close="high")
    assert status == 1
    assert f'"AtOpen" has no attribute "{name}"' in out
    assert "Found 1 error" in out


def test_mypy_knows_the_options_of_an_order(tmp_path: Path, monkeypatch: Any) -> None:
    names = {"at_open": "open", "at_close": "high"}
    out, status = checked(tmp_path, monkeypatch, option="stoploss", **names)
    assert status == 1
    assert 'did you mean "stop_loss"' in out
    assert "Found 1 error" in out
