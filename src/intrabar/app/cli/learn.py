"""`intrabar learn`: what exits learn from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from intrabar.app.calls.bandit import bandit as ingest
from intrabar.app.calls.learn import dataset as make
from intrabar.app.cli.output import Json, examples, numbers, print_table
from intrabar.learn.dataset_folder import Dataset
from intrabar.model.instant import instant_text

learn = App(
    name="learn",
    help="Make what exits learn from, and train them.",
    help_epilogue=examples("intrabar learn dataset config.yaml", "intrabar learn lstm config.yaml"),
)

learn.command(
    "intrabar.app.cli.learn_train:lstm",
    name="lstm",
    help="Train an exit that chooses its arm by the last bars.",
    help_epilogue=examples(
        "intrabar learn lstm config.yaml", "intrabar learn lstm config.yaml --walk-forward"
    ),
)
learn.command(
    "intrabar.app.cli.learn_train:adopt",
    name="adopt",
    help="Make a policy of a network that was trained elsewhere.",
    help_epilogue=examples(
        "intrabar learn adopt ppo.zip --features exit/1 --arms 1,2,3 --trained-until 2020-01-31",
    ),
)
learn.command(
    "intrabar.app.cli.learn_ppo:ppo",
    name="ppo",
    help="Train an exit that chooses its arm by playing campaigns.",
    help_epilogue=examples(
        "intrabar learn ppo config.yaml", "intrabar learn ppo config.yaml --when entry"
    ),
)
learn.command(
    "intrabar.app.cli.learn_show:show",
    name="show",
    help="Show what is told of a policy, and what its features are worth.",
    help_epilogue=examples("intrabar learn show trend --importance"),
)
learn.command(
    "intrabar.app.cli.learn_train:check",
    name="check",
    help="Ask the canaries: worlds in which a trainer that cheats is found out.",
    help_epilogue=examples("intrabar learn check"),
)

learn.command(
    "intrabar.app.cli.learn_score:score",
    name="score",
    help="Ask whether a learned exit is better than the best exit that does not learn.",
    help_epilogue=examples(
        "intrabar learn score config.yaml --policy trend",
        "intrabar learn score config.yaml --policy trend --static 2 --json",
    ),
)
learn.command(
    "intrabar.app.cli.learn_score:compare",
    name="compare",
    help="Set policies side by side, on the entries that all of them have.",
    help_epilogue=examples("intrabar learn compare trend other --config config.yaml"),
)


@learn.command(
    name="dataset",
    help_epilogue=examples(
        "intrabar learn dataset config.yaml --csv",
        "intrabar learn dataset config.yaml --arms 1,2,3 --max-bars 100 --name short",
    ),
)
def dataset(
    config: Path,
    /,
    *,
    bot: str | None = None,
    features: str | None = None,
    window: int | None = None,
    arms: str | None = None,
    exit_: Annotated[str | None, Parameter(name="--exit")] = None,
    max_bars: int | None = None,
    name: str | None = None,
    csv: bool = False,
    out: Path = Path("datasets"),
    threads: int | None = None,
    as_json: Json = False,
) -> int:
    """Simulate a campaign from every bar, to both sides, under every arm, and store the rows.

    Parameters
    ----------
    config : path
        A configuration file; what is not given here is that of its section learn.
    bot : str
        Which of its strategies, where it has several bots.
    features : str
        A set, such as exit/1.
    window : int
        Real bars that must be known before a decision.
    arms : str
        ATR multiples, such as 0.5,1,2,3.
    exit_ : str
        trailing or fixed: how a position goes on.
    max_bars : int
        Held bars after which a position leaves.
    name : str
        Of the dataset; that of the file where it is not given.
    csv : bool
        Write the rows as CSV too.
    out : path
        Folder of datasets, relative to the configuration.
    threads : int
        As many as there are processors where it is not given.
    as_json : bool
        Print the manifest as JSON, nothing else.
    """
    made = make(
        config,
        bot=bot,
        features=features,
        window=window,
        arms=None if arms is None else numbers(arms),
        exit=exit_,
        max_bars=max_bars,
        name=name,
        csv=csv,
        out=out,
        threads=threads,
        progress=not as_json,
    )
    if as_json:
        print(json.dumps({"folder": str(made.folder), **made.manifest}))
    else:
        tell(made)
    return 0


@learn.command(
    name="bandit",
    help_epilogue=examples("intrabar learn bandit config.yaml --log runs/20260101-120000-000-abc"),
)
def bandit(
    config: Path,
    /,
    *,
    log: Path,
    bot: str | None = None,
    out: Path = Path("state"),
    as_json: Json = False,
) -> int:
    """Let bandits learn from the decisions of a stored run, and write their states.

    Parameters
    ----------
    config : path
        A configuration whose bot has the exit LinUCB or Hybrid.
    log : path
        Folder of a run with the table decisions.
    bot : str
        Which of its strategies, where several have bandits.
    out : path
        Folder of states, relative to the configuration.
    as_json : bool
        Print what was learned as JSON, nothing else.
    """
    made = ingest(config, log, bot=bot, out=out)
    if as_json:
        told = [
            {
                **{"symbol": x.state.symbol, "learned": x.learned, "n": x.state.n},
                **{"learned_until": instant_text(x.state.learned_until), "file": str(x.file)},
            }
            for x in made
        ]
        print(json.dumps(told))
        return 0
    rows = [
        (
            *(x.state.symbol, f"{x.learned:,}", f"{x.state.n:,}"),
            *(instant_text(x.state.learned_until), str(x.file)),
        )
        for x in made
    ]
    header = ("symbol", "learned", "campaigns", "learned until", "state")
    print_table(header, rows, right=header[1:3])
    return 0


def tell(made: Dataset) -> None:
    """Print the counts of a dataset, arm by arm, and what is to be known about it."""
    counts = made.manifest["counts"]
    left_out = sum(counts["left_out"].values())
    print(
        f"{counts['rows']:,} rows, {left_out:,} left out{_why(counts['left_out'])}; "
        f"{counts['ended']} of {len(counts['symbols'])} symbols ended"
    )
    print(
        f"worth {counts['uniqueness']:,.0f} rows that share nothing, "
        f"{counts['uniqueness_if_symbols_move_together']:,.0f} if symbols move together"
    )
    header = ("arm", "campaigns", "mean score", "best", "cut", "leaves by")
    rows = []
    for arm, told in counts["arms"].items():
        score = "-" if told["mean_score"] is None else f"{told['mean_score']:.4f}"
        share = told["best"] / counts["rows"]
        reasons = sorted(told["reasons"].items(), key=lambda x: -x[1])
        words = ", ".join(f"{word} {n / told['campaigns']:.0%}" for word, n in reasons)
        cut = f"{told['cut'] / told['campaigns']:.0%}" if told["campaigns"] else "-"
        rows.append((arm, f"{told['campaigns']:,}", score, f"{share:.0%}", cut, words))
    print_table(header, rows, right=header[:-1])
    for remark in made.manifest["remarks"]:
        print(f"note: {remark}")
    print(made.folder)


def _why(left_out: dict[str, Any]) -> str:
    told = ", ".join(f"{why} {count:,}" for why, count in left_out.items() if count)
    return f" ({told})" if told else ""
