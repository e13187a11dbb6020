"""Policies that were trained: their folders, and their seeds in the ledger of trials."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from intrabar.app.folders.places import require_new, require_writable
from intrabar.app.pages.policy_page import policy_page
from intrabar.errors import RunError, UsageError
from intrabar.exits.policy_file import write_policy
from intrabar.exits.policy_windows import write_policies
from intrabar.learn.settings import hash_of
from intrabar.learn.trained import Trained
from intrabar.model.instant import instant_text
from intrabar.research.sweep.ledger import LEDGER, Data, Ledger
from intrabar.research.sweep.trial import Outcome, Trial

CURVES, PAGE = "curves.parquet", "report.html"


def require_place(folder: Path | None, runs: Path, resume: bool) -> None:
    """Refuse what could not be stored, before hours are spent on it.

    Parameters
    ----------
    folder : Path or None
        Of the policy that is to be; None where none is written.
    runs : Path
        Of the ledger.
    resume : bool
        Whether something of this name is to go on.

    Raises
    ------
    UsageError
        The folder is there; or `resume` without a name, or with one of which nothing was kept.
    RunError
        A place cannot be written, or the ledger not be read.
    """
    if folder is None and resume:
        raise UsageError("resume: name is the name of what was interrupted")
    if folder is not None:
        require_new(folder, "policy")
    if folder is not None and resume and not any(folder.parent.glob(f".{folder.name}.*.resume")):
        raise UsageError(
            f"resume: nothing of {folder.name} is kept in {folder.parent}; leave it out to begin"
        )
    require_writable(runs, "seed")
    if (runs / LEDGER).exists():
        Ledger(runs / LEDGER).close()


def store(
    folder: Path, made: Sequence[Trained], told: Mapping[str, Any], walk_forward: bool
) -> None:
    """Write a policy, or one per window, with what is told of it.

    Raises
    ------
    RunError
        The folder is there, or cannot be written; nothing is left behind.
    """
    if not walk_forward:
        write_policy(made[0].policy, folder, *_beside(made[0], told, folder.name, told))
        return
    own = [_beside(one, {}, folder.name, told) for one in made]
    shared = {**told, "seeds": made[0].told["seeds"]}
    write_policies([one.policy for one in made], folder, shared, own)


def _beside(
    one: Trained, told: Mapping[str, Any], name: str, shared: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, bytes]]:
    curves = io.BytesIO()
    one.curves.write_parquet(curves)
    others = {f"{name}{suffix}": content for suffix, content in one.others.items()}
    others[CURVES], remarks = curves.getvalue(), list(one.remarks)
    try:
        others[PAGE] = policy_page(one, name, shared)
    except RunError as error:  # what was trained is worth keeping without it
        remarks.append(f"no report: {error}")
    return {**told, **one.told, "remarks": remarks}, others


def note_seeds(
    home: Path, made: Sequence[Trained], told: Mapping[str, Any], trainer: str = "LSTM"
) -> None:
    """Note each seed in the ledger: a trial on its dataset, not on the bars of any run."""
    data = told["data"]
    of = Data(told["dataset"]["rows"], tuple(data["symbols"]), 0, *data["span"])
    outcomes, number = [], 0
    for one in made:
        metrics = one.told["metrics"]
        for seed, score in zip(one.told["seeds"], metrics["validation_scores"], strict=True):
            shown = {"seed": seed, "trained_until": instant_text(one.policy.trained_until)}
            shown |= one.told["hyperparameters"]
            key = hash_of({**shown, "data": of.hash, "versions": told["versions"]})
            figures = {"score": score, "static_score": metrics["static_score"]}
            none = np.empty(0), np.empty(0, np.int64)
            digest = one.policy.hash if seed == one.told["seed"] else ""
            outcomes.append(Outcome(Trial(number, shown), key, "finished", figures, digest, *none))
            number += 1
    with Ledger(home / LEDGER) as ledger:
        ledger.write(outcomes, {x.key: of for x in outcomes}, trainer)
