"""The catalogue: imported bars as Parquet, a folder for each symbol and period.

::

    catalogue/ES/5m/manifest.json
                    1f0c...-9a3b/year=2024/bars.parquet
                                 es.csv.rejected.csv
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import polars as pl

from intrabar.data import streamed
from intrabar.data.checks import Finding, check
from intrabar.data.frames import from_polars
from intrabar.data.instruments import calendar_of, known
from intrabar.data.manifest import Manifest
from intrabar.data.periods import parse_period, period_text
from intrabar.data.readers import RawBars, Reading, read_file
from intrabar.data.reading.file_names import symbol_of
from intrabar.data.reading.lines import NotPlainError
from intrabar.data.reading.offered import READERS
from intrabar.data.stored import StoredFeed, readable, require_rows, stored_hash
from intrabar.data.storing import MANIFEST, store_version
from intrabar.errors import ConfigError, DataError, NotFoundError
from intrabar.model.bars import DAY_NS, Bars


def default_root() -> Path:
    """Folder named by INTRABAR_CATALOGUE, else `catalogue` in the current folder."""
    return Path(os.environ.get("INTRABAR_CATALOGUE") or "catalogue")


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """What an import did: the dataset's manifest, the verdicts, and the rows set aside."""

    manifest: Manifest
    findings: tuple[Finding, ...]
    rejected: Path | None


class _Found(NamedTuple):
    source: str
    source_sha256: str
    format: str
    zone: str
    label: str
    calendar: str

    def record(self, adjustment: str, findings: tuple[Finding, ...]) -> dict[str, Any]:
        checks = tuple(f.as_json() for f in findings)
        return {**self._asdict(), "adjustment": adjustment, "checks": checks}


class Catalogue:
    """Datasets of bars under one folder.

    Parameters
    ----------
    root : path, optional
        None: `default_root()`.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root) if root is not None else default_root()

    def import_file(
        self,
        path: Path | str,
        symbol: str | None = None,
        how: Reading | None = None,
        *,
        calendar: str | None = None,
        adjustment: str = "raw",
        sort: bool = False,
    ) -> Imported:
        """Read, check and store a file of bars; an earlier import of the dataset is replaced.

        Parameters
        ----------
        path : path
        symbol : str, optional
            None: told by the file's name (`symbol_of`).
        how : Reading, optional
        calendar : str, optional
            Exchange calendar; None: the one in `how`, else the instrument's; "": none.
        adjustment : str
            What was done to the prices, for the record: "raw", "split", "back-adjusted".
        sort : bool
            Put rows that are out of order in order.

        Raises
        ------
        DataError
            The file cannot be read or stored; the catalogue is as it was.
        """
        path = Path(path)
        symbol = symbol or symbol_of(path)
        how = replace(how or Reading(), symbol=symbol)
        if calendar is None and not how.calendar:
            how = replace(how, calendar=calendar_of(symbol), suggested=True)
        elif calendar is not None:
            how = replace(how, calendar=calendar)
        if (made := self._streamed(path, symbol, how, adjustment)) is not None:
            return made
        raw = read_file(path, how)
        try:
            if how.suggested and not raw.calendar and raw.period == DAY_NS and not known(symbol):
                raise DataError(_which_exchange(raw, symbol, sort))
            checked = check(raw, symbol, sort=sort)
        except DataError as error:
            raise DataError(f"{path.name}: {error}") from error
        found = _Found(raw.source, raw.sha256, raw.format, raw.zone, raw.label, raw.calendar)
        record = found.record(adjustment, checked.findings)
        manifest = self.write(checked.bars, record, checked.rejected)
        return self._imported(manifest, checked.findings)

    def _streamed(self, path: Path, symbol: str, how: Reading, adjustment: str) -> Imported | None:
        """Import a large text piece by piece; None where it has to be read whole."""
        if not path.is_file() or path.stat().st_size < streamed.LARGE or how.format in READERS:
            return None
        try:
            source = streamed.Streamed(path, symbol, how)
            parts = iter(source)
            head = next(parts, None)
            if head is None:
                return None

            def told() -> tuple[Mapping[str, Any], pl.DataFrame]:
                placed = source.first.placed
                found = _Found(
                    path.name, source.sha256, source.first.form.name, placed.zone, placed.label,
                    placed.calendar,
                )  # fmt: skip
                return found.record(adjustment, source.findings), source.rejected

            folder = self._folder(symbol, period_text(head.period))
            manifest = store_version(folder, head, parts, told)
        except NotPlainError:
            return None
        return self._imported(manifest, source.findings)

    def _imported(self, manifest: Manifest, findings: tuple[Finding, ...]) -> Imported:
        folder = self._folder(manifest.symbol, manifest.period) / manifest.version
        kept = folder / manifest.rejected_file if manifest.rejected_file else None
        return Imported(manifest, findings, kept)

    def write(
        self, bars: Bars, record: Mapping[str, Any], rejected: pl.DataFrame | None = None
    ) -> Manifest:
        """Store bars as the one version of their dataset.

        Parameters
        ----------
        bars : Bars
        record : mapping
            The fields of `Manifest` that the bars do not tell: source, zone, label, ...
        rejected : DataFrame, optional

        Raises
        ------
        DataError
            The disk is full or refuses; the earlier version is as it was.
        """
        return self.write_parts([bars], record, rejected)

    def write_parts(
        self,
        parts: Iterable[Bars],
        record: Mapping[str, Any],
        rejected: pl.DataFrame | None = None,
    ) -> Manifest:
        """Store bars that come part by part, as `write` those that come at once.

        Parameters
        ----------
        parts : bars of one symbol and period, each part after the one before
        record, rejected
            As `write`.

        Raises
        ------
        DataError
            As `write`; or a part does not follow the one before.
        """
        parts = iter(parts)
        head = next(parts)
        folder = self._folder(head.symbol, period_text(head.period))
        return store_version(folder, head, parts, lambda: (record, rejected))

    def list(self) -> tuple[Manifest, ...]:
        """Manifests of all datasets, by symbol and period; none where there is no folder.

        Raises
        ------
        DataError
            The root is a file, or a manifest is damaged.
        """
        if self.root.is_file():
            raise DataError(f"the catalogue {self.root} is a file; name a folder")
        found = [self._manifest(p) for p in self.root.glob(f"*/*/{MANIFEST}")]
        return tuple(sorted(found, key=lambda m: (m.symbol, parse_period(m.period))))

    def show(self, symbol: str, period: str | None = None) -> tuple[Manifest, ...]:
        """Manifests of a symbol's datasets.

        Raises
        ------
        NotFoundError
            Unknown symbol or period, with the nearest known.
        """
        manifests = self.list()
        found = tuple(m for m in manifests if m.symbol == symbol)
        if not found:
            empty = (
                f"the catalogue {self.root.absolute()} is empty; fill it with: intrabar data "
                "import FILE (INTRABAR_CATALOGUE names another folder)"
            )
            raise NotFoundError("symbol", symbol, {m.symbol for m in manifests}, empty)
        if period is None:
            return found
        wanted = period_text(parse_period(period))
        chosen = tuple(m for m in found if m.period == wanted)
        if not chosen:
            raise NotFoundError(f"period of {symbol}", wanted, {m.period for m in found})
        return chosen

    def read(self, symbol: str, period: str | None = None) -> Bars:
        """Bars of a dataset.

        Parameters
        ----------
        symbol : str
        period : str, optional
            May be None where the symbol has one period only.

        Raises
        ------
        NotFoundError
            Unknown symbol or period.
        ConfigError
            The symbol has several periods and none was named.
        DataError
            The files do not hold what the manifest says.
        """
        return self._bars(self._only(symbol, period))

    def _only(self, symbol: str, period: str | None) -> Manifest:
        found = self.show(symbol, period)
        if len(found) > 1:
            periods = ", ".join(m.period for m in found)
            raise ConfigError(f"{symbol} has bars of {periods}; name the period")
        return found[0]

    def feed(
        self,
        symbol: str,
        period: str | None = None,
        start: int | None = None,
        end: int | None = None,
    ) -> StoredFeed:
        """Bars of a dataset that are read part by part, for histories larger than memory.

        Parameters
        ----------
        symbol, period
            As `read`.
        start, end : ns UTC, optional
            Bars with `start <= close_time <= end` only.

        Raises
        ------
        NotFoundError, ConfigError, DataError
            As `read`; DataError where no bar lies between start and end.
        """
        manifest = self._only(symbol, period)
        return StoredFeed(manifest, self._parts(manifest), start, end)

    def verify(self, symbol: str | None = None) -> tuple[tuple[Manifest, str], ...]:
        """Read datasets and compare the hash of their bars with the manifest's.

        Returns
        -------
        tuple of (Manifest, str)
            What is wrong, "" for sound datasets.
        """
        manifests = self.list() if symbol is None else self.show(symbol)
        return tuple((m, self._fault(m)) for m in manifests)

    def _fault(self, manifest: Manifest) -> str:
        try:
            found = stored_hash(StoredFeed(manifest, self._parts(manifest)))
        except DataError as error:
            return str(error)
        if found != manifest.content_sha256:
            return f"the bars have the hash {found[:12]}, not {manifest.content_sha256[:12]}"
        return ""

    def _bars(self, manifest: Manifest) -> Bars:
        parts = self._parts(manifest)
        if not parts:
            require_rows(manifest, 0)
        with readable(manifest):
            frame = pl.concat([pl.read_parquet(p, hive_partitioning=False) for p in parts])
        require_rows(manifest, frame.height)
        return from_polars(frame, manifest.symbol, parse_period(manifest.period))

    def _parts(self, manifest: Manifest) -> tuple[Path, ...]:
        """The files of a dataset, in order."""
        folder = self._folder(manifest.symbol, manifest.period) / manifest.version
        return tuple(sorted(folder.glob("year=*/bars*.parquet")))

    def _manifest(self, path: Path) -> Manifest:
        try:
            return Manifest.from_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path} cannot be read: {error}") from error
        except DataError as error:
            raise DataError(f"{path}: {error}") from error

    def folder_of(self, symbol: str) -> Path:
        """Where everything of a symbol is kept."""
        # "BRK/B" is one folder, ".." is none.
        name = quote(symbol, safe="@=^-+ $")
        return self.root / name.replace(".", "%2E")

    def _folder(self, symbol: str, period: str) -> Path:
        return self.folder_of(symbol) / period


def _which_exchange(raw: RawBars, symbol: str, sort: bool) -> str:
    check(raw, symbol, sort=True)  # what is wrong in any case goes first
    opened = raw.open_time[raw.readable]
    newest = "; the rows are newest first: add --sort"
    return (
        f"{symbol} is not in the table, and when its days begin and end is not known; name the "
        "exchange: --calendar NYSE, XETR, LSE, JPX, SSE, XBOM, CME_Equity ..., or --calendar none "
        f"for days of UTC{newest if not sort and (opened[1:] < opened[:-1]).any() else ''}"
    )
