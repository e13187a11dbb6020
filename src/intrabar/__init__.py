"""Intrabar: one strategy, one compiled market, and honesty about what a bar does not tell.

Names are loaded when they are first used: `import intrabar` itself costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from intrabar.version import __version__ as __version__

if TYPE_CHECKING:
    from intrabar import exits, learn
    from intrabar.app.calls import predict
    from intrabar.app.calls.api import audit, backtest
    from intrabar.app.calls.fetch import fetch, quote
    from intrabar.app.calls.parity import parity
    from intrabar.app.calls.policy import policy
    from intrabar.app.calls.sweep import sweep
    from intrabar.app.calls.sweep_page import sweep_report
    from intrabar.app.calls.validate import validate
    from intrabar.app.calls.walk_forward import walk_forward
    from intrabar.app.pages.report import report
    from intrabar.app.workers.paper import paper
    from intrabar.data.frames import bars_from_frame
    from intrabar.data.predictions import Predictions
    from intrabar.engine.outcome.expected import Expected, expected
    from intrabar.engine.outcome.path_truth import PathTruth, path_truth
    from intrabar.engine.outcome.plot import plot
    from intrabar.engine.outcome.result import Result
    from intrabar.engine.replay.replay import Replay
    from intrabar.engine.scenario.scenario import run_scenario
    from intrabar.errors import (
        CausalityError,
        ConfigError,
        DataError,
        IntrabarError,
        NotFoundError,
        OrderError,
        RunError,
        StrategyError,
        UsageError,
    )
    from intrabar.exits import FixedPercent, FixedRatio, TrailingATR
    from intrabar.indicators import (
        atr,
        bollinger,
        cross,
        ema,
        highest,
        lowest,
        price,
        rsi,
        sma,
        talib,
        uniform,
    )
    from intrabar.model.bars import Bars
    from intrabar.model.enums import OrderType, PathPolicy, Side, TimeInForce
    from intrabar.model.instrument import Instrument
    from intrabar.model.session import Session
    from intrabar.research.critique.critique import critique
    from intrabar.research.finding import Finding
    from intrabar.research.look_ahead.report import AuditReport
    from intrabar.research.sweep.sweep import SweepResult
    from intrabar.research.validate.check import Check, Validation
    from intrabar.research.walk_forward.result import WalkForward
    from intrabar.sim.account import Account
    from intrabar.strategy.bot import Bot
    from intrabar.strategy.entries import CoinFlip, MovingAverageCrossover, TrendFollowing
    from intrabar.strategy.gates import Gates
    from intrabar.strategy.predictions import PredictionThreshold
    from intrabar.strategy.signals import Signals
    from intrabar.strategy.strategy import Strategy
    from intrabar.strategy.views import AtClose, AtOpen
    from intrabar.strategy.weights import Weights

_HOMES = {
    "app.calls.api": "audit backtest",
    "app.calls.fetch": "fetch quote",
    "data.frames": "bars_from_frame",
    "app.calls.parity": "parity",
    "app.pages.report": "report",
    "app.calls.sweep_page": "sweep_report",
    "app.calls.sweep": "sweep",
    "app.calls.policy": "policy",
    "app.calls.validate": "validate",
    "app.calls.walk_forward": "walk_forward",
    "app.workers.paper": "paper",
    "engine.outcome.expected": "Expected expected",
    "engine.outcome.path_truth": "PathTruth path_truth",
    "engine.outcome.plot": "plot",
    "engine.replay.replay": "Replay",
    "research.look_ahead.report": "AuditReport",
    "engine.outcome.result": "Result",
    "engine.scenario.scenario": "run_scenario",
    "errors": "CausalityError ConfigError DataError IntrabarError NotFoundError OrderError "
    "RunError StrategyError UsageError",
    "exits": "FixedPercent FixedRatio TrailingATR",
    "indicators": "atr bollinger cross ema highest lowest price rsi sma talib uniform",
    "model.bars": "Bars",
    "model.enums": "OrderType PathPolicy Side TimeInForce",
    "model.instrument": "Instrument",
    "model.session": "Session",
    "research.validate.check": "Check Validation",
    "research.critique.critique": "critique",
    "research.finding": "Finding",
    "research.sweep.sweep": "SweepResult",
    "research.walk_forward.result": "WalkForward",
    "sim.account": "Account",
    "strategy.bot": "Bot",
    "strategy.predictions": "PredictionThreshold",
    "data.predictions": "Predictions",
    "strategy.entries": "CoinFlip MovingAverageCrossover TrendFollowing",
    "strategy.gates": "Gates",
    "strategy.signals": "Signals",
    "strategy.strategy": "Strategy",
    "strategy.views": "AtClose AtOpen",
    "strategy.weights": "Weights",
}
_MODULES = {"exits": "exits", "learn": "learn", "predict": "app.calls.predict"}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "Account",
    "AtClose",
    "AtOpen",
    "AuditReport",
    "Bars",
    "Bot",
    "CausalityError",
    "Check",
    "CoinFlip",
    "ConfigError",
    "DataError",
    "Expected",
    "Finding",
    "FixedPercent",
    "FixedRatio",
    "Gates",
    "Instrument",
    "IntrabarError",
    "MovingAverageCrossover",
    "NotFoundError",
    "OrderError",
    "OrderType",
    "PathPolicy",
    "PathTruth",
    "PredictionThreshold",
    "Predictions",
    "Replay",
    "Result",
    "RunError",
    "Session",
    "Side",
    "Signals",
    "Strategy",
    "StrategyError",
    "SweepResult",
    "TimeInForce",
    "TrailingATR",
    "TrendFollowing",
    "UsageError",
    "Validation",
    "WalkForward",
    "Weights",
    "atr",
    "audit",
    "backtest",
    "bars_from_frame",
    "bollinger",
    "critique",
    "cross",
    "ema",
    "exits",
    "expected",
    "fetch",
    "highest",
    "learn",
    "lowest",
    "paper",
    "parity",
    "path_truth",
    "plot",
    "policy",
    "predict",
    "price",
    "quote",
    "report",
    "rsi",
    "run_scenario",
    "sma",
    "sweep",
    "sweep_report",
    "talib",
    "uniform",
    "validate",
    "walk_forward",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF and name not in _MODULES:
        raise AttributeError(f"module 'intrabar' has no attribute {name!r}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"intrabar.{_MODULES[name]}")
    value = getattr(import_module(f"intrabar.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
