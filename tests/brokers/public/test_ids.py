"""A UUID holds our name, and gives it back to nobody else."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from public_api_sdk.models import OrderRequest

from intrabar.brokers.public.ids import ALPHABET, name_in, order_id

NAMES = st.text(ALPHABET, min_size=1, max_size=20)
ACCOUNTS = st.text(min_size=1, max_size=12)


@given(NAMES, ACCOUNTS)
def test_a_name_goes_in_and_comes_out(name: str, account: str) -> None:
    found = order_id(name, account)
    assert UUID(found).version == 4
    assert str(UUID(found)) == found
    assert UUID(found).variant == "specified in RFC 4122"
    assert name_in(found, account) == name
    assert name_in(found.upper(), account) == name
    OrderRequest.validate_order_id_uuid(found)


@given(NAMES, NAMES, ACCOUNTS, ACCOUNTS)
def test_no_two_names_or_accounts_share_an_id(a: str, b: str, one: str, other: str) -> None:
    if (a, one) != (b, other):
        assert order_id(a, one) != order_id(b, other)
    if one != other:
        assert name_in(order_id(a, one), other) == ""


def test_an_id_of_others_has_no_name() -> None:
    assert [name_in(str(uuid4()), "5OP12345") for _ in range(1000)] == [""] * 1000
    assert name_in("no-uuid", "5OP12345") == ""


@pytest.mark.parametrize("name", ["", "a" * 21, "A", "ä", "a b"])
def test_what_is_no_name_has_no_id(name: str) -> None:
    with pytest.raises(ValueError, match=r"name|substring"):
        order_id(name, "5OP12345")
