"""The mark that is written when the journal cannot be; the room for it is made before."""

from __future__ import annotations

import multiprocessing
import resource
from pathlib import Path

import pytest

from intrabar.errors import StoreError
from intrabar.journal.emergency import NAME, ROOM, Emergency

MARK = {"mark": "HALTED", "at": 17, "why": "no answer in 5 s"}


def test_the_mark_is_the_first_line_and_is_taken_in_once(tmp_path: Path) -> None:
    folders = [tmp_path / "session", tmp_path / "second"]
    emergency = Emergency(folders)
    emergency.prepare()
    assert [(folder / NAME).stat().st_size for folder in folders] == [ROOM, ROOM]
    assert emergency.lines() == []
    assert emergency.halt(17, "no answer in 5 s") == [folder / NAME for folder in folders]
    emergency.prepare()  # of the next start: keeps it
    assert (folders[0] / NAME).read_text().startswith('{"mark":"HALTED",')
    assert Emergency(folders).lines() == [MARK]
    emergency.clear()
    assert emergency.lines() == []


def test_one_place_is_enough(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    emergency = Emergency([tmp_path / "file" / "x", tmp_path / "second"])
    with pytest.raises(StoreError, match="cannot be written"):
        emergency.prepare()
    (tmp_path / "second").mkdir()
    assert emergency.halt(17, "no answer in 5 s") == [tmp_path / "second" / NAME]
    assert emergency.lines() == [MARK]
    assert Emergency([tmp_path / "file" / "x"]).halt(1, "") == []


def full(folder: Path) -> None:
    emergency = Emergency([folder])
    emergency.prepare()
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, resource.RLIM_INFINITY))
    with pytest.raises(OSError, match="too large"):
        (folder / "other").write_bytes(b"x" * (ROOM + 1))
    assert emergency.halt(17, "no answer in 5 s")


def test_there_is_room_on_a_full_disk(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=full, args=(tmp_path,))
    process.start()
    process.join(120)
    assert process.exitcode == 0
    assert Emergency([tmp_path]).lines() == [MARK]
    assert (tmp_path / NAME).stat().st_size == ROOM


def test_a_line_that_was_being_written_counts_as_the_mark(tmp_path: Path) -> None:
    for content in (b'{"mark":"HALT', b"\xff\xfe", b"[1]"):
        (tmp_path / NAME).write_bytes(content + b" " * 99)
        [mark] = Emergency([tmp_path]).lines()
        assert (mark["mark"], NAME in mark["why"]) == ("HALTED", True)


def test_a_file_without_room_is_filled_up(tmp_path: Path) -> None:
    """As a full disk leaves it at an earlier start; a mark in it stays."""
    emergency = Emergency([tmp_path])
    for content in (b"", b" " * 99, b'{"mark":"HALTED","at":17,"why":"no answer in 5 s"}\n'):
        (tmp_path / NAME).write_bytes(content)
        emergency.prepare()
        assert (tmp_path / NAME).stat().st_size == ROOM
    assert emergency.lines() == [MARK]


def test_the_first_mark_stays(tmp_path: Path) -> None:
    emergency = Emergency([tmp_path])
    emergency.prepare()
    for why in ("no answer in 5 s", "x", "x" * 999):
        assert emergency.halt(17, why) == [tmp_path / NAME]
    assert emergency.lines() == [MARK]
