"""Things that other packages offer by name: real packages on the path, as `pip` would lay them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import intrabar as ib
from intrabar.data.readers import Reading, read_file
from intrabar.errors import ConfigError, DataError, MissingExtra, NotFoundError
from intrabar.indicators.parse import parse
from intrabar.plugins import Table
from intrabar.strategy.registry import find_exit, known, load


def package(folder: Path, name: str, points: dict[str, str], code: str) -> None:
    """A package with one module, and what it offers."""
    (folder / f"{name}.py").write_text(textwrap.dedent(code), encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"[{group}]\n{row}\n" for group, row in points.items()]
    (info / "entry_points.txt").write_text("\n".join(lines))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_a_package_offers_a_thing_of_each_kind(folder: Path) -> None:
    package(
        folder,
        "house_offer",
        {
            "intrabar.strategies": "HouseFlip = house_offer:HouseFlip",
            "intrabar.exits": "HouseExit = house_offer:HouseExit",
            "intrabar.indicators": "house_mean = house_offer:house_mean",
            "intrabar.readers": "house = house_offer:read",
        },
        """
        import polars as pl
        import intrabar as ib

        HouseFlip = ib.CoinFlip
        HouseExit = ib.FixedPercent

        def house_mean(period=3):
            return ib.sma(period)

        def read(path):
            text = path.read_text().replace(";", ",")
            return pl.read_csv(text.encode(), new_columns=["Date", "Open", "High", "Low", "Close"])
        """,
    )
    assert "HouseFlip" in known()
    bot = load("HouseFlip", {"exit": {"name": "HouseExit", "stop": 0.1, "target": 0.2}})
    assert bot == ib.Bot(ib.CoinFlip(), ib.FixedPercent(0.1, 0.2))
    assert find_exit("HouseExit") is ib.FixedPercent
    assert parse("house_mean(5)") == ib.sma(5)
    assert parse("house_mean()") == ib.sma(3)
    days = (np.datetime64("2020-01-06") + np.arange(3)).astype(str)
    lines = "\n".join(f"{day};1;2;1;2" for day in days)
    (folder / "bars.house").write_text(f"a;b;c;d;e\n{lines}\n")
    raw = read_file(folder / "bars.house", Reading(format="house", period="1d"))
    assert raw.prices.shape == (3, 4)


def test_two_packages_of_one_name_are_refused_and_ours_goes_first(folder: Path) -> None:
    for name in ("house_one", "house_two"):
        points = {"intrabar.strategies": f"Twice = {name}:X\nCoinFlip = {name}:X"}
        package(folder, name, points, "X = 1")
    with pytest.raises(ConfigError, match="the package house_one and the package house_two"):
        load("Twice")
    assert load("CoinFlip") == ib.Bot(ib.CoinFlip())


def test_a_broken_package_is_a_sentence(folder: Path) -> None:
    points = {
        "intrabar.strategies": "Broken = house_broken:X",
        "intrabar.readers": "odd = house_reads:read",
    }
    package(folder, "house_broken", points, "import nothing_of_that_name")
    with pytest.raises(ConfigError, match=r"'Broken' of the package house_broken cannot be imp"):
        load("Broken")
    with pytest.raises(NotFoundError, match="did you mean 'Broken'"):
        load("Brokn")
    (folder / "house_reads.py").write_text("def read(path): return 1 / 0")
    (folder / "bars.odd").write_text("a")
    with pytest.raises(DataError, match=r"the reader odd failed: .*house_reads.py:1"):
        read_file(folder / "bars.odd", Reading(format="odd"))
    pl.DataFrame({"time": ["2020-01-06"], "open": [1.0]}).write_csv(folder / "bars.csv")
    with pytest.raises(ConfigError, match=r"format is 'od', must be one of tradestation.*, odd"):
        read_file(folder / "bars.csv", Reading(format="od"))


def test_an_own_thing_names_the_extra_that_it_needs(folder: Path) -> None:
    (folder / "house_wire.py").write_text("import a_package_that_is_not_there")
    (folder / "house_own.py").write_text("import intrabar.a_module_that_is_not_there")
    table: Table[object] = Table(
        "source",
        "intrabar.house_sources",
        {"wire": "house_wire:Source [live]", "own": "house_own:X [live]", "here": "pathlib:Path"},
    )
    assert table.names() == ["wire", "own", "here"]
    assert table.load("here") is Path
    with pytest.raises(MissingExtra, match=r"the source wire .*pip install 'intrabar\[live\]'"):
        table.load("wire")
    with pytest.raises(ModuleNotFoundError):
        table.load("own")  # a fault of ours is none of theirs
    with pytest.raises(NotFoundError, match="unknown source 'wir': did you mean 'wire'"):
        table.load("wir")
