"""Every command with every kind of wrong argument: a sentence and an exit code, no traceback."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli.main import app, run
from tests.app.runs_of_it import config_in, write_bars

COMMANDS = (
    "scenario backtest sweep trials audit critique validate walk-forward demo warm data runs "
    "journal parity paper demo-paper session kill health predict watch",
    "import list show verify resample path-truth actions continuous fetch refresh quote",
    "list show compare rerun",
    "import show",
    "verify rebuild backup restore archive",
    "check show train run search serve",
)
HERE = ["--data", "AAA.csv", "--strategy", "CoinFlip"]
SWEPT = [*HERE, "--vary", "seed=1,2"]
RUNS = ["backtest", "audit", "sweep", "walk-forward"]

OF_RUNS: dict[str, list[str]] = {
    "no such configuration": ["none.yaml"],
    "a folder": ["."],
    "no YAML": ["broken.yaml"],
    "bars in the place of a configuration": ["AAA.csv"],
    "bytes": ["bytes.bin"],
    "nothing to trade": [],
    "no strategy": ["--data", "AAA.csv"],
    "no such file": ["--data", "none.csv", "--strategy", "CoinFlip"],
    "a folder of bars": ["--data", "folder", "--strategy", "CoinFlip"],
    "an empty file": ["--data", "empty.csv", "--strategy", "CoinFlip"],
    "words for bars": ["--data", "words.csv", "--strategy", "CoinFlip"],
    "bytes for bars": ["--data", "bytes.bin", "--strategy", "CoinFlip"],
    "bytes for Parquet": ["--data", "bytes.parquet", "--strategy", "CoinFlip"],
    "no symbol": ["--data", "=AAA.csv", "--strategy", "CoinFlip"],
    "one symbol twice": ["--data", "AAA.csv", "--data", "AAA=AAA.csv", "--strategy", "CoinFlip"],
    "unknown symbol": [*HERE, "--symbol", "ZZZ"],
    "an empty catalogue": ["--symbol", "ZZZ", "--strategy", "CoinFlip"],
    "unknown strategy": ["--data", "AAA.csv", "--strategy", "CoinFlop"],
    "no such module": ["--data", "AAA.csv", "--strategy", "no_such_module:Mine"],
    "no such class": ["--data", "AAA.csv", "--strategy", "tests.app.rules:Clumsi"],
    "half a class": ["--data", "AAA.csv", "--strategy", "tests.app.rules:"],
    "a module that raises": ["--data", "AAA.csv", "--strategy", "tests.app.failing:Any"],
    "a strategy that raises": ["--data", "AAA.csv", "--strategy", "tests.app.rules:Clumsy"],
    "no strategy at all": ["--data", "AAA.csv", "--strategy", "os:path"],
    "no parameter": [*HERE, "--param", "seed"],
    "unknown parameter": [*HERE, "--param", "sede=3"],
    "a word for a number": [*HERE, "--param", "chance=many"],
    "a list for a number": [*HERE, "--param", "chance=[1]"],
    "broken YAML for a number": [*HERE, "--param", "chance=[1"],
    "no date": [*HERE, "--start", "soon"],
    "a number for a date": [*HERE, "--start", "20200131"],
    "after the end": [*HERE, "--start", "2099-01-01"],
    "backwards": [*HERE, "--start", "2021-01-01", "--end", "2020-01-01"],
    "no cash": [*HERE, "--cash", "0"],
    "less than none": [*HERE, "--cash=-5"],
    "not a number": [*HERE, "--cash", "nan"],
    "words for cash": [*HERE, "--cash", "much"],
    "no zone": [*HERE, "--zone", "Mars/Olympus"],
    "no calendar": [*HERE, "--calendar", "MARS"],
    "no currency": [*HERE, "--currency", "dollars"],
    "no rate": [*HERE, "--currency", "EUR"],
    "no period": [*HERE, "--period", "5 parsecs"],
    "no policy": [*HERE, "--path-policy", "kindest"],
    "no lower bars": [*HERE, "--path-policy", "detail"],
    "no trust": [*HERE, "--path-policy", "calibrated"],
    "no bars a chunk": [*HERE, "--chunk", "0"],
    "runs in a file": [*HERE, "--out", "AAA.csv"],
    "unknown option": [*HERE, "--nope"],
    "an option without value": [*HERE, "--start"],
    "too many arguments": ["config.yaml", "config.yaml"],
}

OF_SWEEPS: dict[str, list[str]] = {
    "nothing to vary": HERE,
    "no values": [*HERE, "--vary", "seed"],
    "no place": [*HERE, "--vary", "=1,2"],
    "unknown place": [*HERE, "--vary", "sede=1,2"],
    "broken YAML": [*HERE, "--vary", "seed=[1,2"],
    "no steps": [*HERE, "--vary", "seed=1:5:0"],
    "steps that do not end": [*HERE, "--vary", "seed=5:1:1"],
    "far too many": [*HERE, "--vary", "seed=1:1e12:1"],
    "no constraint": [*SWEPT, "--constraint", "seed <"],
    "unknown in a constraint": [*SWEPT, "--constraint", "sede < 3"],
    "nothing left": [*SWEPT, "--constraint", "seed > 30"],
    "no sample": [*SWEPT, "--sample", "guess"],
    "no count": [*SWEPT, "--sample", "random", "--count", "0"],
    "no metric": [*SWEPT, "--metric", "shrpe"],
    "no workers": [*SWEPT, "--workers", "0"],
}

OF_WINDOWS: dict[str, list[str]] = {
    "no length": [*SWEPT, "--train", "long"],
    "longer than the bars": [*SWEPT, "--train", "90y"],
    "no bars": [*SWEPT, "--train", "0"],
    "less than none": [*SWEPT, "--train", "100", "--test=-5"],
    "no purge": [*SWEPT, "--train", "100", "--test", "50", "--purge=-1"],
}

OTHERS: list[list[str]] = [
    ["nope"],
    ["scenario"],
    ["scenario", "none.json"],
    ["scenario", "."],
    ["scenario", "AAA.csv"],
    ["scenario", "bytes.bin"],
    ["scenario", "--nope"],
    ["trials", "--out", "none"],
    ["trials", "--out", "AAA.csv"],
    ["trials", "--out", "damaged"],
    ["trials", "--limit", "x"],
    *[[c, *more] for c in ("critique", "validate") for more in (
        [], ["zzz"], ["--out", "none"], ["--out", "AAA.csv"], ["--out", "damaged"],
        ["last", "--out", "damaged"], ["a", "b"],
    )],
    ["validate", "--runs", "0"],
    ["validate", "--tried", "0"],
    ["validate", "--tried", "many"],
    *[["runs", c, *more] for c in ("show", "rerun", "list", "compare") for more in (
        ["--out", "none"], ["--out", "AAA.csv"], ["zzz", "--out", "damaged"], ["a", "b", "c", "d"],
        ["last", "--out", "damaged"],
    )],
    ["runs", "nope"],
    *[["journal", c, *more] for c in ("verify", "rebuild", "backup", "archive") for more in (
        [], ["nope"], ["nope", "--store", "mysql://u@h/d"], ["nope", "--sessions", "AAA.csv"],
        ["nope", "--store", "sqlite:///none.db"], ["nope", "--store", "sqlite:///folder"],
        ["nope", "--store", "postgresql://u@127.0.0.1:1/d"],
        ["nope", "--store", "postgresql://u@h/d", "--store-password", "literal"],
    )],
    *[[*command, *more] for command in (["parity"], ["session", "export"]) for more in (
        [], ["nope"], ["nope", "--store", "mysql://u@h/d"], ["nope", "--sessions", "AAA.csv"],
        ["nope", "--store", "sqlite:///none.db"], ["nope", "--store", "sqlite:///folder"],
        ["nope", "--store", "postgresql://u@h/d", "--store-password", "literal"],
    )],
    *[["session", command, *more] for command in (
        "status", "watch", "stop", "flatten", "halt", "resume", "order", "modify", "cancel",
        "close", "kill",
    ) for more in (
        [], ["nope"], ["nope", "--sessions", "none"], ["nope", "--sessions", "AAA.csv"],
    )],
    *[["session", "list", "--sessions", name] for name in ("none", "AAA.csv")],
    *[["kill", *more] for more in ([], ["nope"], ["--sessions", "folder"])],
    *[["paper", *more] for more in (
        [], ["none.yaml"], ["folder"], ["broken.yaml"], ["bytes.bin"], ["AAA.csv"],
        ["config.yaml", "--recorded", "none.csv"], ["config.yaml", "--recorded", "folder"],
        ["config.yaml", "--recorded", "bytes.bin"], ["config.yaml", "--recorded", "empty.csv"],
        ["config.yaml", "--recorded", "data", "--speed", "nan"],
        ["config.yaml", "--recorded", "data", "--speed=-1"],
        ["config.yaml", "--recorded", "data", "--name", "a/b"],
        ["config.yaml", "--recorded", "data", "--without", "Nobody"],
    )],
    ["live"],
    *[["journal", "restore", *more] for more in (
        [], ["nope"], ["nope", "--into", "x.db"], ["folder", "--into", "x.db"],
        ["AAA.csv", "--into", "x.db"], ["bytes.bin", "--into", "AAA.csv"],
    )],
    ["runs", "show", "damaged/run"],
    ["demo", "--out", "AAA.csv"],
    ["warm", "x"],
    ["data", "nope"],
    ["data", "import"],
    ["data", "import", "none.csv"],
    ["data", "import", "folder"],
    ["data", "import", "empty.csv"],
    ["data", "import", "words.csv"],
    ["data", "import", "bytes.bin"],
    ["data", "import", "bytes.parquet"],
    ["data", "import", "AAA.csv"],
    ["data", "import", "AAA.csv", "--calendar", "MARS"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--zone", "Mars/Olympus"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--period", "5 parsecs"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--label", "middle"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--map", "time"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--map", "time=When"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--columns", "a,b"],
    ["data", "import", "AAA.csv", "--calendar", "none", "--format", "unheard"],
    *[["data", "fetch", *more] for more in (
        [], ["AAPL"], ["AAPL", "--source", "yfinance"], ["AAPL", "--start", "2020-01-01"],
        ["AAPL", "--period", "1d", "--start", "2020-01-01"],
        ["--source", "yfinance", "--period", "1d", "--start", "2020-01-01"],
        ["AAPL", "--source", "yfinanc", "--period", "1d", "--start", "2020-01-01"],
        ["AAPL", "--source", "yfinance", "--period", "5 parsecs", "--start", "2020-01-01"],
        ["AAPL", "--source", "yfinance", "--period", "3m", "--start", "2020-01-01"],
        ["AAPL", "--source", "yfinance", "--period", "1m", "--start", "2020-01-01"],
        ["AAPL", "--source", "yfinance", "--period", "1d", "--start", "soon"],
        ["AAPL", "--source", "yfinance", "--period", "1d", "--start", "20200131"],
        ["QQQZX", "--source", "yfinance", "--period", "1d", "--start", "2020-01-01"],
        ["", "--source", "yfinance", "--period", "1d", "--start", "2020-01-01"],
        ["AAPL", "--source", "yfinance", "--period", "1d", "--start", "2020-01-01", "--calendar",
         "MARS"],
        ["AAPL", "--config", "none.yaml", "--period", "1d", "--start", "2020-01-01"],
        ["AAPL", "--config", "config.yaml", "--period", "1d", "--start", "2020-01-01"],
    )],
    *[["data", "refresh", *more] for more in ([], ["--all"], ["ZZZ"], ["ZZZ", "--all"])],
    *[["data", "quote", *more] for more in (
        [], ["AAPL"], ["AAPL", "--source", "nobody"], ["AAPL", "--config", "none.yaml"],
    )],
    ["data", "show"],
    ["data", "show", "ZZZ"],
    ["data", "show", "ZZZ", "--adjusted"],
    ["data", "verify", "ZZZ"],
    ["data", "resample", "ZZZ"],
    ["data", "resample", "ZZZ", "1d"],
    ["data", "resample", "ZZZ", "5 parsecs"],
    ["data", "path-truth"],
    ["data", "path-truth", "ZZZ"],
    ["data", "path-truth", "none.csv"],
    ["data", "path-truth", "AAA.csv"],
    ["data", "path-truth", "words.csv"],
    ["data", "actions", "import"],
    ["data", "actions", "import", "none.csv", "--symbol", "AAA"],
    ["data", "actions", "import", "AAA.csv", "--symbol", "AAA"],
    ["data", "actions", "import", "bytes.bin", "--symbol", "AAA"],
    ["data", "actions", "import", "folder", "--symbol", "AAA"],
    ["data", "actions", "show", "ZZZ"],
    ["data", "continuous"],
    ["data", "continuous", "ZZ"],
    ["data", "continuous", "ZZ", "--contracts", "ZZH24,ZZM24", "--roll", "volume"],
    ["data", "continuous", "ZZ", "--contracts", "ZZH24,ZZM24", "--roll", "soon"],
]  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what people point at by mistake."""
    folder = tmp_path_factory.mktemp("wrong")
    write_bars(folder / "AAA.csv")
    config_in(folder)
    (folder / "folder").mkdir()
    (folder / "empty.csv").write_text("", encoding="utf-8")
    (folder / "words.csv").write_text("once,upon\na,time\n", encoding="utf-8")
    (folder / "broken.yaml").write_text("a: [1\nb: }", encoding="utf-8")
    noise = bytes(range(256)) * 4
    for name in ("bytes.bin", "bytes.parquet"):
        (folder / name).write_bytes(noise)
    run_ = folder / "damaged" / "run"
    run_.mkdir(parents=True)
    (run_ / "manifest.json").write_text('{"title": 5}', encoding="utf-8")
    (folder / "damaged" / "trials.sqlite").write_bytes(noise)
    return folder


def outcome(arguments: list[str], capsys: Any) -> tuple[int, str, str]:
    """What a shell would see."""
    capsys.readouterr()
    try:
        code = run(arguments)
    except SystemExit as end:  # wrong options
        code = end.code if isinstance(end.code, int) else 1
    out, err = capsys.readouterr()
    return code, out, err


def refused(arguments: list[str], place: Path, capsys: Any, monkeypatch: Any) -> str:
    monkeypatch.chdir(place)
    monkeypatch.setenv("INTRABAR_CATALOGUE", str(place / "none"))
    code, out, err = outcome(arguments, capsys)
    assert code in (1, 2), (code, out, err)
    assert "Traceback" not in out + err
    assert re.search(r"^(error: |╭─ Error)", err, re.M), err  # it may say that it compiles first
    assert not re.search(r"\b(\w+Error|Exception)\(", err), err
    return err


@pytest.mark.parametrize("what", OF_RUNS)
@pytest.mark.parametrize("command", RUNS)
def test_wrong_runs(command: str, what: str, place: Path, capsys: Any, monkeypatch: Any) -> None:
    more = ["--vary", "seed=1,2"] if command in ("sweep", "walk-forward") else []
    arguments = [command, *OF_RUNS[what]]
    if "--data" in arguments:
        arguments += more
    if command == "audit" and "--out" in arguments:
        return  # it stores nothing
    if command == "sweep" and what == "a strategy that raises":
        return  # its trials fail, which is told
    refused(arguments, place, capsys, monkeypatch)


@pytest.mark.parametrize("what", OF_SWEEPS)
def test_wrong_sweeps(what: str, place: Path, capsys: Any, monkeypatch: Any) -> None:
    for command in ("sweep", "walk-forward"):
        refused([command, *OF_SWEEPS[what]], place, capsys, monkeypatch)


@pytest.mark.parametrize("what", OF_WINDOWS)
def test_wrong_windows(what: str, place: Path, capsys: Any, monkeypatch: Any) -> None:
    refused(["walk-forward", *OF_WINDOWS[what]], place, capsys, monkeypatch)


@pytest.mark.parametrize("arguments", OTHERS, ids=" ".join)
def test_wrong_others(arguments: list[str], place: Path, capsys: Any, monkeypatch: Any) -> None:
    refused(arguments, place, capsys, monkeypatch)


def test_what_a_request_names_is_usage(place: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(place)
    for file in ("none.csv", "empty.csv", "words.csv", "bytes.bin", "folder"):
        code, _, err = outcome(["backtest", "--data", file, "--strategy", "CoinFlip"], capsys)
        assert (code, file in err) == (2, True)
    assert outcome(["data", "import", "none.csv"], capsys)[0] == 2


def paths() -> list[list[str]]:
    first, of_data, of_runs, of_actions, of_journal, of_predict = (n.split() for n in COMMANDS)
    return [
        *([name] for name in first),
        *(["data", name] for name in of_data),
        *(["runs", name] for name in of_runs),
        *(["data", "actions", name] for name in of_actions),
        *(["journal", name] for name in of_journal),
        *(["predict", name] for name in of_predict),
    ]


@pytest.mark.parametrize("path", paths(), ids=" ".join)
def test_every_help_has_an_example(path: list[str], capsys: Any) -> None:
    code, out, _ = outcome([*path, "--help"], capsys)
    assert code == 0
    assert re.search(rf"^  intrabar {' '.join(path)}\b", out, re.M), out
    told = out[out.index("For example:") :].replace("\\\n", " ")
    for line in re.findall(r"^  intrabar (.*)$", told, re.M):
        app.parse_args(shlex.split(line), exit_on_error=False, print_error=False)
    assert max(map(len, out.splitlines())) <= max(80, int(os.environ.get("COLUMNS", "80")))
