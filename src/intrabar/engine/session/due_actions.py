"""Splits, dividends, margins and rolls, each in the first row that it concerns."""

from __future__ import annotations

from math import isnan

from intrabar.data.alongside import Alongside
from intrabar.engine.session.row import RowAction
from intrabar.model.enums import ActionKind

_MARGINS = (
    "initial_margin",
    "maintenance_margin",
    "initial_margin_rate",
    "maintenance_margin_rate",
)


class DueActions:
    """What happens to one instrument and has not happened yet, as a market of its bars has it.

    Parameters
    ----------
    column : int
    given : Alongside
    day : int or None
        Trade date (days since 1970) of its last bar before; what is of that date or an earlier one
        has happened. None: it has had no bar.
    """

    def __init__(self, column: int, given: Alongside, day: int | None) -> None:
        since = -(2**62) if day is None else day
        actions = given.actions.rows if given.actions else ()
        margins = given.margins.rows if given.margins else ()
        self._column, self._is_first = column, day is None
        self._actions = [row for row in actions if row.date > since]
        self._margins = [row for row in margins if row[0] > since]
        self._rolls = {roll.time: roll.price for roll in given.rolls}

    def take(
        self, day: int, time: int, before: float, *, is_first_row: bool
    ) -> tuple[list[RowAction], str]:
        """What takes effect at a bar, and what is left out, in words.

        Parameters
        ----------
        day : int
            Trade date of the bar.
        time : int, ns UTC
            Its close time.
        before : price
            The close before it.
        is_first_row : bool
            No row was before it: there is nothing to roll.
        """
        found: list[RowAction] = []
        wrong = ""
        while self._actions and self._actions[0].date <= day:
            row = self._actions.pop(0)
            if self._is_first:  # before the first bar nothing is held
                continue
            if row.split != 1.0:
                found.append(RowAction(self._column, int(ActionKind.SPLIT), row.split))
            if row.dividend > 0.0:
                if row.dividend >= before / row.split:
                    wrong = (
                        f"a dividend of {row.dividend:g} is left out: the close before it is "
                        f"{before / row.split:g}; is it given for shares of another date?"
                    )
                    continue
                found.append(RowAction(self._column, int(ActionKind.DIVIDEND), row.dividend))
        values: dict[str, float] | None = None
        while self._margins and self._margins[0][0] <= day:  # of several the last holds
            values = self._margins.pop(0)[1]
        if values is not None:
            said = (values.get(name, float("nan")) for name in _MARGINS)
            margins = (None if isnan(value) else value for value in said)
            found.append(RowAction(self._column, int(ActionKind.MARGIN), None, *margins))
        if time in self._rolls and not is_first_row:
            found.append(RowAction(self._column, int(ActionKind.ROLL), self._rolls.pop(time)))
        self._is_first = False
        return found, wrong
