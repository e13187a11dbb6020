"""Where the predictions of a session come from: the models of a registry, or the rows of a file."""

from __future__ import annotations

from pathlib import Path

from intrabar.app.config.model import Config
from intrabar.data.predictions import placed, placement, requests_in
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.predicting import Filed, Predictor, Several
from intrabar.engine.tables.predicted import all_of, bars_of
from intrabar.errors import ConfigError
from intrabar.model.bars import Market

REGISTRY = "models/registry"


def predictor_of(
    config: Config, plan: Plan, market: Market | None
) -> tuple[Predictor | None, list[str]]:
    """What says what the strategies of a session read, and what there is to say of it.

    With a section `predict` the models of the registry that made the file are asked; else its rows
    are taken, which only bars of the past have.

    Parameters
    ----------
    config : Config
    plan : Plan
    market : Market or None
        The recorded bars; None: they come from a source.

    Raises
    ------
    FileError, ConfigError, RunError
        A file or a model cannot be used, or there is neither.
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
    remarks: list[str] = []
    for request in plan.requests:
        file = Path(request.file)
        home = file.parent.parent
        folder = home / REGISTRY / file.stem
        if config.predict is not None and folder.is_dir():
            from intrabar.learn.registry import Registry
            from intrabar.learn.session import Asked, models_of

            models = models_of(Registry(folder), home)
            asks = request in chances
            predictors.append(
                Asked(request, file.stem, models, plan, market is not None, asks_chance=asks)
            )
            remarks.append(f"predictions of {file.name}: by the models of the registry {folder}")
        elif market is None:
            raise ConfigError(
                f"{file} has no rows for bars to come: a session on live bars asks the models of "
                f"{folder}; train them (intrabar predict train) and write a section predict:"
            )
        else:
            where = placement(request, bars_of(market, plan.instruments))
            for indicator in read:  # a confidence that is not to be had is told here
                if set(requests_in(indicator)) == {request}:
                    placed(indicator, {request: where})
            predictors.append(Filed({request: where}, plan.symbols))
            remarks += [remark.text for remark in where.remarks]
    return Several(predictors), remarks
