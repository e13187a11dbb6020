"""IB's words and ours: states, types, times in force, and why it says no."""

from __future__ import annotations

from intrabar.links.ibkr import raw
from intrabar.model.broker_facts import Code

TYPES = {"market": "MKT", "limit": "LMT", "stop": "STP", "stop_limit": "STP LMT", "moc": "MOC"}
TIFS = {"day": "DAY", "gtc": "GTC", "gtd": "GTD", "ioc": "IOC", "fok": "FOK"}
OF_TYPE = {
    **{theirs: ours for ours, theirs in TYPES.items()},
    "TRAIL": "trailing_stop",
    "STPLMT": "stop_limit",
}
STOPS = frozenset({"STP", "STP LMT", "STPLMT", "TRAIL"})
COVERS = frozenset({"PreSubmitted", "Submitted"})
"""Of a stop: IB or the exchange holds it and triggers it by itself."""
_STATES = {
    "ApiPending": "acked",
    "PendingSubmit": "acked",
    "PreSubmitted": "acked",  # a stop works: `state_of`
    "Submitted": "working",
    "PendingCancel": "working",
    "ApiCancelled": "cancelled",
    "Cancelled": "cancelled",
    "Filled": "filled",
    "Inactive": "acked",  # held back, or refused: then a remark or the list of what is over says so
}
OVER = frozenset({"filled", "cancelled", "rejected"})
HELD_BACK = ("child", "locate")
"""Why IB holds an order that would not trigger: its entry has not filled, no share to borrow."""

REJECTED, CANCELLED = 201, 202
NOT_OPEN = frozenset({104, 135, 136, 161, 10147, 10148})
HARMLESS = frozenset(
    {105, 399, 404, 2109, 10349, 10167, 10311, 10324}
)  # of an order that lives: a remark, a held one, a time in force that was put in
_CODES: dict[int, Code] = {
    100: "rate",
    103: "id_clash",
    110: "invalid_price",
    200: "unknown_symbol",
    382: "invalid_price",
    383: "invalid_quantity",
    387: "cannot",
    388: "invalid_quantity",
    391: "cannot",
    434: "invalid_quantity",
    10243: "invalid_quantity",
    **dict.fromkeys(NOT_OPEN, "not_open"),
}
REFUSES = frozenset({REJECTED, 321, 504, *_CODES}) - NOT_OPEN
DOUBTS = frozenset({320, 322})
"""TWS has failed itself: what it made of the request nobody knows."""
_REASONS: tuple[tuple[str, Code], ...] = (
    ("margin", "funds"),
    ("available funds", "funds"),
    ("insufficient", "funds"),
    ("buying power", "funds"),
    ("settled", "unsettled"),
    ("day trad", "pdt"),
    ("short", "no_borrow"),
    ("both sides", "wash_trade"),
    ("exchange is closed", "closed"),
    ("minimum price variation", "invalid_price"),
)


def state_of(status: str, type_: str, held: str) -> str:
    """A status as a word of `State`; one that nobody knows is `unknown`.

    Parameters
    ----------
    type_ : str
        IB's.
    held : str
        Why IB holds the order back, by its own words.
    """
    is_held = any(word in held for word in HELD_BACK)
    if status == "PreSubmitted" and type_ in STOPS and not is_held:
        return "working"
    return _STATES.get(status, "unknown")


def type_of(theirs: str) -> str:
    """An order type as ours where we have it, else as IB's in small letters."""
    return OF_TYPE.get(theirs, theirs.lower())


def code_of(notice: raw.Notice) -> Code:
    """Why IB says no."""
    if notice.code in _CODES:
        return _CODES[notice.code]
    text = notice.text.lower()
    return next((code for words, code in _REASONS if words in text), "")
