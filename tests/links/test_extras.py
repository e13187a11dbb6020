"""Vendors' packages are imported when a vendor is asked, and a missing one is one sentence."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from intrabar.data.live.vendors import vendor_named
from intrabar.errors import MissingExtra
from intrabar.model.secret import Secret
from tests.own_process import python


def test_nothing_of_a_vendor_is_imported_before_it_is_asked(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "import intrabar as ib\n"
        "import intrabar.app.cli.fetch, intrabar.app.calls.fetch, intrabar.data.live.conformance\n"
        "import intrabar.links.yahoo, intrabar.links.alpha_vantage, intrabar.links.alpaca.streams\n"
        "import intrabar.links.alpaca.rest, intrabar.data.live.alpaca_stream\n"
        "packages = {'yfinance', 'curl_cffi', 'httpx2', 'requests', 'alpaca', 'websockets'}\n"
        "assert not (packages | {'public_api_sdk', 'ib_async', 'moomoo'}) & set(sys.modules)\n"
    )
    assert python("-c", code, folder=tmp_path) == ""


KEYS = {"api_key": Secret("SOME-KEY-2"), "secret_key": Secret("SOME-SECRET-2")}


@pytest.mark.parametrize(
    ("name", "package", "extra", "credentials"),
    [
        ("yfinance", "yfinance.data", "yahoo", {}),
        ("alpha_vantage", "httpx2", "live", {"api_key": Secret("SOME-KEY-1")}),
        ("alpaca", "alpaca.trading.client", "alpaca", KEYS),
        (
            "tradestation",
            "httpx2",
            "live",
            {"client_id": Secret("SOME-ID-1"), "refresh_token": "file:/some/where"},
        ),
        ("public", "public_api_sdk", "public", {"secret": Secret("SOME-SECRET-3")}),
        ("moomoo", "moomoo", "moomoo", {}),
        ("ibkr", "ib_async.client", "ibkr", {}),
    ],
)
def test_a_package_that_is_missing_is_named_with_its_command(
    name: str,
    package: str,
    extra: str,
    credentials: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    own = (f"intrabar.links.{name}", f"intrabar.data.live.{name}")
    for module in [x for x in sys.modules if x.startswith(own)]:  # another test has asked for it
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(MissingExtra, match=rf"pip install 'intrabar\[{extra}\]'"):
        vendor_named(name, credentials)
