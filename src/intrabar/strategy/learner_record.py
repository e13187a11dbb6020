"""What a bot with a learned exit is given beside its record, and what it remembers."""

from __future__ import annotations

from typing import Any

import numpy as np

from intrabar.exits.learned_kernel import Mind
from intrabar.exits.network import Network
from intrabar.exits.psi import DECILES
from intrabar.kernel import carray, kernel
from intrabar.sim.tables import pointer

# All that lasts of the campaign of one instrument, and of those before it.
MEMORY = np.dtype(
    [
        ("arm", "i8"),  # of the last decision
        ("side", "i8"),
        ("row", "i8"),  # number of the decision, -1 for none
        ("order", "i8"),  # id of the entry that it led to, -1 for none
        ("leaving", "i8"),  # id of the bot's own order to leave, -1 for none
        ("is_open", "i8"),  # the entry has filled
        ("spoilt", "i8"),  # somebody else has traded in the campaign
        ("campaign", "i8"),  # number of the present or last one, -1 before the first
        ("entry_bar", "i8"),
        ("asked", "i8"),  # signals so far ...
        ("undecided", "i8"),  # ... of these, with a window that was not known
        ("missing", "i8"),  # ... and without a row in the file of arms
        ("learned", "i8"),  # campaigns that the bandit has learned from
        ("learned_time", "i8"),  # when the last of them closed, ns UTC; -1 before
        ("last_campaign", "i8"),
        ("position", "f8"),  # after the last fill
        ("propensity", "f8"),
        ("prior", "f8"),  # of the arm, in units of score
        ("budget", "f8"),  # account currency
        ("gross", "f8"),
        ("costs", "f8"),
    ]
)

DECISION = np.dtype(
    [
        *((x, "i8") for x in ("bar", "time", "instrument", "side", "model", "arm", "greedy")),
        ("campaign", "i8"),  # that goes on where it was decided; -1 at an entry
        ("propensity", "f8"),
        ("prior", "f8"),
    ]
)
"""A line of the log; its scores and its context stand beside, in `values`."""

ENDED = np.dtype(
    [
        ("row", "i8"),  # of the decision, by number
        ("campaign", "i8"),
        ("entry_bar", "i8"),
        ("closed_bar", "i8"),
        ("closed_time", "i8"),  # ns UTC
        ("taught", "i8"),  # whether a bandit has learned from it
        ("spoilt", "i8"),
        ("budget", "f8"),
        ("gross", "f8"),
        ("costs", "f8"),
    ]
)
"""How the campaign of a decision ended. Both logs are only ever appended to: a rewind counts."""

MODEL = np.dtype(
    [
        ("ready", "i8"),  # ns UTC: it decides at later closes
        ("plan", "i8"),  # addresses
        ("rows", "i8"),
        ("weights", "i8"),
        ("count", "i8"),
        ("signs", "i8"),
        ("mean", "i8"),
        ("scale", "i8"),
        ("arm_means", "i8"),
        ("numbers_are", "i8"),
        ("ends", "i8"),  # (F, 9) float64: of the cells of each feature
        ("shares", "i8"),  # (F, 10) float64
        ("cells", "i8"),  # (F,) int64
        ("psi_limit", "f8"),
        ("calibration", "f8"),
    ]
)

FILED = np.dtype([("time", "i8"), ("side", "i8"), ("arm", "i8")])
"""An arm of a file, of one instrument; by time and side."""

LEARNER = np.dtype(
    [
        ("memory", "i8"),  # (n,) MEMORY
        ("instruments", "i8"),
        ("time", "i8"),  # (t,) int64, closes
        ("multiples", "i8"),  # address of the first instrument's ATR multiple among parameters
        ("width", "i8"),  # parameters of an instrument
        ("arms", "i8"),  # (K,) float64
        ("arms_count", "i8"),
        ("models", "i8"),  # (M,) MODEL
        ("models_count", "i8"),
        ("features", "i8"),  # F
        ("window", "i8"),
        ("tables", "i8"),  # (n,) addresses of (m, F) float64
        ("first_rows", "i8"),  # (n,) int64: number of the first row of each
        ("row_of", "i8"),  # (t, n) int32, from `first_bar` on
        ("first_bar", "i8"),
        ("ready_rows", "i8"),  # (n,) int64: the row from which on there are statistics
        ("chosen", "i8"),  # (n,) addresses of (1 + m, 2) int32; 0: none are noted
        ("positions", "i8"),  # 0, or 4 where it decides at each close
        ("position", "i8"),  # (4,) float64
        ("signs", "i8"),  # of the context
        ("means", "i8"),  # (n, F) float64
        ("scales", "i8"),
        ("has_bandit", "i8"),
        ("context_size", "i8"),  # d
        ("bandit", "i8"),  # (n, K, d + 1, d) float64
        ("factors", "i8"),
        ("contexts", "i8"),  # (n, d) float64, of the decision that is open
        ("filed", "i8"),  # (n,) addresses of FILED; 0: no file
        ("filed_counts", "i8"),
        ("static", "i8"),  # the arm where the file has none
        ("on_drift", "i8"),  # 1: the policy's static arm trades where its features have drifted
        ("max_bars", "i8"),
        ("held", "i8"),  # (n,) int64, of the bot
        ("x", "i8"),  # scratch, float64: (d,), (K,), (K,), (K,), ...
        ("numbers", "i8"),
        ("prior", "i8"),
        ("scores", "i8"),
        ("work", "i8"),
        ("work_size", "i8"),
        ("decisions", "i8"),  # so far
        ("ended", "i8"),
        ("log_rows", "i8"),  # 0: no log is kept
        ("log", "i8"),  # DECISION
        ("values", "i8"),  # (log_rows, K + d) float64
        ("ends", "i8"),  # ENDED
        ("alpha", "f8"),
        ("explore", "f8"),
    ]
)


# What touches memory behind an address; the interpreted run has Python functions in their place.


@kernel
def memory_of(learner: Any, j: int) -> Any:
    """What is remembered of an instrument."""
    return carray(pointer(learner.memory), learner.instruments, MEMORY)[j]


@kernel
def time_at(learner: Any, i: int) -> int:
    """When a bar closes, ns UTC."""
    return carray(pointer(learner.time), i + 1, np.int64)[i]


@kernel
def model_at(learner: Any, i: int) -> int:
    """The newest policy that could have been trained by a close; -1 before the first."""
    models = carray(pointer(learner.models), learner.models_count, MODEL)
    time, newest = time_at(learner, i), -1
    for k in range(learner.models_count):
        if models[k].ready < time:
            newest = k
    return newest


@kernel
def filed_at(learner: Any, i: int, j: int, side: int) -> int:
    """The arm of a file at a close, -1 where it has none."""
    addresses = carray(pointer(learner.filed), learner.instruments, np.int64)
    counts = carray(pointer(learner.filed_counts), learner.instruments, np.int64)
    rows = carray(pointer(addresses[j]), counts[j], FILED)
    time, low, high = time_at(learner, i), 0, counts[j]
    while low < high:
        middle = (low + high) // 2
        if rows[middle].time < time:
            low = middle + 1
        else:
            high = middle
    while low < counts[j] and rows[low].time == time:
        if rows[low].side == side:
            return rows[low].arm
        low += 1
    return -1


@kernel
def chosen_at(learner: Any, i: int, j: int) -> Any:
    """What is noted at a close for other runs over the same table, by side, short first: (2,).

    0 for nothing, else 1 + the number of the policy times the arms + the arm.
    """
    n = learner.instruments
    row = carray(pointer(learner.row_of), (i - learner.first_bar + 1, n), np.int32)[
        i - learner.first_bar, j
    ]
    address = carray(pointer(learner.chosen), n, np.int64)[j]
    return carray(pointer(address), (row + 2, 2), np.int32)[row + 1]


@kernel
def bandit_of(learner: Any, j: int) -> Any:
    """`A` and `b` of an instrument, (K, d + 1, d); none of the arms where there is no bandit."""
    arms = learner.arms_count * learner.has_bandit
    size = learner.context_size
    every = carray(pointer(learner.bandit), (learner.instruments, arms, size + 1, size), np.float64)
    return every[j]


@kernel
def factors_of(learner: Any, j: int) -> Any:
    """What is factored of them, of the same shape."""
    arms = learner.arms_count * learner.has_bandit
    size = learner.context_size
    every = carray(
        pointer(learner.factors), (learner.instruments, arms, size + 1, size), np.float64
    )
    return every[j]


@kernel
def context_of(learner: Any, j: int) -> Any:
    """The context of the decision that is open, (d,)."""
    return carray(
        pointer(learner.contexts), (learner.instruments, learner.context_size), np.float64
    )[j]


@kernel
def held_bars(learner: Any, j: int) -> int:
    """How many bars the present position has been held."""
    return carray(pointer(learner.held), learner.instruments, np.int64)[j]


@kernel
def position_of(learner: Any) -> Any:
    """Where is told what is known of the own position, (4,)."""
    return carray(pointer(learner.position), 4, np.float64)


@kernel
def cells_at(learner: Any, model: int) -> Any:
    """Where the cells of each feature of a policy end, their shares, and how many there are."""
    one = carray(pointer(learner.models), learner.models_count, MODEL)[model]
    features = learner.features
    return (
        carray(pointer(one.ends), (features, DECILES), np.float64),
        carray(pointer(one.shares), (features, DECILES + 1), np.float64),
        carray(pointer(one.cells), features, np.int64),
        one.psi_limit,
    )


@kernel
def normal_at(learner: Any) -> Any:
    """Scale and mean by which contexts are normalised."""
    one = carray(pointer(learner.models), learner.models_count, MODEL)[0]
    scale = carray(pointer(one.scale), learner.features, np.float64)
    return scale, carray(pointer(one.mean), learner.features, np.float64)


@kernel
def set_arm(learner: Any, j: int, arm: int) -> None:
    """Let the exit's rules read the ATR multiple of an arm."""
    arms = carray(pointer(learner.arms), learner.arms_count, np.float64)
    count = (learner.instruments - 1) * learner.width + 1
    carray(pointer(learner.multiples), count, np.float64)[j * learner.width] = arms[arm]


@kernel
def largest_arm(learner: Any) -> float:
    """The largest ATR multiple."""
    return carray(pointer(learner.arms), learner.arms_count, np.float64)[learner.arms_count - 1]


@kernel
def mind_of(learner: Any, i: int, j: int, model: int) -> Any:
    """What a decision reads and writes; `model` is -1 where there is no policy."""
    n, features, arms = learner.instruments, learner.features, learner.arms_count
    end = 0
    if features > 0:
        row_of = carray(pointer(learner.row_of), (i - learner.first_bar + 1, n), np.int32)
        row = row_of[i - learner.first_bar, j]
        end = row + 1 - carray(pointer(learner.first_rows), n, np.int64)[j]
        if row < carray(pointer(learner.ready_rows), n, np.int64)[j]:
            end = 0
    begin = end - learner.window
    if begin < 0:
        begin, end = 0, 0
    table = carray(
        pointer(carray(pointer(learner.tables), n, np.int64)[j]), (end, features), np.float64
    )
    one = carray(pointer(learner.models), max(learner.models_count, 1), MODEL)[max(model, 0)]
    net = Network(
        carray(pointer(one.plan), (one.rows, 5), np.int64),
        carray(pointer(one.weights), one.count, np.float32),
        carray(pointer(one.signs), features, np.int8),
        carray(pointer(one.mean), features, np.float64),
        carray(pointer(one.scale), features, np.float64),
    )
    means = carray(pointer(learner.means), (n, features), np.float64)
    scales = carray(pointer(learner.scales), (n, features), np.float64)
    return Mind(
        net,
        one.numbers_are,
        one.calibration,
        carray(pointer(one.arm_means), arms, np.float64),
        table[begin:end],
        carray(pointer(learner.position), learner.positions, np.float64),
        carray(pointer(learner.signs), features, np.int8),
        means[j],
        scales[j],
        learner.alpha,
        learner.explore,
        factors_of(learner, j),
        carray(pointer(learner.x), learner.context_size, np.float64),
        carray(pointer(learner.numbers), arms, np.float64),
        carray(pointer(learner.prior), arms, np.float64),
        carray(pointer(learner.scores), arms, np.float64),
        carray(pointer(learner.work), learner.work_size, np.float64),
    )


@kernel
def is_filling(learner: Any) -> bool:
    """Whether three quarters of a log are used: there is room for one more call of a hook."""
    used = max(learner.decisions, learner.ended)
    return learner.log_rows > 0 and 4 * used >= 3 * learner.log_rows


@kernel
def log_of(learner: Any) -> Any:
    """Lines of the log."""
    return carray(pointer(learner.log), learner.log_rows, DECISION)


@kernel
def values_of(learner: Any) -> Any:
    """Their scores, then their contexts."""
    width = learner.arms_count + learner.context_size
    return carray(pointer(learner.values), (learner.log_rows, width), np.float64)


@kernel
def ends_of(learner: Any) -> Any:
    """How campaigns ended."""
    return carray(pointer(learner.ends), learner.log_rows, ENDED)
