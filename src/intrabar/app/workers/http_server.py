"""HTTP of a process of ours: the server, who may ask, and how an answer is sent."""

from __future__ import annotations

import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

HOST = "127.0.0.1"
LOCAL = ("127.0.0.1", "localhost", "::1")
WAITING = 256  # connections that wait to be taken


class Server(ThreadingHTTPServer):
    """Of threads that end with the process, and without a look at DNS."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = WAITING

    def server_bind(self) -> None:  # noqa: D102
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asks and leaves is no news; a bug was answered."""


def is_of_here(request: BaseHTTPRequestHandler) -> bool:
    """Whether it names this machine as local; a page in a browser that was sent here does not."""
    try:
        return urlsplit(f"//{request.headers.get('Host', HOST)}").hostname in LOCAL
    except ValueError:  # no host at all
        return False


def send(request: BaseHTTPRequestHandler, status: int, kind: str, text: bytes) -> None:
    """Answer a request; a HEAD without the text."""
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(text)
