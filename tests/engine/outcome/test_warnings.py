"""What went wrong in a run is told in one list, and the same sentences stand wherever one looks."""

from __future__ import annotations

import json
from datetime import date
from html import unescape
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.cli.main import run as command
from intrabar.engine.outcome.result import Result
from intrabar.model.bars import Bars
from intrabar.model.enums import RunStatus
from intrabar.model.instrument import Instrument
from intrabar.strategy.signals import Signals
from intrabar.strategy.strategy import Strategy
from intrabar.strategy.views import AtClose
from tests.strategy.markets import DAY_NS, flat_market, market_from, run_of, walk


class Fractions(Strategy):
    """Buys for a sum of money, as people do: a fraction of a share."""

    def on_close(self, now: AtClose) -> None:
        if now.is_flat:
            now.buy(10_001.0 / now.close)


class Huge(Strategy):
    def on_close(self, now: AtClose) -> None:
        now.buy(1e9)


class Once(Strategy):
    def on_close(self, now: AtClose) -> None:
        if now.bar == 2:
            now.buy(1)


class Nothing(Strategy):
    def on_close(self, now: AtClose) -> None:
        pass


def severe(result: Result) -> list[str]:
    return [one.text for one in result.remarks if one.severe]


def test_refused_orders_are_told_with_their_share_and_reason() -> None:
    result = run_of(walk(60, 1, period=DAY_NS), Fractions())
    refused = result.orders.filter(pl.col("status") == "rejected").height
    assert refused > 40
    told = severe(result)[0]
    assert told.startswith(f"{refused} of {result.orders.height} orders were refused: the quantity")
    assert "a fraction of a share" in told
    margin = run_of(walk(60, 1), Huge(), instruments=[Instrument("A", initial_margin_rate=1.0)])
    assert "59 of 60 orders were refused: the equity did not cover" in severe(margin)[0]


def test_a_strategy_that_never_trades_says_why() -> None:
    assert severe(run_of(walk(60, 1), Nothing()))[0].endswith(
        " never traded: it asked for no order"
    )
    never = run_of(walk(60, 1), Signals(np.zeros(60)))
    assert " never traded: its sides are 0 or say nothing" in severe(never)[0]
    assert not [t for t in severe(run_of(walk(60, 1), Once())) if "never traded" in t]


def test_a_position_in_an_instrument_whose_bars_end_is_told() -> None:
    market = walk(60, 1, ("A", "B"), period=DAY_NS)
    for name in ("open", "high", "low", "volume"):
        getattr(market, name)[30:, 0] = np.nan
    market.close[30:, 0] = market.close[29, 0]
    result = run_of(market, Once())
    last = str(np.datetime64(int(market.time[29]), "ns"))[:10]
    assert [f"A ({last})" in one for one in severe(result)] == [True]
    both = next(one for one in result.warnings if "still open at the end" in one)
    assert "A long since" in both


def test_a_weekend_is_no_end_of_bars() -> None:
    market = walk(35, 1, ("A", "B"), period=DAY_NS)
    for at in range(5, 35, 7):
        for name in ("open", "high", "low", "volume"):
            getattr(market, name)[at : at + 2, 0] = np.nan
        market.close[at : at + 2, 0] = market.close[at - 1, 0]
    assert np.isnan(market.open[33:, 0]).all()  # the run ends on a weekend of A
    assert not severe(run_of(market, Once()))


def test_ruin_and_liquidation_are_told_first() -> None:
    falls = np.linspace(100.0, 40.0, 50)
    result = run_of(
        market_from([(p, p, p, p) for p in falls]),
        Signals(np.ones(50), 3_000.0),
        instruments=[Instrument("A", initial_margin_rate=0.1, maintenance_margin_rate=0.1)],
    )
    told = severe(result)
    assert any("liquidated" in one or "ruined" in one for one in told)
    assert result.warnings[: len(told)] == told


def test_ruin_is_told_with_its_day() -> None:
    # 9,000 at 100 lose 540,000 of 100,000 in one gap, before anything can be closed.
    ruined = run_of(
        market_from([(p, p, p, p) for p in [100.0] * 5 + [40.0] * 5]),
        Signals(np.ones(10), 9_000.0),
        instruments=[Instrument("A", initial_margin_rate=0.1, maintenance_margin_rate=0.1)],
        cash=100_000.0,
    )
    assert ruined.status is RunStatus.RUINED
    day = f"{ruined.equity['time'][-1]:%Y-%m-%d}"
    assert severe(ruined)[0] == (
        f"The account was ruined on {day}: nothing after that day was traded"
    )


def test_the_same_sentences_stand_everywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bars = walk(80, 3, ("IBM",), period=DAY_NS)
    days = [str(np.datetime64(int(t), "ns"))[:10] for t in bars.time]
    rows = zip(
        days, *(getattr(bars, n)[:, 0] for n in ("open", "high", "low", "close")), strict=True
    )
    file = tmp_path / "IBM.csv"
    text = "\n".join(
        ["Date,Open,High,Low,Close,Volume", *(",".join(map(str, (*r, 1000))) for r in rows)]
    )
    file.write_text(text + "\n")
    arguments = [
        "backtest",
        "--data",
        str(file),
        "--strategy",
        "tests.engine.outcome.test_warnings:Fractions",
    ]
    assert command([*arguments, "--out", str(tmp_path / "runs")]) == 0
    out = capsys.readouterr().out
    assert command(["runs", "show", "--json", "--out", str(tmp_path / "runs")]) == 0
    manifest = json.loads(capsys.readouterr().out)
    result = ib.backtest(Fractions(), file, symbols="IBM")
    assert result.warnings
    for sentence in result.warnings:
        assert sentence in out
        assert sentence in manifest["remarks"]
        assert sentence in repr(result)
        assert sentence in unescape(result._repr_html_())
    page = next((tmp_path / "runs").glob("*/report.html")).read_text()
    assert "a fraction of a share or contract" in page
    lines = repr(result).splitlines()
    assert len(lines) < 25
    assert max(map(len, lines)) < 300


def test_a_run_in_chunks_tells_the_same(tmp_path: Path) -> None:
    market = walk(300, 2, period=DAY_NS)
    bars = Bars(
        "A",
        market.time,
        *(getattr(market, n)[:, 0] for n in ("open", "high", "low", "close", "volume")),
        market.period,
        market.open_time[:, 0],
        market.time // DAY_NS,
    )
    how = {"instruments": {"A": Instrument("A")}}
    whole = ib.backtest(Fractions(), bars, **how)  # type: ignore[arg-type]
    pieces = ib.backtest(Fractions(), bars, chunk=70, out=tmp_path / "p", **how)  # type: ignore[call-overload]
    assert whole.warnings == pieces.warnings


def test_severe_sentences_stand_first() -> None:
    close = 100.0 + np.arange(60) % 5
    columns = dict.fromkeys(("open", "high", "low", "close"), close)
    days = pl.date_range(date(2024, 1, 1), date(2024, 2, 29), eager=True)
    result = ib.backtest(Huge(), pl.DataFrame({"date": days, **columns}))
    assert not result.setup.remarks[0].severe  # that it has no name
    flags = [one.severe for one in result.remarks]
    assert set(flags) == {True, False}
    assert flags == sorted(flags, reverse=True)


def test_html_is_escaped() -> None:
    result = run_of(flat_market(20), Signals("HOLD"), names=("<b>me</b>",))
    assert "<b>me" in repr(result)
    assert "<b>me" not in result._repr_html_()
    assert "&lt;b&gt;me" in result._repr_html_()


def test_entries_of_less_than_a_lot_are_told_where_others_were_made() -> None:
    class Sizes(Strategy):
        """Risks a cent at every other close."""

        def on_close(self, now: AtClose) -> None:
            risk = 1e-7 if now.bar % 2 else 0.01
            qty = now.size(risk=risk, stop=0.99 * now.close)
            if qty:
                now.buy(qty)

    result = run_of(flat_market(10), Sizes())
    assert result.orders.height == 5
    assert (
        "s: 5 entries were not made: the equity at risk, or the fraction of it, is worth less "
        "than one lot (size_zero)"
    ) in severe(result)


def test_a_refusal_is_told_with_its_first_day() -> None:
    class Late(Strategy):
        """Asks for half a share from the fourth day on."""

        def on_close(self, now: AtClose) -> None:
            if now.bar >= 3:
                now.buy(0.5)

    market = walk(10, 1, period=DAY_NS)
    day = str(np.datetime64(int(market.time[3]), "ns"))[:10]
    assert severe(run_of(market, Late()))[0].endswith(f"(first on {day})")
