"""Datasets for trainers, made of a walk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from intrabar.engine.run import Setup
from intrabar.exits import TrailingATR
from intrabar.indicators.features import features_of
from intrabar.learn.dataset_folder import Dataset
from intrabar.learn.datasets import make_dataset
from intrabar.learn.terms import Terms
from intrabar.learn.window_arrays import Windows, decisions_of, windows_of
from intrabar.model.instrument import Instrument
from intrabar.strategy.bot import Bot
from tests.strategy.markets import Told, walk

ARMS = (0.5, 2.0, 4.0)
SMALL = Terms(
    features_of(["trend = close / ema(5) - 1", "signed up = rsi(5) / 50 - 1", "side = side"], 4),
    ARMS,
    max_bars=20,
)


def setup_of(bars: int = 900, symbols: Any = ("A", "B"), seed: int = 2) -> Setup:
    market = walk(bars, seed, symbols, missing=0.05, wild=0.01)
    instruments = tuple(Instrument(s, 0.01, slippage_ticks=1.0) for s in symbols)
    return Setup(market, instruments, {"s": Bot(Told(), TrailingATR(5), risk_fraction=0.01)})


def dataset_of(folder: Path, setup: Setup, terms: Terms = SMALL, **changed: Any) -> Dataset:
    return make_dataset(setup, "s", replace(terms, **changed), folder, {"command": "test"})


def windows_in(folder: Path, setup: Setup | None = None, **changed: Any) -> Windows:
    setup = setup or setup_of()
    return windows_of(decisions_of(dataset_of(folder, setup, **changed), setup))
