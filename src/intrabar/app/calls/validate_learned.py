"""The part of a validation that asks whether a learned exit is worth it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from intrabar.app.calls.score import evidence_from, evidence_on
from intrabar.app.compose.recipe import Recipe
from intrabar.engine.outcome.result import Result
from intrabar.engine.tables.lessons import learned_exits
from intrabar.errors import UsageError
from intrabar.research.scorecard.checks import SCORECARD, scorecard_checks
from intrabar.research.scorecard.scorecard import scorecard
from intrabar.research.sweep.ledger import LEDGER, Ledger
from intrabar.research.validate.check import Check, Validation, not_made
from intrabar.research.validate.validate import verdict
from intrabar.strategy.bot import Bot


def with_scorecards(
    found: Validation, result: Result, recipe: Recipe | None, home: Path, seed: int
) -> Validation:
    """A validation with the scorecard of each learned exit; each is a look.

    Parameters
    ----------
    found : Validation
    result : Result
    recipe : Recipe or None
        From which earlier bars than the run's are read; None: its own bars alone.
    home : path
        Folder of runs, where the ledger is.
    seed : int
    """
    checks: list[Check] = []
    for label in learned_exits(result.setup.strategies):
        bot = result.setup.strategies[label]
        assert isinstance(bot, Bot)
        try:
            if recipe is not None:
                evidence, _ = evidence_from(recipe, label, bot)
            else:
                setup = result.setup
                evidence, _ = evidence_on(setup, label, bot, setup.trade_from)
            with Ledger(home / LEDGER) as ledger:
                checks += scorecard_checks(scorecard(evidence, ledger, seed))
        except UsageError as error:
            why = f"{str(error).rstrip('.')} (intrabar learn score reads bars before the run's)"
            checks.append(not_made(SCORECARD, why, "The rival is chosen on bars before the test."))
    if not checks:
        return found
    every = [*found.checks, *checks]
    sentence, mark = verdict(every, found.findings)
    return replace(found, sentence=sentence, mark=mark, checks=every)
