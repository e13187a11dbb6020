"""The first record that a re-run of a journal does not repeat, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from intrabar.engine.session.rerun import Difference
from intrabar.model.entry import Entry
from intrabar.model.event import Step


@dataclass(frozen=True)
class FieldApart:
    """A field that two records do not share.

    Parameters
    ----------
    name : str
    recorded, again : JSON value
        None where one of them has no such field. Of records of two kinds, or where one is
        missing, the only field is `record`, and its values are the records.
    """

    name: str
    recorded: Any
    again: Any


@dataclass(frozen=True)
class RecordApart:
    """Where a re-run leaves the journal.

    Parameters
    ----------
    record : int
        Its number in the journal, from 1 on.
    at : int, ns UTC
    bar, step : int
    kind : str
        Of what was recorded, or of what the re-run has where nothing was.
    fields : tuple of FieldApart
    """

    record: int
    at: int
    bar: int
    step: int
    kind: str
    fields: tuple[FieldApart, ...]

    def __str__(self) -> str:
        one, step = self.fields[0], Step(self.step).name.lower()
        return (
            f"record {self.record} ({self.kind}), bar {self.bar}, step {step}: {one.name} "
            f"is {_short(one.recorded)} in the journal and {_short(one.again)} in the re-run"
        )


def record_apart(found: Difference) -> RecordApart:
    """The fields in which two records differ."""
    recorded, again = found.recorded, found.again
    one = recorded or again
    assert one is not None
    if recorded is None or again is None or recorded.kind != again.kind:
        fields = [FieldApart("record", _all(recorded), _all(again))]
    else:
        a, b = _fields(recorded), _fields(again)
        fields = [
            FieldApart(name, a.get(name), b.get(name))
            for name in dict.fromkeys([*a, *b])
            if (a.get(name), name in a) != (b.get(name), name in b)
        ]
    return RecordApart(found.number, one.at, one.bar, one.step, one.kind, tuple(fields))


def _fields(entry: Entry) -> dict[str, Any]:
    return {"at": entry.at, "bar": entry.bar, "step": entry.step, **entry.body}


def _all(entry: Entry | None) -> dict[str, Any] | None:
    return None if entry is None else {"record": entry.kind, **entry.body}


def _short(value: Any) -> Any:
    """A value in a sentence; of a whole record, its kind."""
    if value is None:
        return "nothing"
    return value["record"] if isinstance(value, dict) and "record" in value else value
