"""`intrabar predict train` and `run`: forecasters into a registry, and their files."""

from __future__ import annotations

import json
from pathlib import Path

from intrabar.app.calls import forecast
from intrabar.app.calls.forecast_search import search as search_for
from intrabar.app.cli.output import Json, print_table
from intrabar.app.workers.http_server import HOST
from intrabar.app.workers.predict_service import PORT, Answers, PredictService


def train(
    config: Path,
    /,
    *,
    name: str | None = None,
    seed: int | None = None,
    as_json: Json = False,
) -> int:
    """Train every refit of a forecaster that is not in its registry yet.

    Parameters
    ----------
    config : path
        A configuration with a section predict.
    name : str
        Of the registry, models/registry/NAME; that of the file where it is not given.
    seed : int
        That of the section where it is not given.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    made = forecast.train(config, name=name, seed=seed, progress=not as_json)
    if as_json:
        told = {"folder": str(made.folder), "models": made.models, "remarks": made.remarks}
        print(json.dumps(told))
        return 0
    header = ("model", "trained until", "train", "validation", "skill", "skill of ridge")
    rows = []
    for one in made.models:
        metrics = json.loads((made.folder / one["folder"] / "metrics.json").read_text())
        count = metrics.get("rows", {})
        rows.append(
            [
                one["folder"],
                one["trained_until"],
                str(count.get("train", "-")),
                str(count.get("validation", "-")),
                _skills(metrics.get("validation_skill")),
                _skills(metrics.get("ridge_validation_skill")),
            ]
        )
    print_table(header, rows, right=header[2:])
    print("skill: of the validation rows, against the last price; intrabar predict check judges")
    for remark in made.remarks:
        print(f"note: {remark}")
    print(made.folder)
    return 0


def _skills(figures: list[float | None] | None) -> str:
    return ", ".join("-" if x is None else f"{x:.4f}" for x in figures or ()) or "-"


def run(
    config: Path,
    /,
    *,
    model: str | None = None,
    name: str | None = None,
    as_json: Json = False,
) -> int:
    """Let the models of a registry predict every bar that they may, and write the file.

    Parameters
    ----------
    config : path
        Whose bars are predicted.
    model : str
        Name of the registry; that of the file where it is not given.
    name : str
        Of the file in the folder predictions; that of the registry where it is not given.
    as_json : bool
        What NAME.json says on stdout, nothing else.
    """
    path = forecast.run(config, model=model, name=name, progress=not as_json)
    told = json.loads(path.with_suffix(".json").read_text())
    if as_json:
        print(json.dumps({"file": str(path), **told}))
        return 0
    count, without = told["rows"], told["without_prediction"]
    print(f"{path}: {count:,} rows, {without:,} without a prediction")
    print(f"of {len(told['models'])} models, trained until {told['trained_until']} at the latest")
    for remark in told["remarks"]:
        print(f"note: {remark}")
    print(f"is it honest? intrabar predict check {path} {config}")
    return 0


def search(
    config: Path,
    /,
    *,
    trials: int = 50,
    name: str | None = None,
    seed: int | None = None,
    as_json: Json = False,
) -> int:
    """Search for hyperparameters by bars before the first that is predicted.

    A search that was broken off goes on.

    Parameters
    ----------
    config : path
        A configuration with a section predict; its search says what is tried.
    trials : int
        Those of a search that goes on among them.
    name : str
        Of the registry; that of the file where it is not given.
    seed : int
        That of the section where it is not given.
    as_json : bool
        What best_hyperparameters.json says on stdout, nothing else.
    """
    made = search_for(config, trials=trials, name=name, seed=seed, progress=not as_json)
    if as_json:
        print(json.dumps({"file": str(made.file), **made.best}))
        return 0
    best = made.best
    told = ", ".join(f"{k} {v}" for k, v in best["params"].items())
    print(f"best of {best['trials']} trials: {told}; mean skill {best['score']:.4f}")
    print(f"by bars until {best['search_until']}; a best of many is a little too good by chance")
    print(f"{made.file}: write predict: {{hyperparameters: {made.file.parent}}}")
    return 0


def serve(model: Path, /, *, host: str = HOST, port: int = PORT) -> int:
    """Answer POST /predict with what the models of a registry expect, until it is ended.

    Parameters
    ----------
    model : path
        Folder of a registry, such as models/registry/nvda.
    host : str
        Address that it listens on; this machine alone where it is not given.
    port : int
        0 for a free one.
    """
    service = PredictService(Answers(model), host, port)
    print(
        f"POST http://{host}:{service.port}/predict {{symbol, bars}}; ends with Ctrl-C", flush=True
    )
    try:
        service.serve()
    except KeyboardInterrupt:
        return 0
    return 0
