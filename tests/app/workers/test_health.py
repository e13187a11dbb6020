"""Whether a session lives, and whether it is fit for its work: two questions, two answers."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intrabar.app.cli.health import health as ask
from intrabar.app.cli.health import in_haste
from intrabar.app.workers.health import Health, Readiness
from intrabar.app.workers.signs import Signs
from intrabar.engine.session.plan import Plan
from intrabar.errors import ConfigError
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run as in_virtual_time
from intrabar.model.bars import DAY_NS
from intrabar.model.entry import Entry
from tests.app.workers.lived import lived
from tests.app.workers.test_metrics import Hand, no_problem


def nobody_asks(seconds: float = 0.0) -> bytes:
    raise AssertionError("nobody looks at this")


@contextmanager
def served(clock: Hand, why: list[str] | None = None) -> Iterator[Health]:
    server = Health(clock, lambda: why or [], lambda: b"up 1\n", nobody_asks, port=0)
    try:
        yield server
    finally:
        server.close()


def get(server: Health, path: str, host: str = "127.0.0.1") -> tuple[int, str]:
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65_536), b"")).decode()
    head, _, text = answer.partition("\r\n\r\n")
    return int(head.split()[1]), text


def test_it_lives_while_the_loop_turns() -> None:
    clock = Hand(100.0)
    with served(clock, why=["link source: down"]) as server:
        assert get(server, "/healthz")[0] == 200  # whatever else is wrong
        clock.at += 5.0
        assert get(server, "/healthz")[0] == 200
        clock.at += 0.5
        status, text = get(server, "/healthz")
    assert (status, json.loads(text)) == (503, {"alive": False, "silent_seconds": 5.5})


def test_the_loop_turns_once_a_second_and_says_how_late() -> None:
    lags: list[float] = []

    async def main() -> None:
        clock = LoopClock(0)
        server = Health(clock, lambda: [], nobody_asks, lags.append, port=0)
        beating = asyncio.create_task(server.beating())
        await clock.sleep(60.5)
        assert server.answer("/healthz")[0] == 200
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await clock.sleep(10.0)
        assert server.answer("/healthz")[0] == 503
        server.close()

    in_virtual_time(main())
    assert lags == [0.0] * 60


def test_what_keeps_it_from_its_work_is_said() -> None:
    with served(Hand()) as server:
        assert get(server, "/readyz") == (200, '{"ready": true, "why": []}\n')
    with served(Hand(), ["the journal is away"]) as server:
        for path in ("/readyz", "/health"):
            status, text = get(server, path)
            assert (status, json.loads(text)) == (
                503,
                {"ready": False, "why": ["the journal is away"]},
            )


def test_metrics_and_what_there_is_not() -> None:
    with served(Hand()) as server:
        assert get(server, "/metrics") == (200, "up 1\n")
        assert get(server, "/metrics?x=1")[0] == 200
        assert get(server, "/etc/passwd")[0] == 404
        assert get(server, "/metrics", host="evil.example")[0] == 403
        assert get(server, "/metrics", host="localhost:9464")[0] == 200


def test_a_bug_is_told_to_who_asks(capsys: pytest.CaptureFixture[str]) -> None:
    def why() -> list[str]:
        raise ZeroDivisionError("one over nothing")

    server = Health(Hand(), why, nobody_asks, nobody_asks, port=0)
    try:
        assert get(server, "/metrics")[0] == 500
        assert ask(ready=True, port=server.port) == 1
    finally:
        server.close()
    assert capsys.readouterr().err == "a bug: /readyz: ZeroDivisionError: one over nothing\n"


def test_whatever_is_sent_it_answers_the_next() -> None:
    with served(Hand()) as server:
        for sent in (
            b"",
            b"\0" * 100,
            b"GET\r\n\r\n",
            b"GET " + b"x" * 100_000,
            b"POST / HTTP/1.0",
        ):
            with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
                try:
                    connection.sendall(sent)
                    connection.shutdown(socket.SHUT_WR)
                    connection.recv(100)
                except OSError:
                    pass
        assert get(server, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_told() -> None:
    with served(Hand()) as server, pytest.raises(ConfigError, match=f"port {server.port} cannot"):
        Health(Hand(), lambda: [], nobody_asks, nobody_asks, port=server.port)


# Readiness


class Fit:
    """A session's readiness that can be moved on."""

    def __init__(self, folder: Path, plan: Plan | None = None) -> None:
        session = lived()
        self.signs = Signs(folder, no_problem)
        self.clock = Hand()
        self.is_away = False
        plan = plan or session.session.plan
        self.why = Readiness(plan, self.signs.standing, self.clock, lambda: self.is_away)

    def tell(self, *entries: Entry) -> None:
        self.signs.take(entries)
        self.clock.at = entries[-1].at / 1e9


def test_links_journal_and_the_end(tmp_path: Path) -> None:
    fit = Fit(tmp_path)
    assert fit.why() == ["it is starting"]
    fit.tell(*lived().entries)
    assert fit.why() == []
    at = lived().entries[-1].at
    fit.tell(Entry(at, 0, 0, "link", {"who": "source", "state": "down", "reason": "no answer"}))
    fit.is_away = True
    assert fit.why() == ["link source: down: no answer", "the journal is away"]
    fit.is_away = False
    fit.tell(Entry(at, 0, 0, "link", {"who": "source", "state": "up", "reason": ""}))
    assert fit.why() == []
    fit.tell(Entry(at, 0, 0, "session.stopped", {"reason": "a person stops it"}))
    assert fit.why() == ["it has stopped: a person stops it"]


def test_data_that_are_old_while_the_exchange_is_open(tmp_path: Path) -> None:
    fit = Fit(tmp_path)  # hourly, of no calendar: always open
    fit.tell(*lived().entries)
    fit.clock.at += 2 * 3600
    assert fit.why() == []
    fit.clock.at += 1
    assert fit.why() == ["no row for 7201 s of a session, at most 7200"]


def test_daily_rows_are_old_when_two_sessions_have_closed(tmp_path: Path) -> None:
    plan = lived().session.plan
    shares = tuple(replace(x, calendar="NYSE") for x in plan.instruments)
    fit = Fit(tmp_path, replace(plan, period=DAY_NS, instruments=shares))
    friday = datetime(2024, 1, 5, 21, tzinfo=UTC).timestamp()
    fit.tell(*lived().entries[:1], Entry(0, 0, 0, "row.closed", {"time": 0, "bars": []}))
    fit.signs.standing.started = fit.signs.standing.row_time = round(friday * 1e9)
    fit.clock.at = datetime(2024, 1, 9, 21, 15, tzinfo=UTC).timestamp()  # Tuesday
    assert fit.why() == []
    fit.clock.at += 1
    assert fit.why() == [
        "no row since 2024-01-05T21:00:00.000000000+0000, and two sessions have closed"
    ]


# The command


def test_the_command_asks(capsys: pytest.CaptureFixture[str]) -> None:
    with served(Hand()) as server:
        assert ask(port=server.port) == 0
        assert ask(ready=True, port=server.port) == 0
    assert capsys.readouterr().out == "alive\nready\n"
    with served(Hand(), ["the journal is away"]) as server:
        assert ask(ready=True, port=server.port) == 1
    assert capsys.readouterr().err == "the journal is away\n"
    assert ask(port=server.port) == 5
    assert "no session answers" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], ["--port"], ["--port", "x"], ["--redy"], ["-5"]])
def test_what_it_does_not_know_is_left_to_the_command_line(words: list[str]) -> None:
    assert in_haste(words) is None


def test_it_loads_next_to_nothing() -> None:
    with served(Hand()) as server:
        code = (
            "import sys; sys.argv = ['intrabar', 'health', '--port', sys.argv[1]]\n"
            "from intrabar.__main__ import main\n"
            "try: main()\n"
            "except SystemExit as end: code = end.code\n"
            "heavy = {'numpy', 'numba', 'polars', 'cyclopts', 'rich'} & set(sys.modules)\n"
            "sys.exit(repr(heavy) if heavy else code)"
        )
        found = subprocess.run(
            [sys.executable, "-c", code, str(server.port)],
            capture_output=True, text=True, env=dict(os.environ), timeout=60, check=False,
        )  # fmt: skip
    assert (found.returncode, found.stdout, found.stderr) == (0, "alive\n", "")
