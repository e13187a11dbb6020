"""The figures of a session for Prometheus; labels come from the configuration alone."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intrabar.app.workers.backups import backup_age
from intrabar.app.workers.log_events import since_start
from intrabar.app.workers.standing import Standing
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.rerun import EVENTS
from intrabar.errors import MissingExtra
from intrabar.links.clock import SECOND_NS, Clock
from intrabar.model.entry import Entry
from intrabar.risk.breaker import Level
from intrabar.version import __version__

if TYPE_CHECKING:
    from prometheus_client import Counter, Gauge, Histogram

BUCKETS = (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # seconds
ANOMALIES = ("bar.late", "bar.corrected", "bar.bad", "not_repeatable")


class Metrics:
    """Counts what is committed; an observer of a session's driver, behind its `Signs`.

    Parameters
    ----------
    plan : Plan
    standing : Standing
        Of the session's `Signs`, which are told first.
    name : str
        Of the session.
    folder : Path
    clock : Clock
    commit_seconds : callable
        How long the last commit took.
    commit : str
        Of the program, "" where it is not known.

    Raises
    ------
    MissingExtra
        It needs packages that are not installed.
    """

    def __init__(
        self,
        plan: Plan,
        standing: Standing,
        name: str,
        folder: Path,
        clock: Clock,
        commit_seconds: Callable[[], float],
        commit: str = "",
    ) -> None:
        try:
            import prometheus_client
        except ImportError:
            raise MissingExtra("metrics", "live") from None
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = prometheus_client.CollectorRegistry()
        self._library = prometheus_client
        self._plan, self._standing, self._clock = plan, standing, clock
        self._name, self._commit_seconds = name, commit_seconds
        self._set_up(folder, commit)

    def take(self, entries: Sequence[Entry], session: object = None) -> None:
        """Count what has been committed, and show how the session stands."""
        for entry in since_start(entries):
            self._count(entry)
        self._commits.observe(self._commit_seconds())
        self._show()

    def lagged(self, seconds: float) -> None:
        """The event loop was so late."""
        self._lag.observe(seconds)

    def turned(self, kind: str, seconds: float) -> None:
        """How long a turn took: of a row, from its last bar to its commands."""
        if kind == "row.closed":
            self._decided.observe(seconds)

    def store_is_up(self, is_up: Callable[[], bool]) -> None:
        """Show whether the journal can be written; it is asked when somebody looks."""
        self._store.set_function(is_up)

    def render(self) -> bytes:
        """What `/metrics` answers."""
        return self._library.generate_latest(self.registry)

    def _set_up(self, folder: Path, commit: str) -> None:
        clock = self._clock
        since = clock.tick()
        info = self._gauge("build_info", "What runs", "version", "commit")
        info.labels(self._name, __version__, commit).set(1)
        self._one("up_seconds", "How long it runs").set_function(lambda: clock.tick() - since)
        self._gauge("mode", "How it trades", "mode").labels(self._name, "paper").set(1)
        self._states = self._gauge("breaker_state", "The breaker", "state")
        self._shown = {
            name: self._one(name, says)
            for name, says in (
                ("equity", "Account currency"),
                ("exposure_ratio", "Net positions at their closes, over the equity"),
                ("positions", "Sleeves that are not flat"),
                ("orders_working", "Orders that work"),
                ("journal_seq", "The last record"),
            )
        }
        self._limits: dict[str, Any] = {}
        self._ages = self._gauge("data_age_seconds", "Since the close of the last bar", "symbol")
        self._links = self._gauge("link_up", "1: it is up", "link")
        self._turns = self._counter("turns", "Events", "kind")
        self._commands = self._counter("commands", "What strategies asked for", "strategy")
        self._fills = self._counter("fills", "Orders filled", "strategy")
        self._anomalies = self._counter("anomalies", "What should not be", "kind")
        self._refusals = self._counter("refusals", "What was refused", "rule")
        self._lag = self._histogram("event_loop_lag_seconds", "How late").labels(self._name)
        text = "From the last bar to the commands"
        self._decided = self._histogram("bar_to_intent_seconds", text).labels(self._name)
        self._commits = self._histogram("commit_seconds", "A commit").labels(self._name)
        self._store = self._one("store_up", "1: the journal can be written")
        self._one("disk_free_bytes", "Of the folder").set_function(lambda: _free(folder))
        self._one("journal_bytes", "Of SQLite").set_function(lambda: _size(folder / "journal.db"))
        age = partial(_backup_age, folder, clock)
        self._one("backup_age_seconds", "Since the last backup").set_function(age)
        for strategy in self._plan.names:
            self._commands.labels(self._name, strategy)
            self._fills.labels(self._name, strategy)
        for kind in ANOMALIES:
            self._anomalies.labels(self._name, kind)
        for symbol in self._plan.symbols:
            self._ages.labels(self._name, symbol).set_function(partial(self._age, symbol))

    def _count(self, entry: Entry) -> None:
        name, body = self._name, entry.body
        if entry.kind in EVENTS:
            self._turns.labels(name, entry.kind).inc()
        if entry.kind in ANOMALIES:
            self._anomalies.labels(name, entry.kind).inc()
        elif entry.kind == "command" and body["by"] != "session":
            self._commands.labels(name, body["strategy"]).inc()
        elif entry.kind == "fill":
            self._fills.labels(name, body["strategy"]).inc()
        elif entry.kind == "refused":
            self._refusals.labels(name, body["rule"]).inc()

    def _show(self) -> None:
        standing, name = self._standing, self._name
        row = standing.row
        values = {
            "equity": row.get("equity", math.nan),
            "exposure_ratio": row.get("exposure", math.nan),
            "positions": standing.held,
            "orders_working": len(standing.orders),
            "journal_seq": standing.seq,
        }
        for figure, value in values.items():
            self._shown[figure].set(value)
        for level in Level:
            self._states.labels(name, level.word).set(level.word == standing.breaker)
        for link, state in standing.links.items():
            self._links.labels(name, link).set(state["state"] == "up")
        if row:
            self._show_limits(row)

    def _show_limits(self, row: dict[str, Any]) -> None:
        """What of the limits of losses is used up; no limit, no figure."""
        limits = self._plan.limits
        lost = -row["day_profit"]
        used = []
        if limits.max_daily_loss is not None:
            used.append(lost / limits.max_daily_loss)
        if limits.max_daily_loss_pct is not None:
            began = row["equity"] - row["day_profit"]
            used.append(100.0 * lost / began / limits.max_daily_loss_pct)
        if used:
            self._limit("day_loss_ratio", "Lost today, over the limit", max(used))
        if limits.max_drawdown_pct is not None:
            drawdown = 100.0 * row["drawdown"] / limits.max_drawdown_pct
            self._limit("drawdown_ratio", "Below the peak, over the limit", drawdown)

    def _limit(self, name: str, says: str, value: float) -> None:
        if name not in self._limits:
            self._limits[name] = self._one(name, says)
        self._limits[name].set(max(value, 0.0))

    def _age(self, symbol: str) -> float:
        mark = self._standing.marks.get(symbol)
        if mark is None or not mark.time:
            return math.nan
        return (self._clock.now() - mark.time) / SECOND_NS

    def _one(self, name: str, says: str) -> Any:
        return self._gauge(name, says).labels(self._name)

    def _gauge(self, name: str, says: str, *labels: str) -> Gauge:
        return self._library.Gauge(
            f"intrabar_{name}", says, ("session", *labels), registry=self.registry
        )

    def _counter(self, name: str, says: str, *labels: str) -> Counter:
        return self._library.Counter(
            f"intrabar_{name}", says, ("session", *labels), registry=self.registry
        )

    def _histogram(self, name: str, says: str, *labels: str) -> Histogram:
        return self._library.Histogram(
            f"intrabar_{name}", says, ("session", *labels), registry=self.registry,
            buckets=BUCKETS,
        )  # fmt: skip


def _free(folder: Path) -> float:
    try:
        return float(shutil.disk_usage(folder).free)
    except OSError:
        return math.nan


def _backup_age(folder: Path, clock: Clock) -> float:
    try:
        return backup_age(folder, clock.now())
    except OSError:
        return math.nan


def _size(path: Path) -> float:
    try:
        return float(path.stat().st_size)
    except OSError:
        return math.nan  # the journal is elsewhere
