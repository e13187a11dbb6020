"""What was decided and simulated in shadow, from a session's journal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars as pl

from intrabar.engine.outcome.decisions import ENDING, SCHEMA
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.shadows import entries_of
from intrabar.engine.tables.lessons import lessons_in
from intrabar.model.entry import Entry
from intrabar.model.remark import Remark
from intrabar.strategy.lessons import Lessons

PAIRED: dict[str, Any] = {"static_reward": pl.Float64, "d": pl.Float64}


def simulated_in(entries: Sequence[Entry], plan: Plan) -> pl.DataFrame | None:
    """The rows of `decisions` that were decided in shadow; None where no exit is.

    Parameters
    ----------
    entries : sequence of Entry
        All of a journal.
    plan : Plan

    Returns
    -------
    DataFrame
        As `decisions_of`, all of them `simulated`, and `campaign` null: none of them is one of the
        account's. `static_reward` is what the static arm would have earned, `d` the difference.
    """
    if not plan.shadowed:
        return None
    pairs = {(e.body["strategy"], e.body["number"]): e for e in entries if e.kind == "pair"}
    tables = [pl.DataFrame(schema={**SCHEMA, **ENDING, **PAIRED})]
    for name, lessons in lessons_in(plan.shadowed, plan.symbols, plan.period, {}).items():
        made = [e.body for e in entries if e.kind == "decision" and e.body["strategy"] == name]
        if made:
            rows = [_row(x, pairs.get((name, x["number"])), lessons) for x in made]
            tables.append(pl.DataFrame(rows, infer_schema_length=None))
    whole = pl.concat([x.cast(_types(x)) for x in tables], how="diagonal")
    last = [*ENDING, *PAIRED]
    return whole.select(*[x for x in whole.columns if x not in last], *last).sort(
        "bar", maintain_order=True
    )


def _row(made: dict[str, Any], over: Entry | None, lessons: Lessons) -> dict[str, Any]:
    """A decision, and how its pair ended."""
    arms = lessons.arms
    row = {name: made[name] for name in SCHEMA if name in made}
    row |= {"bar": made["row"], "campaign": None, "greedy": made["arm"] == made["greedy"]}
    row["prior"] = _number(made["prior"]) if lessons.policies else None
    row |= {f"score_{a:g}": _number(x) for a, x in zip(arms, made["scores"], strict=True)}
    row |= {f"x_{n}": _number(x) for n, x in zip(lessons.context_names, made["x"], strict=True)}
    body = {} if over is None else over.body
    return row | {
        "closed_bar": _bar(body.get("learned_row")),
        "closed_time": body.get("time"),
        "reward": _number(body.get("learned")),
        "simulated": True,
        "static_reward": _number(body.get("static")),
        "d": _number(body.get("d")),
    }


def _types(table: pl.DataFrame) -> Any:
    """The types of its columns; scores and contexts are numbers."""
    known = {**SCHEMA, **ENDING, **PAIRED}
    return {name: known.get(name, pl.Float64) for name in table.columns}


def _bar(given: int | None) -> int | None:
    return None if given is None or given < 0 else given


def _number(given: Any) -> float | None:
    """A number of a journal; None for none."""
    value = np.nan if given is None else float(given)
    return None if np.isnan(value) else value


def told_in(entries: Sequence[Entry], plan: Plan) -> Iterator[Remark]:
    """What exits in shadow would have made of it, and at how many entries they did not decide."""
    asked = Counter(x.strategy for x in entries_of(entries, plan))
    first = {(e.body["strategy"], e.body["number"]) for e in entries if e.kind == "decision"}
    decided = Counter(name for name, _ in first)
    found = differences_in(entries)
    for name in plan.shadowed:
        own = found.get(name, [])
        text = f"{name}: its learned exit is in shadow, and {len(own):,} pairs have closed"
        if own:
            mean = float(np.mean(own))
            text += f": {mean:+.3f} a campaign to the static arm that traded, in units of score"
        yield Remark(f"{text}; nothing of it is in these figures")
        left = asked[name] - decided[name]
        if left:
            yield Remark(
                f"{name}: {left:,} of {asked[name]:,} entries were not decided in shadow: a "
                "window, or the statistics of a context, were not known yet",
                severe=5 * left > asked[name],
            )
    for e in entries:
        if e.kind == "shadow":
            name, text = e.body["strategy"], e.body["text"]
            yield Remark(f"{name}: its shadow ended in row {e.bar}: {text}", severe=True)


def differences_in(entries: Sequence[Entry]) -> dict[str, list[float]]:
    """Of each exit in shadow, `d` of the pairs that have both scores."""
    found: dict[str, list[float]] = {}
    for e in entries:
        if e.kind == "pair" and _number(e.body["d"]) is not None:
            found.setdefault(str(e.body["strategy"]), []).append(float(e.body["d"]))
    return found
