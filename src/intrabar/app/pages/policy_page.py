"""The page of a policy: how it was trained, and what its numbers were worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from intrabar.learn.trained import Trained
from intrabar.model.instant import instant_ns
from intrabar.ui import validation_input as page
from intrabar.ui.validation_view import validation_view
from intrabar.web.pages import write_validation


def policy_page(one: Trained, name: str, told: Mapping[str, Any]) -> bytes:
    """The page of a policy: one HTML file that opens offline.

    Parameters
    ----------
    one : Trained
    name : str
    told : mapping
        Of the manifest: `data`, `canaries`.

    Raises
    ------
    RunError
        The page was not built.
    """
    metrics, spans = one.told["metrics"], one.told["spans"]
    given = page.Validation(
        name=f"Policy {name}",
        subject="policy",
        verdict=_verdict(metrics, _pace(one)),
        checks=[
            _curves(one),
            _seeds(one),
            _arms(one),
            *_entropy(one),
            *_calibration(one),
            *(_canary(x) for x in told["canaries"]),
        ],
        symbols=told["data"]["symbols"],
        start=instant_ns(spans["train"][0]),
        end=one.policy.trained_until,
        notes=one.remarks,
        manifest=one.told,
    )
    with TemporaryDirectory() as folder:
        return write_validation(validation_view(given), Path(folder) / "report.html").read_bytes()


def _verdict(metrics: dict[str, Any], pace: str) -> page.Verdict:
    score, static, arm = (metrics[x] for x in ("validation_score", "static_score", "static_arm"))
    told = f"mean score {score:.3f} on the validation rows, of arm {arm:g} always {static:.3f}"
    if metrics.get("slope", 1.0) <= 0.0:
        return page.Verdict(
            sentence=f"What it predicts says nothing: arm {arm:g} always trades ({told})",
            mark="fail",
        )
    better = score > static
    word = "more" if better else "no more"
    return page.Verdict(
        sentence=f"It chose its {pace} to earn {word} than the best single arm: {told}. Whether "
        "that holds on bars that it has not seen, a scorecard asks",
        mark="doubt" if better else "fail",
    )


def _pace(one: Trained) -> str:
    """What is counted between two checks."""
    return "steps" if one.policy.loss == "ppo" else "epochs"


def _curves(one: Trained) -> page.Check:
    metrics = one.told["metrics"]
    picture = _by_seed(one, "score")
    static = np.full(len(picture.x), metrics["static_score"])
    lines = {**picture.lines, f"arm {metrics['static_arm']:g} always": static}
    return page.Check(
        name="learning curves",
        mark="pass" if metrics["validation_score"] > metrics["static_score"] else "doubt",
        figure=f"{metrics['validation_score']:.3f} against {metrics['static_score']:.3f}",
        meaning="The mean score of the arms that each seed chooses on the validation rows, by "
        "check, beside the arm with the highest mean of the train.",
        assumption="The best check of each seed was chosen on these rows: they flatter.",
        picture=replace(picture, lines=lines),
    )


def _by_seed(one: Trained, column: str) -> page.Series:
    """A column of the curves, a line for each seed."""
    steps = np.unique(one.curves["step"].to_numpy())
    lines = {}
    for seed in one.told["seeds"]:
        own = one.curves.filter(seed=seed)
        line = np.full(len(steps), np.nan)
        at = np.searchsorted(steps, own["step"].to_numpy())
        line[at] = own[column].fill_null(np.nan).to_numpy()
        lines[_seed_name(one, seed)] = line
    return page.Series(x=steps, lines=lines, unit="ratio", x_unit=_pace(one))


def _seed_name(one: Trained, seed: int) -> str:
    return f"seed {seed}, saved" if seed == one.told["seed"] else f"seed {seed}"


def _entropy(one: Trained) -> list[page.Check]:
    """How undecided each seed is; of numbers that are no log-odds there is nothing to show."""
    if "entropy" not in one.curves.columns or one.curves["entropy"].null_count():
        return []
    return [
        page.Check(
            name="entropy",
            mark="unknown",
            figure=f"{one.curves['entropy'][-1]:.2f} nats at the last check",
            meaning="How undecided each seed is between the arms, by check.",
            assumption="It falls as something is learned, and near 0 one arm is all that is left.",
            picture=_by_seed(one, "entropy"),
        )
    ]


def _seeds(one: Trained) -> page.Check:
    metrics = one.told["metrics"]
    scores = metrics["validation_scores"]
    above = sum(x > metrics["static_score"] for x in scores)
    return page.Check(
        name="seeds",
        mark="pass" if above == len(scores) else "doubt",
        figure=f"{above} of {len(scores)} above the single arm, {metrics['spread']:.3f} apart",
        meaning="The best score of each seed. The median is saved: a best seed is a lottery "
        "ticket.",
        assumption="Seeds that are far apart tell that little was learned.",
        picture=page.Bars(
            labels=[_seed_name(one, seed) for seed in one.told["seeds"]],
            values=scores,
            unit="ratio",
        ),
    )


def _arms(one: Trained) -> page.Check:
    own = one.curves.filter(seed=one.told["seed"])
    best = own.row(int(own["score"].fill_nan(-np.inf).arg_max() or 0), named=True)
    shares = {k.removeprefix("chosen_"): v for k, v in best.items() if k.startswith("chosen_")}
    arm = max(shares, key=shares.__getitem__)
    return page.Check(
        name="share of arms",
        mark="doubt" if shares[arm] > 0.95 else "pass",
        figure=f"arm {arm} in {shares[arm]:.0%}",
        meaning="How often the saved seed chooses each arm at its best check.",
        assumption="One that always chooses the same arm is a static exit with more parts.",
        picture=page.Bars(labels=list(shares), values=list(shares.values()), unit="ratio"),
    )


def _calibration(one: Trained) -> list[page.Check]:
    """What its numbers are worth; of one that plays campaigns they are no forecasts."""
    metrics, found = one.told["metrics"], one.reliability
    if found is None:
        return []
    kept = np.concatenate([[True], np.diff(found.predicted) > 0.0])
    x = found.predicted[kept]
    if "slope" in metrics:
        good = metrics["slope"] > 0.0
        figure = f"slope {metrics['slope']:.2f}"
    else:
        good = metrics["calibration_error"] < 0.05
        figure = (
            f"temperature {metrics['temperature']:.2f}, log loss {metrics['log_loss']:.3f}, Brier "
            f"{metrics['brier']:.3f}, calibration error {metrics['calibration_error']:.3f}"
        )
    made = page.Check(
        name="reliability",
        mark="pass" if good else "fail",
        figure=figure,
        meaning="What came on the validation rows, where so much was predicted: means of ten bins.",
        assumption="Points on the line of equals are predictions that can be taken at their word.",
        picture=page.Series(
            x=x,
            lines={"came": found.realised[kept], "as predicted": x},
            unit="ratio",
            x_unit="predicted",
        ),
    )
    return [made]


def _canary(told: dict[str, Any]) -> page.Check:
    return page.Check(
        name=f"canary {told['name']}",
        mark="pass" if told["holds"] else "fail",
        figure="holds" if told["holds"] else "fails",
        meaning=f"{told['told']}.",
        assumption="A trainer that passes may still find nothing.",
    )
