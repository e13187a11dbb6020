from __future__ import annotations

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from intrabar.data import storing as module
from intrabar.data.catalogue import Catalogue, default_root
from intrabar.data.checks import check
from intrabar.data.manifest import Manifest, content_hash
from intrabar.data.readers import Reading, read_file
from intrabar.data.reading.file_names import symbol_of
from intrabar.errors import ConfigError, DataError, NotFoundError

DAILY = "Date,Open,High,Low,Close,Volume\n"
ROWS = ["2023-12-28,10,12,9,11,100", "2023-12-29,11,13,10,12,100", "2024-01-02,12,13,11,12,100"]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "nvda_1d.csv"
    path.write_text(DAILY + "\n".join([*ROWS, "2024-01-03,12,13,11,15,100"]) + "\n")
    return path


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue")


def test_import_then_read_gives_the_bars_back(catalogue: Catalogue, source: Path) -> None:
    done = catalogue.import_file(source, adjustment="split")
    bars = catalogue.read("NVDA")
    assert bars.close.tolist() == [11, 12, 12]
    again = check(read_file(source, Reading(calendar="NYSE")), "NVDA").bars
    for field in ("close_time", "open_time", "session", "open", "high", "low", "volume"):
        assert (getattr(bars, field) == getattr(again, field)).all()
    m = done.manifest
    assert (m.symbol, m.period, m.rows, m.calendar, m.zone) == (
        "NVDA",
        "1d",
        3,
        "NYSE",
        "America/New_York",
    )
    assert (m.first, m.last) == ("2023-12-28T21:00:00Z", "2024-01-02T21:00:00Z")
    assert (m.source, m.adjustment, m.label) == ("nvda_1d.csv", "split", "start")
    assert m.content_sha256 == content_hash(bars)
    assert catalogue.list() == (m,)
    assert Manifest.from_json(m.to_json()) == m


def test_bars_are_partitioned_by_year(catalogue: Catalogue, source: Path) -> None:
    catalogue.import_file(source)
    parts = sorted(p.parent.name for p in catalogue.root.glob("NVDA/1d/*/year=*/bars.parquet"))
    assert parts == ["year=2023", "year=2024"]


def test_rejected_rows_stand_beside_the_bars(catalogue: Catalogue, source: Path) -> None:
    done = catalogue.import_file(source)
    assert done.manifest.rejected == 1
    assert done.rejected is not None
    assert done.rejected.name == "nvda_1d.csv.rejected.csv"
    assert done.rejected.read_text().splitlines()[1] == "5,ohlc,2024-01-03,12,13,11,15,100"


def test_a_second_import_replaces_the_first(catalogue: Catalogue, source: Path) -> None:
    first = catalogue.import_file(source)
    source.write_text(DAILY + "\n".join(ROWS[:2]) + "\n")
    second = catalogue.import_file(source)
    assert len(catalogue.read("NVDA")) == 2
    assert first.manifest.content_sha256 != second.manifest.content_sha256
    # The version before stays: a run may be reading it. The one before that goes.
    third = catalogue.import_file(source)
    folders = {p.name for p in (catalogue.root / "NVDA" / "1d").iterdir() if p.is_dir()}
    assert folders == {second.manifest.version, third.manifest.version}


def test_the_same_bars_have_the_same_hash(catalogue: Catalogue, source: Path) -> None:
    first = catalogue.import_file(source).manifest.content_sha256
    copy = source.with_name("other_name.csv")
    copy.write_text(source.read_text())
    again = catalogue.import_file(copy, "AAPL").manifest.content_sha256
    assert again == first


@pytest.mark.parametrize("step", range(1, 5))
def test_a_full_disk_leaves_the_old_version(
    catalogue: Catalogue, source: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    old = catalogue.import_file(source).manifest
    source.write_text(DAILY + "\n".join([*ROWS, "2024-01-03,1,1,1,5,1"]).replace("12,100", "11,5"))
    written, write = [], module._write_bytes

    def full(path: Path, content: bytes) -> None:
        written.append(path)
        if len(written) == step:
            path.write_bytes(content[: len(content) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(module, "_write_bytes", full)
    with pytest.raises(DataError, match="the disk is full; an earlier version"):
        catalogue.import_file(source)
    assert catalogue.list() == (old,)
    assert catalogue.verify() == ((old, ""),)
    left = sorted(p.name for p in (catalogue.root / "NVDA" / "1d").iterdir())
    assert left == sorted([old.version, "manifest.json"])


def test_without_a_manifest_nothing_is_read(catalogue: Catalogue, source: Path) -> None:
    catalogue.import_file(source)
    (catalogue.root / "NVDA" / "1d" / "manifest.json").unlink()
    assert catalogue.list() == ()
    with pytest.raises(NotFoundError, match="unknown symbol 'NVDA'"):
        catalogue.read("NVDA")


def test_verify_finds_changed_missing_and_damaged_bars(catalogue: Catalogue, source: Path) -> None:
    done = catalogue.import_file(source)
    assert [fault for _, fault in catalogue.verify("NVDA")] == [""]
    folder = catalogue.root / "NVDA" / "1d"
    part = next((folder / done.manifest.version).glob("year=2024/bars.parquet"))
    good = part.read_bytes()

    frame = module.pl.read_parquet(part)
    frame.with_columns(close=frame["close"] + 0.01).write_parquet(part)
    assert "the bars have the hash" in catalogue.verify()[0][1]
    part.write_bytes(good[:-10])
    assert "cannot be read" in catalogue.verify()[0][1]
    part.unlink()
    assert "holds 2 bars, the manifest says 3" in catalogue.verify()[0][1]
    with pytest.raises(DataError, match="import the file again"):
        catalogue.read("NVDA")


def test_a_damaged_manifest_is_named(catalogue: Catalogue, source: Path) -> None:
    catalogue.import_file(source)
    path = catalogue.root / "NVDA" / "1d" / "manifest.json"
    values = json.loads(path.read_text())
    for text in ("{", "[]", json.dumps({**values, "schema": 2}), json.dumps({"schema": 1})):
        path.write_text(text)
        with pytest.raises(DataError, match=r"manifest\.json.*(damaged|later version)"):
            catalogue.list()


def test_several_periods_of_a_symbol(catalogue: Catalogue, source: Path) -> None:
    catalogue.import_file(source)
    hourly = source.with_name("hourly.csv")
    hourly.write_text(
        "Time,Open,High,Low,Close\n2024-01-02T15:00Z,1,1,1,1\n2024-01-02T16:00Z,1,1,1,1\n"
    )
    catalogue.import_file(hourly, "NVDA")
    with pytest.raises(ConfigError, match="NVDA has bars of 1h, 1d; name the period"):
        catalogue.read("NVDA")
    assert len(catalogue.read("NVDA", "60m")) == 2
    with pytest.raises(NotFoundError, match="unknown period of NVDA '5m'"):
        catalogue.read("NVDA", "5m")
    with pytest.raises(NotFoundError, match="did you mean 'NVDA'"):
        catalogue.show("NVDAA")


@pytest.mark.parametrize("symbol", ["BRK/B", "..", "@ES", "ES=F", "a b", "Ä"])
def test_any_symbol_has_a_folder_of_its_own(
    catalogue: Catalogue, source: Path, symbol: str
) -> None:
    catalogue.import_file(source, symbol, calendar="NYSE")
    assert catalogue.read(symbol).symbol == symbol
    folders = [p for p in catalogue.root.iterdir() if p.is_dir()]
    assert len(folders) == 1
    assert folders[0].resolve().parent == catalogue.root.resolve()


def test_an_import_that_fails_names_the_file(catalogue: Catalogue, source: Path) -> None:
    source.write_text(DAILY + "\n".join(reversed(ROWS)) + "\n")
    with pytest.raises(DataError, match=r"nvda_1d\.csv: the rows are not in the order .*--sort"):
        catalogue.import_file(source)
    assert catalogue.list() == ()
    catalogue.import_file(source, sort=True)
    assert (np.diff(catalogue.read("NVDA").close_time) > 0).all()


def test_calendar_of_the_instrument_unless_given(catalogue: Catalogue, source: Path) -> None:
    assert catalogue.import_file(source, "BTC-USD").manifest.calendar == "24/7"
    assert catalogue.import_file(source, "X", Reading(calendar="LSE")).manifest.calendar == "LSE"
    assert catalogue.import_file(source, "Y", calendar="").manifest.calendar == ""


def test_root_and_symbol_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("INTRABAR_CATALOGUE", raising=False)
    assert default_root() == Path("catalogue")
    monkeypatch.setenv("INTRABAR_CATALOGUE", str(tmp_path))
    assert Catalogue().root == tmp_path
    assert symbol_of(Path("data/nvda_hourly.csv.gz")) == "NVDA"
    assert symbol_of(Path("ES.csv")) == "ES"
