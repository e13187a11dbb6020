"""`intrabar broker login`: a person's answer in a browser becomes a token in a file."""

from __future__ import annotations

import asyncio
import os
import re
import stat
import threading
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from intrabar.app.cli import broker_login
from intrabar.app.cli.main import run
from intrabar.brokers.fakes.tradestation import FakeTradeStation
from tests.links.tradestation.test_login import browse, free_port


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [x for x in os.environ if x.startswith("TRADESTATION")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["alpaca"], "there is no login at alpaca"),
        (["tradestation"], "TRADESTATION_REFRESH_TOKEN_FILE"),
        (["tradestation", "--token-file", "t", "--port", "0"], "--port is 0"),
        (["tradestation", "--token-file", "t"], "TRADESTATION_CLIENT_ID"),
        (["tradestation", "--token-file", "."], "--token-file"),
    ],
)
def test_what_is_missing_is_said_before_anybody_logs_in(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["broker", "login", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "t").exists()


def test_a_login_puts_the_token_where_sessions_find_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, ready, over = free_port(), threading.Event(), threading.Event()
    fake = FakeTradeStation()
    monkeypatch.setenv("TRADESTATION_CLIENT_ID", "an-api-key")
    begun: list[str] = []
    begin = broker_login.begin

    def noted(*asked: object) -> object:
        made = begin(*asked)  # type: ignore[arg-type]
        begun.append(made.url)
        return made

    def elsewhere() -> None:
        async def main() -> None:
            await fake.start()
            ready.set()
            while not begun:
                await asyncio.to_thread(over.wait, 0.01)
            state = parse_qs(urlsplit(begun[0]).query)["state"][0]
            await browse(port, f"code=the-code&state={state}")
            await asyncio.to_thread(over.wait, 10.0)
            await fake.stop()

        asyncio.run(main())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    ready.wait(10.0)
    monkeypatch.setattr(broker_login, "LIVE", fake.service)
    monkeypatch.setattr(broker_login, "begin", noted)
    file = tmp_path / "keys" / "tradestation.token"
    try:
        arguments = ["tradestation", "--token-file", str(file), "--port", str(port)]
        assert run(["broker", "login", *arguments]) == 0
    finally:
        over.set()
        thread.join()
    out, err = capsys.readouterr()
    assert file.read_text() == fake.refresh_token
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"TRADESTATION_REFRESH_TOKEN_FILE={file}" in out
    assert re.search(r"^http\S+/authorize\?\S+$", err, re.M)
    assert fake.refresh_token not in out + err
    assert [x.name for x in file.parent.iterdir()] == [file.name]
