"""What a session hears of predictions: they come as events, before the rows that they are for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from intrabar.data.heard import Heard, hash_of_rows, name_of
from intrabar.engine.session.turn import Notice
from intrabar.errors import IntegrityError, StateError
from intrabar.indicators.given import Request
from intrabar.model.entry import Entry

HEARD = ("prediction", "prediction.changed", "model")
"""Kinds of events: of bars; that those of bars that are over are others now; of another model."""


class Hearing:
    """The predictions of a session so far.

    Parameters
    ----------
    columns : mapping of Request to names
        What its strategies read.

    Attributes
    ----------
    models : dict
        Hash of the model in use, by request.
    """

    def __init__(self, columns: Mapping[Request, Sequence[str]]) -> None:
        self._heard = {name_of(x): Heard(x, names) for x, names in columns.items()}
        self._said: list[str] = []
        self.models: dict[str, str] = {}

    @property
    def by_request(self) -> Mapping[Request, Heard]:
        """As strategies read it."""
        return {one.request: one for one in self._heard.values()}

    def has(self, time: int) -> bool:
        """Whether all has been said of the row of this close."""
        return all(one.has(time) for one in self._heard.values())

    def take(self, event: Entry, trade_from: int) -> list[Notice]:
        """Take an event in; what a person must know of it.

        Raises
        ------
        StateError, IntegrityError
            A prediction that no strategy reads, or that is not what its hash says.
        """
        body = event.body
        request = str(body["request"])
        if event.kind == "model":
            self.models[request] = str(body["hash"])
        elif event.kind == "prediction.changed":
            return [Notice("alarm", f"predictions {request}", str(body["text"]))]
        else:
            self._prediction(body, trade_from)
            if body.get("fails"):
                text = f"no prediction of {request}: {body['why']}"
                return [Notice("alarm", f"predictions {request}", text)]
        return []

    def forget(self, until: int) -> None:
        """Let go of what was said of bars that closed by an instant (ns UTC)."""
        for one in self._heard.values():
            one.forget(until)

    def _prediction(self, body: Mapping[str, Any], trade_from: int) -> None:
        request, rows = str(body["request"]), body["rows"]
        if request not in self._heard:
            raise StateError(f"a prediction of {request} has come, and no strategy reads it")
        if hash_of_rows(rows) != body["hash"]:
            raise IntegrityError(f"a prediction of {request} is not what its hash says")
        self._heard[request].take(rows)
        if rows and int(rows[-1][1]) >= trade_from:
            self._said.append(str(body["hash"]))

    def said(self) -> dict[str, Any]:
        """The hashes of what was said of the row that ends, for its record; nothing of nothing."""
        said, self._said = self._said, []
        return {"predicted": said} if said else {}


def models_in(entries: Iterable[Entry]) -> dict[str, str]:
    """The hash of the model that was last in use, by request, of a journal."""
    return {str(e.body["request"]): str(e.body["hash"]) for e in entries if e.kind == "model"}
