"""Feature tables: nothing later has a part in them, pieces have their bits, splits move nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import intrabar as ib
from intrabar.data.clock import ExchangeClock
from intrabar.engine import prepared as prepared_module
from intrabar.engine.adjusted import Adjusted, CarriedFactors
from intrabar.engine.chunks.carried_frames import CarriedFrames
from intrabar.engine.chunks.carried_tables import CarriedTables
from intrabar.engine.prepared import Prepared
from intrabar.engine.tables.feature_table import FeatureTables, power_of, probe_features
from intrabar.exits.policy_arrays import BAR, PROBE_BARS
from intrabar.exits.policy_file import load_policy, write_policy
from intrabar.indicators.expressions import parse_expression
from intrabar.indicators.features import Features, features_of
from intrabar.model.bars import DAY_NS, Action, Market
from intrabar.model.enums import ActionKind
from tests.exits.networks import recurrent
from tests.exits.policies import policy as policy_of
from tests.exits.policies import probes_of
from tests.strategy.markets import MINUTE_NS, START_NS, other_future, walk, with_gaps, without_rows

SETS = ("exit/1", "exit/raw", "predict/1")
OWN = (
    "lagged = lag(close, 37) / lag(open, 1) - 1",
    "hours = close / ema(5).on(15m)",
    "longer = log(high.on(5m) / low)",
    "signed crossed = cross(ema(3), ema(9))",
    "talib = natr(5) - lag(natr(5), 2)",
    "drawn = uniform(3)",
    "clock = hour_sin * day_cos",
    "root = sqrt(volume) * sqrt(atr(3))",
    "level = log(close)",
    "side = side",
)
CALENDARS = ("NYSE", "", "24/7")


def made(market: Market, features: Features, calendars: Sequence[str] = ()) -> FeatureTables:
    return Prepared(market, calendars or CALENDARS[: len(market.symbols)]).feature_tables(features)


def sets(window: int = 1) -> list[Features]:
    return [features_of(given, window) for given in (*SETS, OWN)]


def acted(bars: int = 500, missing: float = 0.2) -> Market:
    """Three instruments with gaps and everything that moves a price."""
    minute = START_NS - START_NS % MINUTE_NS  # longer bars end where these do
    market = walk(bars, symbols=("A", "B", "C"), missing=missing, start=minute)
    kinds = ((ActionKind.SPLIT, 10.0), (ActionKind.DIVIDEND, 0.5), (ActionKind.SPLIT, 0.5))
    actions = [
        Action(200 + 90 * k + j, j, kind, value)
        for k, (kind, value) in enumerate(kinds)
        for j in (0, 2)
    ]
    return replace(market, actions=tuple(sorted(actions, key=lambda a: a.bar)))


@pytest.mark.parametrize("last", [0, 61, 250, 333, 480])
def test_no_later_bar_changes_a_row(last: int) -> None:
    market = acted(500)
    other = other_future(market, last)
    other = replace(other, actions=tuple(a for a in market.actions if a.bar <= last))
    for features in sets():
        one, two = made(market, features), made(other, features)
        for j, (a, b) in enumerate(zip(one.tables, two.tables, strict=True)):
            rows = int(one.row_of[last, j]) + 1
            assert a[:rows].tobytes() == b[:rows].tobytes()
            assert last > 450 or not np.array_equal(a[rows:], b[rows : len(a)], equal_nan=True)


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_pieces_have_the_bits_of_the_whole(chunk: int) -> None:
    market = acted()
    for features in sets(5):
        whole = made(market, features)
        frames = CarriedFrames(CALENDARS, (0, 0, 0))
        going = CarriedTables(features, market.symbols, frames, ExchangeClock(CALENDARS))
        factors = CarriedFactors()
        for start in range(0, len(market), chunk):
            rows = slice(start, start + chunk)
            own = tuple(a for a in market.actions if a.bar < start + chunk)
            piece = replace(market.rows(rows), actions=own)
            adjusted = Adjusted(piece, factors)
            frames.show(adjusted.market)
            part = going.advance(adjusted)
            assert part.row_of.tobytes() == whole.row_of[rows].tobytes()
            for j, table in enumerate(part.tables):
                end = part.first[j] + len(table)
                assert table.tobytes() == whole.tables[j][part.first[j] : end].tobytes()
                last = len(piece) - 1
                got, want = part.window(j, last), whole.window(j, start + last)
                assert (got is None) == (want is None)
                assert got is None or got.tobytes() == want.tobytes()  # type: ignore[union-attr]
        pairs = zip(whole.tables, part.tables, strict=True)
        assert part.first == tuple(len(w) - len(t) for w, t in pairs)


@pytest.mark.parametrize("name", ["exit/1", "predict/1"])
def test_a_split_moves_nothing(name: str) -> None:
    plain = walk(400)
    columns = {n: getattr(plain, n).copy() for n in ("open", "high", "low", "close", "volume")}
    for n, column in columns.items():
        column[150:] *= 10.0 if n == "volume" else 0.1
    split = replace(plain, **columns, actions=(Action(150, 0, ActionKind.SPLIT, 10.0),))
    want, got = (made(m, features_of(name)).tables[0] for m in (plain, split))
    assert np.isfinite(want[60:]).all()
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-9)
    untold = made(replace(split, actions=()), features_of(name)).tables[0]
    assert not np.allclose(untold[150:], want[150:], rtol=0, atol=1e-2)


def test_levels_are_in_the_prices_of_their_bar() -> None:
    market = replace(walk(300), actions=(Action(150, 0, ActionKind.SPLIT, 4.0),))
    columns = {n: getattr(market, n).copy() for n in ("open", "high", "low", "close", "volume")}
    for n, column in columns.items():
        column[150:] *= 4.0 if n == "volume" else 0.25
    market, plain = replace(market, **columns), walk(300)
    raw = made(market, features_of("exit/raw")).tables[0]
    np.testing.assert_allclose(raw[:, 3], market.close[:, 0], rtol=1e-14)
    own = features_of(
        [
            "moved = close - lag(close, 20)",
            "root = sqrt(volume)",
            "inverse = 1 / (close * close)",
            "level = log(close)",
        ]
    )
    before, after = (made(m, own).tables[0] for m in (plain, market))
    unit = np.where(np.arange(300) < 150, 1.0, 0.25)[:, None]
    np.testing.assert_allclose(after[:, :1], before[:, :1] * unit, atol=1e-10)
    np.testing.assert_allclose(after[:, 1:2], before[:, 1:2] * unit**-0.5, rtol=1e-12)
    np.testing.assert_allclose(after[:, 2:3], before[:, 2:3] * unit**-2, rtol=1e-12)
    np.testing.assert_allclose(after[:, 3], before[:, 3], rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "price", "volume"),
    [
        ("close - ema(20)", 1, 0),
        ("sqrt(atr(14))", Fraction(1, 2), 0),
        ("1 / volume", 0, -1),
        ("close * close * close * close * close", 5, 0),
        ("volume * close.on(1d)", 1, 1),
        ("(log(close) - log(lag(close, 1))) * close", 1, 0),
        ("close * (hour_sin - hour_cos)", 1, 0),
        ("rsi(14) + cross(ema(3).on(1h), ema(5))", 0, 0),
        ("side", 0, 0),
    ],
)
def test_the_power_of_an_expression(text: str, price: Fraction, volume: Fraction) -> None:
    assert power_of(parse_expression(text)) == (price, volume)


@pytest.mark.parametrize("text", ["log(close)", "close - 50", "max(close, 50)", "volume + close"])
def test_what_has_no_power(text: str) -> None:
    assert power_of(parse_expression(text)) is None


def test_a_window_is_of_real_bars() -> None:
    market = walk(400)
    gone = np.zeros((400, 1), np.bool_)
    gone[[70, 71, 200, 350]] = True
    gaps = with_gaps(market, gone)
    without = without_rows(market, [70, 71, 200, 350])
    for name in SETS:
        features = features_of(name, 8)
        synthetic, real = made(gaps, features), made(without, features)
        assert synthetic.tables[0].tobytes() == real.tables[0].tobytes()
        assert synthetic.tables[0].shape[0] == 396
        at, before = (synthetic.window(0, bar) for bar in (71, 69))
        assert at is not None
        assert before is not None
        assert at.tobytes() == before.tobytes()
        assert np.shares_memory(at, synthetic.tables[0])
    assert synthetic.row_of[:, 0].tolist() == (np.cumsum(~gone[:, 0]) - 1).tolist()
    assert synthetic.row_of.dtype == np.int32
    assert synthetic.window(0, 6) is None
    assert synthetic.window(0, 7) is not None


def test_an_instrument_that_begins_later_has_no_row_before() -> None:
    market = walk(200, symbols=("A", "B"))
    gone = np.zeros((200, 2), np.bool_)
    gone[:90, 1] = True
    tables = made(with_gaps(market, gone), features_of("exit/1"))
    assert [len(t) for t in tables.tables] == [200, 110]
    assert tables.row_of[:91, 1].tolist() == [-1] * 90 + [0]
    assert tables.window(1, 89) is None
    gone[:, 1] = True
    assert made(with_gaps(market, gone), features_of(OWN)).tables[1].shape == (0, len(OWN))


def slow(name: str, market: Market, zone: str) -> np.ndarray:
    """A set by hand, bar by bar, from the definitions of its indicators."""
    o, h, lo, c, v = (getattr(market, n)[:, 0] for n in ("open", "high", "low", "close", "volume"))
    n, nan = len(c), math.nan
    atr, rsi = np.full(n, nan), np.full(n, nan)
    ranges = [max(h[i], c[i - 1]) - min(lo[i], c[i - 1]) for i in range(1, n)]
    moves = np.diff(c)
    for i in range(14, n):
        if i == 14:
            atr[i] = sum(ranges[:14]) / 14
            gain, loss = moves[:14].clip(0).sum() / 14, -moves[:14].clip(None, 0).sum() / 14
        else:
            atr[i] = (atr[i - 1] * 13 + ranges[i - 1]) / 14
            gain = (gain * 13 + max(moves[i - 1], 0)) / 14
            loss = (loss * 13 + max(-moves[i - 1], 0)) / 14
        rsi[i] = 100 * gain / (gain + loss)

    def ema(period: int) -> np.ndarray:
        out = np.full(n, nan)
        out[period - 1] = c[:period].mean()
        for i in range(period, n):
            out[i] = out[i - 1] + (c[i] - out[i - 1]) * 2 / (period + 1)
        return out

    def back(bars: int) -> np.ndarray:
        return np.append(np.full(bars, nan), c[:-bars])

    mean = np.array([v[max(i - 49, 0) : i + 1].mean() if i >= 49 else nan for i in range(n)])
    at = [datetime.fromtimestamp(t / 1e9, UTC).astimezone(ZoneInfo(zone)) for t in market.time]
    hour = np.array([2 * math.pi * (x.hour * 60 + x.minute) / 1440 for x in at])
    day = np.array([2 * math.pi * x.weekday() / 7 for x in at])
    columns = {
        "exit/1": [
            atr / c,
            rsi / 50 - 1,
            (c - ema(50)) / atr,
            (c - back(20)) / atr / math.sqrt(20),
            np.ones(n),
        ],
        "exit/raw": [atr, rsi, ema(50), c, np.ones(n)],
        "predict/1": [
            *(np.log(c) - np.log(back(bars)) for bars in (1, 5, 20)),
            (h - lo) / c,
            (c - o) / atr,
            v / mean,
            rsi / 50 - 1,
            *((c - ema(period)) / atr for period in (20, 50)),
            *(f(x) for x in (hour, day) for f in (np.sin, np.cos)),
        ],
    }
    return np.column_stack(columns[name])


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("calendar", "zone"), [("NYSE", "America/New_York"), ("", "UTC")])
def test_each_set_by_hand(name: str, calendar: str, zone: str) -> None:
    # Over the end of summer time in New York, November 5th of 2023.
    market = walk(600, start=START_NS - 11 * DAY_NS, period=13 * MINUTE_NS)
    got = made(market, features_of(name), (calendar,)).tables[0]
    np.testing.assert_allclose(got, slow(name, market, zone), rtol=1e-9, atol=1e-11)


def test_tables_are_kept_by_their_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = Prepared(walk(300), ("",), keeps=True)
    one = ready.feature_tables(features_of("exit/1"))
    assert ready.feature_tables(features_of("exit/1")) is one
    assert ready.feature_tables(features_of("exit/1", 2)) is not one
    ema = ready.columns({"s": {"a": ib.ema(5)}})["s"]["a"]
    assert ready.feature_tables(features_of("exit/1")) is one
    assert one.nbytes == 300 * 5 * 8 + 300 * 4
    monkeypatch.setattr(prepared_module, "KEPT_BYTES", one.nbytes)
    assert ready.feature_tables(features_of("exit/1")) is one
    assert ready.columns({"s": {"a": ib.ema(5)}})["s"]["a"] is not ema
    assert ready.feature_tables(features_of("exit/1")) is not one
    with pytest.raises(ValueError, match="read-only"):
        one.tables[0][0, 0] = 1.0


@pytest.mark.parametrize(
    ("given", "window", "told"),
    [
        ("exit/1", 1, r"needs 50 bars \(signed ema_atr = .*\), A has 40"),
        (["x = lag(sma(10), 20)"], 12, r"a window of 12 .* needs 41 bars"),
        (["x = ema(3).on(30m)"], 1, r"ema\(3\).on\('30m'\) needs 3 complete bars of 30m"),
    ],
)
def test_too_few_bars_are_told(given: object, window: int, told: str) -> None:
    with pytest.raises(ib.ConfigError, match=told):
        made(walk(40), features_of(given, window))


def probes() -> np.ndarray:
    """A walk as a policy keeps its probe bars."""
    market = walk(PROBE_BARS, start=START_NS - START_NS % DAY_NS)
    bars = np.zeros(PROBE_BARS, BAR)
    bars["time"] = market.time
    for name in BAR.names[1:]:  # type: ignore[index]
        bars[name] = getattr(market, name)[:, 0]
    return bars


@pytest.mark.parametrize("given", [*SETS, OWN])
def test_probe_bars_have_the_features_of_a_market(given: str | tuple[str, ...]) -> None:
    features, bars = features_of(given, 4), probes()
    market = walk(PROBE_BARS, symbols=("PROBE",), start=START_NS - START_NS % DAY_NS)
    want = made(market, features, ("",)).tables[0]
    assert probe_features(features.text, bars).tobytes() == want.tobytes()


def test_probe_bars_that_are_too_few_have_no_value() -> None:
    table = probe_features(features_of(["x = ema(300)", "y = sma(3).on(1d)"]).text, probes())
    assert table.shape == (PROBE_BARS, 2)
    assert np.isnan(table).all()


@pytest.mark.parametrize("given", [*SETS, OWN[:4]])
def test_a_policy_knows_its_features_again(given: str | tuple[str, ...], tmp_path: Path) -> None:
    features, bars = features_of(given, 4), probes()
    count = len(features.names)
    net = recurrent(3, count, 6, 3)._replace(signs=features.signs)
    told = probes_of(net, 4, count)
    of_bars = probe_features(features.text, bars)
    policy = policy_of(
        net=net,
        features=features,
        probes=told._replace(bars=bars, features=of_bars),
    )
    write_policy(policy, tmp_path / "trend", {})
    read = load_policy(tmp_path / "trend", probe_features)
    assert read.features == features
