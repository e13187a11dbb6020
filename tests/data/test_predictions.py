"""Files of predictions: what is refused in them, and on which bars their rows were made."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from intrabar.data.prediction_bars import BarsOf
from intrabar.data.prediction_file import read_predictions
from intrabar.data.prediction_place import Placement
from intrabar.data.predictions import Predictions, chance_above_nothing, column_of, placement
from intrabar.errors import ConfigError, DataError, FileError, NotFoundError
from intrabar.indicators.given import Request, request_of

HOUR, DAY = 3_600_000_000_000, 86_400_000_000_000
START = 1_704_067_200_000_000_000  # 2024-01-01 UTC


def bars_of(n: int = 400, seed: int = 0, tick: float = 0.01) -> BarsOf:
    """Hours without a gap, so that the end of each is the start of the next."""
    close = np.round(100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, n))), 2)
    end = START + np.arange(1, n + 1) * HOUR
    return BarsOf(end, end - HOUR, close, end // DAY, (), tick, "UTC", False)


def daily_of(n: int = 400) -> BarsOf:
    """Days from 14:30 to 21:00 UTC."""
    day = START // DAY + np.arange(n)
    return replace(
        bars_of(n),
        close_time=day * DAY + 21 * HOUR,
        open_time=day * DAY + 14 * HOUR + HOUR // 2,
        session=day,
        is_daily=True,
    )


def stamps(times: np.ndarray) -> list[str]:
    return [str(np.datetime64(int(t), "ns"))[:19] + "Z" for t in times]


def frame(bars: BarsOf, place: str = "made", horizon: int = 1, **more: object) -> pl.DataFrame:
    """A prediction of every bar but the last ones, rounded to 4 decimals, stamped by a place."""
    n = len(bars.close) - horizon
    said = np.round(np.random.default_rng(5).normal(0.0, 0.01, n), 4)
    edges = {
        "made": bars.close_time[:n],
        "start": bars.open_time[:n],
        "target": bars.close_time[horizon:],
    }
    columns: dict[str, object] = {
        "Time": stamps(edges[place]),
        "predicted_price": np.round(bars.close[:n] * (1.0 + said), 4),
        "predicted_return": said,
        "horizon": np.full(n, horizon),
    }
    return pl.DataFrame({**columns, **more})


def at(path: Path, made: pl.DataFrame) -> Path:
    made.write_parquet(path) if path.suffix == ".parquet" else made.write_csv(path)
    return path


def put(path: Path, bars: BarsOf, symbol: str = "A", **how: object) -> Placement:
    return placement(Request(str(path), **how), {symbol: bars})  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("place", ["made", "start", "target"])
def test_the_prices_tell_the_bar(tmp_path: Path, place: str, horizon: int, suffix: str) -> None:
    bars = bars_of()
    found = put(at(tmp_path / f"p.{suffix}", frame(bars, place, horizon)), bars)
    assert found.time_is == place
    kept = len(bars.close) - horizon
    assert found.close_time["A"].tolist() == bars.close_time[:kept].tolist()
    assert found.rows["A"].tolist() == list(range(kept))


def test_dates_name_daily_bars(tmp_path: Path) -> None:
    bars = daily_of()
    for place, first in (("made", 0), ("target", 2)):
        made = frame(bars, horizon=2)
        days = bars.session[first : first + len(made)] * DAY
        path = at(
            tmp_path / "p.csv", made.with_columns(Time=pl.Series([t[:10] for t in stamps(days)]))
        )
        found = put(path, bars)
        assert (found.time_is, found.close_time["A"][0]) == (place, bars.close_time[0])


def test_closes_adjusted_for_a_split_are_told(tmp_path: Path) -> None:
    bars = replace(bars_of(), splits=(150,))
    made = frame(bars, "start")
    factor = np.where(np.arange(len(made)) < 150, 0.1, 1.0)
    made = made.with_columns(predicted_price=(pl.col("predicted_price") * factor).round(4))
    found = put(at(tmp_path / "p.csv", made), bars)
    assert found.time_is == "start"
    assert any("adjusted" in remark.text for remark in found.remarks)
    # A factor that wanders is none.
    drift = made.with_columns(
        predicted_price=pl.col("predicted_price") * np.linspace(1, 2, len(made))
    )
    with pytest.raises(FileError, match="Write time_is"):
        put(at(tmp_path / "q.csv", drift), bars)


def test_a_false_time_is_is_refused(tmp_path: Path) -> None:
    bars = bars_of()
    path = at(tmp_path / "p.csv", frame(bars, "target"))
    with pytest.raises(DataError, match=r"time_is is made, which its prices contradict: .*100.0%"):
        put(path, bars, time_is="made")
    assert put(path, bars, time_is="target").time_is == "target"


def test_what_fits_nowhere_must_be_said(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars)
    noise = np.where(np.arange(len(made)) % 20 == 0, 5.0, 0.0)
    path = at(
        tmp_path / "p.csv", made.with_columns(predicted_price=pl.col("predicted_price") + noise)
    )
    with pytest.raises(DataError, match=r"no place fits 99% .*The first rows: row 2"):
        put(path, bars)
    assert put(path, bars, time_is="made").time_is == "made"


def test_what_fits_twice_must_be_said(tmp_path: Path) -> None:
    bars = replace(bars_of(), close=np.full(400, 50.0))
    with pytest.raises(DataError, match="more than one place fits"):
        put(at(tmp_path / "p.csv", frame(bars)), bars)


def test_a_copy_of_the_last_price_is_placed(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars).with_columns(predicted_return=0.0, predicted_price=bars.close[:-1])
    assert put(at(tmp_path / "p.csv", made), bars).time_is == "made"


def test_without_prices_it_is_the_bar_it_was_made_on(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars).drop("predicted_price")
    found = put(at(tmp_path / "p.csv", made), bars)
    assert found.time_is == "made"
    assert any("no prices tell" in remark.text for remark in found.remarks)
    with pytest.raises(DataError, match="target needs predicted_price"):
        put(tmp_path / "p.csv", bars, time_is="target")


def test_without_prices_made_at_goes_before_and_is_never_early(tmp_path: Path) -> None:
    bars = bars_of()
    late = bars.close_time[:-1] + 60_000_000_000  # a minute after the close
    made = frame(bars).drop("predicted_price").with_columns(made_at=pl.Series(stamps(late)))
    found = put(at(tmp_path / "p.csv", made), bars)
    assert found.close_time["A"][0] == bars.close_time[1]


def test_rows_made_after_all_bars_are_refused(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars, made_at="2030-01-01").drop("predicted_price")
    with pytest.raises(DataError, match="none of its rows was made on a bar of A"):
        put(at(tmp_path / "p.csv", made), bars)


def test_rows_made_a_bar_later_than_they_say_are_refused(tmp_path: Path) -> None:
    bars = bars_of()
    late = bars.close_time[:-1] + HOUR
    with pytest.raises(DataError, match="when the bar after theirs had closed"):
        put(at(tmp_path / "p.csv", frame(bars, made_at=pl.Series(stamps(late)))), bars)


@pytest.mark.parametrize(("late", "refused"), [(-1, False), (0, True), (1, True)])
def test_rows_that_were_trained_on_are_refused(tmp_path: Path, late: int, refused: bool) -> None:
    bars = bars_of()
    until = bars.close_time[:-1] - HOUR
    until[20] = bars.close_time[20] + late * HOUR
    path = at(tmp_path / "p.csv", frame(bars, trained_until=pl.Series(stamps(until))))
    if not refused:
        remarks = put(path, bars).remarks
        assert any("declared" in r.text for r in remarks)
        return
    with pytest.raises(DataError, match=r"1 of 399 rows .* the first row 22 \(2024-01-01 21:00:00"):
        put(path, bars)


def test_rows_that_were_trained_on_are_refused_whatever_their_symbol(tmp_path: Path) -> None:
    bars = bars_of(20)
    own = frame(bars, symbol="A", trained_until="2023-12-31")
    other = frame(bars, symbol="B", trained_until="2024-01-01")
    path = at(tmp_path / "p.csv", pl.concat([own, other]))
    for traded in ({"A": bars, "B": bars}, {"A": bars}):
        count = 19 if "B" in traded else 9  # its day ends 14 hours earlier at most
        with pytest.raises(DataError, match=rf"{count} of 38 rows .* trained on"):
            placement(Request(str(path)), traded)
    honest = other.with_columns(trained_until=pl.lit("2023-12-31"))
    path = at(tmp_path / "honest.csv", pl.concat([own, honest]))
    assert len(put(path, bars).rows["A"]) == 19


ZONES = [("America/New_York", -5), ("Asia/Tokyo", 9)]


def local_frame(bars: BarsOf, hours: int, horizon: int, leak: bool = False) -> pl.DataFrame:
    """Times of the exchange without a zone, trained until the bar before, or one with its own."""
    made = frame(bars, horizon=horizon)
    until = bars.close_time[: len(made)] - HOUR
    until[20] += leak * HOUR
    here = {"Time": bars.close_time[: len(made)], "trained_until": until}
    return made.with_columns(
        **{n: pl.Series([t[:19] for t in stamps(x + hours * HOUR)]) for n, x in here.items()}
    )


@pytest.mark.parametrize("horizons", [[1], [1, 2]])
@pytest.mark.parametrize(("zone", "hours"), ZONES)
def test_training_is_of_the_zone_of_the_times(
    tmp_path: Path, zone: str, hours: int, horizons: list[int]
) -> None:
    bars = replace(bars_of(), zone=zone)
    made = pl.concat([local_frame(bars, hours, h) for h in horizons])
    path = at(tmp_path / "p.csv", made)
    for horizon in horizons:
        for asked in (None, zone):
            found = put(path, bars, horizon=horizon, zone=asked)
            assert found.close_time["A"].tolist() == bars.close_time[:-horizon].tolist()
            assert (found.close_time["A"] - found.trained_until["A"] == HOUR).all()
    *honest, last = horizons
    leaking = [local_frame(bars, hours, h) for h in honest]
    made = pl.concat([*leaking, local_frame(bars, hours, last, leak=True)])
    path = at(tmp_path / "q.csv", made)
    with pytest.raises(DataError, match=r"1 of \d+ rows are of bars that their model was trained"):
        put(path, bars, horizon=last)


def test_training_without_a_zone_beside_times_with_one_is_the_later(tmp_path: Path) -> None:
    bars = replace(bars_of(), zone="America/New_York")
    made = local_frame(bars, -5, 1).with_columns(Time=frame(bars)["Time"])
    found = put(at(tmp_path / "p.csv", made), bars)
    assert (found.close_time["A"] - found.trained_until["A"] == HOUR).all()
    utc = frame(bars, trained_until=pl.Series(stamps(bars.close_time[:-1] - HOUR)).str.head(19))
    with pytest.raises(DataError, match="trained on"):
        put(at(tmp_path / "q.csv", utc), bars)
    assert len(put(tmp_path / "q.csv", bars, zone="UTC").rows["A"]) == 399


def test_unknown_training_is_said(tmp_path: Path) -> None:
    bars = bars_of()
    remarks = put(at(tmp_path / "p.csv", frame(bars)), bars).remarks
    assert any(r.severe and "unknown training" in r.text for r in remarks)


def test_a_missing_prediction_is_nan_and_its_share_is_told(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars)[50:]
    said = made["predicted_return"].to_list()
    said[3] = None
    made = made.with_columns(predicted_return=pl.Series(said, dtype=pl.Float64))
    found = put(at(tmp_path / "p.csv", made), bars)
    assert np.isnan(column_of(found.file, "predicted_return")[3])
    assert any("52 of 400 bars of A (13.0%)" in remark.text for remark in found.remarks)


def test_another_symbol_and_another_period_are_refused(tmp_path: Path) -> None:
    bars = bars_of()
    path = at(tmp_path / "p.csv", frame(bars, symbol="B"))
    with pytest.raises(DataError, match=r"are of B, and the run trades A: row 2"):
        put(path, bars)
    later = replace(
        bars, close_time=bars.close_time + 900 * HOUR, open_time=bars.open_time + 900 * HOUR
    )
    with pytest.raises(DataError, match="another period"):
        put(path, later, symbol="B")
    with pytest.raises(DataError, match="no column symbol"):
        placement(request_of(at(tmp_path / "q.csv", frame(bars))), {"A": bars, "B": bars})


def test_rows_twice_or_out_of_order_are_refused(tmp_path: Path) -> None:
    made = frame(bars_of())
    with pytest.raises(DataError, match=r"a time is there twice: row 4 \(2024-01-01 02:00:00\)"):
        read_predictions(at(tmp_path / "p.csv", pl.concat([made[:2], made[1:]])))
    with pytest.raises(DataError, match="out of order: row 3"):
        read_predictions(at(tmp_path / "q.csv", pl.concat([made[1:2], made[:1], made[2:]])))


def test_csv_and_parquet_are_the_same(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars, "target", q05=pl.Series(np.full(399, -0.01)), symbol="A")
    one, two = (put(at(tmp_path / f"p.{x}", made), bars) for x in ("csv", "parquet"))
    assert one.rows["A"].tolist() == two.rows["A"].tolist()
    for name in ("predicted_return", "q05"):
        assert column_of(one.file, name).tolist() == column_of(two.file, name).tolist()


def test_a_file_that_its_manifest_does_not_know_is_refused(tmp_path: Path) -> None:
    path = at(tmp_path / "p.csv", frame(bars_of()))
    known = sha256(path.read_bytes()).hexdigest()
    (tmp_path / "p.json").write_text(json.dumps({"files": {"p.csv": known}}))
    assert read_predictions(path).sha256 == known
    path.write_text(path.read_text() + "2030-01-01T00:00:00Z,1,0,1\n")
    with pytest.raises(FileError, match=r"p.csv has changed since p.json was written"):
        read_predictions(path)
    (tmp_path / "p.json").write_text("{}")
    with pytest.raises(FileError, match="does not tell its hash"):
        read_predictions(path)


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("predicted_return", "-1.5", "must be above -1"),
        ("predicted_return", "inf", "must be above -1"),
        ("predicted_return", "up", "must be a number"),
        ("predicted_price", "0", "must be above 0"),
        ("horizon", "1.5", "must be a whole number of bars"),
        ("confidence", "95", "must be from 0 to 1"),
        ("Time", "soon", "must be a date or time"),
    ],
)
def test_a_cell_that_cannot_be_meant_is_named(
    tmp_path: Path, column: str, value: str, told: str
) -> None:
    made = frame(bars_of(), confidence="0.5").cast(pl.String)
    cells = made[column].to_list()
    cells[7] = value
    path = at(tmp_path / "p.csv", made.with_columns(pl.Series(column, cells)))
    with pytest.raises(FileError, match=f"row 9.*{told}|{column} is.*row 9.*{told}"):
        read_predictions(path)


def test_what_is_no_file_of_predictions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file"):
        read_predictions(tmp_path / "none.csv")
    with pytest.raises(FileError, match="no column predicted_return"):
        read_predictions(at(tmp_path / "p.csv", frame(bars_of()).drop("predicted_return")))
    empty = frame(bars_of()).with_columns(predicted_return=pl.lit(None, pl.Float64))
    path = at(tmp_path / "q.csv", empty)
    with pytest.raises(FileError, match="no row has a predicted_return"):
        read_predictions(path)


def test_an_unknown_horizon_names_the_known_ones(tmp_path: Path) -> None:
    bars = bars_of()
    path = at(tmp_path / "p.csv", pl.concat([frame(bars, horizon=h) for h in (5, 2)]))
    with pytest.raises(ConfigError, match=r"horizon: is 3, and p.csv has 2, 5"):
        Predictions(path, horizon=3)
    assert put(path, bars).horizon == 2
    assert put(path, bars, horizon=5).horizon == 5


def test_predictions_are_a_mapping_of_indicators(tmp_path: Path) -> None:
    path = at(tmp_path / "p.csv", frame(bars_of(), q95="0.1", q05="-0.1", confidence="0.6"))
    found = Predictions(path)
    names = ["predicted_return", "predicted_price", "q05", "q95", "confidence"]
    assert list({**found}) == names
    assert found["q05"] == Predictions(str(path))["q05"] != found["q95"]
    with pytest.raises(NotFoundError, match="q50"):
        found["q50"]
    with pytest.raises(
        ConfigError, match="time_is is 'close', must be one of 'made', 'start', 'target'"
    ):
        Predictions(path, time_is="close")


def test_the_chance_of_a_side_lies_between_the_quantiles() -> None:
    quantiles = {
        "q05": np.array([-0.02, 0.01, -0.05, np.nan, 0.01]),
        "q50": np.array([0.00, 0.02, -0.04, 0.0, 0.02]),
        "q95": np.array([0.02, 0.03, -0.03, 0.1, -0.01]),
    }
    found = chance_above_nothing(quantiles)
    # The last one crosses: -0.01, 0.01, 0.02, so that 0 is half way from 0.05 to 0.5.
    assert found[:3].tolist() == pytest.approx([0.5, 0.95, 0.05])
    assert np.isnan(found[3])
    assert found[4] == pytest.approx(1.0 - 0.275)


def test_the_prices_tell_the_zone(tmp_path: Path) -> None:
    bars = replace(bars_of(), zone="America/Chicago")
    local = bars.close_time[:-1] - 6 * HOUR  # in winter
    made = frame(bars).with_columns(Time=pl.Series([t[:19] for t in stamps(local)]))
    found = put(at(tmp_path / "p.csv", made), bars)
    assert found.close_time["A"].tolist() == bars.close_time[:-1].tolist()
    utc = frame(bars).with_columns(pl.col("Time").str.strip_suffix("Z"))
    found = put(at(tmp_path / "q.csv", utc), bars)
    assert found.close_time["A"].tolist() == bars.close_time[:-1].tolist()
    # Without prices nothing tells: the bars know no night.
    path = at(tmp_path / "r.csv", utc[50:100].drop("predicted_price"))
    with pytest.raises(DataError, match="fit the bars in America/Chicago and in UTC; write zone:"):
        put(path, bars)
    assert put(path, bars, zone="UTC").close_time["A"][0] == bars.close_time[50]


def test_rows_on_no_bar_are_told(tmp_path: Path) -> None:
    bars = bars_of()
    made = frame(bars)
    kept = np.arange(400) != 200
    gap = replace(
        bars,
        **{
            n: getattr(bars, n)[kept][:300] for n in ("close_time", "open_time", "close", "session")
        },
    )
    told = [r.text for r in put(at(tmp_path / "p.csv", made), gap, time_is="made").remarks]
    assert any("98 rows of A lie outside of its bars" in text for text in told)
    assert any("1 rows are on no bar of A: row 202 (2024-01-09 09:00:00)" in text for text in told)


def test_days_that_end_at_midnight_are_told_by_the_prices(tmp_path: Path) -> None:
    day = START // DAY + np.arange(400)
    bars = replace(
        bars_of(), close_time=(day + 1) * DAY, open_time=day * DAY, session=day, is_daily=True
    )
    for first, place in ((0, "start"), (1, "made")):
        made = frame(bars).with_columns(
            Time=pl.Series([t[:10] for t in stamps((day[:399] + first) * DAY)])
        )
        found = put(at(tmp_path / f"{place}.csv", made), bars)
        assert found.time_is == place
        assert found.close_time["A"][0] == bars.close_time[0]
    # Without prices the later bar is taken.
    found = put(at(tmp_path / "p.csv", made.drop("predicted_price")), bars)
    assert found.close_time["A"][0] == bars.close_time[1]


def test_a_part_of_unknown_training_is_said(tmp_path: Path) -> None:
    bars = bars_of()
    until = [t if k % 2 else None for k, t in enumerate(stamps(bars.close_time[:-1] - HOUR))]
    made = frame(bars, trained_until=pl.Series(until, dtype=pl.String))
    remarks = put(at(tmp_path / "p.csv", made), bars).remarks
    assert any(r.severe and "200 of 399 rows have no trained_until" in r.text for r in remarks)
