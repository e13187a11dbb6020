"""Every argument of every public name: taken, or refused in a sentence that names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import partial
from pathlib import Path
from shutil import rmtree
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
import yaml

import intrabar as ib
from intrabar.app.calls.forecast_settings import settings_of
from intrabar.app.compose.options import RunOptions
from intrabar.app.config.file import validated
from intrabar.app.config.learning import PredictConfig
from intrabar.app.config.model import AccountConfig, Config, SweepConfig, WalkForwardConfig
from intrabar.data.live.vendors import SOURCES
from tests.app.hostile import VALUES, frame
from tests.app.vendors_of_it import scripted
from tests.exits.traded import traded_policy

SENTENCE = 1000  # characters; a message that is longer shows a whole value
OUTCOMES = {
    *("AtClose", "AtOpen", "AuditReport", "Check", "Expected", "Finding", "PathTruth", "Result"),
    *("Session", "SweepResult", "Validation", "WalkForward"),
}  # what runs give; nobody makes one
INSIDE = (
    "frame",
    "strategy",
    "data",
    "config",
    "given",
    "test",
)  # what they hold is named, not they

ROWS = 40
BARS: dict[str, Any] = {
    "symbol": "A",
    "close_time": np.arange(1, 6) * 60 * 10**9,
    "open": np.ones(5),
    "high": np.full(5, 2.0),
    "low": np.full(5, 0.5),
    "close": np.ones(5),
    "volume": np.ones(5),
    "period": 60 * 10**9,
    "open_time": np.arange(5) * 60 * 10**9,
    "session": np.zeros(5, np.int64),
}


SESSION = {
    "data": [{"symbol": "IBM", "sample": True}],
    "start": "2012-12-01",
    "strategies": ["CoinFlip"],
}


SCORED = ("score", "compare")


class Door(NamedTuple):
    """A function with what it needs to be called, and the arguments that are tried."""

    call: Callable[..., Any]
    base: Mapping[str, Any]
    names: list[str]


def signals(n: int = 1) -> ib.Signals:
    side = np.full(ROWS, np.nan)
    side[[n, -10]] = 1, 0
    return ib.Signals(side)


def predictions() -> Path:
    path = Path("p.csv").absolute()
    path.write_text("Time,predicted_return\n2024-01-02,0.01\n")
    return path


def _run_of(make: Callable[..., Any]) -> Callable[..., Any]:
    """A strategy made of the arguments, and run: what it holds is read in the run."""
    return lambda **given: ib.backtest(make(**given), frame())


class Waiting(ib.Strategy):
    """Does nothing at a close."""

    def on_close(self, now: ib.AtClose) -> None:
        pass


def _gated(gates: Any) -> Any:
    strategy = Waiting()
    strategy.gates = gates
    return ib.backtest(strategy, frame())


def _bot(**params: Any) -> Any:
    return ib.backtest("CoinFlip", frame(), params=params)


def doors() -> dict[str, Door]:
    """All of them by name."""
    result = ib.backtest(signals(), frame())
    kept = ib.sweep(
        signals, frame(), parameters={"n": [1, 2]}, workers=1, out=Path("kept").absolute()
    )
    run: dict[str, Any] = {"strategy": signals(), "data": frame()}
    swept = {"strategy": signals, "data": frame(), "parameters": {"n": [1, 2]}, "workers": 1}
    sessions = Path("sessions").absolute()
    ib.paper(config=SESSION, name="kept", folder=sessions, warm_up=30)
    base: dict[str, dict[str, Any]] = {
        "Bars": BARS,
        "Bot": {"entry": ib.CoinFlip()},
        "Instrument": {"symbol": "A"},
        "PredictionThreshold": {"predictions": "p.csv"},
        "Predictions": {"file": predictions()},
        "Replay": {"setup": result.setup},
        "Signals": {"side": signals().side},
        "Weights": {"weight": np.ones((ROWS, 1))},
        "audit": {**run, "cuts": 1},
        "backtest": run,
        "bars_from_frame": {"frame": frame(), "symbol": "A"},
        "critique": {"result": result},
        "cross": {"a": ib.sma(2), "b": ib.sma(3)},
        "ema": {"period": 3},
        "fetch": {
            "symbol": "IBM",
            "source": "scripted",
            "period": "1m",
            "start": "2026-03-02",
            "cache_enabled": False,
        },
        "quote": {"symbol": "IBM", "source": "scripted", "cache_enabled": False},
        "expected": {"run": result, "truth": 0.5, "runs": 1},
        "highest": {"period": 3},
        "lowest": {"period": 3},
        "paper": {**run, "folder": sessions, "warm_up": 3},
        "parity": {"session": "kept", "sessions": sessions},
        "path_truth": {"detail": ib.Bars(**BARS), "lengths": ["2m"]},
        "plot": {"result": result},
        "report": {"result": result},
        "sma": {"period": 3},
        "sweep": {**swept, "keep": False},
        "sweep_report": {"sweep": kept},
        "talib": {"name": "SMA"},
        "uniform": {"seed": 1},
        "validate": {"of": result, "runs": 1},
        "walk_forward": {
            **swept,
            "strategy": lambda n=1: ib.Bot(ib.CoinFlip(n), ib.FixedPercent()),
            "train": 20,
            "test": 10,
        },
    }
    found = {}
    for name in ib.__all__:
        what = getattr(ib, name)
        if name in OUTCOMES or name == "Strategy" or not callable(what):
            continue
        if isinstance(what, type) and issubclass(what, Exception):
            continue
        if name in ("OrderType", "PathPolicy", "Side", "TimeInForce"):
            found[name] = Door(lambda value, what=what: what(value), {}, ["value"])
            continue
        names = [p.name for p in inspect.signature(what).parameters.values() if p.kind < 4]
        # What is lived at some rows a second takes as long as it says.
        names = [x for x in names if x not in ("params", "given", "speed")]
        if name in ("backtest", "sweep"):
            names += list(RunOptions.__annotations__)
        call = _run_of(what) if name in ("Signals", "Weights") else what
        found[name] = Door(call, base.get(name, {}), names)
    found["learn.dataset"] = _learned()
    for kind in (ib.exits.Learned, ib.exits.LinUCB, ib.exits.Hybrid):
        given = {} if kind is ib.exits.LinUCB else {"policy": traded_policy()}
        found[f"exits.{kind.__name__}"] = Door(kind, given, [f.name for f in fields(kind)])
    found |= _scored()
    found["indicator.on"] = Door(lambda timeframe: ib.sma(3).on(timeframe), {}, ["timeframe"])
    said = {"frame": pl.read_csv("p.csv"), "name": "said"}
    found["predict.write"] = Door(ib.predict.write, said, ["frame", "name", "folder"])
    found |= _forecasts()
    replay = ib.Replay(result.setup)
    found["replay.seek"] = Door(replay.seek, {"bar": 0}, ["bar", "step"])
    found["replay.speed"] = Door(lambda speed: setattr(replay, "speed", speed), {}, ["speed"])
    found["class gates"] = Door(_gated, {}, ["gates"])
    found["talib period"] = Door(
        lambda timeperiod: ib.talib("RSI", timeperiod=timeperiod), {}, ["timeperiod"]
    )
    return found | _mappings(run)


def _learned() -> Door:
    """A dataset of few bars; each in the place of the one before."""
    frame(80).to_csv("learned.csv")
    own = {"symbol": "A", "file": str(Path("learned.csv").absolute())}
    few = {"arms": [1, 2], "max_bars": 3, "features": ["up = close / lag(close, 2)"], "window": 1}
    config = {"data": [own], "calendar": "none", "strategies": ["CoinFlip"], "learn": few}

    def made(**given: Any) -> Any:
        for old in list(Path().rglob("dataset.json")):
            rmtree(old.parent)
        return ib.learn.dataset(**given)

    names = list(inspect.signature(ib.learn.dataset).parameters)
    return Door(made, {"config": config, "threads": 1}, names)


def _scored() -> dict[str, Door]:
    """Scorecards of a few bars, and of a policy with weights at random."""
    bars = frame(300)
    bars.to_csv("scored.csv")
    own = {"symbol": "A", "file": str(Path("scored.csv").absolute())}
    config = {"data": [own], "calendar": "none", "strategies": ["CoinFlip"]}
    policy = traded_policy(trained_until=int(bars.index[220].value))
    base = {"config": config, "threads": 1}
    names = [x for x in inspect.signature(ib.learn.score).parameters if x != "config"]
    return {
        "learn.score": Door(ib.learn.score, {**base, "policy": policy}, names),
        # The others go the same way.
        "learn.compare": Door(ib.learn.compare, base, ["policies"]),
    }


def _forecasts() -> dict[str, Door]:
    """Forecasters of few bars; each in the place of the one before."""
    frame(240).to_csv("learned.csv")
    own = {"symbol": "A", "file": str(Path("learned.csv").absolute())}
    few = {"forecaster": "ridge", "features": ["up = close / lag(close, 2) - 1"], "window": 1}
    section = {**few, "train": 200, "refit": 20}
    config = {"data": [own], "calendar": "none", "predict": section}

    def made(call: Any, **given: Any) -> Any:
        if call is ib.predict.train:
            rmtree("models", ignore_errors=True)
        elif not Path("models").exists():
            ib.predict.train(config)
        return call(**given)

    def door(name: str, base: dict[str, Any]) -> Door:
        call = getattr(ib.predict, name)
        names = [x for x in inspect.signature(call).parameters if x not in ("given", "bars")]
        return Door(partial(made, call), base, names)

    def section_of(**given: Any) -> Any:
        return settings_of(validated(PredictConfig, {**section, **given}), Path())

    future = {"bars": own["file"], "model": "models/registry/forecast", "steps": 1}
    return {
        "predict.train": door("train", {"config": config}),
        "predict.run": door("run", {"config": config}),
        "predict.search": door("search", {"config": config, "trials": 1}),
        "predict.windows": door("windows", {"config": config}),
        "predict.predict_future_prices": door("predict_future_prices", future),
        "config predict": Door(section_of, {}, list(PredictConfig.model_fields)),
    }


def _mappings(run: dict[str, Any]) -> dict[str, Door]:
    """The same arguments by configurations."""

    def config(**given: Any) -> Any:
        return ib.backtest(**run, config=given)

    def account(**given: Any) -> Any:
        return ib.backtest(**run, account=given)

    def instrument(**given: Any) -> Any:
        return ib.backtest(**run, instruments={"ASSET": given})

    def swept(**given: Any) -> Any:
        how = {"parameters": {"n": [1, 2]}, **given}
        return ib.sweep(signals, frame(), keep=False, workers=1, config={"sweep": how})

    def windows(**given: Any) -> Any:
        make = lambda n=1: ib.Bot(ib.CoinFlip(n), ib.FixedPercent())  # noqa: E731
        how = {"train": 20, "test": 10, **given}
        return ib.walk_forward(
            make, frame(), parameters={"n": [1]}, workers=1, config={"walk_forward": how}
        )

    def file(**given: Any) -> Any:
        Path("config.yaml").write_text(yaml.safe_dump(given, allow_unicode=True))
        return ib.backtest(**run, config="config.yaml")

    def gates(**given: Any) -> Any:
        return _bot(gates=given)

    def exit_(**given: Any) -> Any:
        return _bot(exit={"name": "FixedRatio", **given})

    entry = ["seed", "chance", "exit", "risk_fraction", "qty", "equity_fraction", "gates"]
    numbers = [x for x in inspect.signature(ib.Instrument).parameters if x != "symbol"]
    return {
        "config=": Door(config, {}, list(Config.model_fields)),
        "account=": Door(account, {}, list(AccountConfig.model_fields)),
        "instruments=": Door(instrument, {}, [*numbers, "tick_value", "contract_size", "kind"]),
        "config sweep": Door(swept, {}, list(SweepConfig.model_fields)),
        "config walk_forward": Door(windows, {}, list(WalkForwardConfig.model_fields)),
        "params=": Door(_bot, {}, [*entry, "warm_up", "interpreted"]),
        "params gates": Door(gates, {}, list(inspect.signature(ib.Gates).parameters)),
        "params exit": Door(exit_, {}, list(inspect.signature(ib.FixedRatio).parameters)),
        "file": Door(file, {}, ["account", "data", "symbols", "start", "period", "zone"]),
    }


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Door]:
    SOURCES._own["scripted"] = lambda credentials, clock: scripted()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("kept"))
        return doors()


NOT_CALLED = ("Strategy", "exits", "learn", "predict")  # a base class, and modules
NAMES = [
    *("exits.Learned", "exits.LinUCB", "exits.Hybrid"),
    *(x for x in ib.__all__ if x not in {*OUTCOMES, *NOT_CALLED} and not x.endswith("Error")),
    "predict.write",
    *(f"learn.{x}" for x in SCORED),
    *(f"predict.{x}" for x in ("train", "run", "windows", "search", "predict_future_prices")),
    *(
        "indicator.on",
        "replay.seek",
        "replay.speed",
        "class gates",
        "talib period",
        "config=",
        "account=",
        "instruments=",
        "config sweep",
        "config predict",
    ),
    *("learn.dataset", "config walk_forward", "params=", "params gates", "params exit", "file"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_an_argument_is_taken_or_refused_by_its_name(
    name: str, known: dict[str, Door], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = []
    door = known[name]
    for argument in door.names:
        for label, value in VALUES.items():
            if name == "file" and type(value) not in (str, int, float, list, dict, type(None)):
                continue
            if door.names == ["value"] and hasattr(value, "shape"):
                continue  # Python's own look-up compares arrays
            if door.names == ["value"] and label in ("decimal snan", "polars frame"):
                continue
            if (name, label) in (("file", "surrogate"), ("file", "[1]")):
                continue
            if argument == "progress" and label == "function that fails":
                continue  # what the user's own function raises goes through
            try:
                door.call(**{**door.base, argument: value})
            except ib.IntrabarError as error:
                told = str(error)
                if len(told) > SENTENCE:
                    wrong.append(f"{argument} = {label}: {len(told)} characters, {told[:80]!r}")
                if argument not in INSIDE and argument.rstrip("s") not in told:
                    wrong.append(f"{argument} = {label}: does not name it: {told[:120]!r}")
            except Exception as error:
                wrong.append(f"{argument} = {label}: {type(error).__name__}: {str(error)[:80]!r}")
    assert not wrong, "\n".join([f"{name}: {len(wrong)}", *wrong[:40]])


def test_every_public_name_is_tried(known: dict[str, Door]) -> None:
    assert set(known) == set(NAMES)


@pytest.mark.filterwarnings("ignore")
def test_a_class_and_a_mapping_give_the_same_answer() -> None:
    """Text apart, which a file may write for a number."""
    pairs = {
        "account": (ib.Account, lambda **x: ib.backtest(signals(), frame(), account=x)),
        "gates": (ib.Gates, lambda **x: _bot(gates=x)),
        "entry": (ib.CoinFlip, lambda **x: _bot(**x)),
        "exit": (ib.FixedRatio, lambda **x: _bot(exit=x)),
        "trailing": (ib.TrailingATR, lambda **x: _bot(exit={"name": "TrailingATR", **x})),
        "instrument": (
            lambda **x: ib.Instrument("ASSET", **x),
            lambda **x: ib.Instrument.from_mapping("ASSET", x),
        ),
    }
    wrong = []
    for what, (make, mapped) in pairs.items():
        own = inspect.signature(ib.Instrument if what == "instrument" else make).parameters
        for name in own:
            if name in ("symbol", "cash_account", "calendar", "tiers"):
                continue
            for label, value in VALUES.items():
                said = [_said(lambda f=f: f(**{name: value})) for f in (make, mapped)]  # noqa: B023
                plain = value is not None and not isinstance(value, str | tuple)
                if said[0] and plain and not said[1].endswith(said[0]):
                    wrong.append(f"{what} {name} = {label}: {said}")
    assert not wrong, "\n".join([str(len(wrong)), *wrong[:20]])


def _said(call: Callable[[], Any]) -> str:
    try:
        call()
    except ib.IntrabarError as error:
        return str(error)
    return ""
