"""A bot in a run: its rules compiled or interpreted, its record, when it is asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.model.enums import OrderType
from intrabar.sim.callbacks import Hooks
from intrabar.sim.machine import Machine
from intrabar.sim.state import WAKE_FLAT, WAKE_HELD, WAKE_OPEN
from intrabar.sim.tables import address_of
from intrabar.strategy.bot import RISK, Bot
from intrabar.strategy.bot_kernel import close_hook, wake_where
from intrabar.strategy.bot_record import BOT
from intrabar.strategy.caller import GATES, open_hook
from intrabar.strategy.gates import Timetable, counted
from intrabar.strategy.interpreted_bot import interpreted_hooks
from intrabar.strategy.learner import Learner
from intrabar.strategy.learner_kernel import decide_hook, held_hook, notice_hook
from intrabar.strategy.lessons import Decided, Lessons
from intrabar.strategy.parts import acting
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
    lessons : Lessons, optional
        What a learned exit trades by.
    keeps_log : bool
        Of what a learned exit decides.
    """

    def __init__(
        self,
        bot: Bot,
        machine: Machine,
        strategy: int,
        columns: dict[str, NDArray[np.float64]],
        table: Timetable,
        lessons: Lessons | None = None,
        keeps_log: bool = True,
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
        self.exit_p = parameters_of(acting(bot.exit))
        self.held = np.zeros(len(machine.market.symbols), np.int64)
        self.record = np.zeros(1, BOT)
        self.rules: dict[str, CompiledRule] = {}
        self.learner: Learner | None = None
        if lessons is not None:
            self.exit_p = np.repeat(self.exit_p, len(machine.market.symbols))
            self.learner = Learner(
                bot.exit, lessons, machine.market.symbols, self.held, self.exit_p, keeps_log
            )
            machine.on_stop.append(self.learner.make_room)
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
                on_notice=0 if self.learner is None else notice_hook.address,
            )
        else:
            hooks = interpreted_hooks(self, rule_of(bot, "price_rule"))
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
        row["exit_p"] = address_of(self.exit_p, self.exit_p.dtype, (None,))
        if self.learner is not None:
            row["exit_width"] = self.exit_p.itemsize // 8
            row["learner"], row["decide_rule"] = self.learner.address, 1
            row["held_rule"] = self.learner.decides_held
            row["exit_atr_column"] = self.names.index("exit_atr")
        row["draw_column"] = self.names.index("exit_draw") if "exit_draw" in columns else -1
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
            hooks = interpreted_hooks(self, rule_of(self.bot, "price_rule"))
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
            compiled = compile_rule(part_of(bot, part), rule, now, p.dtype)
            if compiled is None:
                return False
            self.rules[name] = compiled
        for name, compiled in self.rules.items():
            self.record[0][name] = compiled.address
        if self.learner is not None:
            self.record[0]["decide_rule"] = decide_hook.address
            if self.learner.decides_held:
                self.record[0]["held_rule"] = held_hook.address
        return True

    def checkpoint(self) -> tuple[NDArray[Any], ...]:
        """What the bot remembers from bar to bar.

        How its day went, what its gates counted, and how long it has held what it holds.
        """
        own = () if self.learner is None else self.learner.checkpoint()
        return self.record.copy(), self.counts.copy(), self.held.copy(), *own

    def return_to(self, checkpoint: tuple[NDArray[Any], ...]) -> None:
        """Put back what a checkpoint of this bot holds; the arrays stay where they are."""
        self.record[:], self.counts[:], self.held[:] = checkpoint[:3]
        if self.learner is not None:
            self.learner.return_to(checkpoint[3:])

    def memory_digest(self) -> str:
        """A hash of what a learned exit remembers; "" of another."""
        return "" if self.learner is None else self.learner.digest()

    @property
    def decided(self) -> Decided | None:
        """What a learned exit has decided; None of another."""
        return None if self.learner is None else self.learner.decided

    def gate_counts(self) -> list[tuple[str, str, int]]:
        """(symbol, gate, how often it blocked), where it did."""
        return counted(self.counts, self.machine.market.symbols)


def rule_of(bot: Bot, name: str) -> str | None:
    """The function of a bot's entry or exit that stands behind one of `RULES`; None for none."""
    part, functions = RULES[name]
    if name == "stop_rule" and not bot.exit.trails:
        return None
    there = [x for x in functions if getattr(part_of(bot, part), x, None) is not None]
    return there[0] if there else None


def part_of(bot: Bot, part: str) -> Any:
    """The entry of a bot, or the exit whose rules place its levels."""
    return bot.entry if part == "entry" else acting(bot.exit)


def longest_of(bot: Bot) -> int:
    """How many bars a position of a bot is held at most; 0 for any number."""
    return int(getattr(bot.exit, "max_bars", 0))


def rules_of(bot: Bot) -> list[Callable[..., Any]]:
    """The functions that decide what a bot does."""
    named = [(part, rule_of(bot, name)) for name, (part, _) in RULES.items()]
    return [getattr(part_of(bot, part), rule) for part, rule in named if rule is not None]


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
