"""What a record has of an instrument and of an account: nothing of them is lost on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from intrabar.model.enums import MarginCall, MarginCheck, PathPolicy, Settlement
from intrabar.model.instrument import Instrument
from intrabar.sim import state
from intrabar.sim.account import Account
from intrabar.sim.book import (
    NOT_OF_ACCOUNT,
    OF_ACCOUNT,
    OF_INSTRUMENT,
    empty_book,
    require_names,
)


@dataclass(frozen=True)
class Renamed(Account):
    """An account with a field that no record has."""

    leverage: float = 1.0


def test_a_name_that_one_side_has_alone_is_refused() -> None:
    require_names(Account, state.ACCOUNT, OF_ACCOUNT, NOT_OF_ACCOUNT)
    with pytest.raises(TypeError, match="Renamed and its record differ in leverage"):
        require_names(Renamed, state.ACCOUNT, OF_ACCOUNT, NOT_OF_ACCOUNT)
    with pytest.raises(TypeError, match="differ in leverage"):  # told, and not in the record
        require_names(Renamed, state.ACCOUNT, (*OF_ACCOUNT, "leverage"), NOT_OF_ACCOUNT)
    with pytest.raises(TypeError, match="differ in seed"):
        require_names(Account, state.ACCOUNT, set(OF_ACCOUNT) - {"seed"}, NOT_OF_ACCOUNT)


def test_the_records_have_what_was_given() -> None:
    numbers = {name: (k + 1) / 64 for k, name in enumerate(OF_INSTRUMENT)}
    instrument = Instrument("A", **numbers, maker_rate=0.25, point_value=50.0)
    account = Account(
        cash=5.0,
        margin_call=MarginCall.REDUCE,
        margin_check=MarginCheck.REDUCE,
        path_policy=PathPolicy.CALIBRATED,
        cash_account=True,
        close_at_end=True,
        seed=2**63 + 1,
        path_trust=0.75,
        interest_rate=0.125,
        debit_rate=0.5,
        settlement=Settlement.DAILY,
    )
    book = empty_book([instrument, replace(instrument, maker_rate=None)], account, 1, 10)
    row = book.instruments[0]
    assert {name: float(row[name]) for name in OF_INSTRUMENT} == numbers
    assert (row["maker_rate"], row["point_value"], row["unit_value"]) == (0.25, 50.0, 50.0)
    assert np.isnan(book.instruments[1]["maker_rate"])
    assert [book.account[0][name] for name in OF_ACCOUNT] == [
        getattr(account, n) for n in OF_ACCOUNT
    ]
