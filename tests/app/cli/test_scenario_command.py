"""`intrabar scenario`: a result a line for a program, a story for a person, a place for a slip."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from intrabar.app.cli import main as cli
from intrabar.engine.scenario.expectation import differences
from intrabar.engine.scenario.file import parse_scenarios
from intrabar.engine.scenario.format import check_scenario
from intrabar.engine.scenario.scenario import run_scenario
from intrabar.errors import ConfigError, UsageError
from tests.generators import random_scenario

GOLDEN = Path(__file__).parents[2] / "golden" / "scenarios.jsonl"
ORDER = {
    "id": "in",
    "at": 1,
    "phase": "open",
    "symbol": "A",
    "side": "buy",
    "qty": 10,
    "type": "market",
    "stop_loss": 99.5,
}
SCENARIO: dict[str, Any] = {
    "name": "stop gapped through",
    "instruments": [{"symbol": "A", "slippage_ticks": 1}],
    "bars": {
        "A": [
            [100, 101, 99, 100.5, 1000],
            [100.4, 100.9, 99.9, 100.2, 900],
            None,
            [97, 98, 96.5, 97.5, 2000],
        ]
    },
    "orders": [ORDER],
}


@pytest.fixture
def said(capsys: pytest.CaptureFixture) -> Any:
    """Run a command line: exit code, stdout, stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.run(["scenario", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_json_of_one_object_over_many_lines_is_one_line(tmp_path: Path, said: Any) -> None:
    file = tmp_path / "one.json"
    file.write_text(json.dumps(SCENARIO, indent=2))
    code, out, err = said(str(file), "--json")
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert json.loads(out) == run_scenario(SCENARIO)
    assert list(json.loads(out)) == ["name", "fills", "orders", "equity", "status"]


def test_json_lines_give_a_result_a_line_and_their_expectations_hold(said: Any) -> None:
    code, out, err = said(str(GOLDEN), "--json")
    assert (code, err) == (0, "")
    given = [json.loads(line) for line in GOLDEN.read_text().splitlines()]
    results = [json.loads(line) for line in out.splitlines()]
    assert [r["name"] for r in results] == [g["name"] for g in given]
    assert not any("differences" in r for r in results)


def test_gzip_and_stdin(tmp_path: Path, said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "one.json.gz"
    raw = gzip.compress(json.dumps(SCENARIO).encode())
    file.write_bytes(raw)
    plain = said(str(file), "--json")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
    assert said("-", "--json") == plain
    assert plain[0] == 0


def test_an_expectation_that_fails_is_reported_in_both_modes(tmp_path: Path, said: Any) -> None:
    wrong = SCENARIO | {
        "expect": {"fills": [{"price": 100.41}, {"price": 97, "at": 3}], "status": "finished"}
    }
    file = tmp_path / "wrong.jsonl"
    file.write_text(json.dumps(wrong) + "\n" + json.dumps(SCENARIO) + "\n")
    code, out, _ = said(str(file), "--json")
    first, second = map(json.loads, out.splitlines())
    assert code == 1
    assert first["differences"] == ["fills[1].price: expected 97, got 96.99"]
    assert "differences" not in second
    code, out, _ = said(str(file))
    assert code == 1
    assert "  fills[1].price: expected 97, got 96.99" in out.splitlines()
    assert "1 of 2 scenarios differ from what they expect" in out


def test_differences_name_what_is_missing_and_what_was_not_expected() -> None:
    result = run_scenario(SCENARIO)
    assert differences({"equity": result["equity"][:3]}, result) == [
        f"equity: expected 3, got 4; not expected: {result['equity'][3]!r}"
    ]
    assert differences({"orders": [*result["orders"], {"id": "x"}]}, result) == [
        "orders: expected 3, got 2; missing: {'id': 'x'}"
    ]
    assert differences({"fills": [{"prize": 1}, {}]}, result) == [
        "fills[0].prize: expected 1, a result has no such field"
    ]
    almost = [x * (1 + 1e-12) for x in result["equity"]]
    assert differences({"equity": almost}, result) == []


def test_the_story_fits_a_hundred_columns_without_colour(said: Any) -> None:
    code, out, err = said(str(GOLDEN))
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 100
    assert "\x1b" not in out
    assert not any(line != line.rstrip() for line in out.splitlines())
    assert out.count("as expected") == len(GOLDEN.read_text().splitlines())


@pytest.mark.parametrize("place", ["name", "id"])
def test_names_are_not_taken_for_markup(place: str, tmp_path: Path, said: Any) -> None:
    text = "[bold]x[/] :smile:"
    scenario = copy.deepcopy(SCENARIO)
    (scenario if place == "name" else scenario["orders"][0])[place] = text
    file = tmp_path / "one.json"
    file.write_text(json.dumps(scenario))
    assert text in said(str(file))[1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"{\n  'x': 1}", ":2:3: not JSON"),
        (b'{"a": 1}\n\n{"b" 2}', "unknown key in scenario 'a'"),
        (b'{"name": NaN}', ":1: NaN is not a number"),
        (b'{"name": "a", "name": "b"}', ":1: key 'name' stands twice"),
        (b"[1]", ":1: a scenario is a JSON object, not [1]"),
        (b"\xff\xfe", "byte 0 is not UTF-8"),
        (b"\x1f\x8b\x08rubbish", "damaged gzip"),
        (b'{"name":' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_a_scenario_file(
    content: bytes, message: str, tmp_path: Path, said: Any
) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    code, out, err = said(str(file))
    assert (code, out) == (2, "")
    assert err.startswith(f"error: {file}")
    assert message in err
    assert err.count("\n") == 1


def test_a_bad_line_is_named_and_nothing_runs(tmp_path: Path, said: Any) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps(SCENARIO) + "\n\n" + '{"name" 1}\n')
    code, out, err = said(str(file), "--json")
    assert (code, out) == (2, "")
    assert f"{file}:3:9: not JSON" in err


def test_an_option_that_is_none(said: Any) -> None:
    assert said("--jsn")[0] == 2


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path, said: Any) -> None:
    code, _, err = said(str(tmp_path / "none.json"))
    assert (code, err.count("\n")) == (2, 1)
    assert "no such file" in err
    code, _, err = said(str(tmp_path))
    assert code == 2
    assert "a folder" in err


def changed(path: list[Any], value: Any) -> dict:
    """The scenario with one thing put in another's place."""
    scenario = copy.deepcopy(SCENARIO)
    target = scenario
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    return scenario


BAD: list[tuple[list[Any], Any, str]] = [
    (["oders"], [], "unknown key in scenario 'oders': did you mean 'orders'"),
    (["instruments"], [], "instruments: missing"),
    (["instruments"], {"symbol": "A"}, "instruments: "),
    (["instruments", 0, "tick_sise"], 1, "instruments[0] 'tick_sise': did you mean 'tick_size'"),
    (["instruments", 0, "tick_size"], "0.01", 'instruments[0].tick_size: "0.01", must be a number'),
    (["instruments", 0, "tick_size"], -1, "instruments[0].tick_size: -1, must be 0 or more"),
    (["instruments", 0, "lot"], -1, "instruments[0].lot: -1, must be 0 or more"),
    (["instruments", 0, "symbol"], 3, "instruments[0].symbol: 3, must be a name"),
    (["instruments"], [{"symbol": "A"}, {"symbol": "A"}], "'A' is there already"),
    (["bars"], {"B": [[1, 1, 1, 1, 1]]}, "unknown key in bars 'B'"),
    (["bars"], {"A": []}, "bars: there are none"),
    (["bars", "A"], 3, "bars.A: 3, must be a list"),
    (["bars", "A", 3], [97, 98, 99, 97.5, 1], "bars.A[3]: high 98 is below low 99"),
    (["bars", "A", 3], [95, 98, 96, 97.5, 1], "bars.A[3]: open 95 is outside"),
    (["bars", "A", 3], [97, 98, 96, 99, 1], "bars.A[3]: close 99 is outside"),
    (["bars", "A", 3], [97, 98, 96, 97], "bars.A[3]: [97, 98, 96, 97] is not [open,"),
    (["bars", "A", 3], [97, 98, -96, 97, 1], "bars.A[3]: low is -96, must be above 0"),
    (["bars", "A", 3], [97, "x", 96, 97, 1], 'bars.A[3]: high: "x", must be a number'),
    (["bars", "A", 3], [97, True, 96, 97, 1], "bars.A[3]: high: true, must be a number"),
    (["bars", "A", 3], [97, 98, 96, 97, -1], "bars.A[3]: volume is -1, must be 0 or more"),
    (["account"], {"cahs": 1}, "unknown key in account 'cahs': did you mean 'cash'"),
    (["account"], {"cash": 0}, "account.cash: 0, must be above 0"),
    (["account"], {"cash": 10**400}, "account.cash: 1000"),
    (["account"], {"margin_call": "some"}, "unknown account.margin_call 'some'"),
    (["account"], {"type": "free"}, "unknown account.type 'free'"),
    (["account"], {"currency": 1}, "account.currency: 1, must be a name"),
    (["account"], {"close_at_end": 1}, "account.close_at_end: 1, must be true or false"),
    (["path_policy"], "worse", "unknown path_policy 'worse': did you mean 'worst'"),
    (["path_policy"], "detail", None),
    (["path_trust"], 1.5, "path_trust: 1.5, must be a probability, 0 to 1"),
    (["seed"], -1, "seed: -1, must be a whole number"),
    (["instruments", 0, "currency"], [], "instruments[0].currency: [], must be a name"),
    (["instruments", 0, "currency"], "EUR", "instruments[0].currency: EUR needs rates"),
    (["instruments", 0, "tiers"], 1, "instruments[0].tiers: 1, must be a list"),
    (["instruments", 0, "tiers"], [[1, 2]], "instruments[0].tiers[0]: [1, 2] is not [from_qty"),
    (["days"], 1, "days: 1, must be a list"),
    (["days"], [0, 1, 2], "days: 3 values, but the timeline has 4"),
    (["days"], [0, 2, 1, 3], "days[2]: 1, must not be below 2 before it"),
    (["days"], [0, None, 1, 3], "days[1]: null, must be a whole number"),
    (["fx"], {"EUR": [1, 1, 0, 1]}, "fx.EUR[2]: 0, must be above 0"),
    (["fx"], {"EUR": 1}, "fx.EUR: 1, must be a list"),
    (["detail"], 1, "detail: 1, must be an object"),
    (["detail"], {"A": [1, None, None, None]}, "detail.A[0]: 1, must be a list of bars or null"),
    (["detail"], {"A": [[[1]], None, None, None]}, "detail.A[0][0]: [1] is not [open,"),
    (["actions"], {"at": 1}, "actions: "),
    (["actions"], [{"at": 1, "symbol": []}], "actions[0].symbol: [], must be a name"),
    (["actions"], [{"at": 2, "symbol": "A", "split": 2}], "actions[0].at: A has no bar at 2"),
    (["actions"], [{"at": 1, "symbol": "A", "split": 0}], "actions[0].split: 0, must be above 0"),
    (["actions"], [{"at": 1, "symbol": "A"}], "actions[0]: needs one of split, dividend"),
    (["orders"], {}, None),  # nothing asked for
    (["orders"], {"a": 1}, "orders: "),
    (["orders", 0], 3, "orders[0]: 3, must be an object"),
    (["orders", 0, "type"], "markt", "unknown type in orders[0] 'markt': did you mean 'market'"),
    (["orders", 0], ORDER | {"type": "trailing_stop", "trail": 1}, None),
    (["orders", 0, "trail"], "1", 'orders[0].trail: "1", must be a number'),
    (["orders", 0, "tif"], "gfd", "unknown tif in orders[0] 'gfd'"),
    (["orders", 0, "tif"], "gtd", "orders[0]: tif gtd needs until"),
    (["orders", 0, "until"], 10**9, "orders[0].until: 1000000000, must be"),
    (["orders", 0, "at"], 4, "orders[0].at: 4, must be an index of the timeline, 0 to 3"),
    (["orders", 0, "at"], -1, "orders[0].at: -1, must be"),
    (["orders", 0, "at"], 1.0, "orders[0].at: 1.0, must be"),
    (["orders", 0, "phase"], "intrabar", "orders[0].phase: \"intrabar\", must be 'open' or"),
    (["orders", 0, "side"], "long", "unknown side in orders[0] 'long': known: buy, sell"),
    (["orders", 0, "symbol"], "B", "unknown symbol in orders[0] 'B'"),
    (["orders", 0, "qty"], "ten", 'orders[0].qty: "ten", must be a number'),
    (["orders", 0, "qty"], None, "orders[0]: qty is missing"),
    (["orders", 0, "stop_los"], 1, "'stop_los': did you mean 'stop_loss'"),
    (["orders", 0, "limit_price"], [1], "orders[0].limit_price: [1], must be a number"),
    (["orders", 0, "reduce_only"], "yes", 'orders[0].reduce_only: "yes", must be true'),
    (["orders", 0, "oco"], "out", "unknown order in orders[0].oco 'out'"),
    (["orders", 0, "oco"], "in", "an order cannot cancel itself"),
    (["orders"], [ORDER, ORDER], "orders[1].id: 'in' is the id of orders[0] already"),
    (["orders"], [ORDER, ORDER | {"id": "in.stop"}], "is the name of a bracket's child"),
    (["orders"], [{"at": 1, "phase": "open", "cancel": "no"}], "orders[0].cancel 'no'"),
    (["orders"], [{"at": 1, "phase": "open", "cancel": "no", "qty": 1}], "orders[0] 'qty'"),
    (["expect"], {"fill": []}, "unknown key in expect 'fill': did you mean 'fills'"),
    (["expect"], {"fills": {}}, "expect.fills: {}, must be a list"),
]


@pytest.mark.parametrize(("path", "value", "message"), BAD)
def test_a_slip_is_named_with_its_place(path: list, value: Any, message: str | None) -> None:
    text = json.dumps(changed(path, value))
    if message is None:
        check_scenario(json.loads(text))
        return
    with pytest.raises(ConfigError) as caught:
        parse_scenarios(text, "here.json")
    assert str(caught.value).startswith("here.json:1: ")
    assert message in str(caught.value)
    with pytest.raises(UsageError):
        run_scenario(json.loads(text))


def test_lists_of_bars_are_as_long_as_each_other() -> None:
    scenario = changed(["instruments"], [{"symbol": "A"}, {"symbol": "B"}])
    scenario["bars"]["B"] = [[1, 1, 1, 1, 1]]
    with pytest.raises(ConfigError, match=r"bars\.B: 1 bars, but bars\.A has 4; write null"):
        check_scenario(scenario)


def test_more_orders_at_once_than_a_strategy_can_ask_for() -> None:
    orders = [ORDER | {"id": f"o{n}"} for n in range(1025)]
    with pytest.raises(ConfigError, match="1025 at 1 in phase open"):
        check_scenario(SCENARIO | {"orders": orders})
    assert len(run_scenario(SCENARIO | {"orders": orders[:1024]})["fills"]) > 1024


def test_a_scenario_with_nothing_but_bars_runs() -> None:
    result = run_scenario({"instruments": [{"symbol": "A"}], "bars": {"A": [[1, 1, 1, 1, 0]]}})
    assert result == {
        "name": "",
        "fills": [],
        "orders": [],
        "equity": [100_000.0],
        "status": "finished",
    }


def test_random_scenarios_are_all_accepted() -> None:
    for n in range(2000):
        check_scenario(random_scenario(random.Random(f"accepted/{n}")))


@pytest.mark.parametrize("where", range(200))
def test_any_value_in_any_place_is_refused_or_runs(where: int) -> None:
    """A scenario with one value replaced by rubbish gives a result or one clear refusal."""
    rng = random.Random(where)
    scenario = random_scenario(rng)
    target: Any = scenario
    while True:
        keys = list(target) if isinstance(target, dict) else list(range(len(target)))
        key = rng.choice(keys)
        inside = target[key]
        if not isinstance(inside, dict | list) or not inside or rng.random() < 0.15:
            break
        target = inside
    rubbish = (None, True, -1, 0, 1.5, "x", "", [], {}, [1], {"a": 1}, 1e308, 10**30)
    target[key] = rng.choice(rubbish)
    with contextlib.suppress(UsageError):
        json.dumps(run_scenario(scenario))
