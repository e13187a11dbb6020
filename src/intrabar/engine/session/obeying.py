"""What persons ask of a session that is not about orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from intrabar.engine.session.hand import ORDERS
from intrabar.engine.session.wind_down import WindDown
from intrabar.errors import NotFoundError, UsageError
from intrabar.risk.judge import Judge

OTHERS = ("flatten", "kill", "halt", "resume", "stop_when_flat")
"""The kinds of commands of a person that are not about orders."""


def obey(
    body: Mapping[str, Any],
    judge: Judge,
    wind_down: WindDown,
    symbols: Sequence[str],
    known: Mapping[str, bool],
) -> None:
    """Do what a person asks for; it acts with the steps that come.

    Parameters
    ----------
    body : mapping
        `kind`, one of `OTHERS`, with `reason`; of resume `override` as well, of flatten `symbol`,
        without which all is closed.
    judge : Judge
    wind_down : WindDown
    symbols : sequence of str
        Of the session.
    known : mapping
        What `Judge.resume` asks of a session at a broker; empty where the market fills.

    Raises
    ------
    UsageError, NotFoundError
        It is no such command, or of no symbol of the session.
    IntrabarError
        As `Judge.resume`.
    """
    match body["kind"]:
        case "resume":
            if not wind_down.resume() or judge.breaker.causes:
                judge.resume(str(body["reason"]), body.get("override", ()), **known)
        case "kill" | "halt" as kind:
            judge.move(kind, text=str(body.get("reason", "")))
        case "flatten" if body.get("symbol") is None:
            judge.move("flatten", text=str(body.get("reason", "")))
        case "flatten":
            if body["symbol"] not in symbols:
                raise NotFoundError("symbol", body["symbol"], symbols)
            wind_down.leave([body["symbol"]])
        case "stop_when_flat":
            wind_down.stop_when_flat()
        case kind:
            raise UsageError(f"unknown command {kind!r}: {', '.join((*ORDERS, *OTHERS))}")
