"""The page of a validation in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect

from intrabar.ui.validation_input import Pointer, Series, Verdict
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


@pytest.mark.parametrize(
    ("subject", "words"),
    [("policy", "a trained policy"), ("scorecard", "a learned exit"), ("run", "a run")],
)
def test_it_says_what_is_judged(open_page: Open, tmp_path: Path, subject: Any, words: str) -> None:
    page = open_page(
        write_validation(validation_view(validation(subject=subject)), tmp_path / "v.html")
    ).page
    expect(page.locator(".facts div", has_text="Judged")).to_contain_text(words)


def test_labels_of_many_windows_do_not_run_into_each_other(open_page: Open, tmp_path: Path) -> None:
    time = np.arange(400) * 86_400_000_000_000 + 1_700_000_000_000_000_000
    begins = [Pointer(value=float(time[i]), label=f"w{i // 8:03d}") for i in range(0, 400, 8)]
    picture = Series(x=time, lines={"d": np.zeros(400)}, unit="ratio", pointers=begins)
    check = replace(validation().checks[0], picture=picture)
    given = replace(validation(), checks=[check])
    page = open_page(write_validation(validation_view(given), tmp_path / "v.html")).page
    labels = page.locator(".lines text.tick", has_text=re.compile(r"^w\d{3}$"))
    boxes = [x.bounding_box() for x in labels.all()]
    assert len(boxes) >= 4
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"]
    whole = page.locator(".lines").bounding_box()
    assert boxes[-1]["x"] + boxes[-1]["width"] <= whole["x"] + whole["width"] + 1


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_screen(open_page: Open, written: Path, width: int, scheme: str) -> None:
    page = open_page(written, width=width, scheme=scheme).page
    expect(page.locator("html")).to_have_attribute("data-theme", scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.pdf(format="A4").startswith(b"%PDF")
