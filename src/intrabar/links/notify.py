"""Notices to persons, by webhook, mail, Telegram and what else apprise knows; and a heartbeat.

A thread of its own sends them, so that who tells something never waits. One of a key is told in
five minutes; how many were held back stands in the next. What cannot be delivered is logged. Where
a notice goes is a secret: neither the address nor what a service says of it enters a log.
"""

from __future__ import annotations

import logging
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import count
from queue import Empty, Full, PriorityQueue
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from intrabar.errors import ConfigError, MissingExtra
from intrabar.links.clock import Clock
from intrabar.model.secret import Secret, redact

RANKS = {"page": 0, "alarm": 1, "info": 2}
EVERY = 300.0  # seconds in which one of a key is told
BEAT = 60.0  # seconds between two heartbeats
WAITING = 1_000  # notices that wait to be sent
WITHIN = 10.0  # seconds for the last ones, at the end

_TYPES = {"page": "failure", "alarm": "warning", "info": "info"}
_SPEAKERS = ("apprise", "urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry")
_said: ContextVar[list[str] | None] = ContextVar("_said", default=None)  # while we send


class Notice(Protocol):
    """What a person is told; one of a `key` in five minutes."""

    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def key(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102


class Log(Protocol):
    """Takes an event of the log and its fields; `app/workers/logs.py`."""

    def __call__(self, event: str, **fields: Any) -> None: ...  # noqa: D102


class Target:
    """Where notices go.

    Parameters
    ----------
    place : str
        Where the configuration names it: "live.notify[0]".
    url : Secret
        As apprise writes it: `tgram://token/chat`, `mailto://...`, `json://host/path`.

    Raises
    ------
    ConfigError
        No service has such a URL. The message does not show it.
    MissingExtra
        Notices need packages that are not installed.
    """

    def __init__(self, place: str, url: Secret) -> None:
        try:
            from apprise import Apprise, AppriseAsset
        except ImportError:
            raise MissingExtra("notices to persons", "live") from None
        _hush()
        asset = AppriseAsset(async_mode=False, secure_logging=True, storage_mode="memory")
        before = _said.set([])
        try:
            service = Apprise.instantiate(url.reveal(), asset=asset, suppress_exceptions=True)
        finally:
            _said.reset(before)
        if service is None:
            raise ConfigError(
                f"{place}: no service is known by this address, or a part of it is missing; write "
                "it as apprise has it: mailto://, tgram://, slack://, json://host/path, ..."
            )
        self.place, self.service = place, str(service.service_name)
        self._apprise = Apprise(asset=asset)
        self._apprise.add(service)

    def send(self, title: str, severity: str, text: str) -> str:
        """Deliver; "" where that went well, else what is known of the reason."""
        said: list[str] = []
        before = _said.set(said)
        try:
            found = self._apprise.notify(text, title, _TYPES[severity], body_format="text")
        except Exception as error:  # of whatever a service brings along
            return type(error).__name__
        finally:
            _said.reset(before)
        if found:
            return ""
        status = re.search(r"error=(\d{3})\b", " ".join(said))
        return f"HTTP {status[1]}" if status else "not delivered"


@dataclass
class _Key:
    """What was told of a key, and what was not."""

    rank: int
    at: float
    held: int = 0


class _Message(NamedTuple):
    """What waits to be sent; the lowest goes first."""

    rank: int
    number: int
    severity: str = ""  # "" of a heartbeat, and of the end
    key: str = ""
    text: str = ""
    is_end: bool = False


class Notifier:
    """Tells persons, and an outside watch that we live.

    Parameters
    ----------
    name : str
        Of the session; it stands in each title.
    targets : sequence of Target
        Each gets every notice; with none, notices are logged alone.
    clock : Clock
    log : callable
        `notice.sent`, `.failed`, `.held`, `.dropped` and `heartbeat.failed` go there, from the
        thread too.
    heartbeat : Secret, optional
        The URL (http or https) that is asked for once a minute.

    Raises
    ------
    ConfigError
        The heartbeat's URL is none.
    """

    def __init__(
        self,
        name: str,
        targets: Sequence[Target],
        clock: Clock,
        log: Log,
        heartbeat: Secret | None = None,
    ) -> None:
        if heartbeat is not None and not _is_web(heartbeat.reveal()):
            raise ConfigError("live.heartbeat_url: an address begins with https:// or http://")
        self._name, self._targets, self._clock, self._log = name, targets, clock, log
        self._heartbeat = heartbeat
        self._queue: PriorityQueue[_Message] = PriorityQueue(WAITING)
        self._numbers = count()
        self._keys: dict[str, _Key] = {}
        self._lock = threading.Lock()
        self._lost = 0
        self._beat_waits = False
        self._thread = threading.Thread(target=self._work, name="notices", daemon=True)
        self._thread.start()

    def __call__(self, notice: Notice) -> None:
        """Tell persons; returns at once."""
        rank, now = RANKS[notice.severity], self._clock.tick()
        with self._lock:
            before = self._keys.get(notice.key)
            if before is not None and now - before.at < EVERY and rank >= before.rank:
                before.held += 1
                return
            held = before.held if before is not None else 0
            self._keys[notice.key] = _Key(rank, now)
            lost, self._lost = self._lost, 0
        text = redact(notice.text)
        if held:
            text += f"\n({held} more of this since it was last told)"
        if lost:
            text += f"\n({lost} other notices could not be sent: too many waited)"
        message = _Message(rank, next(self._numbers), notice.severity, notice.key, text)
        try:
            self._queue.put_nowait(message)
        except Full:
            with self._lock:
                self._lost += lost + 1
                self._keys.pop(notice.key, None)
            self._log("notice.dropped", key=notice.key, severity=notice.severity, text=text)

    async def heartbeats(self, is_well: Callable[[], bool]) -> None:
        """Ask for the heartbeat's URL once a minute, as long as `is_well`; ends when cancelled."""
        while self._heartbeat is not None:
            if is_well() and not self._beat_waits:
                self._beat_waits = True
                try:
                    self._queue.put_nowait(_Message(-1, next(self._numbers)))
                except Full:
                    self._beat_waits = False
            await self._clock.sleep(BEAT)

    def close(self, within: float = WITHIN) -> None:
        """Send what waits, for at most so many seconds; log what nobody was told."""
        end = _Message(9, next(self._numbers), is_end=True)
        until = time.monotonic() + within
        with suppress(Full):
            self._queue.put(end, timeout=within)
        self._thread.join(max(until - time.monotonic(), 0.0))
        with suppress(Empty):  # the thread may take one too, after its last one
            while True:
                left = self._queue.get_nowait()
                if left.severity:
                    fields = {"key": left.key, "severity": left.severity, "text": left.text}
                    self._log("notice.dropped", **fields)
        with suppress(Full):
            self._queue.put_nowait(end)  # for a thread that still hangs in the last one
        with self._lock:
            for key, known in self._keys.items():
                if known.held:
                    self._log("notice.held", key=key, held=known.held)

    def _work(self) -> None:
        while True:
            message = self._queue.get()
            if message.is_end:
                return
            if message.severity:
                self._send(message)
            else:
                self._beat()

    def _send(self, message: _Message) -> None:
        title = f"{message.severity}: {self._name}"
        reached = []
        for target in self._targets:
            why = target.send(title, message.severity, message.text)
            if why:
                fields = {"target": target.place, "service": target.service, "why": why}
                self._log("notice.failed", key=message.key, severity=message.severity, **fields)
            else:
                reached.append(target.place)
        if not reached:
            with self._lock:  # nobody knows of it: the next of this key goes at once
                self._keys.pop(message.key, None)
        self._log(
            "notice.sent", key=message.key, severity=message.severity, targets=reached,
            text=message.text,
        )  # fmt: skip

    def _beat(self) -> None:
        assert self._heartbeat is not None
        self._beat_waits = False
        try:
            with urllib.request.urlopen(self._heartbeat.reveal(), timeout=WITHIN) as answer:
                answer.read(1)
        except urllib.error.HTTPError as error:
            error.close()
            self._log("heartbeat.failed", why=f"HTTP {error.code}")
        except Exception as error:  # its text may have the address
            self._log("heartbeat.failed", why=type(error).__name__)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


class _Hush(logging.Filter):
    """What libraries log while they send for us is for us alone: it has addresses in it."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = _said.get()
        if said is not None:
            said.append(record.getMessage())
        return said is None


def _hush() -> None:
    for name in _SPEAKERS:
        logger = logging.getLogger(name)
        if not any(isinstance(known, _Hush) for known in logger.filters):
            logger.addFilter(_Hush())
