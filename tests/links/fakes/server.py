"""A web server in a thread; what it answers is one function."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Answering = Callable[[str, dict[str, str]], tuple[int, str]]


@dataclass
class Server:
    """Where it is, what it was asked, and what goes wrong with the next answers.

    Parameters
    ----------
    url : str
    asked : list of (path, parameters)
    faults : list of str
        One for each answer to come; "" for none, the last for all that follow with `for_ever`.
    """

    url: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    for_ever: bool = False

    def next_fault(self) -> str:
        if not self.faults:
            return ""
        return self.faults[0] if self.for_ever else self.faults.pop(0)


def broken(fault: str, status: int, text: str) -> tuple[int, str, str]:
    """Status, text and retry-after of an answer with which something goes wrong."""
    match fault:
        case "html":
            return 200, "<html><body>Please enable JavaScript</body></html>", ""
        case "empty":
            return 200, "", ""
        case "nothing":
            return 200, "{}", ""
        case "429":
            return 429, "Too Many Requests", "1"
        case "500":
            return 500, "<html>Internal Server Error</html>", ""
        case "503":
            return 503, "Will be right back", ""
        case "cut":
            return 200, text[: len(text) * 2 // 3], ""
        case "list":
            return 200, "[1, 2]", ""
    return status, text, ""


@contextmanager
def served(answering: Answering) -> Iterator[Server]:
    """A server as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
            host = self.headers.get("X-Host", "")
            path = parts.path
            if "crumb" in path or host.startswith(("fc.", "guce.", "consent.")):
                self._send(404 if host.startswith(("guce.", "consent.")) else 200, "crumb", "")
                return
            server.asked.append((path, parameters))
            fault = server.next_fault()
            if fault == "drop":
                self.close_connection = True
                self.connection.shutdown(2)
                return
            if fault == "mute":
                released.wait(5.0)
                self.close_connection = True
                return
            self._send(*broken(fault, *answering(path, parameters)))

        def _send(self, status: int, text: str, after: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if after:
                self.send_header("Retry-After", after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    released = threading.Event()
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.daemon_threads = True
    server = Server(f"http://127.0.0.1:{web.server_port}")
    thread = threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        released.set()
        web.shutdown()
        web.server_close()
        thread.join()
