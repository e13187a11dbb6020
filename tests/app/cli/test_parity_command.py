"""`intrabar parity`: from a journal in a folder to the answer, the page and the JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import intrabar as ib
from intrabar.app.cli.main import run
from tests.app.cli.test_paper_command import config as config  # a fixture
from tests.app.cli.test_paper_command import paper, written


def told(capsys: Any, *words: str) -> tuple[int, dict[str, Any]]:
    code = run(["parity", "Try", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_a_paper_session_is_identical_and_so_is_the_backtest_of_its_bars(
    config: Path, capsys: Any
) -> None:
    paper(config, capsys=capsys)
    paper(config, capsys=capsys)  # a restart changes nothing
    code, found = told(capsys)
    assert (code, found["headline"], found["identical"]) == (0, "identical", True)
    assert found["data"] == {"compared": True, "rows": []}
    assert len([x for x in found["orders"] if x["session"]["fills"]]) > 4
    page = Path(found["page"])
    assert page == Path("sessions/Try/parity.html")
    assert '"headline":"identical"' in page.read_text()
    assert run(["parity", "Try", "--out", "p.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("identical\n")
    assert "page: p.json" in out
    assert json.loads(Path("p.json").read_text())["session"] == "Try"


def test_a_session_under_limits_and_a_strategy_that_draws_at_random_are_identical(
    config: Path, capsys: Any
) -> None:
    Path("mine.py").write_text(
        "import random\nimport intrabar as ib\n\n\n"
        "class Draws(ib.Strategy):\n"
        "    def on_close(self, now):\n"
        "        if random.random() < 0.2:\n"
        "            now.buy(50) if now.is_flat else now.close_position()\n"
    )
    strategies = [{"name": "mine:Draws"}]
    config = written(config.parent, {"strategies": strategies, "risk": {"max_order_qty": 49}})
    paper(config, capsys=capsys)
    code, found = told(capsys)
    assert (code, found["headline"]) == (0, "identical")
    assert {x["session"]["reject"] for x in found["orders"]} == {"risk"}
    made = ib.parity("Try")
    assert made.is_identical
    assert made.as_json()["orders"] == found["orders"]


def test_bars_that_are_stored_otherwise_now_are_named_under_data(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)
    file = config.parent / "x.csv"
    lines = file.read_text().splitlines()
    stamp, open_, high, _, _, volume = lines[300].split(",")
    low, close = float(open_) - 4.0, float(open_) - 3.0
    lines[300] = f"{stamp},{open_},{high},{low:.2f},{close:.2f},{volume}"
    file.write_text("\n".join(lines))
    code, found = told(capsys)
    assert code == 0
    rows = found["data"]["rows"]
    assert {x["what"] for x in rows} == {"low", "close"}
    assert {x["stored"] for x in rows} == {round(low, 2), round(close, 2)}
    parts = {x["name"]: x["money"] for x in found["parts"]}
    assert {name for name, money in parts.items() if money} <= {"data"}
    assert found["profit"]["twin"] - found["profit"]["data"] == parts["data"]
    assert found["difference"] is None


def test_what_cannot_be_answered_is_said(config: Path, capsys: Any) -> None:
    paper(config, capsys=capsys)

    def refused(*words: str) -> str:
        assert run(["parity", *words]) != 0
        return capsys.readouterr().err

    assert "session" in refused("Tri")
    assert "Try" in refused("Tri")
    assert "--vendor: no source" in refused("Try", "--vendor")
    (config.parent / "x.csv").unlink()
    assert "x.csv" in refused("Try")


def test_a_session_with_other_parameters_now_is_not_compared(
    config: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("theirs.py").write_text(
        "import intrabar as ib\n\n\nclass Waits(ib.Strategy):\n"
        "    def __init__(self, days: int = 3):\n        self.days = days\n"
    )
    config = written(config.parent, {"strategies": [{"name": "theirs:Waits"}]})
    paper(config, capsys=capsys)
    import theirs

    monkeypatch.setattr(theirs.Waits.__init__, "__defaults__", (4,))
    assert run(["parity", "Try"]) == 2
    assert "now gives other strategies" in capsys.readouterr().err


def test_a_session_given_in_python_has_its_parity(config: Path) -> None:
    class Buys(ib.Strategy):
        def on_close(self, now):
            if now.bar % 9 == 0:
                now.buy(3) if now.is_flat else now.close_position()

    bars = {"X": "x.csv"}
    lived = ib.paper(Buys(), bars, name="given", warm_up=20, zone="UTC", calendar="24/7")
    found = lived.parity()
    assert found.is_identical, found.headline
    assert found.found.traded.fills
    assert found.save() == Path("sessions/given/parity.html")


@pytest.mark.parametrize(
    "words",
    [
        ["nope"], ["nope", "--store", "mysql://u@h/d"], ["nope", "--sessions", "x.csv"],
        ["nope", "--store", "sqlite:///none.db"], ["nope", "--store", "sqlite:///sessions"],
        ["nope", "--store", "postgresql://u@127.0.0.1:1/d"],
        ["nope", "--store", "postgresql://u@h/d", "--store-password", "literal"],
        ["broken"], ["empty"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_request_ends_in_a_traceback(config: Path, capsys: Any, words: list[str]) -> None:
    for name, content in (("broken", b"no database" * 400), ("empty", b"")):
        folder = Path("sessions") / name
        folder.mkdir(parents=True)
        (folder / "journal.db").write_bytes(content)
    assert run(["parity", *words]) != 0
    err = capsys.readouterr().err
    assert err.strip()
    assert "Traceback" not in err
    assert not Path("none.db").exists()


def test_a_strategy_that_goes_through_a_set_is_repeated_by_another_process(config: Path) -> None:
    Path("sets.py").write_text(
        "import intrabar as ib\n\n\n"
        "class Sets(ib.Strategy):\n"
        "    def on_close(self, now):\n"
        "        word = next(iter({f'{now.bar} {x}' for x in 'abcdefgh'}))\n"
        "        if word[-1] < 'c':\n"
        "            now.buy(5) if now.is_flat else now.close_position()\n"
    )
    written(config.parent, {"strategies": [{"name": "sets:Sets"}]})
    place = {**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(config.parent)])}
    place.pop("PYTHONHASHSEED", None)
    program = [sys.executable, "-m", "intrabar"]
    for words in (["paper", "config.yaml", "--recorded", "data"], ["parity", "Try"]):
        done = subprocess.run(
            [*program, *words], env=place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("identical\n")
    assert ", 0 fills" not in done.stdout
