"""The same bars in every kind of file are the same bars, by the import and by a run."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import intrabar as ib
from intrabar.data.catalogue import Catalogue
from intrabar.data.manifest import content_hash
from intrabar.errors import ConfigError

COUNT = 12
CLOSE = 50 + np.arange(COUNT) * 0.25
TABLE = pd.DataFrame(
    {
        "Date": pd.date_range("2024-03-12 09:30", periods=COUNT, freq="min"),
        "Open": CLOSE,
        "High": CLOSE + 0.5,
        "Low": CLOSE - 0.5,
        "Close": CLOSE + 0.25,
        "Volume": 1000 + np.arange(COUNT),
    }
)
TEXT = TABLE.to_csv(index=False).encode()


def zipped(*names: str) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT if name.endswith(".csv") else "read me")
    return box.getvalue()


def by_polars(write: str) -> bytes:
    box = io.BytesIO()
    getattr(pl.from_pandas(TABLE), write)(box)
    return box.getvalue()


def by_pandas(write: str) -> bytes:
    box = io.BytesIO()
    getattr(TABLE.set_index("Date"), write)(box)
    return box.getvalue()


def json(**how: object) -> bytes:
    return str(TABLE.to_json(date_format="iso", **how)).encode()  # type: ignore[call-overload]


def workbook(above: int = 0) -> bytes:
    """A workbook whose dates are numbers with the form of a date, as spreadsheets save them."""
    start = datetime(1899, 12, 30)

    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<c t="inlineStr"><is><t>{value}</t></is></c>'
        if isinstance(value, datetime):
            return f'<c s="1"><v>{(value - start).total_seconds() / 86400!r}</v></c>'
        return f"<c><v>{value!r}</v></c>"

    rows: list[list[object]] = [["History of ACME"]] * above + [list(TABLE.columns)]
    rows += [[r[0].to_pydatetime(), *map(float, r[1:])] for r in TABLE.itertuples(index=False)]
    lines = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in rows)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{kind}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="Bars" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="r1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="r2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{lines}</sheetData>'
        "</worksheet>",
    }
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return box.getvalue()


KINDS: dict[str, Callable[[], bytes]] = {
    "bars.csv.gz": lambda: gzip.compress(TEXT),
    "bars.csv.bz2": lambda: bz2.compress(TEXT),
    "bars.csv.xz": lambda: lzma.compress(TEXT),
    "bars.zip": lambda: zipped("acme.csv"),
    "with a note.zip": lambda: zipped("acme.csv", "read.me"),
    "bars.csv.gz.zip": lambda: gzip.compress(zipped("acme.csv")),
    "polars.parquet": lambda: by_polars("write_parquet"),
    "pandas.parquet": lambda: by_pandas("to_parquet"),
    "polars.arrow": lambda: by_polars("write_ipc"),
    "pandas.feather": lambda: by_pandas("to_feather"),
    "records.json": lambda: json(orient="records"),
    "lines.jsonl": lambda: json(orient="records", lines=True),
    "split.json": lambda: json(orient="split"),
    "book.xlsx": workbook,
    "titled.xlsx": lambda: workbook(above=2),
}


@pytest.fixture
def expected(tmp_path: Path) -> str:
    path = tmp_path / "acme.csv"
    path.write_bytes(TEXT)
    catalogue = Catalogue(tmp_path / "expected")
    catalogue.import_file(path)
    return content_hash(catalogue.read("ACME"))


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_file_holds_the_same_bars(tmp_path: Path, name: str, expected: str) -> None:
    if name.endswith(".xlsx"):
        pytest.importorskip("fastexcel")
    path = tmp_path / name
    path.write_bytes(KINDS[name]())
    catalogue = Catalogue(tmp_path / "catalogue")
    catalogue.import_file(path, "ACME")
    assert content_hash(catalogue.read("ACME")) == expected
    market = ib.backtest(ib.Signals([0] * COUNT), path, symbols="ACME").market
    assert market.close[:, 0].tolist() == (CLOSE + 0.25).tolist()


def test_a_workbook_without_its_extra_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    path = tmp_path / "acme.xlsx"
    path.write_bytes(workbook())
    with pytest.raises(ConfigError, match=r"pip install 'intrabar\[excel\]'"):
        Catalogue(tmp_path / "catalogue").import_file(path)
    with pytest.raises(ConfigError, match=r"pip install 'intrabar\[excel\]'"):
        ib.backtest(ib.Signals([0] * COUNT), path, symbols="ACME")
