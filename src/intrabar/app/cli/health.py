"""`intrabar health`: whether a session on this machine lives; with the standard library alone."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Sequence

PORT = 9464
WITHIN = 3.0  # seconds


def health(*, ready: bool = False, port: int = PORT) -> int:
    """Ask a session of this machine whether it lives.

    Parameters
    ----------
    ready : bool
        Whether it is fit for its work: links up, data fresh, the journal there.
    port : int
        Of its `live.metrics`.

    Returns
    -------
    int
        0: it is; 1: it is not, and why; 5: nobody answers.
    """
    path = "/readyz" if ready else "/healthz"
    try:
        with socket.create_connection(("127.0.0.1", port), WITHIN) as connection:
            connection.settimeout(WITHIN)
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n".encode())
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        head, _, text = answer.partition(b"\r\n\r\n")
        status = int(head.split(None, 2)[1])
        told = json.loads(text)
    except (OSError, ValueError, IndexError, OverflowError):
        print(f"error: no session answers on port {port} of this machine", file=sys.stderr)
        return 5
    if status == 200:
        print("ready" if ready else "alive")
        return 0
    why = told.get("why") or [f"its event loop is silent for {told.get('silent_seconds')} s"]
    print("\n".join(map(str, why)), file=sys.stderr)
    return 1


def in_haste(arguments: Sequence[str]) -> int | None:
    """Carry `health` out before the command line is loaded; None: it is to be read there."""
    ready, port = False, PORT
    rest = iter(arguments)
    for word in rest:
        if word == "--ready":
            ready = True
        elif word == "--port" and (number := next(rest, "")).isdecimal():
            port = int(number)
        else:
            return None
    return health(ready=ready, port=port)
