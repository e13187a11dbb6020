"""A bot as Python runs it, for a debugger: the code objects of its kernels over record views."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from intrabar.model.enums import Phase
from intrabar.sim.callbacks import Hooks
from intrabar.sim.state import Book
from intrabar.strategy.blame import blamed, moment
from intrabar.strategy.bot_kernel import act_at_close, interpret
from intrabar.strategy.caller import act_at_open
from intrabar.strategy.learner_kernel import decide, decide_held, hear
from intrabar.strategy.parts import acting
from intrabar.strategy.rules import record_of

if TYPE_CHECKING:
    from intrabar.strategy.learner import Learner
    from intrabar.strategy.running_bot import RunningBot


def interpreted_hooks(running: RunningBot, named: str | None) -> Hooks:
    """The steps of a bot by Python, over record views of the same arrays.

    Parameters
    ----------
    running : RunningBot
    named : str or None
        The rule by which its entry rests at a price.
    """
    bot = running.bot
    now = running.now.view(record_of(running.names)).view(np.recarray)[0]
    entry_p = running.entry_p.view(np.recarray)[0]
    exit_: Any = acting(bot.exit)
    width = 0 if running.learner is None else 1
    of_exit = running.exit_p.view(np.recarray)

    price = None if named is None else getattr(bot.entry, named)

    market, table = running.machine.market, running.table

    def look(_: Any, i: int, j: int) -> bool:
        running.now[:] = [column[i, j] for column in running.columns]
        return not np.isnan(running.now).any()

    def count(_: Any, j: int, gate: int) -> None:
        running.counts[j, gate] += 1

    def asked(rule: Callable[..., Any]) -> Callable[..., Any]:
        def answer(_: Any, *at: Any) -> Any:
            with blamed(bot.name, moment(running.machine, Phase.CLOSE)):
                return rule(*at)

        return answer

    def one_bar_more(_: Any, j: int) -> int:
        running.held[j] += 1
        return int(running.held[j])

    def forget_bars(_: Any, j: int) -> None:
        running.held[j] = 0

    replacements: dict[str, Callable[..., Any]] = {
        "ask_side": asked(lambda: int(bot.entry.decide_side(now, entry_p))),
        "ask_levels": asked(lambda j, *at: exit_.initial_levels(now, of_exit[j * width], *at)),
        "ask_stop": asked(lambda j, *at: exit_.update_stop(now, of_exit[j * width], *at)),
        "ask_out": asked(
            lambda side: any(
                rule(now, p, side)
                for rule, p in (
                    (getattr(bot.entry, "wants_out", None), entry_p),
                    (getattr(exit_, "wants_out", None), of_exit[0]),
                )
                if rule is not None
            )
        ),
        "ask_price": asked(lambda side: float(price(now, entry_p, side))),  # type: ignore[misc]
        "look": look,
        "count": count,
        "one_bar_more": one_bar_more,
        "forget_bars": forget_bars,
        "seen": lambda _, column: running.now[column],
        "has_bar": lambda _, i, j: not np.isnan(market.open[i, j]),
        "blocked_at": lambda _, i, j: int(table.blocked[i, j]),
        "flattens_at": lambda _, i, j: bool(table.flatten[i, j]),
        "day_of": lambda _, i: table.day[i],
        "recorded_before": lambda _, i: running.machine.tape.equity[i - 1] if i > 0 else np.nan,
    }
    if running.learner is not None:
        replacements |= _learning(running, running.learner)
    at_close = interpret(act_at_close, replacements)
    at_open = interpret(act_at_open, replacements)
    own = running.record.view(np.recarray)[0]

    def book() -> Book:
        return Book(*(part.view(np.recarray) for part in running.machine.book))

    def on_close(i: int) -> None:
        at_close(own, book(), i)
        if running.learner is not None:
            running.learner.make_room()

    def on_open(i: int) -> None:
        at_open(own.caller, book(), i)

    if running.learner is None:
        return running.machine.python_hooks(on_open=on_open, on_close=on_close)
    learner = running.learner
    take = interpret(hear, learner.replacements())
    remembered = learner.record.view(np.recarray)[0]

    def on_notice(n: int) -> None:
        take(remembered, book(), n)

    return running.machine.python_hooks(on_open, on_close, on_notice)


def _learning(running: RunningBot, learner: Learner) -> dict[str, Callable[..., Any]]:
    """What a learned exit does, by Python."""
    views = learner.replacements()
    own = learner.record.view(np.recarray)[0]
    chooses, again = interpret(decide, views), interpret(decide_held, views)
    row = running.record[0]

    def ask_arm(_: Any, i: int, j: int, side: int) -> int:
        column = int(row["draw_column"])
        return int(chooses(own, i, j, side, running.now[column] if column >= 0 else 1.0))

    def ask_arm_held(_: Any, i: int, j: int) -> None:
        book = Book(*(part.view(np.recarray) for part in running.machine.book))
        again(own, book, i, j, running.strategy, running.now[int(row["exit_atr_column"])])

    return {
        "ask_arm": ask_arm,
        "ask_arm_held": ask_arm_held,
        "memory_at": lambda _, j: views["memory_of"](_, j),
    }
