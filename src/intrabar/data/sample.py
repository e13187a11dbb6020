"""Daily bars of five shares that come as a package: no download, no account, public domain."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from intrabar.data.checks import check
from intrabar.data.readers import Reading, read_frame
from intrabar.errors import ConfigError, NotFoundError
from intrabar.model.bars import Bars

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
REMARK = (
    "The sample's prices are adjusted: each bar is multiplied by Adj Close / Close, because the "
    "raw series contain splits. Prices of early years are therefore lower than those traded then"
)


def sample_bars(symbol: str) -> Bars:
    """Adjusted daily bars of one of `SYMBOLS`.

    Raises
    ------
    ConfigError
        The package is not installed.
    """
    table = _stocks()
    if symbol not in SYMBOLS:
        raise NotFoundError("sample", symbol, SYMBOLS)
    raw = table.filter(pl.col("Ticker") == symbol)
    factor = pl.col("Adj Close") / pl.col("Close")
    adjusted = raw.select(
        "Date",
        *(pl.col(name) * factor for name in ("Open", "High", "Low")),
        pl.col("Adj Close").alias("Close"),
        pl.col("Volume").cast(pl.Float64) / factor,
    )
    how = Reading(format="yahoo", period="1d", calendar="NYSE")
    return check(read_frame(adjusted, how), symbol).bars


@cache
def _stocks() -> pl.DataFrame:
    # The file is read directly: the package's own way costs an import of pandas.
    found = find_spec("bokeh_sampledata")
    if found is None or found.origin is None:
        raise ConfigError(
            "the sample bars are not installed: pip install 'intrabar[demo]', or name a file"
        )
    return pl.read_csv(Path(found.origin).parent / "_data" / "stocks.csv.gz")
