"""`ib.learn.score`: whether a learned exit is better than the best static one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from intrabar.app.calls.scored_exit import learned_exit
from intrabar.app.compose.market_cache import data_hash
from intrabar.app.compose.recipe import Composed, Recipe
from intrabar.app.compose.sources import nanoseconds
from intrabar.app.config.learning import LearnConfig
from intrabar.app.config.model import Config
from intrabar.app.folders.places import folder_of
from intrabar.app.processors import threads_of
from intrabar.engine.outcome.result import Result, finish
from intrabar.engine.run import Run, Setup
from intrabar.engine.tables.policies import policies_of
from intrabar.errors import ConfigError, NotFoundError, UsageError
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.exits.learned import Learned
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import TOLD
from intrabar.model.values import Bounds, named, number, path, shown, whole
from intrabar.research.scorecard.evidence import Evidence
from intrabar.research.scorecard.learned_run import evidence_of
from intrabar.research.scorecard.scorecard import Scorecard, scorecard
from intrabar.research.sweep.ledger import LEDGER, Ledger
from intrabar.strategy.bot import Bot
from intrabar.strategy.parts import learns

POLICIES = "policies"


def score(
    bot: Bot | None = None,
    *,
    config: str | Path | Mapping[str, Any],
    policy: str | Path | Policy | Sequence[Policy] | None = None,
    static: float | None = None,
    name: str | None = None,
    seed: int = 0,
    out: str | Path = "runs",
    threads: int | None = None,
) -> Scorecard:
    """Ask whether a learned exit is better than the best exit that does not learn.

    The scorecard is a look: it is written to the ledger of the folder `out` before anything is
    shown, and deflates what it says and all that comes after.

    Parameters
    ----------
    bot : Bot, optional
        With a learned exit; that of the configuration where it is not given.
    config : path or mapping
        Bars, account, instruments and costs. Its `start` or `trade_from` is where the test begins;
        the bars before it are read too, for the rival is chosen on them.
    policy : path, or Policy, optional
        Trades in the place of the bot's exit; a name is a folder in `policies/` beside the
        configuration.
    static : ATR multiple, optional
        The arm that you would trade without it: it is told too.
    name : str, optional
        Which strategy of the configuration; the only bot among them.
    seed : int
        Of everything that is drawn.
    out : folder
        Of runs, where the ledger is.
    threads : int, optional
        1 to 256; as many as there are processors. The figures are the same.

    Returns
    -------
    Scorecard
        `verdict`, `figures`, `looks`, `as_json()`.

    Raises
    ------
    UsageError
        An argument or the configuration is wrong; there is no bar after the training, or no entry
        before it.
    DataError, RunError
    """
    seed = whole("seed:", seed, Bounds(whole=True))
    folder = path("out:", out)
    evidence, _ = evidence_in(bot, config, policy, static, name, threads)
    with Ledger(folder / LEDGER) as ledger:
        return scorecard(evidence, ledger, seed)


def evidence_in(
    bot: Any,
    config: str | Path | Mapping[str, Any],
    policy: Any,
    static: float | None,
    name: str | None,
    threads: int | None,
) -> tuple[Evidence, Result]:
    """The evidence of a scorecard, and the run with the learned exit; raises as `score`."""
    if static is not None:
        static = number("static:", static, Bounds(above=True))
    threads = threads_of(threads)
    recipe = Recipe.of_call(None, None, {"config": config})
    label, taught = _taught(bot, recipe, policy, name, config)
    return evidence_from(recipe, label, taught, static=static, threads=threads)


def evidence_from(
    recipe: Recipe, label: str, taught: Bot, *, static: float | None = None, threads: int = 1
) -> tuple[Evidence, Result]:
    """The evidence of a bot with a learned exit, on the bars of a recipe; raises as `score`."""
    composed, first = _composed(recipe, label, taught)
    others = ", ".join(x for x in recipe.strategies if x != label)
    told = (
        [f"{others} of the configuration are left out: a scorecard is of one bot"] if others else []
    )
    contents = {one.symbol: one.content for one in composed.origins}
    known = {s: contents[s] for s in composed.setup.market.symbols if s in contents}
    return evidence_on(
        composed.setup,
        label,
        taught,
        first,
        static=static,
        data=data_hash(known),
        threads=threads,
        remarks=[*composed.remarks, *told],
    )


def evidence_on(
    setup: Setup,
    label: str,
    taught: Bot,
    first: int | None,
    *,
    static: float | None = None,
    data: str = "",
    threads: int = 1,
    remarks: Sequence[str] = (),
) -> tuple[Evidence, Result]:
    """The same on bars that are there, tested from an instant on; None: after the training."""
    plain = replace(
        setup,
        strategies={label: replace(taught, exit=taught.exit.rule)},  # type: ignore[union-attr]
        trade_from=None,
        given=None,
    )
    learned, training = learned_exit(plain, label, taught, first)
    result = finish(Run(learned.setup))
    told = [*remarks, *(x.text for x in learned.setup.remarks)]
    evidence = evidence_of(
        learned,
        result,
        result.decisions,
        training,
        own=static,
        data=data,
        threads=threads,
        remarks=told,
    )
    return evidence, result


def _taught(
    bot: Any, recipe: Recipe, policy: Any, name: str | None, config: Any
) -> tuple[str, Bot]:
    """The bot that is scored, with its learned exit, and what the run calls it."""
    if bot is not None and not isinstance(bot, Bot):
        raise ConfigError(f"bot: is {shown(bot)}, must be a Bot with a learned exit")
    if bot is None:
        label, bot = _bot_of(recipe, name)
    else:
        label = bot.name if name is None else named("name", name)
    if policy is not None:
        bot = replace(bot, exit=_exit_for(policy, bot, recipe.config, config))
    if not learns(bot.exit):
        raise UsageError(
            f"{label}: its exit, {type(bot.exit).__name__}, does not learn; name what it is to "
            "trade by, such as policy='policies/trend' (--policy trend)"
        )
    return label, bot


def _bot_of(recipe: Recipe, name: str | None) -> tuple[str, Bot]:
    bots = {label: x for label, x in recipe.strategies.items() if isinstance(x, Bot)}
    if name is not None:
        if named("name", name) not in bots:
            raise NotFoundError("bot name", name, list(bots))
        return name, bots[name]
    if len(bots) != 1:
        raise ConfigError(
            f"there are {len(bots)} bots ({', '.join(bots) or 'none'}), and a scorecard is of one; "
            "name it (--bot)"
        )
    return next(iter(bots.items()))


def _exit_for(policy: Any, bot: Bot, asked: Config, config: Any) -> Learned:
    """A learned exit in the place of the bot's, on the course of its policy; else on the bot's."""
    if isinstance(policy, str | Path):
        policy = _folder(path("policy:", policy), config)
    own, section = bot.exit, asked.learn or LearnConfig()
    course = policies_of(Learned(policy))[0].course
    kept: dict[str, Any] = {"exit": section.exit, "max_bars": section.max_bars}
    if isinstance(own, TrailingATR | FixedRatio) or learns(own):
        kept["atr_period"] = own.atr_period  # type: ignore[union-attr]
    if isinstance(own, FixedRatio):
        kept["reward"] = own.reward
    if learns(own):
        shared = ("exit", "max_bars", "reward", "in_sample")
        kept |= {x: getattr(own, x) for x in shared}
    if course is not None:
        kept |= asdict(course)
    return Learned(policy, **kept)


def _folder(given: Path, config: Any) -> Path:
    """The folder of a policy: as it is, beside the configuration, or in its `policies/`."""
    home = Path() if isinstance(config, Mapping) else Path(config).parent
    return folder_of(given, [home, home / POLICIES], TOLD, "policy", "intrabar learn lstm CONFIG")


def _composed(recipe: Recipe, label: str, bot: Bot) -> tuple[Composed, int | None]:
    """The bars from their beginning on with this bot alone, and where its test is to begin.

    The bot has the rule of its exit alone: a learned one would be refused on bars that it knows.
    """
    config = recipe.config
    begin = [nanoseconds(x) for x in (config.start, config.trade_from) if x is not None]
    whole_ = config.model_copy(update={"start": None, "trade_from": None})
    plain = replace(bot, exit=bot.exit.rule)  # type: ignore[union-attr]
    composed = replace(recipe, config=whole_, strategies={label: plain}, store=None).whole()
    return composed, max((x for x in begin if x is not None), default=None)
