"""Sessions whose strategies read predictions of a file, while the file lives too."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.app.compose import filed
from intrabar.app.compose.filed import Filed
from intrabar.app.compose.recipe import Recipe
from intrabar.app.compose.session import live_session
from intrabar.app.folders.sessions import open_session
from intrabar.app.workers.asking import answered
from intrabar.app.workers.lived import Lived
from intrabar.app.workers.paper import Ways, live_through
from intrabar.data.live.grid import Grid
from intrabar.data.prediction_rows import FileRows
from intrabar.engine.session.row import ClosedRow, RowBar
from intrabar.errors import DataError, FileError, StateError
from intrabar.indicators.given import Request
from intrabar.model.entry import Entry
from intrabar.model.facts import BarClosed, Fact, LinkFact, SourceCan
from tests.app.workers.test_live_session import bars_until
from tests.data.test_prediction_rows import some
from tests.data.test_predictions import HOUR, at, frame, stamps
from tests.data.test_predictions import bars_of as placing_of
from tests.engine.tables.test_predicted import SHARE, Given, ReadsReturn, bars_of, predictions_of

SHARES = {"A": SHARE}
SOON = {"forecaster": "ridge", "timeout": 0.2}
FIRST = 47  # the first that is traded closes with a day


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "p.csv"
    confidence = np.round(np.random.default_rng(3).random(300), 3)
    rows(confidence=confidence).write_csv(path)
    return path


def rows(**more: Any) -> pl.DataFrame:
    return predictions_of(bars_of(n=300), **more)


def paper(strategy: Any, folder: Path, name: str = "x", **given: Any) -> Lived:
    return ib.paper(
        strategy, bars_of(n=300), instruments=SHARES, warm_up=FIRST, name=name,
        folder=folder / "sessions", **given,
    )  # fmt: skip


def bots(path: Path) -> Iterator[Any]:
    entry = ib.PredictionThreshold(str(path), short=True, min_confidence=0.3)
    yield ib.Bot(entry, qty=10.0)
    yield ib.Bot(entry, ib.TrailingATR(), equity_fraction=0.5, interpreted=True)
    yield ReadsReturn(str(path))
    own = Given()
    own.predictions_file = str(path)
    yield own


def predicted(lived: Lived) -> list[dict[str, Any]]:
    """The bodies of the predictions of its rows."""
    first = lived.session.trade_from
    bodies = [e.body for e in entries_of(lived) if e.kind == "prediction"]
    return [body for body in bodies if body["rows"][0][1] >= first]


def entries_of(lived: Lived) -> list[Entry]:
    return lived._entries()


def test_paper_on_recorded_bars_is_the_backtest_that_reads_the_file(
    file: Path, tmp_path: Path
) -> None:
    first = str(np.datetime64(int(bars_of().close_time[FIRST]), "ns"))[:10]
    for number, bot in enumerate(bots(file)):
        lived = paper(bot, tmp_path, str(number))
        config = {"trade_from": first}
        mine = ib.backtest(bot, bars_of(n=300), instruments=SHARES, config=config)
        assert lived.digest == mine.digest
        assert len(mine.trades) > 5
        assert lived.result.digest == lived.digest
        assert not lived.unreported
        told = predicted(lived)
        assert len(told) == 300 - FIRST  # what is missing too
        missing = [body for body in told if "why" in body]
        assert missing
        assert all(x["rows"][0][2] == {"predicted_return": None} for x in missing)
        assert lived.parity().is_identical


def test_the_journal_alone_gives_it_again(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    bars = bars_of(n=300)
    table = {"time": [f"{t[:19]}Z" for t in bars.open_time.astype("datetime64[ns]").astype(str)]}
    prices = {x: getattr(bars, x) for x in ("open", "high", "low", "close", "volume")}
    pl.DataFrame({**table, **prices}).write_csv("A.csv")
    bot = {"name": "PredictionThreshold", "params": {"predictions": str(file), "qty": 10.0}}
    config = {
        "data": [{"symbol": "A", "file": "A.csv"}], "strategies": [bot],
        "instruments": {"A": {**SHARE, "calendar": "24/7"}},
    }  # fmt: skip
    lived = ib.paper(config=config, warm_up=FIRST, name="x", folder="sessions")
    file.unlink()
    stored = open_session("x", Path("sessions"))
    assert stored.started["predictions"] == {
        f"{file} shortest": ["predicted_return", "predicted_price", "confidence"]
    }
    assert ib.parity("x").is_identical
    assert lived.result.digest == lived.digest
    with pytest.raises(FileError, match="cannot be read"):
        ib.paper(config=config, warm_up=FIRST, name="x", folder="sessions")


HEARD: dict[int, float] = {}
"""By bar the predicted return that `Writes` has read."""


class Writes(ReadsReturn):
    """Writes another file at a bar, as somebody else would."""

    def __init__(self, file: str, bar: int, after: pl.DataFrame | None) -> None:
        super().__init__(file)
        self.bar, self.after = bar, after

    def on_start(self) -> None:
        super().on_start()
        HEARD.clear()

    def on_close(self, now: Any) -> None:
        HEARD[now.bar] = now["predicted_return"]
        if now.bar == self.bar and self.after is not None:
            self.after.write_csv(self.file)
        elif now.bar == self.bar:
            Path(self.file).unlink(missing_ok=True)
        super().on_close(now)


def said(table: pl.DataFrame) -> dict[int, float]:
    times = table["Time"].str.strip_suffix("Z").str.to_datetime(time_unit="ns").cast(int)
    place = dict(zip(bars_of().close_time.tolist(), range(700), strict=True))
    values = table["predicted_return"].fill_null(float("nan"))
    return {place[t]: x for t, x in zip(times, values, strict=True)}


def test_rows_that_are_added_are_read_and_none_is_stale(tmp_path: Path) -> None:
    table, path = rows(), tmp_path / "p.csv"
    until = [x for x in said(table) if x <= 150]
    table[: len(until)].write_csv(path)
    lived = paper(Writes(str(path), 200, table), tmp_path)
    expected = said(table)
    wanted = {
        bar: expected.get(bar, float("nan")) if bar <= 150 or bar > 200 else float("nan")
        for bar in range(FIRST, 300)
    }
    assert repr(HEARD) == repr(wanted)
    told = [e for e in entries_of(lived) if e.kind == "prediction.changed"]
    late = [x for x in expected if 150 < x <= 200 and expected[x] == expected[x]]
    assert [e.body["text"] for e in told] == [told[0].body["text"]]
    assert f"changed in its past: {len(late)} of its rows" in told[0].body["text"]
    assert lived.result.digest == lived.digest  # from what was told, not from the file as it is
    report = (lived.folder / "report.html").read_text()
    assert "predictions of bars that were over" in report


def test_a_file_that_goes_away_leaves_nothing_to_trade_by(file: Path, tmp_path: Path) -> None:
    lived = paper(Writes(str(file), 200, None), tmp_path)
    assert all(np.isnan(x) for bar, x in HEARD.items() if bar > 200)
    bodies = predicted(lived)[201 - FIRST :]
    assert all(x["fails"] and "cannot be read" in x["why"] for x in bodies)
    assert len(bodies) == 99
    assert len(HEARD) == 300 - FIRST
    log = (lived.folder / "log.jsonl").read_text()
    assert "no prediction of" in log


def test_what_has_changed_since_is_told_at_the_next_start(file: Path, tmp_path: Path) -> None:
    lived = paper(ReadsReturn(str(file)), tmp_path)
    again = paper(ReadsReturn(str(file)), tmp_path)
    assert not [e for e in entries_of(again) if e.kind == "prediction.changed"]
    table = pl.read_csv(file)
    changed = pl.when(pl.int_range(pl.len()) == 100).then(0.01).otherwise("predicted_return")
    table.with_columns(predicted_return=changed).drop("predicted_price").write_csv(file)
    again = paper(ReadsReturn(str(file)), tmp_path)
    [told] = [e.body["text"] for e in entries_of(again) if e.kind == "prediction.changed"]
    assert "1 of its rows" in told
    assert again.digest == lived.digest
    table.rename({"confidence": "q50"}).write_csv(file)
    with pytest.raises(StateError, match=r"began with predictions that had .*confidence"):
        paper(ReadsReturn(str(file)), tmp_path)


def row_of(k: int, late: bool = False) -> ClosedRow:
    bars = placing_of()
    bar = RowBar(0, 1.0, 2.0, 0.5, float(bars.close[k]), 1.0, int(bars.open_time[k]))
    return ClosedRow(int(bars.close_time[k]), (bar,), int(bars.session[k]), late=late)


class Tells:
    """A source that tells some bars and ends; at the last one a row is added to a file."""

    can = SourceCan("none", 1.0, corrects=False, quotes=False, periods=())

    def __init__(self, bars: list[BarClosed], path: Path, whole: pl.DataFrame) -> None:
        self.bars, self.path, self.whole = bars, path, whole

    async def events(self, symbols: tuple[str, ...], period: int) -> AsyncIterator[Fact]:
        yield LinkFact("up")
        for bar in self.bars:
            if bar is self.bars[-1]:
                self.whole.write_csv(self.path)
            yield bar

    async def quote(self, symbol: str) -> Any: ...

    async def history(self, symbol: str, period: int, start: int, end: int) -> Any:
        raise DataError("none")

    async def close(self) -> None: ...


@pytest.mark.parametrize("is_target", [False, True])
def test_a_session_on_live_bars_reads_a_file_that_grows(tmp_path: Path, is_target: bool) -> None:
    now = time.time_ns() // HOUR * HOUR
    history = bars_until(now - 3 * HOUR, 30)
    closes = [*history.close.tolist(), 103.0, 103.5, 104.0]
    ends = [*history.close_time.tolist(), *(now - k * HOUR for k in (2, 1, 0))]
    said = np.round(np.random.default_rng(1).normal(0.0, 0.01, 33), 4)
    table = pl.DataFrame(
        {
            "Time": stamps(np.array(ends) + (HOUR if is_target else 0)),
            "predicted_price": np.round(np.array(closes) * (1.0 + said), 4),
            "predicted_return": said,
        }
    )
    path = tmp_path / "p.csv"
    table[:31].write_csv(path)
    given: Any = {"instruments": {"BTC-USD": {"calendar": "24/7"}}, "config": {"predict": SOON}}
    recipe = Recipe.of_call({"reads": ReadsReturn(str(path))}, history, given)
    live = recipe.config.live.model_copy(update={"folder": str(tmp_path / "s"), "warm_up": 10})
    config = recipe.config.model_copy(update={"live": live})
    setup = live_session(replace(recipe, config=config, series=None), [history], now - 3 * HOUR)
    place = (
        "the end of the bar that is predicted" if is_target else "the end of the bar it was made"
    )
    assert any(f"Time is {place}" in x for x in setup.remarks)
    bars = [
        BarClosed("BTC-USD", end, close, close + 1.0, close - 1.0, close, 5.0)
        for end, close in zip(ends[30:], closes[30:], strict=True)
    ]
    lived = live_through(setup, Ways(), Tells(bars, path, table[[*range(31), 32]]))
    told = {
        time: values["predicted_return"] for b in predicted(lived) for _, time, values in b["rows"]
    }
    assert told == {ends[30]: said[30], ends[31]: None, ends[32]: said[32]}
    [why] = [body["why"] for body in predicted(lived) if "why" in body]
    assert why == "p.csv has no row of this bar of BTC-USD"
    assert lived.parity().is_identical
    assert not lived.unreported


class Growing:
    """A file whose next row comes when it is looked at again, if ever."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, comes: bool) -> None:
        self.path, self.looks = folder / "p.csv", 0
        bars, self.table = placing_of(), frame(placing_of())
        at(self.path, self.table[:300])
        self.request = Request(str(self.path))
        grids = {"A": Grid("24/7", HOUR)}
        rows = FileRows(self.request, 1, ("predicted_return",), {"A": some(bars, 300)}, grids)
        self.filed = Filed({self.request: rows}, ("A",), 30.0 if comes else 0.05)
        look = FileRows.look

        def counted(own: FileRows, until: int) -> str:
            self.looks += 1
            if comes and self.looks == 3:
                self.path.write_text("half wri")
            elif comes and self.looks == 4:
                at(self.path, self.table[:301])
            return look(own, until)

        monkeypatch.setattr(FileRows, "look", counted)
        monkeypatch.setattr(filed, "AGAIN", 0.01)


def test_on_live_bars_the_row_of_a_bar_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Growing(tmp_path, monkeypatch, comes=True)
    [(kind, body)] = live.filed.row(row_of(300))
    assert (kind, live.looks) == ("prediction", 4)
    [[symbol, time, values]] = body["rows"]
    assert (symbol, time) == ("A", row_of(300).time)
    assert values == {"predicted_return": live.table["predicted_return"][300]}
    assert "why" not in body


def test_a_row_that_does_not_come_in_time_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Growing(tmp_path, monkeypatch, comes=False)
    [(_, body)] = live.filed.row(row_of(300))
    assert body["rows"] == [["A", row_of(300).time, {"predicted_return": None}]]
    assert body["why"] == "p.csv has no row of this bar of A"
    assert live.looks > 1
    before = live.looks
    live.filed.row(row_of(301, late=True))  # a row that is late waits for nobody
    assert live.looks == before + 1
    at(live.path, live.table[:301])
    [(kind, changed), _] = live.filed.row(row_of(302, late=True))
    assert kind == "prediction.changed"
    assert "came too late" in changed["text"]


def test_persons_are_heard_while_a_prediction_is_waited_for() -> None:
    go, asked = threading.Event(), list[int]()

    async def goes_on() -> bool:
        asked.append(1)
        go.set()
        return True

    async def ends() -> bool:
        go.set()
        return False

    def ask(row: ClosedRow, is_heard: bool) -> list[Any]:
        go.wait()
        return [("model", {})]

    assert asyncio.run(answered(ask, row_of(1), False, goes_on)) == [("model", {})]
    assert asked
    go.clear()
    assert asyncio.run(answered(ask, row_of(1), False, ends)) is None
