"""Notices reach persons, each key once in five minutes, and no secret reaches a log."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest

from intrabar.errors import ConfigError
from intrabar.links.clock import LoopClock
from intrabar.links.notify import EVERY, Notifier, Target
from intrabar.links.simulated_time import run as in_virtual_time
from intrabar.model.secret import Secret

TOKEN = "Tok-en_0f-a-webhook"


class Notice(NamedTuple):
    severity: str
    key: str
    text: str


class Hand:
    """A clock that stands until it is moved."""

    at = 0.0

    def now(self) -> int:
        return round(self.at * 1e9)

    def tick(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody waits here")


class Receiver:
    """A webhook on loopback: what it was sent, and what it answers."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.beats: list[str] = []
        self.status = 200
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.asked.set()
                outer.may_answer.wait(10)
                outer.got.append({"path": self.path, **json.loads(body)})
                self._answer()

            def do_GET(self) -> None:
                outer.beats.append(self.path)
                self._answer()

            def _answer(self) -> None:
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def target(self, number: int = 0) -> Target:
        url = f"json://user:Pass-w0rd_x@127.0.0.1:{self.port}/{TOKEN}"
        return Target(f"live.notify[{number}]", Secret(url))

    def close(self) -> None:
        self.may_answer.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


@contextmanager
def notifier(
    *targets: Target, clock: Any = None, heartbeat: Secret | None = None
) -> Iterator[tuple[Notifier, Any, list[tuple[str, dict[str, Any]]]]]:
    log: list[tuple[str, dict[str, Any]]] = []
    clock = clock or Hand()
    tell = Notifier("main", targets, clock, lambda event, **f: log.append((event, f)), heartbeat)
    try:
        yield tell, clock, log
    finally:
        tell.close()


def events(log: list[tuple[str, dict[str, Any]]]) -> list[str]:
    return [event for event, _ in log]


def test_a_notice_arrives_with_its_severity(receiver: Receiver) -> None:
    with notifier(receiver.target()) as (tell, _, log):
        tell(Notice("page", "journal", "the journal is *away*"))
    (got,) = receiver.got
    assert (got["title"], got["message"]) == ("page: main", "the journal is *away*")
    assert (got["type"], got["path"]) == ("failure", f"/{TOKEN}")
    assert events(log) == ["notice.sent"]


def test_one_of_a_key_in_five_minutes_and_the_count_with_the_next(receiver: Receiver) -> None:
    with notifier(receiver.target()) as (tell, clock, log):
        for second in range(int(EVERY) + 1):
            clock.at = second
            tell(Notice("alarm", "stale", f"stale for {second} s"))
        tell(Notice("alarm", "other", "another key"))
        tell(Notice("alarm", "stale", "held at the end"))
    texts = sorted(got["message"] for got in receiver.got)
    assert texts == [
        "another key",
        "stale for 0 s",
        "stale for 300 s\n(299 more of this since it was last told)",
    ]
    assert log[-1] == ("notice.held", {"key": "stale", "held": 1})


def test_what_is_graver_is_told_at_once(receiver: Receiver) -> None:
    with notifier(receiver.target()) as (tell, _, _):
        for severity in ("info", "page", "info", "alarm", "page"):
            tell(Notice(severity, "link", severity))
    assert sorted(got["message"] for got in receiver.got) == ["info", "page"]


def test_pages_go_before_what_waits(receiver: Receiver) -> None:
    receiver.may_answer.clear()
    with notifier(receiver.target()) as (tell, _, _):
        tell(Notice("info", "first", "first"))
        assert receiver.asked.wait(10)
        for severity in ("info", "alarm", "page"):
            tell(Notice(severity, severity, severity))
        receiver.may_answer.set()
    assert [got["message"] for got in receiver.got] == ["first", "page", "alarm", "info"]


def test_a_target_that_fails_keeps_no_other_from_it_and_is_logged(receiver: Receiver) -> None:
    broken = Receiver()
    broken.status = 503
    gone = Receiver()
    gone.close()
    targets = broken.target(0), gone.target(1), receiver.target(2)
    with notifier(*targets) as (tell, _, log):
        tell(Notice("page", "kill", "killed"))
    broken.close()
    assert [got["message"] for got in receiver.got] == ["killed"]
    assert [(fields["target"], fields["why"]) for event, fields in log[:2]] == [
        ("live.notify[0]", "HTTP 503"),
        ("live.notify[1]", "not delivered"),
    ]
    assert log[2][1]["targets"] == ["live.notify[2]"]


def test_what_reached_nobody_is_told_again_at_once(receiver: Receiver) -> None:
    receiver.status = 500
    told = threading.Event()

    def log(event: str, **fields: Any) -> None:
        if event == "notice.sent":
            told.set()

    tell = Notifier("main", [receiver.target()], Hand(), log)
    tell(Notice("page", "kill", "one"))
    assert told.wait(10)
    receiver.status = 200
    tell(Notice("page", "kill", "two"))
    tell.close()
    assert [got["message"] for got in receiver.got] == ["one", "two"]


def test_a_target_that_hangs_blocks_nobody(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intrabar.links.notify.WAITING", 5)
    receiver.may_answer.clear()
    log: list[tuple[str, dict[str, Any]]] = []
    tell = Notifier(
        "main", [receiver.target()], Hand(), lambda event, **fields: log.append((event, fields))
    )
    tell(Notice("info", "first", "first"))
    assert receiver.asked.wait(10)
    for number in range(8):
        tell(Notice("info", f"key {number}", f"{number}"))
    assert events(log) == ["notice.dropped"] * 3  # and this returned at once
    tell.close(within=0.05)
    assert sorted(fields["text"] for event, fields in log if event == "notice.dropped")[:2] == [
        "0",
        "1",
    ]
    receiver.may_answer.set()
    tell._thread.join(10)
    assert not tell._thread.is_alive()


def test_how_many_were_lost_stands_in_the_next(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intrabar.links.notify.WAITING", 1)
    receiver.may_answer.clear()
    with notifier(receiver.target()) as (tell, _, log):
        tell(Notice("info", "first", "first"))
        assert receiver.asked.wait(10)
        for number in range(4):
            tell(Notice("info", f"{number}", f"{number}"))
        receiver.may_answer.set()
        while tell._queue.qsize():
            assert tell._thread.is_alive()
        tell(Notice("info", "last", "last"))
    assert events(log).count("notice.dropped") == 3
    assert receiver.got[-1]["message"] == (
        "last\n(3 other notices could not be sent: too many waited)"
    )


def wait_until_empty(tell: Notifier) -> None:
    while tell._queue.qsize() or tell._beat_waits:
        assert tell._thread.is_alive()


def beaten(receiver: Receiver, minutes: int, is_well: Callable[[float], bool]) -> list[str]:
    log: list[tuple[str, dict[str, Any]]] = []

    async def main() -> None:
        clock = LoopClock(0)
        url = Secret(f"http://127.0.0.1:{receiver.port}/{TOKEN}")
        tell = Notifier("main", [], clock, lambda event, **f: log.append((event, f)), url)
        beats = asyncio.create_task(tell.heartbeats(lambda: is_well(clock.tick())))
        for minute in range(minutes):
            await clock.sleep(60 * minute + 30 - clock.tick())
            await asyncio.get_running_loop().run_in_executor(None, wait_until_empty, tell)
        beats.cancel()
        await asyncio.gather(beats, return_exceptions=True)
        tell.close()

    in_virtual_time(main())
    return events(log)


def test_it_beats_once_a_minute_while_all_is_well(receiver: Receiver) -> None:
    beaten(receiver, 10, lambda now: now < 301)
    assert receiver.beats == [f"/{TOKEN}"] * 6


def test_it_beats_again_after_too_many_notices_waited(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intrabar.links.notify.WAITING", 1)
    receiver.may_answer.clear()

    async def main() -> None:
        clock = LoopClock(0)
        url = Secret(f"http://127.0.0.1:{receiver.port}/{TOKEN}")
        log = lambda event, **fields: None  # noqa: E731
        tell = Notifier("main", [receiver.target()], clock, log, url)
        tell(Notice("info", "first", "first"))
        await asyncio.to_thread(receiver.asked.wait, 10)
        tell(Notice("info", "second", "second"))  # and the queue is full
        beats = asyncio.create_task(tell.heartbeats(lambda: True))
        await clock.sleep(30.0)
        receiver.may_answer.set()
        await asyncio.to_thread(until_empty, tell)
        await clock.sleep(60.0)
        beats.cancel()
        tell.close()

    def until_empty(tell: Notifier) -> None:
        while tell._queue.qsize():
            assert tell._thread.is_alive()

    in_virtual_time(main())
    assert receiver.beats == [f"/{TOKEN}"]


def test_a_heartbeat_that_is_refused_is_logged(receiver: Receiver) -> None:
    receiver.status = 404
    assert set(beaten(receiver, 2, lambda now: True)) == {"heartbeat.failed"}


@pytest.mark.parametrize("url", ["nonsense://secret-token", "json://", "secret-token", "tgram://x"])
def test_an_address_of_no_service_is_refused_without_being_shown(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigError, match=r"live\.notify\[3\]: no service") as refused:
        Target("live.notify[3]", Secret(url))
    assert "secret-token" not in str(refused.value) + caplog.text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/y", "healthy.example", "http://["])
def test_a_heartbeat_goes_over_the_web_alone(url: str) -> None:
    with pytest.raises(ConfigError, match="heartbeat_url"):
        Notifier("main", [], Hand(), lambda event, **fields: None, Secret(url))


def test_no_secret_is_in_a_log_whatever_goes_wrong(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    gone = Receiver()
    gone.close()
    log: list[tuple[str, dict[str, Any]]] = []
    for status in (200, 302, 401, 500):
        receiver.status = status
        with notifier(receiver.target(), gone.target(1)) as (tell, _, said):
            tell(Notice("page", "link", f"GET /{TOKEN}: key {Secret('a-planted-key').reveal()}"))
        log += said
        beaten(receiver, 1, lambda now: True)
    shown = json.dumps(log) + caplog.text + "".join(capfd.readouterr())
    for secret in ("Pass-w0rd_x", "a-planted-key"):
        assert secret not in shown
    assert shown.count(TOKEN) == shown.count(f"GET /{TOKEN}")  # only where the notice says it
    assert all("a-planted-key" not in got["message"] for got in receiver.got)
