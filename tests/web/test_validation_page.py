"""The page of a validation in a browser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from intrabar.ui.validation_input import Verdict
from intrabar.ui.validation_view import validation_view
from intrabar.web.pages import write_validation
from tests.ui.synthetic_validation import validation
from tests.web.conftest import Seen

pytestmark = pytest.mark.browser

Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("validation") / "validation.html"
    return write_validation(validation_view(validation()), path)


def test_the_verdict_comes_first_and_marks_are_words(open_page: Open, written: Path) -> None:
    page = open_page(written).page
    assert page.title() == "Sweep of MovingAverageCrossover on MES · validation"
    verdict = page.get_by_role("note", name="Verdict")
    expect(verdict).to_contain_text("cannot be told from the luck of so many")
    expect(verdict).to_contain_text("5 checks: 1 against it, 1 in doubt, 2 for it, 1 could not")
    marks = page.locator(".check .mark").all_inner_texts()
    assert marks == ["✕ fail", "? doubt", "✓ pass", "✓ pass", "– unknown"]


def test_each_check_has_figure_meaning_assumption_and_picture(
    open_page: Open, written: Path
) -> None:
    page = open_page(written).page
    check = page.locator(".check", has_text="Random entries")
    expect(check.locator(".check-figure")).to_have_text("p 0.08")
    expect(check).to_contain_text("8 % of entries at random did as well")
    expect(check).to_contain_text("Assumption: entries as frequent")
    picture = check.get_by_role("img")
    label = picture.get_attribute("aria-label") or ""
    assert label.startswith("Histogram of 500 random entries")
    assert label.endswith("this run 21.00\u202f%")
    line = page.locator(".check", has_text="Walk-forward").get_by_role("img")
    assert "out of sample ends at" in (line.get_attribute("aria-label") or "")
    expect(page.locator(".check", has_text="Walk-forward")).to_contain_text("window 3")


def test_intervals_and_critique(open_page: Open, written: Path) -> None:
    page = open_page(written).page
    sharpe = page.locator("#intervals tr", has_text="Sharpe")
    expect(sharpe).to_contain_text("−0.10")
    expect(sharpe.locator(".interval")).to_have_attribute("title", "The interval holds zero")
    expect(page.locator("#intervals tr", has_text="SQN")).to_contain_text("unknown")
    critique = page.locator("#critique")
    expect(critique.locator(".card-head")).to_contain_text("2 findings")
    expect(critique).to_contain_text("What to do: Ask your broker")
    expect(critique).to_contain_text("instruments <b>or</b> on")
    expect(critique.get_by_text("No fill is on one.")).to_be_hidden()
    critique.get_by_text("One question was asked").click()
    expect(critique.get_by_text("No fill is on one.")).to_be_visible()


def test_a_critique_alone(open_page: Open, tmp_path: Path) -> None:
    given = validation(
        subject="run", checks=[], intervals=[], verdict=Verdict(sentence="2 findings.", mark="fail")
    )
    page = open_page(write_validation(validation_view(given), tmp_path / "c.html")).page
    expect(page.locator(".check")).to_have_count(0)
    expect(page.get_by_role("link", name="Critique")).to_be_visible()
    expect(page.get_by_role("link", name="Checks")).to_have_count(0)


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_screen(open_page: Open, written: Path, width: int, scheme: str) -> None:
    page = open_page(written, width=width, scheme=scheme).page
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.pdf(format="A4").startswith(b"%PDF")
