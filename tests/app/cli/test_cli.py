"""The command line: quick to start, and every failure is one line and an exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import intrabar
from intrabar.app.cli import main as cli
from intrabar.errors import ConfigError, DataError, UsageError

GOLDEN = Path(__file__).parents[2] / "golden" / "scenarios.jsonl"
HEAVY = ("numba", "polars", "pandas", "pyarrow", "talib")


def command(*arguments: str, **more: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "intrabar.app.cli.main", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        **more,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_nothing_heavy_is_imported_before_a_command_runs(arguments: list[str]) -> None:
    code = (
        "import sys, intrabar.app.cli.main as cli\n"
        f"assert cli.run({arguments!r}) == 0\n"
        f"found = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "sys.exit(f'imported: {found}' if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_help_names_the_commands(capsys: pytest.CaptureFixture) -> None:
    assert cli.run(["--help"]) == 0
    assert "scenario" in capsys.readouterr().out


def test_help_of_a_command_names_its_parameters(capsys: pytest.CaptureFixture) -> None:
    assert cli.run(["scenario", "--help"]) == 0
    out = capsys.readouterr().out
    assert "--json" in out
    assert "FILE" in out


def test_version(capsys: pytest.CaptureFixture) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out.strip() == intrabar.__version__


@pytest.mark.parametrize("arguments", [["no-such-command"], ["scenario"], ["scenario", "a", "-x"]])
def test_a_wrong_command_line_ends_with_2(arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


class Failing:
    """Stands in for the app: raises what a command would."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def __call__(self, _: list[str]) -> int:
        raise self.error


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ConfigError("a: b"), 2, "error: a: b"),
        (UsageError("not so"), 2, "error: not so"),
        (DataError("no bars"), 1, "error: no bars"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
    ],
)
def test_expected_failures_are_one_line(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    monkeypatch.setattr(cli, "app", Failing(error))
    assert cli.run([]) == code
    assert capsys.readouterr().err == line + "\n"


@pytest.mark.parametrize("error", [ValueError("bug"), OSError(errno.EIO, "disk broken")])
def test_a_bug_keeps_its_traceback(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "app", Failing(error))
    with pytest.raises(type(error)):
        cli.run([])


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("mode", [["--json"], []])
def test_a_full_disk_is_one_line(mode: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "intrabar.app.cli.main", "scenario", str(GOLDEN), *mode],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.endswith("error: no space left on the device; make room and try again\n")


@pytest.mark.parametrize("mode", [["--json"], []])
def test_a_reader_that_has_seen_enough_is_no_failure_to_talk_about(mode: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "intrabar.app.cli.main", "scenario", str(GOLDEN), *mode],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 1
    assert done.stderr == ""
