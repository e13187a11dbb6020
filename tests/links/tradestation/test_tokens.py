"""Tokens of TradeStation: kept in a file, refreshed once for all, written before they are used."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from intrabar.brokers.fakes.faults import Faults
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from intrabar.data.live.vendors import source_named
from intrabar.errors import AuthError, ConfigError, LinkError, SecretError
from intrabar.links.tradestation import tokens as tokens_module
from intrabar.links.tradestation.credentials import token_file
from tests.brokers.tradestation.served import client_of, served, tokens_at
from tests.fast_clock import FastClock


def asked_for_tokens(fake: FakeTradeStation) -> int:
    return sum(call.path == "/oauth/token" for call in fake.server.calls)


def test_a_token_is_asked_for_once_by_all_who_need_it(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        tokens = tokens_at(fake, tmp_path)
        found = await asyncio.gather(*(tokens.access() for _ in range(20)))
        assert set(found) == {"access-1"}
        assert asked_for_tokens(fake) == 1

    served(FakeTradeStation, test)


def test_a_new_refresh_token_is_in_the_file_before_its_token_is_used(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        fake.rotates = True
        tokens = tokens_at(fake, tmp_path)
        file = tmp_path / "refresh.token"
        for n in (1, 2, 3):
            tokens.refused(await tokens.access())
            assert file.read_text() == fake.refresh_token == f"refresh-{n}"
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600

    served(FakeTradeStation, test)


def test_a_disk_that_does_not_take_it_stops_all_calls_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(fake: FakeTradeStation) -> None:
        fake.rotates = True
        tokens = tokens_at(fake, tmp_path)
        real = tokens_module.write_durably

        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(tokens_module, "write_durably", full)
        for _ in range(2):
            with pytest.raises(LinkError, match=r"cannot be written.*No space"):
                await tokens.access()
        assert asked_for_tokens(fake) == 1  # the second time it is not even asked
        monkeypatch.setattr(tokens_module, "write_durably", real)
        assert await tokens.access() == "access-2"
        assert (tmp_path / "refresh.token").read_text() == fake.refresh_token

    served(FakeTradeStation, test)


def test_two_that_share_a_file_do_not_spend_each_others_tokens(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        fake.rotates = True
        one, two = (tokens_at(fake, tmp_path) for _ in range(2))
        for _ in range(3):
            found = await asyncio.gather(one.access(), two.access())
            for tokens, token in zip((one, two), found, strict=True):
                tokens.refused(token)
        assert (tmp_path / "refresh.token").read_text() == fake.refresh_token

    served(FakeTradeStation, test)


def test_a_token_is_renewed_before_its_end(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        clock = FastClock(0, 25.0)
        fake.lifetime = 40  # it is renewed after 20
        tokens = tokens_at(fake, tmp_path, clock)
        assert await tokens.access() == "access-1"
        await clock.sleep(2.0)
        assert await tokens.access() == "access-1"
        await clock.sleep(20.0)
        assert await tokens.access() == "access-2"

    served(FakeTradeStation, test)


def test_a_login_that_is_away_does_not_end_a_token_that_is_still_good(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        clock = FastClock(0, 25.0)
        fake.lifetime = 40
        tokens = tokens_at(fake, tmp_path, clock)
        await tokens.access()
        await clock.sleep(22.0)  # of 40: it would be renewed
        fake.faults.add("token", "500", 3)
        assert await tokens.access() == "access-1"
        await clock.sleep(20.0)
        fake.faults.add("token", "500", 3)
        with pytest.raises(LinkError, match="500"):
            await tokens.access()

    served(FakeTradeStation, test)


def test_a_call_that_is_answered_401_is_made_again_with_another_token(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        client = client_of(fake, tmp_path)
        assert (await client.read("/brokerage/accounts"))["Accounts"]
        fake.faults.add("connect", "expire_token")
        assert (await client.read("/brokerage/accounts"))["Accounts"]
        assert asked_for_tokens(fake) == 2
        await client.close()

    served(FakeTradeStation, test)


def test_a_refresh_token_that_is_worth_nothing_is_said_to_be(tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        tokens = tokens_at(fake, tmp_path)
        (tmp_path / "refresh.token").write_text("one-that-was-stolen")
        with pytest.raises(AuthError, match=r"invalid refresh token.*broker login tradestation"):
            await tokens.access()
        with pytest.raises(AuthError) as error:
            await tokens.access()
        assert "stolen" not in str(error.value)
        (tmp_path / "refresh.token").unlink()
        with pytest.raises(AuthError, match=r"cannot be read.*broker login tradestation"):
            await tokens.access()

    served(FakeTradeStation, test)


@pytest.mark.parametrize("fault", ["garbage", "drop", "lose_answer", "500", "429"])
def test_a_login_that_fails_is_tried_again(fault: str, tmp_path: Path) -> None:
    async def test(fake: FakeTradeStation) -> None:
        tokens = tokens_at(fake, tmp_path, FastClock(0, 1_000.0))
        assert (await tokens.access()).startswith("access-")

    served(lambda: FakeTradeStation(Faults([(("token", 0), fault)])), test)


def test_a_refresh_token_stands_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRADESTATION_REFRESH_TOKEN_FILE", raising=False)
    assert token_file("file:/some/where") == Path("/some/where")
    for reference in (None, "${TRADESTATION_REFRESH_TOKEN}", "a-token-itself"):
        with pytest.raises(SecretError, match="TRADESTATION_REFRESH_TOKEN_FILE") as error:
            token_file(reference)
        assert "a-token" not in str(error.value)
    monkeypatch.setenv("TRADESTATION_REFRESH_TOKEN_FILE", str(tmp_path / "x"))
    assert token_file(None) == tmp_path / "x"


def test_credentials_that_nobody_knows_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"tradestation.*'api_key' is not known"):
        source_named("tradestation", {"api_key": "${X}"})
