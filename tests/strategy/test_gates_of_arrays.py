"""Gates of signals and weights: kept back and flattened as a bot is, whole or in chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import intrabar as ib
from intrabar.data import calendars
from intrabar.model.instrument import Instrument
from tests.strategy.markets import MINUTE_NS, Points, Told, flat_market, ns, run_of

GATES = ib.Gates(flatten="17:00")
ALWAYS = Told(long_below=1e9)
FAR = Points(50.0, 50.0)


def told(result: Any) -> tuple[list[Any], list[Any]]:
    fills = result.fills.select("bar", "phase", "side", "reason").rows()
    return fills, result.gates.select("symbol", "gate", "count").rows()


def arrays(kind: str, rows: int, gates: ib.Gates) -> Any:
    if kind == "signals":
        return ib.Signals(np.ones(rows), gates=gates)
    return ib.Weights(np.full((rows, 1), 0.5), gates=gates)


@pytest.mark.parametrize("kind", ["signals", "weights"])
@pytest.mark.parametrize("month", [3, 11])
def test_arrays_are_flattened_as_a_bot_is(kind: str, month: int) -> None:
    start = ns(2024, 3, 6) if month == 3 else ns(2024, 10, 30)
    market = flat_market(9 * 24 * 12, start=start, period=5 * MINUTE_NS)
    bot = run_of(market, ib.Bot(ALWAYS, FAR, qty=1.0, gates=GATES))
    assert told(run_of(market, arrays(kind, len(market), GATES))) == told(bot)
    assert sum(reason == "session" for *_, reason in told(bot)[0]) == 9


@pytest.mark.parametrize("kind", ["signals", "weights"])
def test_nothing_is_entered_while_the_exchange_is_shut(kind: str) -> None:
    market = flat_market(24 * 12, start=ns(2024, 7, 3), period=5 * MINUTE_NS)  # a half day
    how = {"instruments": [Instrument("A", calendar="NYSE")], "is_open": calendars.is_open}
    gates = ib.Gates(session=True)
    bot = run_of(market, ib.Bot(ALWAYS, FAR, qty=1.0, gates=gates), **how)
    assert told(run_of(market, arrays(kind, len(market), gates), **how)) == told(bot)
    assert told(bot)[0][0][0] == (13 * 60 + 30) // 5  # the first bar that opens in the session


@pytest.mark.parametrize("kind", ["signals", "weights"])
def test_a_turn_while_a_gate_is_closed_leaves_and_enters_nothing(kind: str) -> None:
    market = flat_market(24 * 12, start=ns(2024, 7, 2), period=5 * MINUTE_NS)
    how = {"instruments": [Instrument("A", calendar="NYSE")], "is_open": calendars.is_open}
    turn = np.full(len(market), np.nan)
    turn[170], turn[250] = 1.0, -1.0  # 14:15 and 20:55 UTC; the exchange shuts at 20:00
    made: Any = ib.Signals(turn, gates=ib.Gates(session=True))
    if kind == "weights":
        made = ib.Weights(turn[:, None] / 2, gates=ib.Gates(session=True))
    fills, gates = told(run_of(market, made, **how))
    assert [(bar, side) for bar, _, side, _ in fills] == [(171, "buy"), (251, "sell")]
    assert gates == [("A", "session", 1)]


def minutes(days: int = 3) -> pd.DataFrame:
    index = pd.date_range("2024-03-06", periods=days * 24 * 60, freq="min", tz="UTC", name="time")
    close = 100.0 + np.cumsum(np.random.default_rng(1).integers(-1, 2, len(index))) / 4
    columns = {"open": close, "high": close + 0.25, "low": close - 0.25, "close": close}
    return pd.DataFrame({**columns, "volume": 1e3}, index=index)


@pytest.mark.parametrize("kind", ["signals", "weights"])
def test_gates_are_the_same_in_chunks_and_in_a_replay(kind: str, tmp_path: Path) -> None:
    bars = minutes()
    gates = ib.Gates(session=True, flatten="16:00")
    given = {"symbols": "ES", "instruments": {"ES": {"calendar": "CME_Equity"}}}
    one = ib.backtest(arrays(kind, len(bars), gates), bars, **given)
    two = ib.backtest(arrays(kind, len(bars), gates), bars, **given, chunk=700, out=tmp_path)
    assert one.digest == two.digest
    assert one.gates.rows() == two.table("gates").collect().rows()
    assert {gate for _, _, gate, _ in one.gates.rows()} == {"session", "flatten"}
    replay = ib.Replay(one.setup)
    for bar in (2500, 900, len(bars)):
        replay.seek(bar)
    assert replay.digest == one.digest


def test_what_only_bots_look_at_is_refused() -> None:
    with pytest.raises(ib.ConfigError, match="min_atr and daily_loss are for bots"):
        ib.backtest(arrays("signals", 4320, ib.Gates(min_atr=1.0)), minutes(), symbols="ES")


class Always(ib.Strategy):
    """Long whenever it may."""

    def on_close(self, now: ib.AtClose) -> None:
        if now.is_flat:
            now.buy(1)


def make_signals() -> ib.Signals:
    return ib.Signals(np.ones(4320))


@pytest.mark.parametrize("name", ["Always", "make_signals"])
def test_a_configuration_gives_gates_to_every_strategy(name: str) -> None:
    def run(gates: Any) -> Any:
        strategy = {"name": f"{__name__}:{name}", "params": {"gates": gates}}
        return ib.backtest(None, minutes(), symbols="ES", config={"strategies": [strategy]})

    assert (run({"flatten": "16:00"}).fills["reason"] == "session").sum() == 3
    assert (run({}).fills["reason"] == "session").sum() == 0
    with pytest.raises(ib.ConfigError, match=r"gates 'flaten': did you mean 'flatten'"):
        run({"flaten": "16:00"})
