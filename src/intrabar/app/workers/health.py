"""Signs of life over HTTP, on this machine alone: `/metrics`, `/healthz`, `/readyz`.

`/healthz` is 200 while the event loop turns, and nothing else: only it may lead to a restart.
`/readyz` (`/health` is the same) is 200 while the session is fit for its work; else 503, and why.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from intrabar.app.workers.http_server import HOST, Server, is_of_here, send
from intrabar.app.workers.standing import Standing, time_text
from intrabar.engine.session.exchange import Exchange
from intrabar.engine.session.plan import Plan
from intrabar.errors import ConfigError
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.model.bars import DAY_NS
from intrabar.model.secret import redact

TURNED_WITHIN = 5.0  # seconds
DAILY_GRACE = 900 * SECOND_NS  # for the bar of a day


class Readiness:
    """What keeps a session from its work: links, data, the journal.

    Parameters
    ----------
    plan : Plan
    standing : Standing
        Of the session's `Signs`.
    clock : Clock
    is_away : callable
        Whether the journal is away.
    """

    def __init__(
        self, plan: Plan, standing: Standing, clock: Clock, is_away: Callable[[], bool]
    ) -> None:
        self._standing, self._clock, self._is_away = standing, clock, is_away
        self._exchanges = [
            Exchange(calendar, plan.period)
            for calendar in dict.fromkeys(x.calendar for x in plan.instruments)
        ]
        self._is_daily = plan.period >= DAY_NS
        stale = plan.limits.filled_in(len(plan.instruments), plan.period).stale_after
        assert stale is not None
        self._stale = stale
        self._lock = threading.Lock()

    def __call__(self) -> list[str]:
        """The reasons, each a sentence; none: it is ready."""
        standing = self._standing
        if not standing.started:
            return ["it is starting"]
        why = [] if standing.why is None else [f"it has stopped: {standing.why}"]
        why += [
            f"link {name}: {link['state']}: {link['reason']}"
            for name, link in sorted(standing.links.items())
            if link["state"] != "up"
        ]
        if self._is_away():
            why.append("the journal is away")
        with self._lock:
            old = self._old()
        return [*why, old] if old else why

    def is_well(self) -> bool:
        """Whether the heart beats: it is ready, or all exchanges are shut."""
        with self._lock:
            now = self._clock.now()
            is_shut = not any(x.is_open(now) for x in self._exchanges)
        return is_shut or not self()

    def _old(self) -> str:
        """Why rows are not fresh; "": they are."""
        now = self._clock.now()
        last = max(self._standing.row_time, self._standing.started)
        if self._is_daily:
            for exchange in self._exchanges:
                second = exchange.next_close(exchange.next_close(last))
                if now > second + DAILY_GRACE:
                    return f"no row since {time_text(last)}, and two sessions have closed"
            return ""
        opened = [x.open_since(now) for x in self._exchanges if x.is_open(now)]
        age = (now - max(last, min(opened))) / SECOND_NS if opened else 0.0
        if age <= self._stale:
            return ""
        return f"no row for {age:.0f} s of a session, at most {self._stale:g}"


class Health:
    """The HTTP server of a session, in threads of its own.

    Parameters
    ----------
    clock : Clock
    why_not : callable
        The reasons why it is not ready.
    metrics : callable
        What `/metrics` answers.
    lagged : callable
        Is told how late the event loop was, in seconds.
    port : int
        0: a free one (`port` says which).

    Raises
    ------
    ConfigError
        The port is taken.
    """

    def __init__(
        self,
        clock: Clock,
        why_not: Callable[[], list[str]],
        metrics: Callable[[], bytes],
        lagged: Callable[[float], None],
        port: int,
    ) -> None:
        self._clock, self._why_not, self._metrics = clock, why_not, metrics
        self._lagged = lagged
        self._turned = clock.tick()
        try:
            self._server = Server((HOST, port), _handler(self))
        except OSError as error:
            raise ConfigError(
                f"live.metrics: port {port} cannot be had ({error.strerror}); another session may "
                "have it: write another port, or 0 for a free one"
            ) from None
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="health", daemon=True
        )
        self._thread.start()

    async def beating(self) -> None:
        """Turn once a second in the event loop, until cancelled."""
        while True:
            before = self._clock.tick()
            await self._clock.sleep(1.0)
            self._turned = self._clock.tick()
            self._lagged(max(self._turned - before - 1.0, 0.0))

    def close(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, type and text of the answer to a path; what fails in it is answered too."""
        try:
            return self._answer(path)
        except Exception as error:  # a bug: a thread of the server has nobody else to tell
            why = f"a bug: {path}: {type(error).__name__}: {redact(str(error))}"
            return 500, "application/json", json.dumps({"why": [why]}).encode() + b"\n"

    def _answer(self, path: str) -> tuple[int, str, bytes]:
        match path:
            case "/healthz":
                silent = self._clock.tick() - self._turned
                is_alive = silent <= TURNED_WITHIN
                return _answer(is_alive, {"alive": is_alive, "silent_seconds": round(silent, 3)})
            case "/readyz" | "/health":
                why = self._why_not()
                return _answer(not why, {"ready": not why, "why": why})
            case "/metrics":
                return 200, "text/plain; version=0.0.4; charset=utf-8", self._metrics()
        return 404, "text/plain", b"there are /healthz, /readyz and /metrics\n"


def _answer(is_well: bool, body: dict[str, Any]) -> tuple[int, str, bytes]:
    return 200 if is_well else 503, "application/json", json.dumps(body).encode() + b"\n"


def _handler(health: Health) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5.0  # for who connects and says nothing

        def do_GET(self) -> None:
            if is_of_here(self):
                send(self, *health.answer(urlsplit(self.path).path))
            else:
                send(self, 403, "text/plain", b"this is for this machine alone\n")

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """A look is no event."""

    return Handler
