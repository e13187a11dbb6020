"""Tables worked out of the records, one after the other: orders, fills, trades, positions, ...

The same fold writes them while a session goes on and when they are built again, so that both are
equal. Kinds and fields that it does not know are passed over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from intrabar.errors import IntegrityError
from intrabar.journal.lots import Fill, Lot, Row, Sleeve
from intrabar.model.entry import Entry, whole
from intrabar.model.enums import Side
from intrabar.store.engine import Connection, execute_many
from intrabar.store.tables import (
    EQUITY,
    FILLS,
    ORDERS,
    POSITIONS,
    PROJECTIONS,
    SUBMISSIONS,
    TRADES,
    upsert,
    values_of,
)

Rows = dict[str, list[Row]]
"""Table -> rows to be written, or written over, in this order."""

_TYPES = {
    table.name: {column.name: column.type.python_type for column in table.columns}
    for table in PROJECTIONS
}
_UPSERTS = {table.name: (upsert(table), values_of(table)) for table in PROJECTIONS}


class Fold:
    """What the records so far say.

    Parameters
    ----------
    session : str
    positions, open_requests : iterable of mappings
        Rows of `positions`, and of `submissions` without an answer, from which it goes on.
    """

    def __init__(
        self,
        session: str,
        positions: Iterable[Mapping[str, Any]] = (),
        open_requests: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        self.session = session
        self._sleeves = {(row["strategy"], row["symbol"]): _sleeve(row) for row in positions}
        self._asked = {(row["client_id"], row["kind"]): dict(row) for row in open_requests}
        self._bar = -1
        self._here: dict[int, Row] = {}  # commands of this bar, the last of each number
        self._time: int | None = None  # of the row in progress
        self._read: dict[str, Callable[[Rows, int, Entry], None]] = {
            "order": self._order,
            "fill": self._fill,
            "row": self._row,
            "row.closed": self._closed,
            "command": self._request,
            "command.person": self._person,
            "intent": self._intent,
            "refused": self._refused,
            "outcome": self._outcome,
        }

    @property
    def kinds(self) -> Iterable[str]:
        """The kinds of records that it reads."""
        return self._read.keys()

    def add(self, rows: Rows, seq: int, entry: Entry) -> None:
        """Read a record; what it changes is appended to `rows`.

        Raises
        ------
        IntegrityError
            It lacks what it is found by.
        """
        read = self._read.get(entry.kind)
        if read is not None:
            read(rows, seq, entry)

    def _order(self, rows: Rows, seq: int, entry: Entry) -> None:
        number = _needed(entry, seq, "order")
        row = self._row_of(ORDERS.name, seq, _whole(entry), number=number)
        row.update(created=entry.at, changed=entry.at)
        rows[ORDERS.name].append(row)

    def _fill(self, rows: Rows, seq: int, entry: Entry) -> None:
        body = entry.body
        row = self._row_of(FILLS.name, seq, entry, order_number=body.get("order"))
        row["number"] = _as(int, body.get("index"))
        row["bar"] = _as(int, body.get("row", entry.bar))  # it may be told later
        if row["time"] is None:
            row["time"] = entry.at if self._time is None else self._time
        rows[FILLS.name].append(row)
        owner = (_as(str, body.get("strategy", "")), _as(str, _needed(entry, seq, "symbol")))
        sleeve = self._sleeves.setdefault(owner, Sleeve())
        fill = _fill_of(row, sleeve)
        for part, trade in enumerate(sleeve.add(fill)):
            named = {"session": self.session, "seq": seq, "part": part}
            named.update(strategy=owner[0], symbol=owner[1])
            rows[TRADES.name].append({**named, **_storable(trade)})
        rows[POSITIONS.name].append(self._position(owner, sleeve))

    def _position(self, owner: tuple[str, str], sleeve: Sleeve) -> Row:
        fields = {name: getattr(sleeve, name) for name in _HELD}
        lots = msgspec.json.encode(sleeve.lots).decode()
        named = {"session": self.session, "strategy": owner[0], "symbol": owner[1]}
        return {**named, **_storable(fields), "lots": lots}

    def _closed(self, rows: Rows, seq: int, entry: Entry) -> None:
        self._time = _as(int, entry.body.get("time"))

    def _row(self, rows: Rows, seq: int, entry: Entry) -> None:
        number = _needed(entry, seq, "row")
        self._time = None  # it is over; a broker fills before the next one
        rows[EQUITY.name].append(self._row_of(EQUITY.name, seq, entry, row=number))

    def _request(self, rows: Rows, seq: int, entry: Entry) -> None:
        entry = _whole(entry)
        body = entry.body
        row = self._row_of(SUBMISSIONS.name, seq, entry, order_number=body.get("order"))
        row["number"] = _as(int, body.get("index"))
        row["kind"] = _as(str, body.get("kind", entry.kind))
        if "request" in body:
            row["request"] = msgspec.json.encode(body["request"]).decode()
        row["verdict"] = _as(str, body.get("verdict", "passed"))
        self._stand(entry)
        if row["number"] is not None:
            self._here[row["number"]] = row
        rows[SUBMISSIONS.name].append(dict(row))

    def _intent(self, rows: Rows, seq: int, entry: Entry) -> None:
        """What leaves for a broker: a group stands under its first order."""
        body = entry.body
        first: Mapping[str, Any] = next(iter(body.get("requests", ())), {})
        name = _needed(entry, seq, "ticket")
        whole = msgspec.structs.replace(entry, body={**first, **body})
        row = self._row_of(SUBMISSIONS.name, seq, whole, order_number=body.get("order"))
        row.update(client_id=_as(str, name), verdict="passed", number=None)
        said = body.get("requests") or body.get("change")
        row["request"] = msgspec.json.encode(said).decode() if said else None
        self._asked[row["client_id"], row["kind"]] = row
        rows[SUBMISSIONS.name].append(dict(row))

    def _person(self, rows: Rows, seq: int, entry: Entry) -> None:
        """A refusal that follows names the person's command, by an `id` of its own."""
        self._here = {}

    def _refused(self, rows: Rows, seq: int, entry: Entry) -> None:
        self._stand(entry)
        number = _as(int, entry.body.get("command"))
        row = self._here.get(-1 if number is None else number)
        if row is None:  # of no command that stands here: told by itself
            row = self._row_of(SUBMISSIONS.name, seq, entry, number=number, kind="refused")
        row["verdict"] = "refused"
        for name, field in _REFUSAL.items():
            row[name] = _as(_TYPES[SUBMISSIONS.name][name], entry.body.get(field))
        rows[SUBMISSIONS.name].append(dict(row))

    def _outcome(self, rows: Rows, seq: int, entry: Entry) -> None:
        """The answer to a request; of a group that of its first order."""
        asked = _as(str, _needed(entry, seq, "ticket")), _as(str, entry.body.get("request"))
        row = self._asked.get(asked)
        if row is None:
            return  # of a request that was answered before
        body = _needed(entry, seq, "outcomes")[0]
        row["answer"] = _as(str, body.get("kind"))
        row["answer_text"] = _as(str, body.get("text"))
        row["vendor_id"] = _as(str, body.get("vendor_id"))
        row["answered"] = entry.at
        if row["answer"] != "unknown":
            del self._asked[asked]
        rows[SUBMISSIONS.name].append(dict(row))

    def _stand(self, entry: Entry) -> None:
        if entry.bar != self._bar:
            self._bar = entry.bar
            self._here = {}

    def _row_of(self, table: str, seq: int, entry: Entry, **given: Any) -> Row:
        """A row of a table: the fields of the body that it has, and where the record stands."""
        if type(entry.body.get("side")) is int:
            given["side"] = _SIDES.get(entry.body["side"])
        stands = {"session": self.session, "seq": seq}
        place = {"at": entry.at, "bar": entry.bar, "step": entry.step}
        found = {**entry.body, **place, **given, **stands}
        get = found.get
        return {
            name: value
            if (value := get(name)) is None or (type(value) is kind and kind is int)
            else _as(kind, value)
            for name, kind in _TYPES[table].items()
        }


def write_rows(connection: Connection, rows: Rows) -> None:
    """Write rows of the tables that are worked out, over those with their keys."""
    for table, some in rows.items():
        statement, values = _UPSERTS[table]
        execute_many(connection, statement, [values(row) for row in some])


_SIDES = {int(side): side.word for side in Side}
_HELD = ("qty", "average", "realized", "costs", "time", "seq")
_REFUSAL = {
    "rule": "rule",
    "scope": "scope",
    "value": "value",
    "limit_value": "limit",
    "text": "text",
}


def empty_rows() -> Rows:
    """Nothing to be written."""
    return {table.name: [] for table in PROJECTIONS}


def _whole(entry: Entry) -> Entry:
    return msgspec.structs.replace(entry, body=whole(entry.kind, entry.body))


def _needed(entry: Entry, seq: int, field: str) -> Any:
    if entry.body.get(field) is None:
        raise IntegrityError(f"journal: record {seq} ({entry.kind}) has no {field!r}")
    return entry.body[field]


def _sleeve(row: Mapping[str, Any]) -> Sleeve:
    lots = msgspec.json.decode(row["lots"], type=list[Lot])
    return Sleeve(**{name: row[name] for name in _HELD}, lots=lots)


def _fill_of(row: Row, sleeve: Sleeve) -> Fill:
    size = row["qty"] or 0.0
    sign = -1.0 if row["side"] == Side.SELL.word or size < 0.0 else 1.0
    qty = sign * abs(size)
    position = row["position"]
    return Fill(
        seq=row["seq"],
        bar=row["bar"],
        time=row["time"],
        qty=qty,
        price=row["price"] or 0.0,
        cost=row["cost"] or 0.0,
        realized=row["realized"] or 0.0,
        position=sleeve.qty + qty if position is None else position,
        point_value=row["point_value"],
    )


def _storable(row: Row) -> Row:
    """Without what only one of the databases can keep: -0.0, and floats that are no number."""
    return {
        name: _as(float, value) if isinstance(value, float) else value
        for name, value in row.items()
    }


def _as(kind: type, value: Any) -> Any:
    """A value as its column has it; None where it cannot be one."""
    if value is None:
        return None
    if kind is float and type(value) is float:
        return value + 0.0 if value == value else None
    if kind is str:
        return str(value).replace("\0", "")  # which no text of PostgreSQL can have
    try:
        number = kind(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if kind is float:
        return None if math.isnan(number) else number + 0.0
    return number if abs(number) < 1 << 63 else None
