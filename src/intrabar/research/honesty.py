"""Whether the predictions of a file are better than the last price, on the bars that came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from intrabar.analysis.figure import Undefined
from intrabar.analysis.forecasts import (
    Forecasts,
    Honesty,
    Verdict,
    adjusted_p,
    honesty,
    skill_of,
    verdicts,
)
from intrabar.data.prediction_file import PredictionFile, probability, read_predictions
from intrabar.data.prediction_place import Placement
from intrabar.data.predictions import horizon_of, placement
from intrabar.engine.adjusted import Adjusted
from intrabar.engine.columns import RealBars
from intrabar.engine.tables.predicted import bars_of
from intrabar.indicators import atr, compute
from intrabar.indicators.given import Request
from intrabar.model.bars import Floats, Market, Times
from intrabar.model.instant import instant_text
from intrabar.model.instrument import Instrument
from intrabar.model.remark import Remark
from intrabar.model.values import SEEDS, whole

PERIOD = 14  # of the ATR by which returns are divided
KNOWN = 30  # returns from which a drift is known
GROUPS = 500  # moments at which the usual quantiles are worked out


class RefitSkill(NamedTuple):
    """The predictions of one model.

    Parameters
    ----------
    trained_until : str
    rows : int
        With a prediction and an outcome.
    skill : float or None
        In ATRs, against the last price; None where no price moved.
    low, high : float or None
        Ends of its 95 per cent interval; None where there are too few rows for one.
    """

    trained_until: str
    rows: int
    skill: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """The predictions of one instrument and horizon.

    Parameters
    ----------
    symbol : str
    horizon : bars
    in_atrs, raw : Honesty
        Of returns in ATRs, by which the verdict is, and of returns as they are.
    p : probability
        Of Diebold and Mariano, Holm's over all that were judged; 1 where there is none.
    verdict : Verdict
    drift_of : str
        What the drift and the usual quantiles are of.
    refits : tuple of RefitSkill
        By `trained_until`; empty where the file does not say it.
    """

    symbol: str
    horizon: int
    in_atrs: Honesty
    raw: Honesty
    p: float
    verdict: Verdict
    drift_of: str
    refits: tuple[RefitSkill, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What the predictions of a file are worth.

    Parameters
    ----------
    file : PredictionFile
    time_is : str
    judged : list of Judged
        By instrument and horizon.
    remarks : tuple of Remark
    """

    file: PredictionFile
    time_is: str
    judged: list[Judged]
    remarks: tuple[Remark, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values; what has none is null, with the reason beside it."""
        return {
            "file": self.file.name,
            "sha256": self.file.sha256,
            "time_is": self.time_is,
            "judged": [_plain(one) for one in self.judged],
            "remarks": [one.text for one in self.remarks],
        }


def judge(
    request: Request, market: Market, instruments: Sequence[Instrument], seed: int = 0
) -> Judgement:
    """Hold the predictions of a file against the bars that came.

    Parameters
    ----------
    request : Request
        Without a horizon: all that the file has.
    market : Market
    instruments : sequence
        In the order of its columns.
    seed : int
        Of the intervals.

    Raises
    ------
    FileError, ConfigError
        The file cannot be used, or is of other bars; or the seed is none.
    """
    seed = whole("seed:", seed, SEEDS)
    file = read_predictions(request.file)
    asked = file.horizons if request.horizon is None else [horizon_of(file, request)]
    bars = bars_of(market, instruments)
    wanted = [Request(request.file, horizon, request.time_is, request.zone) for horizon in asked]
    return judge_placed([placement(one, bars) for one in wanted], market, seed)


def judge_placed(placed: Sequence[Placement], market: Market, seed: int = 0) -> Judgement:
    """The same of horizons of one file that stand on their bars already, as in a run."""
    adjusted = Adjusted(market)
    found: list[tuple[str, int, Honesty, Honesty, str, tuple[RefitSkill, ...]]] = []
    remarks: list[Remark] = []
    time_is = ""
    for where in placed:
        horizon, time_is = where.horizon, where.time_is
        remarks += where.remarks
        for symbol, rows in where.rows.items():
            if not len(rows):  # all outside of its bars, which is told
                continue
            j = market.symbols.index(symbol)
            real = np.flatnonzero(~np.isnan(market.open[:, j]))
            series = RealBars(adjusted.market, j, real, {})
            unit = compute(atr(PERIOD), series) / series.close
            known, drift_of = _known(where, symbol, series.close_time, horizon)
            if where.file.drift is not None:
                drift_of = "the train of each model"
            units = (unit, np.ones(len(unit)))
            given = [_forecasts(where, symbol, series, by, known) for by in units]
            both = [honesty(one, seed) for one in given]
            refits = _by_refit(where, symbol, given[0], seed)
            found.append((symbol, horizon, both[0], both[1], drift_of, refits))
    figures = [one[2] for one in found]
    judged = [
        Judged(symbol, horizon, in_atrs, raw, p, verdict, drift_of, refits)
        for (symbol, horizon, in_atrs, raw, drift_of, refits), p, verdict in zip(
            found, adjusted_p(figures), verdicts(figures), strict=True
        )
    ]
    return Judgement(placed[0].file, time_is, judged, tuple(dict.fromkeys(remarks)))


def _forecasts(
    where: Placement, symbol: str, bars: RealBars, unit: Floats, known: Times
) -> Forecasts:
    """The rows of one instrument, in units that each bar has."""
    close, horizon = bars.close, where.horizon
    returns = np.full(len(close), np.nan)
    returns[:-horizon] = close[horizon:] / close[:-horizon] - 1.0
    last = np.append(np.nan, close[1:] / close[:-1] - 1.0)
    at = np.searchsorted(bars.close_time, where.close_time[symbol])
    rows = where.rows[symbol]
    ended = returns / unit  # of every bar, in the order in which they end
    drift, usual = _usual(ended, known)
    file = where.file
    if file.drift is not None:
        drift = file.drift[rows] / unit[at]
    quantiles = {probability(q): x[rows] / unit[at] for q, x in file.quantiles.items()}
    return Forecasts(
        horizon,
        file.predicted_return[rows] / unit[at],
        ended[at],
        last[at] / unit[at],
        drift,
        usual,
        quantiles,
        _usual_quantiles(ended, known, sorted(quantiles)),
        None if file.ridge is None else file.ridge[rows] / unit[at],
    )


def _by_refit(where: Placement, symbol: str, given: Forecasts, seed: int) -> tuple[RefitSkill, ...]:
    """The skill of each model, by its `trained_until`."""
    until = where.trained_until.get(symbol)
    if until is None:
        return ()
    told = np.isfinite(given.predicted) & np.isfinite(given.realised)
    found = []
    for instant in np.unique(until):
        own = told & (until == instant)
        said, came = given.predicted[own], given.realised[own]
        rival = float((came**2).sum())
        skill = 1.0 - float(((came - said) ** 2).sum()) / rival if rival else None
        sure = skill_of(said, came, given.horizon, seed)
        ends = (None, None) if isinstance(sure, Undefined) else (sure.low, sure.high)
        found.append(RefitSkill(instant_text(int(instant)), int(own.sum()), skill, *ends))
    return tuple(found)


def _known(where: Placement, symbol: str, close_time: Times, horizon: int) -> tuple[Times, str]:
    """Of each row, how many returns had ended when its model was trained; and how that is told."""
    rows, file = where.rows[symbol], where.file
    made = np.searchsorted(close_time, where.close_time[symbol])
    told = "the bars up to trained_until"
    if file.trained_until is not None:
        count = np.searchsorted(close_time, where.trained_until[symbol], "right") - horizon
        count = np.where(file.trained_until.readable[rows], count, made[0] + 1 - horizon)
    else:
        told = "the bars before the first prediction"
        count = np.full(len(rows), made[0] + 1 - horizon)
    if (count < KNOWN).any():
        told = "the bars before each prediction"
        count = made + 1 - horizon
    return np.maximum(count, 0), told


def _usual(ended: Floats, known: Times) -> tuple[Floats, Floats]:
    """The mean and the more frequent sign of the first so many returns; NaN of too few."""
    there = np.isfinite(ended)
    value = np.where(there, ended, 0.0)
    count, total, signs = (
        np.append(0.0, np.cumsum(x))[known] for x in (there, value, np.sign(value))
    )
    enough = count >= KNOWN
    drift = np.where(enough, total / np.maximum(count, 1.0), np.nan)
    return drift, np.where(enough, np.where(signs >= 0.0, 1.0, -1.0), np.nan)


def _usual_quantiles(
    ended: Floats, known: Times, probabilities: Sequence[float]
) -> dict[float, Floats]:
    """The quantiles of the first so many returns, at no more moments than `GROUPS`."""
    if not probabilities:
        return {}
    moments = np.unique(known)
    moments = moments[:: max(1, math.ceil(len(moments) / GROUPS))]
    grid = np.full((len(moments), len(probabilities)), np.nan)
    for k, count in enumerate(moments):
        past = ended[:count]
        past = past[np.isfinite(past)]
        if len(past) >= KNOWN:
            grid[k] = np.quantile(past, probabilities)
    row = np.searchsorted(moments, known, "right") - 1
    return {p: grid[row, k] for k, p in enumerate(probabilities)}


def _plain(value: Any) -> Any:
    if isinstance(value, Undefined):
        return {"value": None, "reason": value.reason}
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in asdict(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, RefitSkill):
        return _plain(value._asdict())
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
