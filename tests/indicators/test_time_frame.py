"""The text of an indicator on a higher time frame, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intrabar.errors import ConfigError
from intrabar.indicators import (
    Columns,
    Indicator,
    bollinger,
    compute,
    cross,
    ema,
    from_config,
    level,
    parse,
    price,
    stream,
    talib,
)

GIVEN: list[Indicator] = [
    ema(20).on("1h"),
    ema(20, seed="first", source="high").on("15m"),
    bollinger(20, 2.0).upper.on("1d"),
    talib("MACD", output="macd").on("1w"),
    price("high").on("1d"),
    cross(ema(5), ema(20).on("1h")),
    cross(bollinger().lower.on("1h"), level(3)),
]


@pytest.mark.parametrize("indicator", GIVEN, ids=str)
def test_its_text_reads_back_as_itself(indicator: Indicator) -> None:
    assert parse(str(indicator)) == indicator


@pytest.mark.parametrize(
    "given",
    [
        "ema(20).on('1h')",
        'ema(20).on("1h")',
        "ema(20).on(1h)",
        "ema(20).on( 1h )",
        {"name": "ema", "period": 20, "timeframe": "1h"},
    ],
)
def test_a_configuration_may_write_it_in_several_ways(given: Any) -> None:
    assert from_config(given) == ema(20).on("1h")
    assert from_config(given) != ema(20)


def test_the_output_may_stand_before_or_after() -> None:
    assert parse("bollinger(20).upper.on(1h)") == parse("bollinger(20).on(1h).upper")


@pytest.mark.parametrize("text", ["1x", "h", "0h", "-1h", "1 h", "", "1.5h"])
def test_time_frames_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match="timeframe is"):
        ema(20).on(text)


@pytest.mark.parametrize("text", ["ema(20).at('1h')", "ema(20).on()", "ema(20).on('1h', 2)"])
def test_other_calls_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"chosen as in ema\(20\).on\('1h'\)"):
        parse(text)


def test_a_cross_has_no_time_frame_of_its_own() -> None:
    with pytest.raises(ConfigError, match=r"cross\(ema\(5\).on\('1h'\), ema\(20\).on\('1h'\)\)"):
        cross(ema(5), ema(20)).on("1h")


@pytest.mark.parametrize("indicator", [ema(2).on("1h"), cross(price(), ema(2).on("1h"))], ids=str)
def test_it_is_not_computed_over_bars_of_another_length(indicator: Indicator) -> None:
    bars = Columns("A", np.arange(5), *(np.ones(5) for _ in range(5)))
    for computing in (lambda: compute(indicator, bars), lambda: stream(indicator)):
        with pytest.raises(ConfigError, match="reads other bars than these"):
            computing()
