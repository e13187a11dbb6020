"""Where the predictions of a session come from: the models of a registry, or the rows of a file."""

from __future__ import annotations

from pathlib import Path

from intrabar.app.compose.filed import Filed
from intrabar.app.config.learning import PredictConfig
from intrabar.app.config.model import Config
from intrabar.data.live.grid import Grid
from intrabar.data.prediction_file import read_predictions
from intrabar.data.prediction_rows import FileRows
from intrabar.data.predictions import column_of, horizon_of, names_of, requests_in
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.predicting import Predictor, Several
from intrabar.engine.tables.predicted import all_of, bars_of
from intrabar.indicators.given import Request
from intrabar.model.bars import Market

REGISTRY = "models/registry"
WAITS = 0.8  # of the timeout, in which the row of a file may come


def predictor_of(
    config: Config, plan: Plan, market: Market, *, is_recorded: bool
) -> tuple[Predictor | None, list[str]]:
    """What says what the strategies of a session read, and what there is to say of it.

    With a section `predict` the models of the registry that made the file are asked; else its rows
    are taken, as they come.

    Parameters
    ----------
    config : Config
    plan : Plan
    market : Market
        All bars; or those up to now, where more come from a source.
    is_recorded : bool
        They are all.

    Raises
    ------
    FileError, ConfigError, RunError
        A file or a model cannot be used.
    """
    if not plan.requests:
        return None, []
    read = [x for name, s in plan.strategies.items() for x in all_of(name, s).values()]
    chances = {
        request
        for x in read
        if x.given is not None and x.given.column.startswith("chance_")
        for request in requests_in(x)
    }
    predictors: list[Predictor] = []
    files: dict[Request, FileRows] = {}
    remarks: list[str] = []
    grids = {x.symbol: Grid(x.calendar, plan.period) for x in plan.instruments if not is_recorded}
    for request in plan.requests:
        path = Path(request.file)
        home = path.parent.parent
        folder = home / REGISTRY / path.stem
        if config.predict is not None and folder.is_dir():
            from intrabar.learn.registry import Registry
            from intrabar.learn.session import Asked, registered_models

            models = registered_models(Registry(folder), home)
            asks = request in chances
            predictors.append(
                Asked(request, path.stem, models, plan, is_recorded, asks_chance=asks)
            )
            remarks.append(f"predictions of {path.name}: by the models of the registry {folder}")
            continue
        file = read_predictions(request.file)
        if request in chances:
            column_of(file, "chance_up")  # a confidence that is not to be had is told here
        columns = tuple(x for x in names_of(file) if x != "predicted_price")
        bars = bars_of(market, plan.instruments)
        horizon = horizon_of(file, request)
        files[request] = FileRows(request, horizon, columns, bars, grids or None)
        remarks += [remark.text for remark in files[request].remarks]
    if files:
        seconds = (config.predict or PredictConfig()).timeout
        waits = 0.0 if is_recorded else WAITS * seconds
        predictors.append(Filed(files, plan.symbols, waits))
    return Several(predictors), remarks
