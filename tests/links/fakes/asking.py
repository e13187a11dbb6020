"""A vendor's client against a server of this machine, in virtual time: the set-up of both wires."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from intrabar.errors import BadAnswer, IntrabarError, LinkError, RateLimited
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.vendor import Vendor
from tests.data.live.samples import ns
from tests.links.fakes.server import Answering, Server, served

NOW = ns("2026-03-02T15:30:20")  # an hour after NYSE opened
START = ns("2026-03-02T14:30")

_V = TypeVar("_V", bound=Vendor)

FAULTS: list[tuple[str, type[IntrabarError], str]] = [
    ("html", BadAnswer, "no JSON but '<html>"),
    ("empty", BadAnswer, "no JSON but ''"),
    ("nothing", BadAnswer, "an empty answer"),
    ("list", BadAnswer, "an empty answer"),
    ("cut", BadAnswer, "no JSON but"),
    ("429", RateLimited, "too many requests"),
    ("drop", LinkError, "not reached"),
]
"""What goes wrong with every answer, and what a client makes of it."""


def failing(*faults: str, for_ever: bool = False) -> Callable[[Server], None]:
    """Let the next answers fail, or all of them."""

    def prepare(server: Server) -> None:
        server.faults, server.for_ever = list(faults), for_ever

    return prepare


def ask(
    answering: Answering,
    client: Callable[[str, LoopClock], _V],
    call: Callable[[_V], Coroutine[Any, Any, Any]],
    prepare: Callable[[Server], None] = lambda server: None,
    now: int = NOW,
) -> tuple[Any, Server]:
    """The outcome of a call, and the server that was asked.

    Parameters
    ----------
    answering : callable
        Of the server.
    client : callable
        Makes the client, of the server's URL and a clock.
    call : callable
        What is asked of the client, which is closed twice after it.
    prepare : callable
        What is done to the server before.
    now : int, ns UTC
    """
    with served(answering) as server:
        prepare(server)

        async def main() -> Any:
            vendor = client(server.url, LoopClock(now))
            try:
                return await call(vendor)
            finally:
                await vendor.close()
                await vendor.close()

        return run(main()), server
