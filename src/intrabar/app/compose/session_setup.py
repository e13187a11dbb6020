"""What a session needs to begin, or to go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from intrabar.app.compose.broker_fills import SIMULATED, Answered, broker_body, fills_in
from intrabar.app.config.model import Config
from intrabar.app.provenance import content, parameters
from intrabar.data.alongside import Alongside
from intrabar.data.heard import name_of
from intrabar.engine.session.bandits import States, body_of
from intrabar.engine.session.graces import Graces
from intrabar.engine.session.marks import Known, Marks
from intrabar.engine.session.plan import Plan
from intrabar.engine.session.predicting import Predictor
from intrabar.engine.session.row import ClosedRow
from intrabar.engine.session.seal import Sealer
from intrabar.engine.tables.lessons import learned_exits, policy_hashes, require_unseen
from intrabar.engine.tables.states import states_of
from intrabar.errors import StateError
from intrabar.model.bars import Bars, Market
from intrabar.model.facts import SourceCan
from intrabar.sources import versions


@dataclass(frozen=True, eq=False)
class SessionSetup:
    """A session that can begin, or go on.

    Parameters
    ----------
    name : str
    plan : Plan
    config : Config
    history : tuple of ClosedRow
        Before the first row that is traded.
    trade_from : int, ns UTC
    along : mapping of symbol to Alongside
    recorded : mapping of symbol to Bars, or None
        The bars that are lived through; None: those of a source.
    rates : mapping of (base, quote) to Known
        Rates of exchange that the history ends with.
    remarks : tuple of str
        What was guessed, left out or contradicted on the way.
    predictor : Predictor or None
        What says what its strategies read of predictions; None where they read none.
    answered : Answered or None
        The account whose broker fills; None where the market does.
    market : Market or None
        Of the bars that are lived through, from the first of the history on.
    gate : mapping
        Who has passed the third gate of real money, and how.
    is_restored : bool
        A person says that the journal was put back.
    """

    name: str
    plan: Plan
    config: Config
    history: tuple[ClosedRow, ...]
    trade_from: int
    along: Mapping[str, Alongside]
    recorded: Mapping[str, Bars] | None
    rates: Mapping[tuple[str, str], Known]
    remarks: tuple[str, ...] = ()
    predictor: Predictor | None = None
    answered: Answered | None = None
    market: Market | None = None
    gate: Mapping[str, Any] = field(default_factory=dict)
    is_restored: bool = False

    def passed(self, gate: Mapping[str, Any]) -> SessionSetup:
        """With who has passed the third gate."""
        return replace(self, gate=gate)

    @property
    def lease(self) -> str | None:
        """What must be this process's alone: the account at the broker; None: the session."""
        if self.answered is None:
            return None
        if self.answered.name == SIMULATED:
            return f"{SIMULATED}/{self.name}"
        return f"{self.answered.name}/{self.answered.facts.id}"

    def as_begun(self, started: Mapping[str, Any], is_restored: bool = False) -> SessionSetup:
        """With what its journal says of its broker: names of orders are drawn once."""
        if self.answered is None:
            return self
        plan = replace(self.plan, broker=fills_in(started))
        return replace(self, plan=plan, is_restored=is_restored)

    @property
    def decides(self) -> str:
        """Hash of what decides: strategies, instruments, period, account. It is fixed."""
        strategies = self.plan.given
        told: list[Any] = [
            {name: parameters(one) for name, one in strategies.items()},
            [repr(x) for x in self.plan.instruments],
            self.plan.period,
            repr(self.plan.account),
        ]
        learned = {name: found for name, one in strategies.items() if (found := policy_hashes(one))}
        told += [learned] if learned else []
        if self.plan.broker is not None and self.answered is not None:
            account = self.answered.name, self.answered.facts.id, self.answered.kind
            told.append([*account, {k: list(v) for k, v in self.plan.broker.symbols.items()}])
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()

    @property
    def contents(self) -> dict[str, str]:
        """Of each strategy a hash of all that it holds, with the values of its arrays."""
        return {name: content(one) for name, one in self.plan.given.items()}

    @property
    def predictions(self) -> dict[str, list[str]]:
        """The columns of each request of its strategies, by its name."""
        return {name_of(x): list(names) for x, names in self.plan.columns.items()}

    def started(self, grace: int) -> dict[str, Any]:
        """The body of `session.started`; what bandits have learned before is read for it.

        Raises
        ------
        FileError, RunError, ConfigError
            A state cannot be read, is of another bandit, or knows the first row.
        """
        states = states_at_start(self.plan, self.trade_from)
        more: dict[str, Any] = {"bandits": body_of(states)} if states else {}
        if self.plan.broker is not None and self.answered is not None:
            more["broker"] = broker_body(self.answered, self.plan.broker)
        more |= {"gate": dict(self.gate)} if self.gate else {}
        settings = self.config.model_dump(mode="json", by_alias=True, exclude_none=True)
        return {
            "name": self.name,
            "history": len(self.history),
            "trade_from": self.trade_from,
            "grace": grace,
            "is_recorded": self.recorded is not None,
            "decides": self.decides,
            "contents": self.contents,
            "config": settings,
            "symbols": list(self.plan.symbols),
            "point_values": [x.point_value for x in self.plan.instruments],
            "strategies": list(self.plan.strategies),
            "period": self.plan.period,
            "phases": list(self.plan.phases),
            "limits": self.plan.limits.given(),
            "predictions": self.predictions,
            "versions": versions(),
            **more,
        }

    def require_same(self, started: Mapping[str, Any]) -> None:
        """Refuse to go on with another configuration than the session began with.

        Raises
        ------
        StateError
        """
        if started["decides"] != self.decides:
            raise StateError(
                f"session {self.name!r} began with other strategies, instruments, period or "
                "account; what decides is fixed: name another session (--name), or give the "
                "configuration that it began with"
            )
        if others := self.others(started):
            raise StateError(
                f"session {self.name!r} began with other values of {', '.join(others)}: signals, "
                "weights or what else its lists and arrays hold; what decides is fixed: give those "
                "that it began with, or name another session (--name)"
            )

        then = started.get("predictions", self.predictions)
        if then != self.predictions:
            raise StateError(
                f"session {self.name!r} began with predictions that had {then}, and its files now "
                f"have {self.predictions}; give back their columns, or name another session "
                "(--name)"
            )

    def others(self, started: Mapping[str, Any]) -> list[str]:
        """The strategies whose arrays are not those that it began with; journals say their hash."""
        now, then = self.contents, started.get("contents", {})
        return [name for name, digest in then.items() if now.get(name) != digest]

    def sealer(self, can: SourceCan, rows: Sequence[ClosedRow]) -> Sealer:
        """What makes rows of facts, behind the rows so far."""
        live = self.config.live
        return Sealer(
            self.plan.instruments,
            self.plan.period,
            can,
            rows[-1].time if rows else self.trade_from - 1,
            before=rows[-2_000:],
            recorded=self.recorded,
            hours=live.hours,
            graces=Graces(live.close_grace, live.act_within),
            along=self.along,
            marks=self._marks(),
        )

    def _marks(self) -> Marks | None:
        currencies = [x.currency for x in self.plan.instruments]
        own = self.plan.account.currency
        if set(currencies) == {own}:
            return None
        return Marks(self.plan.symbols, currencies, own, self.rates)


def states_at_start(plan: Plan, trade_from: int) -> States:
    """What the `state` of each exit holds, by strategy and symbol; of those not there, nothing.

    Raises
    ------
    FileError, RunError, ConfigError
        As `states_of`; or a state knows the first row that is traded.
    """
    found: States = {}
    for name, exit_ in learned_exits(plan.given).items():
        simulated = name in plan.shadowed
        own, _ = states_of(name, exit_, plan.symbols, must=False, simulated=simulated)
        found[name] = own
    first = np.array([trade_from], np.int64)
    require_unseen(plan.given, plan.symbols, first, None, plan.period, found)
    return {name: own for name, own in found.items() if own}
