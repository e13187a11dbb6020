"""Three gates of real money, each alone enough to refuse."""

from __future__ import annotations

import itertools

import pytest
from msgspec.structs import replace

from intrabar.errors import GateError
from intrabar.risk.gates import ARMED_FOR, Arming, check_armed, check_file, check_typed, check_wire
from intrabar.risk.limits import Limits

WHOLE = {
    "max_daily_loss": 500.0,
    "max_position_size_pct": 10.0,
    "max_order_value": 5_000.0,
    "allowed_symbols": ("A",),
}


def test_a_file_that_says_all_of_it_passes() -> None:
    check_file("live", "U1", Limits(**WHOLE))


@pytest.mark.parametrize("left_out", WHOLE)
def test_each_limit_is_required(left_out: str) -> None:
    with pytest.raises(GateError, match=left_out):
        check_file("live", "U1", Limits(**{k: v for k, v in WHOLE.items() if k != left_out}))


def test_the_file_s_mode_and_account_are_required_and_all_is_told_at_once() -> None:
    with pytest.raises(GateError) as caught:
        check_file("paper", None, Limits())
    text = str(caught.value)
    for word in ("trading.mode", "live.account", *WHOLE):
        assert word in text


SIGNS = ("live", "paper", "unknown", "")


@pytest.mark.parametrize("wanted", ["live", "paper"])
def test_only_signs_that_all_say_it_let_it_pass(wanted: str) -> None:
    for one, other in itertools.product(SIGNS, repeat=2):
        signs = {"host": one, "flag": other}
        if {one, other} == {wanted}:
            check_wire("U1", wanted, "U1", signs)  # type: ignore[arg-type]
        else:
            with pytest.raises(GateError, match="host says"):
                check_wire("U1", wanted, "U1", signs)  # type: ignore[arg-type]
    with pytest.raises(GateError, match="nothing says what it is"):
        check_wire("U1", wanted, "U1", {})  # type: ignore[arg-type]


def test_another_account_is_refused_whatever_it_is() -> None:
    with pytest.raises(GateError, match="U2"):
        check_wire("U1", "paper", "U2", {"host": "paper"})


def test_what_a_person_types_is_the_account_and_the_loss() -> None:
    check_typed("U1", 500.0, " U1 ", "500.00")
    for account, loss in [("U2", "500"), ("", "500"), ("U1", ""), ("U1", "501"), ("U1", "nan")]:
        with pytest.raises(GateError):
            check_typed("U1", 500.0, account, loss)


def test_an_arming_is_of_one_account_one_program_and_a_week() -> None:
    armed = Arming("U1", "d", 1_000, "me", "here")
    check_armed(armed, "U1", "d", 1_000)
    check_armed(armed, "U1", "d", 1_000 + ARMED_FOR)
    bad = [
        (None, 1_000),
        (replace(armed, account="U2"), 1_000),
        (replace(armed, digest="e"), 1_000),
        (armed, 1_001 + ARMED_FOR),
        (armed, 999),
    ]
    for arming, now in bad:
        with pytest.raises(GateError, match="live arm"):
            check_armed(arming, "U1", "d", now)
