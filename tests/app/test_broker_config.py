"""What a file says of a broker, and what is refused of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrabar.app.config.file import read_config
from intrabar.errors import ConfigError


def read(tmp_path: Path, text: str, purpose: str = "live") -> tuple[object, list[str]]:
    (tmp_path / "it.yaml").write_text(f"symbols: [A]\n{text}\n", encoding="utf-8")
    return read_config(tmp_path / "it.yaml", purpose)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("live: {fils: broker}", "live.fils: unknown key; did you mean 'fills'?"),
        ("live: {fills: brokr}", "live.fills: is 'brokr'"),
        ("live: {account: 123}", "live.account: is 123, must stand in quotes: '123'"),
        ("live: {account: ' '}", "live.account: is empty"),
        ("live: {capital: 0}", "live.capital: is 0, must be above 0, or 'all'"),
        ("live: {capital: .nan}", "live.capital: is nan"),
        ("live: {absence_after: 29}", "live.absence_after: is 29, must be at least 30"),
        ("live: {naked_seconds: 0}", "live.naked_seconds: is 0, must be above 0"),
        ("live: {on_stop_refused: sell}", "live.on_stop_refused: is 'sell'"),
        ("live: {foreign: any}", "live.foreign: is 'any'"),
        ("live: {expire_days: -1}", "live.expire_days: is -1"),
        ("live: {maintenance: ['23:45']}", "live.maintenance[0]: is '23:45'"),
        ("live: {maintenance: ['23:45-00:45 Mars']}", "live.maintenance[0]: is"),
        ("live: {maintenance: ['01:00-01:00 UTC']}", "live.maintenance[0]: is"),
        ("brokerage: {}", "brokerage.name: is missing"),
        ("brokerage: {name: x, credential: {}}", "did you mean 'credentials'?"),
        ("mode: paper\ntrading: {mode: live}", "mode: is 'paper', and trading.mode is 'live'"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text)
    assert told in str(refused.value)


def test_real_money_is_for_live_alone(tmp_path: Path) -> None:
    config, _ = read(tmp_path, "trading: {mode: live}")
    assert config.mode == "live"  # type: ignore[attr-defined]
    for purpose in ("backtest", "paper"):
        with pytest.raises(ConfigError, match=f"'live' is no {purpose}"):
            read(tmp_path, "trading: {mode: live}", purpose)


def test_references_to_keys_stay_references(tmp_path: Path) -> None:
    text = "brokerage: {provider: public, credentials: {api_key: '${NO_SUCH_VARIABLE}'}}"
    config, remarks = read(tmp_path, text)
    assert config.brokerage.name == "public"  # type: ignore[attr-defined]
    assert config.brokerage.credentials == {"api_key": "${NO_SUCH_VARIABLE}"}  # type: ignore[attr-defined]
    assert not remarks
    config, remarks = read(tmp_path, text, "backtest")
    assert config.brokerage is None  # type: ignore[attr-defined]
    assert remarks == ["brokerage is not read: a backtest sends no order"]


def test_symbols_of_a_strategy_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    text = "strategies: [{name: CoinFlip, symbols: [A]}]"
    _, remarks = read(tmp_path, text, "backtest")
    assert "symbols of CoinFlip: only a session with a broker reads them" in remarks[0]
    _, remarks = read(tmp_path, text, "paper")  # the command says it there
    assert not remarks
