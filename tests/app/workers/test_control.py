"""The socket of a session: whatever comes in is answered, and the session goes on."""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import stat
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.workers.control import (
    LONGEST_LINE,
    LONGEST_PATH,
    MOST,
    SOCKET,
    Control,
    _connect,
    ask,
)
from intrabar.errors import BreakerError, NotFoundError, StateError, Timeout, UsageError

Request = dict[str, Any]


async def answers(request: Request) -> Request:
    match request["kind"]:
        case "status":
            return {"state": "TRADING"}
        case "breaker":
            raise BreakerError("resume: it is FLATTENING; wait until it is flat")
        case "unknown":
            raise NotFoundError("symbol", "A", ["B"])
        case "bug":
            raise ZeroDivisionError("one over nothing")
        case "odd":
            return {"what": object()}
        case "silent":
            await asyncio.Event().wait()
    raise UsageError("no such command")


def serve(folder: Path, client: Callable[[], Any]) -> Any:
    """What a client in a thread of its own gets of a session."""

    async def main() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        control = Control(folder, answers)
        await control.open()
        try:
            return await asyncio.wait_for(asyncio.to_thread(client), 20)
        finally:
            await control.close()

    return asyncio.run(main())


def connect(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(10)
    _connect(connection, str(folder / SOCKET), time.monotonic() + 10)
    return connection


def read_all(connection: socket.socket) -> bytes:
    read = b""
    try:
        while part := connection.recv(1 << 16):
            read += part
    except ConnectionResetError:
        pass
    return read


def test_a_request_has_its_answer(tmp_path: Path) -> None:
    found = serve(tmp_path, lambda: ask(tmp_path, {"kind": "status", "id": 7}))
    assert found == {"id": 7, "ok": True, "state": "TRADING"}
    assert not (tmp_path / SOCKET).exists()


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("breaker", BreakerError, "FLATTENING"),
        ("unknown", UsageError, "unknown symbol 'A'"),
        ("bug", Exception, "ZeroDivisionError"),
        ("odd", Exception, "a bug"),
        ("nonsense", UsageError, "no such command"),
    ],
)
def test_what_it_refuses_is_raised_where_it_was_asked(
    tmp_path: Path, kind: str, error: type[Exception], text: str
) -> None:
    def client() -> Request:
        with pytest.raises(error, match=text):
            ask(tmp_path, {"kind": kind})
        return ask(tmp_path, {"kind": "status"})

    assert serve(tmp_path, client)["ok"]


def test_only_the_owner_may_connect(tmp_path: Path) -> None:
    mode = serve(tmp_path, lambda: (tmp_path / SOCKET).stat().st_mode)
    assert stat.S_IMODE(mode) == 0o600


def test_a_folder_whose_name_is_too_long_for_a_socket(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * (LONGEST_PATH + 20))
    folder.mkdir()

    def client() -> tuple[Request, Path]:
        return ask(folder, {"kind": "status"}), (folder / SOCKET).readlink()

    found, aside = serve(folder, client)
    assert found["ok"]
    assert not aside.parent.exists()
    assert not os.path.lexists(folder / SOCKET)


def test_without_a_process_a_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StateError, match=r"no process has this session.*KILL"):
        ask(tmp_path, {"kind": "status"})
    with socket.socket(socket.AF_UNIX) as left:  # by a process that is gone
        left.bind(str(tmp_path / SOCKET))
    with pytest.raises(StateError, match="no process"):
        ask(tmp_path, {"kind": "status"})
    assert serve(tmp_path, lambda: ask(tmp_path, {"kind": "status"}))["ok"]


def test_a_session_that_is_silent_is_told_as_such(tmp_path: Path) -> None:
    def client() -> None:
        with pytest.raises(Timeout, match=r"does not answer in 0\.05 s"):
            ask(tmp_path, {"kind": "silent"}, within=0.05)
        assert ask(tmp_path, {"kind": "status"})["ok"]

    async def main() -> None:
        control = Control(tmp_path, answers)
        await control.open()
        await asyncio.to_thread(client)
        for task in control._tasks:
            task.cancel()
        await control.close()

    asyncio.run(main())


def test_a_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / SOCKET).write_text("mine")
    with pytest.raises(StateError, match="no socket; move it away"):
        serve(tmp_path, lambda: None)
    assert (tmp_path / SOCKET).read_text() == "mine"


def test_the_socket_of_who_took_over_stays(tmp_path: Path) -> None:
    async def main() -> Request:
        old, new = Control(tmp_path, answers), Control(tmp_path, answers)
        await old.open()
        await new.open()
        await old.close()
        found = await asyncio.to_thread(ask, tmp_path, {"kind": "status"})
        await new.close()
        return found

    assert asyncio.run(main())["ok"]


GARBAGE = [
    b"\n",
    b"hello\n",
    b"{\n",
    b"null\n",
    b"[]\n",
    b"7\n",
    b'{"id": 1}\n',
    b'{"kind": 7}\n',
    b'{"kind": ["status"]}\n',
    b"\xff\xfe\x00\n",
    b"[" * 100_000 + b"\n",
    b'{"kind": "status", "id": ' + b"9" * 5_000 + b"}\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
]


def test_garbage_is_answered_with_errors(tmp_path: Path) -> None:
    chance = random.Random(11)
    lines = [*GARBAGE, *(chance.randbytes(chance.randrange(1, 400)) + b"\n" for _ in range(200))]

    def client() -> list[bytes]:
        with connect(tmp_path) as connection:
            for line in lines:
                connection.sendall(line)
            connection.sendall(b'{"kind": "status", "id": "end"}\n')
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection).splitlines()

    found = [json.loads(line) for line in serve(tmp_path, client)]
    assert len(found) == sum(line.count(b"\n") for line in lines) + 1
    assert found[-1] == {"id": "end", "ok": True, "state": "TRADING"}
    assert all(answer["error"] for answer in found[:-1] if not answer["ok"])


def test_who_asks_no_more_has_all_answers(tmp_path: Path) -> None:
    count = 400  # more than a socket takes that nobody reads

    def client() -> bytes:
        with connect(tmp_path) as connection:
            connection.sendall(b'{"kind": "status"}\n' * count)
            connection.shutdown(socket.SHUT_WR)
            for _ in range(2 * count):  # in turn with those that wait
                ask(tmp_path, {"kind": "status"})
            return read_all(connection)

    assert serve(tmp_path, client).count(b"\n") == count


def test_a_line_of_ten_megabytes_and_half_a_line(tmp_path: Path) -> None:
    def client() -> Request:
        with connect(tmp_path) as half, connect(tmp_path) as long:
            half.sendall(b'{"kind": "sta')
            with suppress(BrokenPipeError, ConnectionResetError):
                long.sendall(b"x" * 10_000_000)
            read_all(long)
            return ask(tmp_path, {"kind": "status"})

    assert serve(tmp_path, client)["ok"]
    with pytest.raises(UsageError, match="at most"):
        ask(tmp_path, {"kind": "x" * LONGEST_LINE})


def test_many_who_say_nothing_keep_nobody_out(tmp_path: Path) -> None:
    def client() -> Request:
        with ExitStack() as stack:
            silent = [stack.enter_context(connect(tmp_path)) for _ in range(3 * MOST)]
            found = ask(tmp_path, {"kind": "status"})
            assert silent[0].recv(1) == b""  # the longest silent was let go
            return found

    assert serve(tmp_path, client)["ok"]


def test_who_does_not_read_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intrabar.app.workers.control.WITHIN", 0.05)

    def client() -> Request:
        with connect(tmp_path) as deaf:
            try:
                for _ in range(100):
                    deaf.sendall(b'{"kind": "status"}\n' * 10_000)
            except OSError:
                return ask(tmp_path, {"kind": "status"})
        raise AssertionError("it was answered without end")

    assert serve(tmp_path, client)["ok"]


def test_clients_that_come_and_go_in_any_way(tmp_path: Path) -> None:
    chance = random.Random(5)

    def client() -> Request:
        for _ in range(200):
            with connect(tmp_path) as connection:
                connection.sendall(chance.choice(GARBAGE)[: chance.randrange(1, 60)])
                if chance.random() < 0.5:
                    connection.sendall(b'\n{"kind": "status"}\n')
        return ask(tmp_path, {"kind": "status"})

    assert serve(tmp_path, client)["ok"]
