"""Forecasters in the ledger: each model, and each trial of a search, is one of its lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.learn.settings import Settings, hash_of
from intrabar.research.sweep.ledger import LEDGER, Data, Ledger
from intrabar.research.sweep.trial import Outcome, Trial
from intrabar.sources import versions


def note(
    settings: Settings,
    out: Path,
    what: str,
    params: Mapping[str, Any],
    score: float | None,
    data: Mapping[str, Any],
    error: str = "",
    seconds: float = 0.0,
) -> None:
    """Note a model or a trial: it is of its rows, not of the bars of any run.

    Parameters
    ----------
    settings : Settings
    out : Path
        The folder of runs.
    what : {"train", "search"}
    params : mapping
    score : float or None
        Skill; None where it failed.
    data : mapping
        hash, symbols, span.
    error : str
    seconds : float
        CPU time.
    """
    told = {"seed": settings.seed, "forecaster": settings.forecaster, **params}
    key = hash_of([what, told, dict(data), settings.told, versions()])
    status = "failed" if score is None else "finished"
    none = np.empty(0), np.empty(0, np.int64)
    figures = {} if score is None else {"skill": score}
    outcome = Outcome(Trial(0, told), key, status, figures, "", *none, error, seconds)
    of = Data(str(data["hash"]), tuple(data["symbols"]), 0, *data["span"])
    with Ledger(out / LEDGER) as ledger:
        ledger.write([outcome], {key: of}, f"predict {what}")
