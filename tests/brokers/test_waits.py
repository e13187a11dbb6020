"""What is looked up again, and when: behind a pause, whatever the broker says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace as replaced

from tests.brokers.accounts import Account
from tests.brokers.session_worlds import SECOND

NAN = float("nan")


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ({"state": "working"}, [2, 4, 8, 18, 28, 38]),
        ({"state": "filled", "filled": 0.0}, [0, 2, 4, 8, 13, 18, 23, 28, 33, 38]),
        ({"state": "filled", "filled": NAN}, [0, 2, 4, 8, 13, 18, 23, 28, 33, 38]),
        ({"state": "unknown"}, [0, 5, 10, 15, 20, 25, 30, 35]),
    ],
)
def test_a_look_up_that_settles_nothing_is_asked_again_behind_a_pause(
    told: dict[str, Any], asked: list[int]
) -> None:
    account = Account()
    name, sent = account.order(), account.now
    account.orders[name] = replaced(account.orders[name], **told)
    account.tell(name)
    account.wait(39)
    looks = [e for e in account.journal if e.kind == "asked" and e.at >= sent]
    assert [(e.at - sent) / SECOND for e in looks if e.body["look_up"]] == asked
    assert {e.at for e in account.journal if e.kind == "timer"} <= {e.at for e in looks}


def test_no_timer_is_asked_for_while_a_look_up_is_not_answered() -> None:
    account = Account()
    account.order()
    account.answers, sent = False, account.now
    account.wait(70)
    looks = [e for e in account.journal if e.kind == "asked" and e.at >= sent]
    assert [(e.at - sent) / SECOND for e in looks if e.body["look_up"]] == [2, 32, 62]
    assert {e.at for e in account.journal if e.kind == "timer"} <= {e.at for e in looks}
