"""A large file read in pieces gives what it gives read whole: bars, verdicts, rows set aside."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intrabar.data import streamed
from intrabar.data.calendars import sessions
from intrabar.data.catalogue import Catalogue
from intrabar.data.checks import check
from intrabar.data.manifest import content_hash
from intrabar.data.readers import Reading, read_file
from intrabar.data.reading.lines import NotPlainError
from intrabar.errors import DataError
from intrabar.model.bars import Bars

from .conftest import day, ns

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HEADER = "open,high,low,close,volume"
FORMS = {
    "ms": ("timestamp", "", "UTC"),
    "local": ("DateTime", "%Y-%m-%d %H:%M:%S", "exchange"),
    "zulu": ("DateTime", "%Y-%m-%dT%H:%M:%SZ", "UTC"),
    "slashes": ("Date,Time", "%m/%d/%Y,%H:%M:%S", "exchange"),
    "digits": ("Date,Time", "%Y%m%d,%H%M%S", "exchange"),
    "compact": ("datetime", "%Y%m%d%H%M%S", "UTC"),
}
ZONES = {"NYSE": "America/New_York", "CME_Equity": "America/Chicago", "24/7": "UTC", "24/5": "UTC"}


@pytest.fixture(autouse=True, scope="module")
def _short_head() -> Iterator[None]:
    """The first rows are not all: what they say is held against the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "HEAD", 130_000)
        yield


@dataclass
class Source:
    """A file of minutes: their openings (ns UTC), their cells, and what stands in the rows."""

    calendar: str
    form: str
    times: np.ndarray
    rows: list[str]

    def text(self) -> str:
        return f"{FORMS[self.form][0]},{HEADER}\n" + "\n".join(self.rows) + "\n"

    def how(self, **more: object) -> Reading:
        zone = {"": None, "UTC": "UTC", "exchange": ZONES[self.calendar]}[FORMS[self.form][2]]
        return Reading(calendar=self.calendar, zone=zone, **more)  # type: ignore[arg-type]


def stamps(times: np.ndarray, form: str, calendar: str) -> list[str]:
    _, words, where = FORMS[form]
    if not words:
        return [str(t // 1_000_000) for t in times]
    moments = pl.Series(times).cast(pl.Datetime("ns", "UTC"))
    zone = "UTC" if where == "UTC" else ZONES[calendar]
    return moments.dt.convert_time_zone(zone).dt.strftime(words).to_list()


def made(
    seed: int, calendar: str, form: str, first: str, days: int = 9, period: int = MINUTE
) -> Source:
    """A walk over some sessions, with holes, and rows that are broken in every way."""
    rng = np.random.default_rng(seed)
    known = sessions(calendar, day(first), day(first) + days)
    whole = [np.arange(o, c, period) for o, c in zip(known.open, known.close, strict=True)]
    times = np.unique(np.concatenate(whole))
    times = times[rng.random(times.size) > rng.choice([0, 0.01, 0.2])]
    if rng.random() < 0.3:
        times = np.unique(times + np.where(rng.random(times.size) < 0.02, 7 * SECOND, 0))
    if rng.random() < 0.3:
        times = times + int(rng.choice([-5, 1, 3])) * 3600 * SECOND
    close = np.round(100 + np.cumsum(rng.standard_normal(times.size) * 0.02), 2)
    if rng.random() < 0.2:
        close[times.size // 2 :] *= 4
    opened = np.append(close[0], close[:-1])
    high, low = np.maximum(opened, close) + 0.05, np.minimum(opened, close) - 0.05
    volume = rng.integers(0, 40, times.size)
    cells = [
        f"{s},{o:.2f},{h:.2f},{lo:.2f},{c:.2f},{v}"
        for s, o, h, lo, c, v in zip(
            stamps(times, form, calendar), opened, high, low, close, volume, strict=True
        )
    ]
    kinds = rng.choice(
        ["long", "blank", "word", "ohlc", "zero", "negative", "stamp", "twice", "other", "empty"],
        int(rng.integers(0, 8)),
    )
    for kind in kinds:
        at = int(rng.integers(0, len(cells)))
        stamp = ",".join(cells[at].split(",")[: FORMS[form][0].count(",") + 1])
        broken = {
            "long": f"{cells[at]},7,8", "blank": f"{stamp},1,,1,1,5",
            "word": f"{stamp},1,n/a,1,1,5",
            "ohlc": f"{stamp},90,80,85,90,5", "zero": f"{stamp},90,95,0,90,5",
            "negative": f"{stamp},90,95,85,90,-5", "stamp": f"total,{cells[at]}",
            "twice": cells[at], "other": f"{stamp},90,95,85,91,6", "empty": "",
        }  # fmt: skip
        cells.insert(at + 1, broken[kind])
    return Source(calendar, form, times, cells)


def whole(path: Path, how: Reading) -> dict[str, object]:
    raw = read_file(path, how)
    found = check(raw, "X")
    return told(found.bars, found.findings, found.rejected) | {
        "sha256": raw.sha256,
        "read as": (raw.format, raw.zone, raw.label, raw.calendar),
    }


def in_pieces(path: Path, how: Reading, piece: int) -> dict[str, object]:
    source = streamed.Streamed(path, "X", how, piece)
    parts = list(source)
    placed = source.first.placed
    return told(joined(parts), source.findings, source.rejected) | {
        "sha256": source.sha256,
        "read as": (source.first.form.name, placed.zone, placed.label, placed.calendar),
    }


def told(bars: Bars, findings: object, rejected: pl.DataFrame) -> dict[str, object]:
    text = rejected.write_csv() if rejected.height else ""
    return {"bars": content_hash(bars), "findings": findings, "rejected": text}


def joined(parts: list[Bars]) -> Bars:
    names = ("close_time", "open", "high", "low", "close", "volume", "open_time", "session")
    columns = {n: np.concatenate([getattr(p, n) for p in parts]) for n in names}
    return Bars(symbol="X", period=parts[0].period, **columns)


CASES = st.tuples(
    st.integers(0, 10**6),
    st.sampled_from(["NYSE", "CME_Equity", "24/7", "24/5"]),
    st.sampled_from(sorted(FORMS)),
    st.sampled_from(["2024-03-04", "2024-10-28", "2024-12-20"]),
    st.sampled_from([700, 5_000, 20_000, 90_000, 10**7]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(CASES)
def test_the_same_is_found_whatever_the_size_of_a_piece(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[int, str, str, str, int]
) -> None:
    seed, calendar, form, first, piece = case
    source = made(seed, calendar, form, first)
    path = tmp_path_factory.mktemp("pieces") / "x.csv"
    path.write_text(source.text())
    try:
        found = in_pieces(path, source.how(), piece)
    except NotPlainError:
        return  # read whole: there is nothing to differ
    assert found == whole(path, source.how())


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("calendar", ["NYSE", "CME_Equity", "24/7"])
@pytest.mark.parametrize("packed", [False, True])
def test_files_in_order_are_read_in_pieces(
    tmp_path: Path, form: str, calendar: str, packed: bool
) -> None:
    """Broken rows, holes and equal rows do not stand against it."""
    source = made(8, calendar, form, "2024-03-18")
    source.rows[1200:1200] = ["", f"{source.rows[1199]}", f"{source.rows[1199]},9"]
    path = tmp_path / "x.csv"
    text = source.text().replace("\n", "\r\n").encode()
    path.write_bytes(gzip.compress(text) if packed else text)
    found = in_pieces(path, source.how(), 30_000)
    assert found == whole(path, source.how())
    rules = {f.rule for f in found["findings"] if f.severity == "error"}  # type: ignore[attr-defined]
    assert {"cells", "duplicate"} <= rules


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:-3], rows[-1], rows[-2]],  # out of order
        lambda rows: [*rows[:-1], rows[-1].replace("-", "/")],
        lambda rows: [*rows[:-1], rows[-1].rsplit(",", 1)[0] + ',"1,5"'],
        lambda rows: [*rows[:-1], rows[-1].replace(":00,", ":00+02:00,")],
        lambda rows: [*rows, '2024-03-14 16:00:00,"1', '2",3,1,2,5'],
    ],
)
def test_a_file_that_goes_on_in_another_way_is_read_whole(tmp_path: Path, change: object) -> None:
    source = made(3, "NYSE", "local", "2024-03-04")
    source.rows = change(source.rows)  # type: ignore[operator]
    path = tmp_path / "x.csv"
    path.write_text(source.text())
    with pytest.raises(NotPlainError):
        in_pieces(path, source.how(), 30_000)


@pytest.mark.parametrize("later", ["another period", "clocks go forward"])
def test_what_later_rows_tell_is_held_against_the_first(tmp_path: Path, later: str) -> None:
    """Minutes of a coin without a zone; far behind the first rows they are not what they were."""
    first = np.datetime64("2024-03-08T00:00", "ns").astype(np.int64)
    times = first + np.arange(5000) * MINUTE
    if later == "another period":
        times = np.append(times, times[-1] + np.arange(1, 400) * 5 * MINUTE)
    else:
        times[times >= ns("2024-03-10T02:00")] += 60 * MINUTE
    rows = [f"{s},9,9.5,8.5,9,{5 + i % 3}" for i, s in enumerate(stamps(times, "local", "24/7"))]
    path = tmp_path / "btcusd.csv"
    path.write_text(f"DateTime,{HEADER}\n" + "\n".join(rows) + "\n")
    how = Reading(symbol="BTCUSD", calendar="24/7", suggested=True)
    with pytest.raises(DataError, match=r"bars of 5m|clocks were changed"):
        check(read_file(path, how), "BTCUSD")
    with pytest.raises(NotPlainError):
        in_pieces(path, how, 30_000)


def test_a_second_instrument_far_down_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(3, "NYSE", "local", "2024-03-04")
    whole_rows = [row for row in source.rows if row.count(",") == 5 and row[0] == "2"]
    rows = [f"{row},AAA" for row in whole_rows[:-5]] + [f"{row},BBB" for row in whole_rows[-5:]]
    path = tmp_path / "aaa.csv"
    path.write_text(f"DateTime,{HEADER},symbol\n" + "\n".join(rows) + "\n")
    monkeypatch.setattr(streamed, "LARGE", 1)
    how = Reading(zone="America/New_York")
    done = Catalogue(tmp_path / "c").import_file(path, "AAA", how, calendar="NYSE")
    assert done.manifest.rows + done.manifest.rejected == len(rows) - 5
    assert any("AAA, BBB, the rows of AAA were read" in f.text for f in done.findings)


NAMES = {"NYSE": ("AAPL", "ACME"), "CME_Equity": ("ES", "MYFUT"), "24/7": ("BTCUSD", "ACME")}


def outcome(path: Path, folder: Path, symbol: str, how: Reading) -> object:
    """The import without its version, or its refusal."""
    catalogue = Catalogue(folder)
    try:
        done = catalogue.import_file(path, symbol, how)
    except DataError as error:
        return str(error)
    assert catalogue.verify()[0][1] == ""
    aside = done.rejected.read_bytes() if done.rejected else b""
    shown = done.manifest.as_dict()
    del shown["version"], shown["imported"]
    return shown, content_hash(catalogue.read(symbol)), done.findings, aside


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 10**6),
    calendar=st.sampled_from(sorted(NAMES)),
    form=st.sampled_from(sorted(FORMS)),
    known=st.booleans(),
    zoned=st.booleans(),
    first=st.sampled_from(["2024-03-04", "2024-10-28"]),
)
def test_what_is_asked_and_guessed_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, seed: int, calendar: str, form: str, known: bool,
    zoned: bool, first: str,
) -> None:  # fmt: skip
    """The name may tell the calendar, the bars the zone; or both are asked for."""
    root = tmp_path_factory.mktemp("names")
    source = made(seed, calendar, form, first)
    path = root / "x.csv"
    path.write_text(source.text())
    symbol = NAMES[calendar][not known]
    how = Reading(zone=source.how().zone if zoned else None)
    found = []
    for large in (1, 1 << 30):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(streamed, "PIECE", 30_000)
            patch.setattr(streamed, "LARGE", large)
            found.append(outcome(path, root / f"c{large}", symbol, how))
    assert found[0] == found[1]


def test_an_import_in_pieces_leaves_nothing_behind_if_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = made(8, "CME_Equity", "ms", "2024-03-04")
    path = tmp_path / "es.csv"
    path.write_text(source.text() + source.rows[0] + "\n" + source.rows[-1] + "9\n")
    monkeypatch.setattr(streamed, "PIECE", 40_000)
    monkeypatch.setattr(streamed, "LARGE", 1)
    done = Catalogue(tmp_path / "c").import_file(path)
    folders = [p.name for p in (tmp_path / "c" / "ES" / "1m").iterdir()]
    assert sorted(folders) == sorted(["manifest.json", done.manifest.version])
