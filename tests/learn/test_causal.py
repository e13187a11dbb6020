"""The canary `causal`: features of later bars are found out in the tables that are trained on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import intrabar.engine.prepared as prepared
from intrabar.engine.tables.feature_table import FeatureTables, feature_tables
from intrabar.errors import RunError
from intrabar.indicators.features import features_of
from intrabar.learn.canaries import require
from intrabar.learn.causal import causal
from intrabar.model.bars import Market
from tests.strategy.markets import walk

FEATURES = features_of(["trend = close / ema(5) - 1", "signed up = rsi(5) / 50 - 1"], 3)


def market() -> Market:
    return walk(400, 3, ("A", "B"), missing=0.1)


def tables_of(market: Market) -> FeatureTables:
    return prepared.Prepared(market, ("", "")).feature_tables(FEATURES)


def one_later(tables: FeatureTables) -> FeatureTables:
    """Rows that are those of the next bar."""
    moved = tuple(np.concatenate([x[1:], x[-1:]]) for x in tables.tables)
    return replace(tables, tables=moved, row_of=tables.row_of.copy())


def test_features_that_read_no_later_bar_hold() -> None:
    m = market()
    found = causal(tables_of(m), m, ("", ""), np.arange(50, 390), seed=5)
    assert found.holds
    assert require([found], "LSTM") == [found._asdict()]


def test_tables_of_the_next_bar_are_found_out() -> None:
    m = market()
    found = causal(one_later(tables_of(m)), m, ("", ""), np.arange(50, 390))
    assert not found.holds
    with pytest.raises(RunError, match=r"nothing of this PPO may be saved: canary causal: feature"):
        require([found], "PPO")


def test_features_of_the_next_bar_are_found_out_where_they_are_worked_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Planted in the one place where tables are made, so that all ways in share it."""
    monkeypatch.setattr(prepared, "feature_tables", lambda *a: one_later(feature_tables(*a)))
    m = market()
    assert not causal(tables_of(m), m, ("", ""), np.arange(50, 390)).holds


def test_one_feature_of_one_symbol_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(*given: object) -> FeatureTables:
        tables = feature_tables(*given)  # type: ignore[arg-type]
        last = tables.tables[1].copy()
        last[:-1, 1] = last[1:, 1]
        return replace(tables, tables=(tables.tables[0], last), row_of=tables.row_of.copy())

    monkeypatch.setattr(prepared, "feature_tables", planted)
    m = market()
    assert "feature up of B" in causal(tables_of(m), m, ("", ""), np.arange(50, 390)).told
