"""A bot in a run: its rules compiled or interpreted, its record, when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.model.enums import OrderType, Phase
from intrabar.sim.callbacks import Hooks
from intrabar.sim.machine import Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD, WAKE_OPEN, Book
from intrabar.sim.tables import address_of
from intrabar.strategy.blame import blamed, moment
from intrabar.strategy.bot import RISK, Bot
from intrabar.strategy.bot_kernel import (
    act_at_close,
    close_hook,
    interpret,
    wake_where,
)
from intrabar.strategy.bot_record import BOT
from intrabar.strategy.caller import GATES, act_at_open, open_hook
from intrabar.strategy.gates import Timetable, counted
from intrabar.strategy.rules import (
    BAR_FIELDS,
    CompiledRule,
    compile_rule,
    fields_read,
    parameters_of,
    record_of,
)

# The fields of `BOT` that hold a rule's address: whose it is, and how its function is called.
RULES = {
    "entry_rule": ("entry", ("decide_side",)),
    "levels_rule": ("exit", ("initial_levels",)),
    "stop_rule": ("exit", ("update_stop",)),
    "out_rule": ("entry", ("wants_out",)),
    "exit_out_rule": ("exit", ("wants_out",)),
    "price_rule": ("entry", ("stop_entry", "limit_entry")),
}


class RunningBot:
    """A bot connected to a machine: the arrays it reads, and the addresses the loop calls.

    Parameters
    ----------
    bot : Bot
    machine : Machine
    strategy : int
        Row of the strategy in the machine.
    columns : mapping of name to (t, n) float64
        Its indicators; NaN where they warm up.
    table : Timetable
    """

    def __init__(
        self,
        bot: Bot,
        machine: Machine,
        strategy: int,
        columns: dict[str, NDArray[np.float64]],
        table: Timetable,
    ) -> None:
        self.bot = bot
        self.machine = machine
        self.strategy = strategy
        # The close is always there: it is the price that levels and sizes start from.
        read = fields_read(BAR_FIELDS, *rules_of(bot))
        bar_fields = tuple(x for x in BAR_FIELDS if x in read or x == "close")
        self.names = [*bar_fields, *columns]
        self.bar_fields = bar_fields
        self.columns: list[NDArray[np.float64]] = []
        self.addresses = np.zeros(len(self.names), np.int64)
        self.now = np.zeros(len(self.names))
        self.levels = np.zeros(2)
        self.counts = np.zeros((len(machine.market.symbols), GATES), np.int64)
        self.entry_p = parameters_of(bot.entry)
        self.exit_p = parameters_of(bot.exit)
        self.held = np.zeros(len(machine.market.symbols), np.int64)
        self.record = np.zeros(1, BOT)
        self.rules: dict[str, CompiledRule] = {}
        self._fill_record(bot, strategy, columns, bar_fields)
        self._look_at(columns, table)
        self.is_compiled = not bot.interpreted and self._compile(bot)
        self.flattens = bool(bot.gates.flatten)
        if self.is_compiled:
            hooks = Hooks(
                open_hook.address if self.flattens else 0,
                close_hook.address,
                context=address_of(self.record, BOT, (1,)),
                reads=address_of(self.addresses, np.int64, (None,)),
                reads_count=len(self.addresses),
            )
        else:
            hooks = self._interpret(bot)
        machine.connect(strategy, hooks if self.flattens else hooks._replace(on_open=0))

    def _fill_record(
        self, bot: Bot, strategy: int, columns: dict[str, Any], bar_fields: tuple[str, ...]
    ) -> None:
        row = self.record[0]
        row["caller"]["strategy"] = strategy
        row["caller"]["book"] = self.machine.book_address
        row["caller"]["instruments_count"] = len(self.machine.market.symbols)
        row["columns_count"] = len(self.names)
        row["columns"] = address_of(self.addresses, np.int64, (len(self.names),))
        row["now"] = address_of(self.now, np.float64, (len(self.names),))
        row["levels"] = address_of(self.levels, np.float64, (2,))
        row["caller"]["counts"] = address_of(self.counts, np.int64, self.counts.shape)
        row["entry_p"] = address_of(self.entry_p, self.entry_p.dtype, (1,))
        row["exit_p"] = address_of(self.exit_p, self.exit_p.dtype, (1,))
        row["warm_up"] = bot.warm_up
        row["max_bars"] = longest_of(bot)
        row["held"] = address_of(self.held, np.int64, self.held.shape)
        row["risk_fraction"] = RISK if bot.risk_fraction is None else bot.risk_fraction
        row["equity_fraction"] = bot.equity_fraction
        row["qty"] = bot.qty
        row["close_column"] = bar_fields.index("close")
        row["atr_column"] = self.names.index("gate_atr") if "gate_atr" in columns else -1
        row["atr_least"] = bot.gates.min_atr
        row["daily_loss"] = bot.gates.daily_loss
        row["day_now"] = np.iinfo(np.int64).min
        for name in RULES:  # an interpreted bot has no addresses, only rules that are there
            row[name] = 0 if rule_of(bot, name) is None else 1
        row["entry_type"] = OrderType.STOP if hasattr(bot.entry, "stop_entry") else OrderType.LIMIT

    def _look_at(self, columns: dict[str, NDArray[np.float64]], table: Timetable) -> None:
        """Name the arrays of the machine's market, and these, to the kernels."""
        market, row = self.machine.market, self.record[0]
        self.table = table
        self.columns[:] = [*(getattr(market, name) for name in self.bar_fields), *columns.values()]
        shape = market.open.shape
        self.addresses[:] = [address_of(c, np.float64, shape) for c in self.columns]
        gates = self.bot.gates
        blocked = address_of(table.blocked, np.uint8, shape)
        row["caller"]["blocked"] = blocked if gates.session or gates.flatten else 0
        row["opens"] = address_of(market.open, np.float64, shape)
        row["caller"]["flatten"] = address_of(table.flatten, np.uint8, shape)
        row["day"] = address_of(table.day, np.int64, shape[:1])
        row["caller"]["equity"] = address_of(self.machine.tape.equity, np.float64, shape[:1])

    def show(self, columns: dict[str, NDArray[np.float64]], table: Timetable) -> None:
        """Read the market that the machine shows now, and these arrays of it."""
        self._look_at(columns, table)
        if not self.is_compiled:
            hooks = self._interpret(self.bot)
            self.machine.connect(
                self.strategy, hooks if self.flattens else hooks._replace(on_open=0)
            )

    def _compile(self, bot: Bot) -> bool:
        """Compile the rules; False where one of them is beyond Numba."""
        now = record_of(self.names)
        for name, (part, _) in RULES.items():
            rule = rule_of(bot, name)
            if rule is None:
                continue
            p = self.entry_p if part == "entry" else self.exit_p
            compiled = compile_rule(getattr(bot, part), rule, now, p.dtype)
            if compiled is None:
                return False
            self.rules[name] = compiled
        for name, compiled in self.rules.items():
            self.record[0][name] = compiled.address
        return True

    def _interpret(self, bot: Bot) -> Hooks:
        """The same steps by Python, over record views of the same arrays."""
        now = self.now.view(record_of(self.names)).view(np.recarray)[0]
        entry_p = self.entry_p.view(np.recarray)[0]
        exit_p = self.exit_p.view(np.recarray)[0]

        named = rule_of(bot, "price_rule")
        price = None if named is None else getattr(bot.entry, named)

        market, table = self.machine.market, self.table

        def look(_: Any, i: int, j: int) -> bool:
            self.now[:] = [column[i, j] for column in self.columns]
            return not np.isnan(self.now).any()

        def count(_: Any, j: int, gate: int) -> None:
            self.counts[j, gate] += 1

        def asked(rule: Callable[..., Any]) -> Callable[..., Any]:
            def answer(_: Any, *at: Any) -> Any:
                with blamed(bot.name, moment(self.machine, Phase.CLOSE)):
                    return rule(*at)

            return answer

        def one_bar_more(_: Any, j: int) -> int:
            self.held[j] += 1
            return int(self.held[j])

        def forget_bars(_: Any, j: int) -> None:
            self.held[j] = 0

        replacements: dict[str, Callable[..., Any]] = {
            "ask_side": asked(lambda: int(bot.entry.decide_side(now, entry_p))),
            "ask_levels": asked(lambda *at: bot.exit.initial_levels(now, exit_p, *at)),
            "ask_stop": asked(
                lambda *at: bot.exit.update_stop(now, exit_p, *at)  # type: ignore[attr-defined]
            ),
            "ask_out": asked(
                lambda side: any(
                    rule(now, p, side)
                    for rule, p in (
                        (getattr(bot.entry, "wants_out", None), entry_p),
                        (getattr(bot.exit, "wants_out", None), exit_p),
                    )
                    if rule is not None
                )
            ),
            "ask_price": asked(lambda side: float(price(now, entry_p, side))),  # type: ignore[misc]
            "look": look,
            "count": count,
            "one_bar_more": one_bar_more,
            "forget_bars": forget_bars,
            "seen": lambda _, column: self.now[column],
            "has_bar": lambda _, i, j: not np.isnan(market.open[i, j]),
            "blocked_at": lambda _, i, j: int(table.blocked[i, j]),
            "flattens_at": lambda _, i, j: bool(table.flatten[i, j]),
            "day_of": lambda _, i: table.day[i],
            "recorded_before": lambda _, i: self.machine.tape.equity[i - 1] if i > 0 else np.nan,
        }
        at_close = interpret(act_at_close, replacements)
        at_open = interpret(act_at_open, replacements)
        own = self.record.view(np.recarray)[0]

        def book() -> Book:
            return Book(*(part.view(np.recarray) for part in self.machine.book))

        def on_close(i: int) -> None:
            at_close(own, book(), i)

        def on_open(i: int) -> None:
            at_open(own.caller, book(), i)

        return self.machine.python_hooks(on_open=on_open, on_close=on_close)

    def checkpoint(self) -> tuple[NDArray[Any], ...]:
        """What the bot remembers from bar to bar.

        How its day went, what its gates counted, and how long it has held what it holds.
        """
        return self.record.copy(), self.counts.copy(), self.held.copy()

    def return_to(self, checkpoint: tuple[NDArray[Any], ...]) -> None:
        """Put back what a checkpoint of this bot holds; the arrays stay where they are."""
        self.record[:], self.counts[:], self.held[:] = checkpoint

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """(symbol, gate, how often it blocked), where it did."""
        return counted(self.counts, self.machine.market.symbols)


def rule_of(bot: Bot, name: str) -> str | None:
    """The function of a bot's entry or exit that stands behind one of `RULES`; None for none."""
    part, functions = RULES[name]
    if name == "stop_rule" and not bot.exit.trails:
        return None
    there = [x for x in functions if getattr(getattr(bot, part), x, None) is not None]
    return there[0] if there else None


def longest_of(bot: Bot) -> int:
    """How many bars a position of a bot is held at most; 0 for any number."""
    return int(getattr(bot.exit, "max_bars", 0))


def rules_of(bot: Bot) -> list[Callable[..., Any]]:
    """The functions that decide what a bot does."""
    named = [(part, rule_of(bot, name)) for name, (part, _) in RULES.items()]
    return [getattr(getattr(bot, part), rule) for part, rule in named if rule is not None]


def wake_of(
    bot: Bot, columns: dict[str, NDArray[np.float64]], table: Timetable, rows: int
) -> NDArray[np.uint8]:
    """When a bot must be asked: (t,) uint8 of WAKE_* bits."""
    wake = np.zeros(rows, np.uint8)
    rests = rule_of(bot, "price_rule") is not None
    leaves = rule_of(bot, "out_rule") or rule_of(bot, "exit_out_rule")
    if bot.exit.trails or bot.gates.daily_loss > 0.0 or leaves or rests or longest_of(bot):
        wake |= WAKE_HELD
    if bot.entry.wakes_on and bot.gates.daily_loss == 0.0 and not rests:
        column = columns[bot.entry.wakes_on].view()
        column.flags.writeable = False  # one kernel, wherever the column is from
        wake_where(column, WAKE_FLAT, wake)
    else:
        wake |= WAKE_FLAT
    if table.flatten.any():
        wake[table.flatten.any(axis=1)] |= WAKE_OPEN
    return wake
