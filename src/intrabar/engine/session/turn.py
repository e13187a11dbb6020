"""What comes of an event: records for the journal, and what persons are told."""

from __future__ import annotations

from typing import NamedTuple

from intrabar.engine.session.effects import Effect
from intrabar.model.entry import Entry


class Notice(NamedTuple):
    """Something that a person is told.

    Parameters
    ----------
    severity : "page", "alarm" or "info"
    key : str
        One of a key is told in five minutes.
    text : str
    """

    severity: str
    key: str
    text: str


class Turn(NamedTuple):
    """What an event has caused: records, to be committed first; then what leaves.

    Parameters
    ----------
    effects : list of Effect
        In the order in which they leave, before the notices; none where the market fills.
    """

    records: list[Entry]
    notices: list[Notice]
    effects: list[Effect]
