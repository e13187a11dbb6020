"""A learned exit in a run: its arrays, what it remembers, and the log of what it decided."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intrabar.exits.bandit import start
from intrabar.exits.learned import FIRST_ROWS, STATIC, Learned
from intrabar.exits.learned_kernel import gather
from intrabar.exits.policy_arrays import POSITION
from intrabar.indicators.indicator import Floats, Times
from intrabar.sim.tables import address_of
from intrabar.strategy.learner_models import models_of
from intrabar.strategy.learner_record import (
    DECISION,
    ENDED,
    FILED,
    LEARNER,
    MEMORY,
)
from intrabar.strategy.learner_views import LearnerViews
from intrabar.strategy.lessons import Bandits, Decided, Lessons, Log, Tables

LEAST_LOG = 1024
NEVER = np.iinfo(np.int64).max
ALWAYS = np.iinfo(np.int64).min


class Learner:
    """What a learned exit reads and writes in a run.

    Parameters
    ----------
    exit_ : Learned, LinUCB or Hybrid
    lessons : Lessons
    symbols : sequence of str
    held : (n,) int64
        Bars that the bot has held.
    parameters : (n,) record of float64
        Of the exit's rule; `atr_multiple` is set by decisions.
    keeps_log : bool
    """

    def __init__(
        self,
        exit_: Any,
        lessons: Lessons,
        symbols: Sequence[str],
        held: NDArray[np.int64],
        parameters: NDArray[Any],
        keeps_log: bool,
    ) -> None:
        self.exit, self.lessons, self.symbols = exit_, lessons, tuple(symbols)
        self.held, self.parameters = held, parameters
        n, arms = len(symbols), len(lessons.arms)
        features = 0 if lessons.features is None else len(lessons.features.features)
        self.features, self.size = features, features + 1
        self.has_bandit = not isinstance(exit_, Learned)
        self.record = np.zeros(1, LEARNER)
        self.memory = np.zeros(n, MEMORY)
        for name in ("row", "order", "leaving", "campaign", "learned_time", "last_campaign"):
            self.memory[name] = -1
        self.arms = np.array(lessons.arms)
        self.multiples = parameters.view(np.float64).reshape(n, -1)
        self.multiple_at = (parameters.dtype.names or ()).index("atr_multiple")
        self.multiples[:, self.multiple_at] = self.arms[lessons.static]
        self.window = 1 if lessons.features is None else lessons.features.window
        self._models = models_of(lessons.policies, lessons.ready, arms, features, self.window)
        self.networks, self.arm_means = self._models.networks, self._models.arm_means
        self.cells, self.models = self._models.cells, self._models.table
        static_on_drift = lessons.on_drift == STATIC
        self._contexts()
        self._bandits(arms if self.has_bandit else 0)
        self._scratch(arms)
        self._file()
        self.log = np.zeros(0, DECISION)
        self.values, self.ends = np.zeros((0, arms + self.size)), np.zeros(0, ENDED)
        self._fill()
        self.record[0]["on_drift"] = static_on_drift
        if keeps_log or static_on_drift:  # drift is that of the last lines
            self._make_room(max(LEAST_LOG, 4 * n))

    @property
    def decides_held(self) -> bool:
        """Whether it decides at each held close as well; a bandit decides at the entry alone."""
        return self.lessons.reads_position and not self.has_bandit

    @property
    def decides_alike(self) -> bool:
        """Whether row and side decide its arms in every run, and nothing else is kept of them."""
        keeps_log = bool(self.record[0]["log_rows"])
        return not (self.has_bandit or self.lessons.reads_position or keeps_log)

    @property
    def address(self) -> int:
        """Where kernels find it."""
        return address_of(self.record, LEARNER, (1,))

    # What it is made of

    def _contexts(self) -> None:
        """How the context of each instrument is normalised, and from which row on that is known."""
        n, policies = len(self.symbols), self.lessons.policies
        self.means, self.scales = np.zeros((n, self.features)), np.zeros((n, self.features))
        self.seen = np.full((n, 2), -1, np.int64)
        self.seen[:, 0] = FIRST_ROWS
        self.ready_rows, self.rows_taken = np.zeros(n, np.int64), np.zeros(n, np.int64)
        self.known_from, self.last_time = np.zeros(n, np.int64), 0
        self.signs = np.zeros(0, np.int8)
        if self.lessons.features is not None:
            self.signs = np.ascontiguousarray(self.lessons.features.signs, np.int8)
        for j, symbol in enumerate(self.symbols):
            state = self.lessons.states.get(symbol)
            if state is not None:
                self.means[j], self.scales[j] = state.mean, state.scale
            elif policies:
                self.means[j], self.scales[j] = policies[0].net.mean, policies[0].net.scale
            elif self.features:
                self.seen[j, 0], self.ready_rows[j], self.known_from[j] = 0, NEVER, -1

    def _bandits(self, arms: int) -> None:
        """What each has learned before, else nothing."""
        n, d = len(self.symbols), self.size
        self.bandit, self.factors = np.zeros((n, arms, d + 1, d)), np.zeros((n, arms, d + 1, d))
        self.contexts = np.zeros((n, d))
        if isinstance(self.exit, Learned):
            return
        for j, symbol in enumerate(self.symbols):
            state = self.lessons.states.get(symbol)
            if state is None:
                start(self.bandit[j], self.factors[j], self.exit.n0)
            else:
                self.bandit[j], self.factors[j] = state.bandit, state.factors()
                self.memory[j]["learned"] = state.n

    def _scratch(self, arms: int) -> None:
        """Room for one decision: its parts lie side by side in one array."""
        names = ("x", "position", "numbers", "prior", "scores", "work")
        work = max(self.size, self._models.work)
        sizes = (self.size, POSITION, arms, arms, arms, work)
        room = np.zeros(sum(sizes))
        begin, first = 0, address_of(room, np.float64, (None,))
        parts = []
        for name, size in zip(names, sizes, strict=True):
            parts.append(room[begin : begin + size])
            self.record[0][name] = first + 8 * begin
            begin += size
        self.x, self.position, self.numbers, self.prior, self.scores, self.work = parts
        self.x[:] = 1.0

    def _file(self) -> None:
        """The arms of a file, by instrument."""
        filed, n, row = self.lessons.filed, len(self.symbols), self.record[0]
        if filed is None:
            return
        none = np.zeros(0, FILED)
        self.filed = [filed.get(s, none) for s in self.symbols]
        self.filed_at = np.array([address_of(x, FILED, (None,)) for x in self.filed], np.int64)
        self.filed_counts = np.array([len(x) for x in self.filed], np.int64)
        row["filed"] = address_of(self.filed_at, np.int64, (n,))
        row["filed_counts"] = address_of(self.filed_counts, np.int64, (n,))

    def _fill(self) -> None:
        row, n = self.record[0], len(self.symbols)
        arrays: dict[str, NDArray[Any]] = {
            x: getattr(self, x)
            for x in (
                *("memory", "arms", "ready_rows", "signs", "means"),
                *("scales", "bandit", "factors", "contexts", "held"),
            )
        }
        for name, array in arrays.items():
            row[name] = address_of(array, array.dtype, array.shape)
        row["instruments"], row["arms_count"] = n, len(self.arms)
        first = address_of(self.multiples, np.float64, self.multiples.shape)
        row["multiples"], row["width"] = first + 8 * self.multiple_at, self.multiples.shape[1]
        row["models_count"] = len(self.lessons.policies)
        row["features"], row["window"] = self.features, self.window
        row["context_size"] = self.size
        row["positions"] = POSITION if self.lessons.reads_position else 0
        row["has_bandit"], row["static"] = self.has_bandit, self.lessons.static
        row["models"] = self._models.address
        row["work_size"], row["max_bars"] = len(self.work), self.exit.max_bars
        if not isinstance(self.exit, Learned):
            row["alpha"], row["explore"] = self.exit.alpha, self.exit.explore

    # In the course of a run

    def share(self, chosen: Sequence[NDArray[np.int32]]) -> None:
        """Note the arms of entries for other runs over the whole tables, and take those noted.

        Parameters
        ----------
        chosen : (1 + m, 2) int32 of each instrument, or nothing
            By row, the one before the first included, and side, short first.
        """
        if not chosen:
            return
        self.chosen = chosen
        self._chosen = np.array([address_of(x, np.int32, (None, 2)) for x in chosen], np.int64)
        self.record[0]["chosen"] = address_of(self._chosen, np.int64, (len(chosen),))

    def chosen_at(self, i: int, j: int) -> NDArray[np.int32]:
        """What is noted of both sides at a close."""
        _, row_of, _, first_bar = self._laid
        noted: NDArray[np.int32] = self.chosen[j][int(row_of[i - first_bar, j]) + 1]
        return noted

    def lay(self, tables: Tables | None, time: Times, first_bar: int) -> None:
        """Read these feature tables from here on.

        Parameters
        ----------
        tables : Tables or None
            None where no feature is read.
        time : (t,) int64, ns UTC
            Closes under the bar numbers of the whole.
        first_bar : bar
            The first row of `tables.row_of`.
        """
        n, row = len(self.symbols), self.record[0]
        if tables is None:
            own, row_of, first = (np.zeros((0, 0)),) * n, np.zeros((0, n), np.int32), (0,) * n
        else:
            own, row_of, first = tables.tables, tables.row_of, tables.first
            self._take_statistics(own, first)
            self._note_times(row_of, time, first_bar)
        addresses = np.array([address_of(x, np.float64, (None, None)) for x in own], np.int64)
        first_rows = np.array(first, np.int64)
        self.time, self._laid = time, (own, row_of, first, first_bar)
        self._kept = addresses, first_rows
        row["tables"] = address_of(addresses, np.int64, (n,))
        row["first_rows"] = address_of(first_rows, np.int64, (n,))
        row["row_of"], row["first_bar"] = address_of(row_of, np.int32, (None, n)), first_bar
        row["time"] = address_of(time, np.int64, (None,))

    def _take_statistics(self, tables: tuple[Floats, ...], first: tuple[int, ...]) -> None:
        """Take mean and scale of the first known rows, where nothing says what they are."""
        for j, (table, start_row) in enumerate(zip(tables, first, strict=True)):
            fresh = table[max(int(self.rows_taken[j]) - start_row, 0) :]
            begin = start_row + len(table) - len(fresh)
            self.rows_taken[j] = begin + len(fresh)
            if self.seen[j, 0] < FIRST_ROWS:
                rows = np.array(fresh)  # kernels are compiled for arrays that can be written to
                gather(
                    rows,
                    begin,
                    self.signs,
                    FIRST_ROWS,
                    self.means[j],
                    self.scales[j],
                    self.seen[j],
                )
                if self.seen[j, 1] >= 0:
                    self.ready_rows[j] = self.seen[j, 1]

    def _note_times(self, row_of: NDArray[np.int32], time: Times, first_bar: int) -> None:
        """Keep when statistics were known, and the last close that was laid."""
        self.last_time = int(time[first_bar + len(row_of) - 1])
        for j in np.flatnonzero((self.known_from < 0) & (self.ready_rows < NEVER)):
            bar = first_bar + int(np.searchsorted(row_of[:, j], self.ready_rows[j]))
            self.known_from[j] = int(time[bar])

    def past(self, i: int, j: int) -> Floats:
        """The rows that a decision at a bar reads; none where they are not there, or too early."""
        tables, row_of, first, first_bar = self._laid
        row = int(row_of[i - first_bar, j]) if len(row_of) else -1
        end = row + 1 - first[j]
        if row < self.ready_rows[j] or end < self.window:
            return tables[j][:0]
        return tables[j][end - self.window : end]

    def model_at(self, i: int) -> int:
        """The newest policy that could have been trained by a close; -1 before the first."""
        return int(np.searchsorted(np.array(self.lessons.ready, np.int64), self.time[i])) - 1

    def make_room(self) -> None:
        """Double the log where three quarters of it are used."""
        row = self.record[0]
        rows = int(row["log_rows"])
        if rows and 4 * max(int(row["decisions"]), int(row["ended"])) >= 3 * rows:
            self._make_room(2 * rows)

    def _make_room(self, rows: int) -> None:
        for name in ("log", "values", "ends"):
            old = getattr(self, name)
            new = np.zeros((rows, *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)
            self.record[0][name] = address_of(new, new.dtype, new.shape)
        self.record[0]["log_rows"] = rows

    @property
    def _lasting(self) -> tuple[NDArray[Any], ...]:
        """The arrays of all that it remembers from bar to bar."""
        return self.memory, self.contexts, self.bandit, self.factors, self.multiples

    @property
    def _counts(self) -> NDArray[np.int64]:
        """How long the logs are."""
        row = self.record[0]
        return np.array([row["decisions"], row["ended"]], np.int64)

    def checkpoint(self) -> tuple[NDArray[Any], ...]:
        """A copy of all that it remembers from bar to bar; of the logs, how long they are."""
        return *(x.copy() for x in self._lasting), self._counts

    def return_to(self, checkpoint: tuple[NDArray[Any], ...]) -> None:
        """Put back what a checkpoint holds; the arrays stay where they are."""
        *kept, counts = checkpoint
        for now, then in zip(self._lasting, kept, strict=True):
            now[:] = then
        self.record[0]["decisions"], self.record[0]["ended"] = counts

    def digest(self) -> str:
        """A hash of all that it remembers: equal runs, equal hash."""
        digest = hashlib.sha256()
        for array in (*self._lasting, self._counts):
            digest.update(array.tobytes())
        return digest.hexdigest()

    def logged(self) -> Log:
        """What was decided so far, and how it ended; nothing where no log is kept."""
        row = self.record[0]
        kept = int(row["log_rows"]) > 0
        decided, ended = (int(row[x]) if kept else 0 for x in ("decisions", "ended"))
        return Log(self.log[:decided], self.values[:decided], self.ends[:ended])

    @property
    def decided(self) -> Decided:
        """The logs, with what they are read by."""
        return Decided(self.logged(), self.memory.copy(), self.lessons, self._known())

    def _known(self) -> Bandits | None:
        """What its bandits know now; None where it has none."""
        if not self.has_bandit:
            return None
        last = int(self.last_time)
        return Bandits(
            self.exit.alpha,
            self.exit.n0,
            self.means.copy(),
            self.scales.copy(),
            self.known_from.copy(),
            sum(ready < last for ready in self.lessons.ready),
            self.bandit.copy(),
            self.contexts.copy(),
        )

    def replacements(self) -> dict[str, Callable[..., Any]]:
        """Python functions in the place of what kernels read behind addresses."""
        return LearnerViews(self).replacements()
