"""`intrabar demo-learning`: from bars to a trained exit and its scorecard."""

from __future__ import annotations

import shutil
import time
from datetime import date, timedelta
from pathlib import Path

import yaml

from intrabar.app.calls.learn import dataset as make
from intrabar.app.calls.score import score as ask
from intrabar.app.calls.score_page import write_scorecard
from intrabar.app.calls.train import lstm as train
from intrabar.app.cli.backtest import carry_out, print_place
from intrabar.app.cli.learn import tell as tell_dataset
from intrabar.app.cli.learn_score import tell as tell_scorecard
from intrabar.app.cli.learn_train import each_told, tell_trained
from intrabar.app.compose.demo import demo_config
from intrabar.app.compose.recipe import Recipe
from intrabar.app.config.file import read_config
from intrabar.errors import StateError
from intrabar.exits.policy_file import TOLD, read_told

HEAD = "# Made by `intrabar demo-learning`, which deletes this folder when it runs again.\n"
NAME = "trend"
LEARN = {"window": 16, "arms": [1, 2, 3, 4], "max_bars": 100, "train": "8y", "test": "4y"}
EPOCHS = 20


def demo_learning(*, out: Path = Path("demo-learning")) -> int:
    """Train an exit on five shares, a policy for each of two windows, and ask if it is worth it.

    Parameters
    ----------
    out : path
        Folder of all that is made: configuration, dataset, policies, runs.
    """
    from intrabar.app.cli.warm import warm_up_once

    begun = time.monotonic()
    warm_up_once()
    _clear(out)
    config = _written(out)
    _step("1. A campaign from every bar, to both sides, under every arm")
    data = make(config, name=NAME, progress=True)
    tell_dataset(data)
    _step("2. An LSTM chooses the arm by the last 16 bars: three seeds in each of two windows")
    policies, runs = out / "policies", out / "runs"
    train(
        data,
        epochs=EPOCHS,
        walk_forward=True,
        name=NAME,
        out=policies,
        runs=runs,
        progress=True,
    )
    tell_trained(*each_told(policies / NAME, read_told(policies / NAME / TOLD)))
    _step("3. A bot trades it, on bars that no policy has seen")
    trades = _written(out, policies / NAME)
    made, _ = read_config(trades)
    made = made.model_copy(update={"out": str(runs)})
    folder, result, _ = carry_out(Recipe.of_config(made).whole(), made, quiet=False)
    won = result.metrics.values["total_return"] or 0.0
    print(f"{len(result.decisions):,} decisions, {won:+.1%} in all")
    print_place(folder)
    _step("4. Is it worth it?")
    card = ask(config=trades, out=runs)
    page = write_scorecard(card, runs / f"scorecard-{NAME}.html")
    tell_scorecard(card)
    print(f"\npage: {page}\n{time.monotonic() - begun:.0f} seconds in all; the verdict:")
    print(card.verdict.sentence)
    return 0


def _step(what: str) -> None:
    print(f"\n{what}\n")


def _clear(out: Path) -> None:
    """Delete what the demo has made before, and nobody else's folder."""
    if not out.exists():
        return
    config = out / "config.yaml"
    if not config.is_file() or not config.read_text().startswith(HEAD):
        raise StateError(f"{out} is there, and not of the demo; give --out")
    shutil.rmtree(out)


def _written(out: Path, policy: Path | None = None) -> Path:
    """The configuration of the demo; with a policy, one of a bot that trades it."""
    told = demo_config().model_dump(mode="json", by_alias=True, exclude_unset=True)
    bot = next(x for x in told["strategies"] if x["name"] == "TrendFollowing")
    bot["params"]["exit"] = {"name": "TrailingATR"}
    told |= {"name": "Demo: an exit that learned", "strategies": [bot], "learn": dict(LEARN)}
    if policy is not None:
        known = read_told(policy / TOLD)["windows"][0]["trained_until"]
        begin = date.fromisoformat(known[:10]) + timedelta(days=1)
        bot["params"]["exit"] = {
            "name": "Learned",
            "policy": str(policy.relative_to(out)),
            "max_bars": LEARN["max_bars"],
        }
        told["trade_from"] = begin.isoformat()
    path = out / ("config.yaml" if policy is None else "learned.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + yaml.safe_dump(told, sort_keys=False))
    return path
