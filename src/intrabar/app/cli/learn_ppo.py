"""`intrabar learn ppo`: an exit that is trained by playing campaigns."""

from __future__ import annotations

import json
from pathlib import Path

from intrabar.app.calls.learn import default_name
from intrabar.app.calls.train_ppo import ppo as train
from intrabar.app.cli.learn_train import tell_trained
from intrabar.app.cli.output import Json
from intrabar.exits.policy_file import TOLD, read_told


def ppo(
    config: Path,
    /,
    *,
    bot: str | None = None,
    when: str | None = None,
    entries: str | None = None,
    steps: int | None = None,
    seed: int | None = None,
    name: str | None = None,
    out: Path = Path("policies"),
    runs: Path = Path("runs"),
    resume: bool = False,
    as_json: Json = False,
) -> int:
    """Train an exit that chooses its arm by playing campaigns, and store it as a policy.

    Parameters
    ----------
    config : path
        A configuration file; what is not given here is that of its section learn.
    bot : str
        Which of its strategies, where it has several bots.
    when : str
        bar: decide at each close while held as well; or entry: at the signal's close alone.
    entries : str
        every: begin at each bar and side; or bot: where the bot as configured has entered.
    steps : int
        Decisions that each seed makes at most.
    seed : int
        Of everything that is drawn.
    name : str
        Of the policy; that of the file where it is not given.
    out : path
        Folder of policies, relative to the configuration.
    runs : path
        Folder of runs, whose ledger notes each seed.
    resume : bool
        Go on with what was interrupted.
    as_json : bool
        Print what policy.json says as JSON, nothing else.
    """
    name, folder = name or default_name(config), config.parent / out
    train(
        config,
        bot=bot,
        when=when,
        entries=entries,
        steps=steps,
        seed=seed,
        name=name,
        out=folder,
        runs=runs,
        resume=resume,
        progress=not as_json,
    )
    told = read_told(folder / name / TOLD)
    if as_json:
        print(json.dumps({"folder": str(folder / name), **told}))
        return 0
    tell_trained(told)
    print(folder / name)
    return 0
