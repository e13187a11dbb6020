"""What a bot with a learned exit does at a signal, at a held close and at a fill, compiled.

The interpreted run executes the same code objects, as with `bot_kernel`.
"""

from __future__ import annotations

import math
from typing import Any

from intrabar.exits.bandit import learn
from intrabar.exits.learned_kernel import UNDECIDED, choose
from intrabar.exits.network import highest
from intrabar.exits.position import marked_profit, tell_position
from intrabar.exits.psi import STRETCH, index_of
from intrabar.kernel import carray, cfunc, kernel
from intrabar.model.enums import FillReason
from intrabar.sim.hook import GO_ON
from intrabar.sim.state import Book
from intrabar.sim.tables import as_book, pointer
from intrabar.strategy.bot_record import BOT
from intrabar.strategy.learner_record import (
    LEARNER,
    bandit_of,
    cells_at,
    chosen_at,
    context_of,
    ends_of,
    factors_of,
    filed_at,
    held_bars,
    largest_arm,
    log_of,
    memory_of,
    mind_of,
    model_at,
    normal_at,
    position_of,
    set_arm,
    time_at,
    values_of,
)

ENTRY, EXIT = int(FillReason.ENTRY), int(FillReason.EXIT)
END_OF_DATA = int(FillReason.END_OF_DATA)


@kernel
def decide(learner: Any, i: int, j: int, side: int, draw: float) -> int:
    """Choose the arm of an entry; UNDECIDED where that cannot be. Phase: CLOSE of the signal."""
    m = memory_of(learner, j)
    m.asked += 1
    m.order = -1
    if learner.filed != 0:
        arm = filed_at(learner, i, j, side)
        if arm < 0:
            m.missing += 1
            arm = learner.static
        note(learner, i, j, side, -1, arm, arm, 1.0)
        return arm
    model = model_at(learner, i)
    if model < 0 and learner.models_count > 0:
        m.undecided += 1
        return UNDECIDED
    if learner.chosen != 0:
        noted = chosen_at(learner, i, j)[(1 + side) // 2] - 1
        if noted >= 0 and noted // learner.arms_count == model:
            arm = noted % learner.arms_count
            note(learner, i, j, side, model, arm, arm, 1.0)
            return arm
    mind = mind_of(learner, i, j, model)
    position_of(learner)[:] = 0.0
    arm, greedy, propensity = choose(mind, side, draw)
    if arm < 0:
        m.undecided += 1
        return UNDECIDED
    if has_drifted(learner, model):
        arm, propensity = highest(mind.arm_means), 1.0
    note(learner, i, j, side, model, arm, greedy, propensity)
    if learner.has_bandit != 0:
        m.prior = mind.prior[arm]
        context_of(learner, j)[:] = mind.x
    elif learner.chosen != 0:
        chosen_at(learner, i, j)[(1 + side) // 2] = 1 + model * learner.arms_count + arm
    return arm


@kernel
def has_drifted(learner: Any, model: int) -> bool:
    """Whether the static arm trades: the last decisions have other features than the training."""
    end = learner.decisions
    if learner.on_drift == 0 or end < STRETCH:
        return False
    values = values_of(learner)[end - STRETCH : end, learner.arms_count + 1 :]
    scale, mean = normal_at(learner)
    ends, shares, cells, limit = cells_at(learner, model)
    for f in range(learner.features):
        k = cells[f]
        if index_of(values, f, scale[f], mean[f], ends[f, : k - 1], shares[f, :k]) > limit:
            return True
    return False


@kernel
def note(
    learner: Any, i: int, j: int, side: int, model: int, arm: int, greedy: int, propensity: float
) -> None:
    """Remember the arm of an entry, and write a line of the log."""
    m = memory_of(learner, j)
    m.arm = arm
    m.side = side
    m.propensity = propensity
    m.prior = 0.0
    m.row = learner.decisions
    set_arm(learner, j, arm)
    log(learner, i, j, model, greedy, -1)


@kernel
def log(learner: Any, i: int, j: int, model: int, greedy: int, campaign: int) -> None:
    """Write a line of the log, where one is kept."""
    if learner.log_rows > 0:
        m, line = memory_of(learner, j), log_of(learner)[learner.decisions]
        values = values_of(learner)[learner.decisions]
        mind = mind_of(learner, i, j, model)
        line.bar = i
        line.time = time_at(learner, i)
        line.instrument = j
        line.side = m.side
        line.model = model
        line.arm = m.arm
        line.greedy = greedy
        line.campaign = campaign
        line.propensity = m.propensity
        arms = learner.arms_count
        is_filed = learner.filed != 0
        line.prior = math.nan if is_filed else mind.prior[m.arm]
        for a in range(arms):
            values[a] = math.nan if is_filed else mind.scores[a]
        for k in range(learner.context_size):
            values[arms + k] = mind.x[k]
    learner.decisions += 1


@kernel
def decide_held(learner: Any, book: Book, i: int, j: int, strategy: int, atr: float) -> None:
    """Choose the arm of an open campaign anew; where that cannot be, it stays. Phase: CLOSE."""
    m = memory_of(learner, j)
    if m.is_open == 0 or m.spoilt != 0:
        return
    model = model_at(learner, i)
    if model < 0:
        return
    sleeve = book.sleeves[strategy * learner.instruments + j]
    x = book.instruments[j]
    profit = m.gross - m.costs + marked_profit(sleeve, x)
    bars, widest = held_bars(learner, j), largest_arm(learner)
    told = position_of(learner)
    tell_position(sleeve, x, profit, m.budget, bars, learner.max_bars, atr, widest, told)
    mind = mind_of(learner, i, j, model)
    arm, greedy, propensity = choose(mind, m.side, 1.0)
    if arm >= 0 and has_drifted(learner, model):
        arm = highest(mind.arm_means)
    if arm < 0 or arm == m.arm:
        return
    m.arm = arm
    m.propensity = propensity
    set_arm(learner, j, arm)
    log(learner, i, j, model, greedy, m.campaign)


@kernel
def hear(learner: Any, book: Book, n: int) -> None:
    """Take a notice in: open the slot of a decision, sum its fills, close it."""
    notice = book.notices[n]
    if notice["fill"] < 0:
        order = book.orders[notice.order]
        m = memory_of(learner, order.instrument)
        if order.id == m.order and m.is_open == 0 and order.filled == 0.0:
            m.order = -1  # refused, or taken back: nothing came of the decision
        return
    fill = book.fills[notice["fill"]]
    m = memory_of(learner, fill.instrument)
    before = m.position
    m.position = fill.position
    begins = fill.position != 0.0 and not before * fill.position > 0.0
    if begins:
        m.campaign += 1
    if m.is_open == 0:
        if not (begins and m.order >= 0 and fill.order == m.order):
            return
        m.is_open = 1
        m.spoilt = 0
        m.leaving = -1
        m.entry_bar = fill.bar
        m.gross = 0.0
        m.costs = 0.0
    elif begins:  # turned round at one fill
        m.spoilt = 1
        m.campaign -= 1
        end(learner, fill)
        m.campaign += 1
        return
    elif fill.order != m.order and (
        fill.reason == ENTRY or (fill.reason == EXIT and fill.order != m.leaving)
    ):
        m.spoilt = 1
    m.gross += fill.realized
    m.costs += fill.cost
    if fill.position == 0.0:
        end(learner, fill)


@kernel
def end(learner: Any, fill: Any) -> None:
    """Close the slot of a decision, and let a bandit learn from it."""
    j = fill.instrument
    m = memory_of(learner, j)
    m.is_open = 0
    m.order = -1
    m.last_campaign = m.campaign
    taught = 0
    if m.spoilt == 0 and fill.reason != END_OF_DATA and learner.has_bandit != 0:
        score = (m.gross - m.costs) / m.budget if m.budget > 0.0 else math.nan
        bandit, factors = bandit_of(learner, j), factors_of(learner, j)
        if learn(bandit, factors, m.arm, context_of(learner, j), m.prior, score):
            taught = 1
            m.learned += 1
            m.learned_time = time_at(learner, fill.bar)
    if learner.log_rows > 0:
        line = ends_of(learner)[learner.ended]
        line.row = m.row
        line.campaign = m.campaign
        line.entry_bar = m.entry_bar
        line.closed_bar = fill.bar
        line.closed_time = time_at(learner, fill.bar)
        line.taught = taught
        line.spoilt = m.spoilt
        line.budget = m.budget
        line.gross = m.gross
        line.costs = m.costs
    learner.ended += 1


@cfunc("int64(int64, int64, int64, int64, float64)")
def decide_hook(context: int, i: int, j: int, side: int, draw: float) -> int:
    """`decide` of what lies at an address."""
    return decide(carray(pointer(context), 1, LEARNER)[0], i, j, side, draw)


@cfunc("int64(int64, int64, int64, int64, int64, float64)")
def held_hook(context: int, book: int, i: int, j: int, strategy: int, atr: float) -> int:
    """`decide_held` of what lies at addresses."""
    learner = carray(pointer(context), 1, LEARNER)[0]
    decide_held(learner, as_book(book), i, j, strategy, atr)
    return 0


@cfunc("int64(int64, int64)")
def notice_hook(context: int, n: int) -> int:
    """`on_notice` of a compiled bot with a learned exit."""
    bot = carray(pointer(context), 1, BOT)[0]
    hear(carray(pointer(bot.learner), 1, LEARNER)[0], as_book(bot.caller.book), n)
    return GO_ON
