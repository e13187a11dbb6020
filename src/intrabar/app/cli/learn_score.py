"""`intrabar learn score` and `compare`: is a learned exit worth it."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from intrabar.app.calls.compare import compare as hold
from intrabar.app.calls.score import score as ask
from intrabar.app.calls.score_page import write_scorecard
from intrabar.app.cli.output import Json, print_table
from intrabar.research.scorecard.scorecard import Scorecard

WIDTH = 96


def score(
    config: Path,
    /,
    *,
    policy: Path | None = None,
    static: float | None = None,
    bot: str | None = None,
    seed: int = 0,
    out: Path = Path("runs"),
    page: Path | None = None,
    threads: int | None = None,
    as_json: Json = False,
) -> int:
    """Ask whether a learned exit is better than the best exit that does not learn.

    Parameters
    ----------
    config : path
        A configuration file; its start is where the test begins.
    policy : path
        Folder of a policy, or its name in policies/; that of the bot's exit where it is not given.
    static : float
        The ATR multiple that you would trade without it.
    bot : str
        Which of its strategies, where it has several bots.
    seed : int
        Of everything that is drawn.
    out : path
        Folder of runs: its ledger notes each look.
    page : path
        The HTML page; scorecard-POLICY.html in the folder of runs where it is not given.
    threads : int
        As many as there are processors where it is not given.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    card = ask(
        config=config, policy=policy, static=static, name=bot, seed=seed, out=out, threads=threads
    )
    target = page or out / f"scorecard-{card.evidence.training.name}.html"
    write_scorecard(card, target)
    if as_json:
        print(json.dumps({**card.as_json(), "page": str(target)}))
    else:
        tell(card)
        print(f"\npage: {target}")
    return 0


def compare(
    *policies: Path,
    config: Path,
    bot: str | None = None,
    static: float | None = None,
    seed: int = 0,
    out: Path = Path("runs"),
    threads: int | None = None,
    as_json: Json = False,
) -> int:
    """Set policies side by side, on the entries that all of them have.

    Parameters
    ----------
    policies : paths
        Folders of policies, or their names in policies/; two or more.
    config : path
        A configuration file; its start is where the test begins.
    bot : str
        Which of its strategies, where it has several bots.
    static : float
        The ATR multiple that you would trade without them.
    seed : int
        Of everything that is drawn.
    out : path
        Folder of runs: its ledger notes a look of each.
    threads : int
        As many as there are processors where it is not given.
    as_json : bool
        One JSON object on stdout, nothing else.
    """
    found = hold(
        policies, config=config, name=bot, static=static, seed=seed, out=out, threads=threads
    )
    if as_json:
        print(json.dumps(found.as_json()))
        return 0
    header = ("policy", "pairs", "d", "less the first", "verdict", "looks", "test", "seeds")
    print_table(header, found.rows(), right=header[1:2])
    for remark in found.remarks:
        print(f"note: {remark}")
    return 0


def tell(card: Scorecard) -> None:
    """Print a scorecard: the verdict, its figures, and what is to be known about them."""
    for line in textwrap.wrap(card.verdict.sentence, WIDTH):
        print(line)
    print()
    print_table(("what", "figure"), card.rows())
    for remark in card.remarks:
        print(f"note: {remark}")
