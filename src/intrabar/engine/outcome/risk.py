"""What limits did to a backtest: tables of refusals and of the breaker, and sentences of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import polars as pl

from intrabar.engine.judged import MovedAt, RiskLog
from intrabar.model.event import Step
from intrabar.model.remark import Remark
from intrabar.risk.breaker import ACCOUNT
from intrabar.risk.limits import left_out
from intrabar.sim.state import CANCEL, MODIFY, SUBMIT

ASKED = {SUBMIT: "order", MODIFY: "change", CANCEL: "cancel"}
TIME = pl.Datetime("ns", "UTC")


class RiskTold:
    """What the limits of a run did.

    Parameters
    ----------
    log : RiskLog
    """

    def __init__(self, log: RiskLog) -> None:
        self._log = log

    def __repr__(self) -> str:
        counts = ", ".join(f"{rule} {count:,}" for rule, count in self.counts.items())
        return f"<limits: {counts or 'nothing refused'}; the breaker is {self.state.upper()}>"

    @property
    def limits(self) -> dict[str, Any]:
        """The limits as they were given."""
        return self._log.said.given()

    @property
    def state(self) -> str:
        """Of the account's breaker at the end: "trading", "reducing", "halted", "flattening"."""
        return self._log.state

    @property
    def counts(self) -> dict[str, int]:
        """How much each rule has refused, most first."""
        return dict(Counter(one.refusal.rule for one in self._log.refused).most_common())

    @property
    def left_out(self) -> tuple[str, ...]:
        """Limits that were given and need quotes, which bars do not have."""
        return left_out(self._log.said)

    @property
    def refusals(self) -> pl.DataFrame:
        """What was refused, in order: place, order, rule, scope, value, limit and the sentence."""
        rows = [
            (
                *(r.bar, Step(r.step).name.lower(), r.time, r.strategy, r.symbol, r.order),
                *(ASKED.get(r.kind, "order"), r.refusal.rule, r.refusal.scope),
                *(r.refusal.value, r.refusal.limit, r.refusal.text),
            )
            for r in self._log.refused
        ]
        schema: dict[str, Any] = {
            "bar": pl.Int64,
            "step": pl.String,
            "time": pl.Int64,
            "strategy": pl.String,
            "symbol": pl.String,
            "order": pl.Int64,
            "asked": pl.String,
            "rule": pl.String,
            "scope": pl.String,
            "value": pl.Float64,
            "limit": pl.Float64,
            "text": pl.String,
        }
        table = pl.DataFrame(rows, schema=schema, orient="row")
        return table.with_columns(pl.col("time").cast(TIME))

    @property
    def breaker(self) -> pl.DataFrame:
        """Causes that were set or taken away, in order, with the state of the account after it."""
        columns = ("event", "cause", "scope", "level", "set", "state", "value", "limit", "text")
        rows = [(m.bar, m.time, *(m.body[name] for name in columns)) for m in self._moved]
        schema: dict[str, Any] = {
            "bar": pl.Int64,
            "time": pl.Int64,
            "event": pl.String,
            "cause": pl.String,
            "scope": pl.String,
            "level": pl.String,
            "set": pl.Boolean,
            "state": pl.String,
            "value": pl.Float64,
            "limit": pl.Float64,
            "text": pl.String,
        }
        table = pl.DataFrame(rows, schema=schema, orient="row")
        return table.with_columns(pl.col("time").cast(TIME))

    @property
    def remarks(self) -> list[Remark]:
        """What a person has to know of it."""
        found = [*self._tripped(), *self._refused()]
        found += [
            Remark(f"risk.{key} was not checked: it needs quotes, and bars have none")
            for key in self.left_out
        ]
        if self._log.said.resume is not None:
            back = len({m.bar for m in self._moved if m.body["event"] == "resume"})
            text = (
                f"risk.resume: next_day put the breaker back {_times(back)}; in a session it "
                "stays until a person resumes it"
            )
            found.append(Remark(text))
        return found

    @property
    def _moved(self) -> list[MovedAt]:
        return [m for m in self._log.moved if m.kind == "breaker"]

    def _tripped(self) -> list[Remark]:
        """The first of each cause of the account; it stays until somebody resumes."""
        found = []
        first: dict[str, MovedAt] = {}
        for moved in self._moved:
            is_new = moved.body["set"] and moved.body["event"] != "flat"
            if is_new and (moved.body["scope"] == ACCOUNT or self._is_alone(moved)):
                first.setdefault(f"{moved.body['cause']} {moved.body['scope']}", moved)
        latched = "" if self._log.said.resume else ". Nobody resumes it in a backtest"
        for moved in first.values():
            day, body = str(np.datetime64(moved.time, "ns"))[:10], moved.body
            whose = "The breaker" if body["scope"] == ACCOUNT else f"The breaker of {body['scope']}"
            text = f"{whose} is {body['level'].upper()} from {day} on: {body['text']}{latched}"
            found.append(Remark(text, severe=True))
        return found

    def _is_alone(self, moved: MovedAt) -> bool:
        """Whether a strategy's cause is none of the account's at the same row."""
        return not any(
            m.body["scope"] == ACCOUNT and m.bar == moved.bar and m.body["set"] for m in self._moved
        )

    def _refused(self) -> list[Remark]:
        """How much each rule refused, and the first time."""
        first: dict[str, str] = {}
        for one in self._log.refused:
            day = str(np.datetime64(one.time, "ns"))[:10]
            first.setdefault(one.refusal.rule, f"first on {day}: {one.refusal.text}")
        return [
            Remark(f"risk: {rule} refused {_times(count)}, {first[rule]}")
            for rule, count in self.counts.items()
        ]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
