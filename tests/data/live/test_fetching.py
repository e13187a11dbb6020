"""Bars of a vendor in the catalogue: raw, merged, and what changed is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import pytest

from intrabar.data.actions import kept_actions
from intrabar.data.catalogue import Catalogue
from intrabar.data.live.answers import Answers
from intrabar.data.live.fetching import Fetched, age_text, fetch, refresh
from intrabar.data.live.in_turn import InTurn
from intrabar.data.live.polling import Polled
from intrabar.data.live.recorded import Recorded
from intrabar.data.live.vendors import (
    SOURCES,
    known_source,
    source_named,
    sources_named,
    vendor_named,
)
from intrabar.errors import (
    AuthError,
    ConfigError,
    DataError,
    LinkError,
    NotFoundError,
    SecretError,
    StaleDataError,
)
from intrabar.links.clock import LoopClock
from intrabar.links.simulated_time import run
from intrabar.links.vendor import Answer, Row
from intrabar.model.bars import DAY_NS
from intrabar.model.secret import Secret
from tests.data.live.samples import MINUTE, SECOND, Scripted, minutes, ns, rows

NOW = ns("2026-03-03T15:00:20")
START = ns("2026-03-02")
MINUTES = rows("2026-03-02", MINUTE, 390) + rows("2026-03-03", MINUTE, 390, 500.0)


class WithActions(Scripted):
    splits: tuple[tuple[int, float], ...] = ()
    dividends: tuple[tuple[int, float], ...] = ()
    adjustment: Literal["raw", "split"] = "raw"

    async def bars(self, *asked: Any, **how: Any) -> Answer:
        answer = await super().bars(*asked, **how)
        assert how.get("actions") is True
        told = {"splits": self.splits, "dividends": self.dividends}
        if self.adjustment == "split":
            told = {}  # such a vendor tells none
        return msgspec.structs.replace(answer, adjustment=self.adjustment, **told)


def fetched(
    folder: Path,
    *,
    now: int = NOW,
    start: int = START,
    end: int | None = None,
    change: Callable[[str, int, tuple[Row, ...]], Iterable[Row]] | None = None,
    again: bool = False,
    splits: tuple[tuple[int, float], ...] = (),
    dividends: tuple[tuple[int, float], ...] = (),
    keeping: bool = False,
    table: dict[str, tuple[Row, ...]] | None = None,
    symbol: str = "IBM",
    name: str = "scripted",
    period: int = MINUTE,
    adjustment: Literal["raw", "split"] = "raw",
    **how: Any,
) -> Fetched:
    async def main() -> Fetched:
        clock = LoopClock(now)
        vendor = WithActions(clock, table or {"IBM": MINUTES}, change, name=name)
        vendor.splits, vendor.dividends = splits, dividends
        vendor.adjustment = adjustment
        answers = Answers(vendor, folder / "kept" if keeping else None, clock)
        catalogue = Catalogue(folder / "catalogue")
        if again:
            return await refresh(answers, catalogue, catalogue.show(symbol)[0])
        return await fetch(answers, catalogue, symbol, period, start, end, **how)

    return run(main())


def stored(folder: Path, symbol: str = "IBM") -> Any:
    return Catalogue(folder / "catalogue").read(symbol)


def test_bars_that_are_over_are_stored_with_vendor_and_day(tmp_path: Path) -> None:
    done = fetched(tmp_path)
    manifest, bars = done.manifest, stored(tmp_path)
    assert (manifest.format, manifest.source, manifest.adjustment, manifest.calendar) == (
        "scripted",
        "scripted 2026-03-03",
        "raw",
        "NYSE",
    )
    assert (done.added, done.changed, done.is_new, len(bars)) == (420, 0, True, 420)
    assert bars.close_time[-1] == ns("2026-03-03T15:00")  # that of 15:00 is in progress
    assert (bars.open_time == bars.close_time - MINUTE).all()
    assert bars.close[0] == MINUTES[0].close
    assert any("not over yet" in note for note in done.notes)
    assert manifest.source_sha256


def test_prices_that_come_adjusted_are_kept_as_such_and_never_beside_others(
    tmp_path: Path,
) -> None:
    half = tuple(
        Row(r.stamp, r.open / 2, r.high / 2, r.low / 2, r.close / 2, r.volume * 2) for r in MINUTES
    )
    later = ns("2026-03-03")
    first = fetched(tmp_path, adjustment="split", end=ns("2026-03-02T21:00"))
    assert first.manifest.adjustment == "split"
    # Bars behind those that are kept, of which none was asked for again: nobody knows.
    with pytest.raises(DataError, match=r"was asked for none.*--start 2026-03-02"):
        fetched(tmp_path, adjustment="split", start=later)
    more = fetched(tmp_path, adjustment="split", start=ns("2026-03-02T20:00"))
    assert more.is_new
    # After a split all bars are told otherwise: the older ones would stand beside them.
    with pytest.raises(DataError, match="tells bars otherwise"):
        fetched(tmp_path, adjustment="split", table={"IBM": half}, start=later)
    anew = fetched(tmp_path, adjustment="split", table={"IBM": half})
    assert anew.changed == len(stored(tmp_path))
    assert stored(tmp_path).close[0] == MINUTES[0].close / 2


def test_the_same_answer_makes_no_new_version(tmp_path: Path) -> None:
    first = fetched(tmp_path)
    again = fetched(tmp_path)
    assert (again.is_new, again.added, again.changed) == (False, 0, 0)
    assert again.manifest == first.manifest


def test_a_refresh_adds_what_has_closed_since(tmp_path: Path) -> None:
    fetched(tmp_path)
    done = fetched(tmp_path, now=NOW + 10 * MINUTE, again=True)
    assert (done.added, done.changed, done.is_new) == (10, 0, True)
    assert len(stored(tmp_path)) == 430


def test_a_refresh_that_changes_old_bars_says_which(tmp_path: Path) -> None:
    first = fetched(tmp_path)

    def change(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [msgspec.structs.replace(told[0], volume=999.0), *told[1:]]

    done = fetched(tmp_path, again=True, change=change)
    assert (done.added, done.changed) == (0, 1)
    assert done.changes == ("2026-03-02T14:30:00Z: volume 10 is now 999",)
    assert done.manifest.version != first.manifest.version
    finding = next(c for c in done.manifest.checks if c["rule"] == "refresh")
    assert finding["count"] == 1
    assert finding["examples"] == list(done.changes)
    assert stored(tmp_path).volume[0] == 999.0


def test_a_difference_of_the_last_digit_changes_nothing(tmp_path: Path) -> None:
    fetched(tmp_path)

    def nearly(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [msgspec.structs.replace(r, close=r.close * (1 + 1e-8)) for r in told]

    done = fetched(tmp_path, change=nearly)
    assert (done.is_new, done.changed) == (False, 0)


def test_bars_that_the_vendor_no_longer_has_stay(tmp_path: Path) -> None:
    fetched(tmp_path)

    def without(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [told[0], *told[6:]]

    done = fetched(tmp_path, change=without)
    assert (done.gone, done.is_new) == (5, False)
    assert len(stored(tmp_path)) == 420


def test_a_later_start_loses_no_bars(tmp_path: Path) -> None:
    fetched(tmp_path)
    fetched(tmp_path, start=ns("2026-03-03"), now=NOW + MINUTE)
    bars = stored(tmp_path)
    assert len(bars) == 421
    assert bars.close_time[0] == ns("2026-03-02T14:31")


def test_an_end_is_kept_to(tmp_path: Path) -> None:
    fetched(tmp_path, end=ns("2026-03-02T15:00"))
    assert stored(tmp_path).close_time[-1] == ns("2026-03-02T15:00")


def test_rows_that_cannot_be_are_set_aside_as_in_an_import(tmp_path: Path) -> None:
    def crossed(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [told[0], msgspec.structs.replace(told[1], high=1.0), *told[2:]]

    done = fetched(tmp_path, change=crossed)
    assert done.manifest.rejected == 1
    assert done.rejected is not None
    assert "ohlc" in done.rejected.read_text()
    assert len(stored(tmp_path)) == 419


def test_a_bar_that_cannot_be_does_not_push_out_a_sound_one(tmp_path: Path) -> None:
    fetched(tmp_path)

    def crossed(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        return [told[0], msgspec.structs.replace(told[1], close=float("nan")), *told[2:]]

    done = fetched(tmp_path, change=crossed)
    assert (done.changed, done.is_new, len(stored(tmp_path))) == (0, False, 420)


def test_actions_stand_apart_and_earlier_ones_stay(tmp_path: Path) -> None:
    day = START // DAY_NS
    fetched(tmp_path, splits=((day - 40, 2.0),), dividends=((day - 30, 0.5), (day, 0.6)))
    table = kept_actions(Catalogue(tmp_path / "catalogue"), "IBM")
    assert table is not None
    assert [(r.date, r.split, r.dividend) for r in table.rows] == [
        (day - 40, 2.0, 0.0),
        (day - 30, 1.0, 0.5),
        (day, 1.0, 0.6),
    ]
    two = ((day + 1, 0.25), (day + 1, 0.5))  # an ordinary one and a special one
    done = fetched(tmp_path, splits=((day + 1, 4.0),), dividends=two)
    table = kept_actions(Catalogue(tmp_path / "catalogue"), "IBM")
    assert table is not None
    assert [(r.date, r.split, r.dividend) for r in table.rows] == [
        (day - 40, 2.0, 0.0),
        (day - 30, 1.0, 0.5),
        (day + 1, 4.0, 0.75),
    ]
    assert (done.splits, done.dividends, done.actions_changed) == (2, 2, True)


def test_bars_of_a_file_are_not_replaced_without_being_told(tmp_path: Path) -> None:
    fetched(tmp_path, name="other")
    with pytest.raises(DataError, match=r"IBM 1m of other 2026-03-03 \(420 bars.*--replace"):
        fetched(tmp_path)
    done = fetched(tmp_path, replacing=True, start=ns("2026-03-03"))
    assert done.replaced == "other 2026-03-03"
    assert len(stored(tmp_path)) == 30


def test_a_source_that_is_down_leaves_the_catalogue_and_says_how_old_what_is_kept_is(
    tmp_path: Path,
) -> None:
    def down(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        raise LinkError("scripted: not reached")

    fetched(tmp_path, keeping=True)
    before = Catalogue(tmp_path / "catalogue").show("IBM")
    with pytest.raises(StaleDataError, match=r"not reached.* is 5 h old and was not stored"):
        fetched(tmp_path, keeping=True, now=NOW + 5 * 60 * MINUTE, change=down)
    assert Catalogue(tmp_path / "catalogue").show("IBM") == before
    with pytest.raises(LinkError, match="not reached"):
        fetched(tmp_path, change=down)


def test_an_answer_of_this_hour_is_used_again_and_its_age_is_told(tmp_path: Path) -> None:
    def down(symbol: str, now: int, told: tuple[Row, ...]) -> Iterable[Row]:
        raise LinkError("scripted: not reached")

    fetched(tmp_path, keeping=True)
    done = fetched(tmp_path, keeping=True, now=NOW + 20 * MINUTE, change=down)
    assert done.age == 1200.0
    assert done.added == 0  # what closed since is not in it: nothing is made of half a bar
    assert len(stored(tmp_path)) == 420


def test_a_damaged_answer_in_the_folder_is_asked_for_again(tmp_path: Path) -> None:
    fetched(tmp_path, keeping=True)
    (kept,) = (tmp_path / "kept").iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    assert fetched(tmp_path, keeping=True, now=NOW + MINUTE).added == 1


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(ConfigError, match=r"name another folder as data\.cache_dir"):
        fetched(tmp_path, keeping=True)


def test_a_quote_of_a_source_that_is_down_is_shown_with_its_age(tmp_path: Path) -> None:
    async def main() -> None:
        clock = LoopClock(NOW)
        vendor = Scripted(clock, {"IBM": MINUTES})
        answers = Answers(vendor, tmp_path, clock)
        first = await answers.quote("IBM")
        assert first.why == ""
        await clock.sleep(30.0)
        assert (await answers.quote("IBM")).at == first.at
        await clock.sleep(100.0)
        vendor.table = {}
        with pytest.raises(NotFoundError):
            await answers.quote("IBM")

        async def down(symbol: str) -> Any:
            raise LinkError("away")

        async def refused(symbol: str) -> Any:
            raise AuthError("the key was refused")

        vendor.quote = refused  # type: ignore[method-assign]
        with pytest.raises(AuthError):
            await answers.quote("IBM")
        vendor.quote = down  # type: ignore[method-assign]
        kept = await answers.quote("IBM")
        assert (kept.answer, kept.why) == (first.answer, "away")
        assert kept.age(clock.now()) == 130.0

    run(main())


@pytest.mark.parametrize(
    ("how", "error", "text"),
    [
        ({"symbol": "NOSUCH", "calendar": "NYSE"}, NotFoundError, "NOSUCH"),
        ({"symbol": "QQQZX"}, ConfigError, "--calendar NYSE"),
        ({"calendar": "NYSEE"}, NotFoundError, "NYSEE"),
        ({"period": 7 * MINUTE}, DataError, "has no bars of 7m; it has 1m, 5m, 1d"),
        ({"start": NOW + DAY_NS}, DataError, "has no bars 1m of IBM that were over"),
    ],
)
def test_what_cannot_be_fetched_is_said(
    tmp_path: Path, how: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        fetched(tmp_path, **how)
    assert Catalogue(tmp_path / "catalogue").list() == ()


def test_daily_bars_have_the_hours_of_the_exchange(tmp_path: Path) -> None:
    table = {
        "IBM": tuple(
            Row(ns("2026-02-23") + i * DAY_NS, 9.0, 11.0, 8.0, 10.0, 5.0 + i)
            for i in range(12)
            if np.datetime64("2026-02-23") + i
            not in np.array(["2026-02-28", "2026-03-01"], "M8[D]")
        )
    }
    fetched(tmp_path, start=ns("2026-02-20"), table=table, period=DAY_NS)
    bars = stored(tmp_path)
    assert bars.close_time[-1] == ns("2026-03-02T21:00")  # the third of March is not over
    assert bars.open_time[-1] == ns("2026-03-02T14:30")
    assert len(bars) == 6


def test_names_of_vendors_however_they_are_spelt(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("alphaavantage", "AlphaVantage", "alpha-vantage", "alpha_vantage"):
        assert known_source(name) == "alpha_vantage"
    assert known_source("Yahoo") == known_source("yfinance") == "yfinance"
    with pytest.raises(NotFoundError, match="unknown source 'yfinanc': did you mean 'yfinance'"):
        known_source("yfinanc")
    monkeypatch.delenv("ALPHAVANTAGE_API_KEY", raising=False)
    with pytest.raises(SecretError, match="ALPHAVANTAGE_API_KEY"):
        vendor_named("alpha_vantage")
    with pytest.raises(SecretError, match="a reference to it should"):
        vendor_named("alpha_vantage", {"api_key": "written-out"})
    with pytest.raises(ConfigError, match="'token' is not known"):
        vendor_named("yfinance", {"token": "x"})
    key = {"api_key": Secret("SOME-KEY-1")}
    with pytest.raises(ConfigError, match=r"calls_a_minute of alpha_vantage: is 0, must be from 1"):
        vendor_named("alpha_vantage", {**key, "calls_a_minute": 0})
    with pytest.raises(ConfigError, match=r"calls_a_day of alpha_vantage: is '75', must be"):
        vendor_named("alpha_vantage", {**key, "calls_a_day": "75"})
    assert vendor_named("alpha_vantage", {**key, "calls_a_day": None}).calls_a_day is None


def test_a_source_of_another_package_is_asked_or_tells_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = LoopClock(NOW)
    vendor = Scripted(clock, {"IBM": MINUTES})
    pushing = Recorded([minutes("IBM", "2026-03-02T14:30", 9)], clock)
    monkeypatch.setitem(SOURCES._own, "asked", lambda credentials, clock: vendor)
    monkeypatch.setitem(SOURCES._own, "Pushing", lambda credentials, clock: pushing)
    asked = source_named("asked", clock=clock, calendars={"IBM": "NYSE"}, pause=30.0)
    assert isinstance(asked, Polled)
    assert asked.vendor is vendor
    assert source_named("Pushing", clock=clock) is pushing
    assert vendor_named("asked", clock=clock) is vendor
    assert sources_named([("Pushing", {})], clock) is pushing
    assert isinstance(sources_named([("asked", {}), ("Pushing", {})], clock), InTurn)
    with pytest.raises(ConfigError, match="Pushing tells bars as they come"):
        vendor_named("Pushing", clock=clock)


def test_ages_are_in_words() -> None:
    told = [age_text(s) for s in (0.0, 40.0, 600.0, 3 * 3600.0, 5 * 86_400.0)]
    assert told == ["0 s", "40 s", "10 min", "3 h", "5 days"]
    assert SECOND == 10**9
