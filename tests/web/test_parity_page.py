"""The page of a parity in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from intrabar.ui.parity_view import parity_view
from intrabar.web.pages import write_parity
from tests.ui.synthetic_parity import apart, identical
from tests.web.conftest import Seen

pytestmark = pytest.mark.browser

Open = Callable[..., Seen]


def written(path: Path, told: dict[str, Any]) -> Path:
    return write_parity(parity_view("main", told, "2026-01-02"), path / "parity.html")


def test_a_session_that_is_the_market_says_identical(open_page: Open, tmp_path: Path) -> None:
    page = open_page(written(tmp_path, identical())).page
    assert page.title() == "main · parity"
    verdict = page.get_by_role("note", name="Verdict")
    expect(verdict).to_contain_text("✓ identical The session did what the market model does.")
    expect(verdict).to_contain_text("all of its 1,204 records came out the same")
    expect(page.locator("#orders .card-head")).to_contain_text("40 orders, 0 of them differ")
    expect(page.locator("#money tbody tr")).to_have_count(11)
    expect(page.locator("#first, #decisions, #data")).to_have_count(0)
    page.get_by_role("button", name="Those that differ").click()
    expect(page.locator("#orders")).to_contain_text("No order differs.")


def test_each_difference_is_named_with_its_money(open_page: Open, tmp_path: Path) -> None:
    page = open_page(written(tmp_path, apart())).page
    expect(page.get_by_role("note", name="Verdict")).to_contain_text("✕ not repeated The first")
    first = page.locator("#first")
    expect(first).to_contain_text("record 310, fill, bar 11, step close")
    expect(first.locator("tbody tr")).to_have_text("price101.5101.25")
    reject = page.locator("#money tr", has_text="what reject is")
    expect(reject).to_contain_text("−12.50")
    expect(reject).to_contain_text("−1.25")
    expect(reject).to_contain_text("insufficient margin −12.50")
    orders = page.locator("#orders")
    expect(orders.locator(".card-head")).to_contain_text("6 orders, 4 of them differ")
    page.get_by_role("button", name="Those that differ").click()
    expect(orders.locator("tbody tr[data-at]")).to_have_count(4)
    orders.locator("tbody tr[data-at='2']").click()
    expect(orders.locator(".told")).to_contain_text(
        "Session: rejected: insufficient margin. Twin: filled, 10 at 103.00 in bar 31, cost 1.00. "
        "Difference: reject −12.50."
    )
    expect(page.locator("#decisions tbody tr")).to_contain_text(
        "cross: submit buy ACME type limit qty 10 limit price 99.5"
    )
    expect(page.locator("#data tbody tr").nth(1)).to_contain_text("nothing1, 2, 0.5, 1.5, 100")
    expect(page.locator("#paid")).to_contain_text("1 now; 2.4 would have been paid")
    expect(page.locator("#paid")).to_contain_text("2 of 390")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_screen(open_page: Open, tmp_path: Path, width: int, scheme: str) -> None:
    page = open_page(written(tmp_path, apart()), width=width, scheme=scheme).page
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.pdf(format="A4").startswith(b"%PDF")
