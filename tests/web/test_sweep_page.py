"""The page of a sweep in a browser, made of synthetic sweeps."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from playwright.sync_api import Page, expect

from intrabar.ui.sweep_input import Deflation
from intrabar.ui.sweep_view import sweep_view
from intrabar.web.pages import write_sweep
from tests.ui.synthetic_sweep import grid, sweep, trials
from tests.web.conftest import Seen

pytestmark = pytest.mark.browser

Open = Callable[..., Seen]

GRID = grid(
    ("strategies[0].params.fast", list(range(4, 44, 4))),
    ("slow", list(range(20, 220, 20))),
    ("multiple", [1.0, 2.0, 3.0]),
    ("policy", ["worst", "best"]),
)


@pytest.fixture(scope="module")
def page_of_grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sweep(sweep_view(sweep(GRID)), tmp_path_factory.mktemp("sweep") / "sweep.html")


@pytest.fixture(scope="module")
def page_of_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = np.random.default_rng(2)
    n = 10_000
    many = {
        "fast": rng.integers(2, 60, n).tolist(),
        "slow": rng.uniform(20, 300, n).round(3).tolist(),
        "risk": (10 ** rng.uniform(-3, -1, n)).tolist(),
        "gate": rng.choice(["atr", "session", "none"], n).tolist(),
    }
    view = sweep_view(sweep(many, trials=trials(many, failed=40), is_grid=False))
    return write_sweep(view, tmp_path_factory.mktemp("sweep") / "many.html")


def column(page: Page, title: str) -> list[str]:
    """Texts of a column of the trials, of the rows in the page."""
    heads = page.locator(".grid thead th").all_inner_texts()
    at = next(i for i, text in enumerate(heads) if text.strip(" ▴▾\n") == title)
    return page.locator(f".grid tbody tr td:nth-child({at + 1})").all_inner_texts()


def test_the_sentence_never_has_one_sharpe_without_the_other(
    open_page: Open, page_of_grid: Path
) -> None:
    page = open_page(page_of_grid).page
    assert page.title() == "MovingAverageCrossover on MES · sweep"
    sentence = page.locator(".verdict-line")
    expect(sentence).to_contain_text("600 trials, 3 failed. The best by Sharpe is #")
    expect(sentence).to_contain_text(", 71\u202f% likely above 0.")
    meaning = page.locator(".verdict-text")
    expect(meaning).to_contain_text("above zero, given that this is the best of many: 71 %")
    expect(meaning).to_contain_text("is expected to show a Sharpe ratio of 1.31")
    expect(meaning).to_contain_text("840 variants have ever been tried on these data")
    expect(page.locator(".grid .tag", has_text="% likely above 0")).to_have_count(1)
    expect(page.locator("#around .tag", has_text="% likely above 0")).to_have_count(1)


def test_an_unknown_deflated_sharpe_is_said(open_page: Open, tmp_path: Path) -> None:
    given = sweep(GRID, deflation=Deflation(sharpe=1.5, reason="two returns only"), tried=None)
    page = open_page(write_sweep(sweep_view(given), tmp_path / "sweep.html")).page
    expect(page.locator(".verdict-line")).to_contain_text("Sharpe 1.50, chance above 0 not known")
    expect(page.locator(".verdict-text")).to_contain_text("is unknown: two returns only")


def test_sorting_and_filters(open_page: Open, page_of_grid: Path) -> None:
    page = open_page(page_of_grid).page
    falling = [
        float(re.match(r"[−-]?\d+\.\d\d", t)[0].replace("−", "-")) for t in column(page, "Sharpe")
    ]
    assert falling == sorted(falling, reverse=True)
    page.locator(".grid th", has_text="fast").get_by_role("button").click()
    assert [int(t) for t in column(page, "fast")] == sorted(int(t) for t in column(page, "fast"))
    filters = page.locator("#trials .filters")
    filters.get_by_label("policy").select_option("best")
    filters.get_by_label("slow").select_option("60")
    assert set(column(page, "policy")) == {"best"}
    assert set(column(page, "slow")) == {"60"}
    expect(page.locator("#trials [role=status]")).to_have_text("30 of 600 trials")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#trials [role=status]")).to_have_text("600 trials")


def test_heat_map_by_keyboard_and_mouse(open_page: Open, page_of_grid: Path) -> None:
    page = open_page(page_of_grid).page
    told = page.locator("#heat .readout")
    heat = page.locator("canvas.heat")
    heat.focus()
    page.keyboard.press("ArrowUp")  # to the best
    best = page.locator(".verdict-line b").first.inner_text()
    expect(told).to_contain_text(f"{best} (fast")
    page.keyboard.press("Enter")
    expect(page.locator(".grid tr[aria-selected=true]")).to_contain_text(best.strip("#"))
    page.locator("#heat").get_by_label("Others").select_option("median")
    page.keyboard.press("Escape")
    heat.focus()
    page.keyboard.press("ArrowLeft")
    expect(told).to_contain_text("the median of 6 trials")
    page.locator("#heat").get_by_label("Across").select_option("policy")
    page.locator("#heat").get_by_label("Metric").select_option("max_drawdown")
    expect(page.get_by_role("heading", name="Max drawdown over two parameters")).to_be_visible()
    expect(page.get_by_role("heading", name="Distribution of Max drawdown")).to_be_visible()
    for y, slow in ((25, 200), (290, 20)):  # rows rise from the bottom
        heat.hover(position={"x": 150, "y": y})
        expect(told).to_contain_text(f"policy worst, slow {slow}: Max drawdown")


@pytest.mark.parametrize(
    ("others", "word"), [("mean", "mean"), ("median", "median"), ("top", "best")]
)
def test_a_cell_joins_the_trials_of_the_table(
    open_page: Open, page_of_grid: Path, others: str, word: str
) -> None:
    page = open_page(page_of_grid).page
    page.locator("#heat").get_by_label("Others").select_option(others)
    page.locator("canvas.heat").focus()
    page.keyboard.press("ArrowUp")  # to the best
    page.keyboard.press("ArrowLeft")
    given = sweep(GRID)
    best = given.trials.row(by_predicate=pl.col("number") == given.best, named=True)
    fast = "strategies[0].params.fast"
    cell = given.trials.filter(pl.col(fast) == best[fast] - 4, pl.col("slow") == best["slow"])[
        "sharpe"
    ]
    figure = {"mean": cell.mean(), "median": cell.median(), "top": cell.max()}[others]
    told = (
        f"fast {best[fast] - 4}, slow {best['slow']}: Sharpe {figure:.2f}, the {word} of 6 trials"
    )
    expect(page.locator("#heat .readout")).to_have_text(told)


def test_the_neighborhood_has_the_figures_of_the_table(open_page: Open, page_of_grid: Path) -> None:
    page = open_page(page_of_grid).page
    given = sweep(GRID)
    best = given.trials.row(by_predicate=pl.col("number") == given.best, named=True)
    fast = "strategies[0].params.fast"
    near = given.trials.filter(
        (pl.col(fast) - best[fast]).abs() <= 4,
        (pl.col("slow") - best["slow"]).abs() <= 20,
        (pl.col("multiple") - best["multiple"]).abs() <= 1,
        pl.col("policy") == best["policy"],
        pl.col("number") != given.best,
    )
    for label, name, worst in (
        ("Sharpe", "sharpe", "min"),
        ("Max drawdown", "max_drawdown", "max"),
    ):
        texts = page.locator("#around tbody tr", has_text=label).locator("td").all_inner_texts()
        scale = 100 if name == "max_drawdown" else 1
        columns = (near[name].median(), getattr(near[name], worst)(), given.trials[name].median())
        figures = [float(t.split()[0].replace("−", "-")) for t in texts[1:]]
        assert figures == [pytest.approx(scale * c, abs=0.006) for c in columns]


def test_a_range_on_an_axis_keeps_the_trials_within(open_page: Open, page_of_grid: Path) -> None:
    page = open_page(page_of_grid).page
    said = page.locator("#trials [role=status]")
    axis = page.get_by_role("slider", name="Range of slow")
    axis.focus()
    page.keyboard.press("ArrowUp")
    expect(said).to_have_text("300 of 600 trials")
    expect(axis).to_have_attribute("aria-valuetext", "120 to 200")
    assert min(int(t) for t in column(page, "slow")) >= 120
    page.keyboard.press("Escape")
    expect(said).to_have_text("600 trials")
    box = axis.bounding_box()
    assert box is not None
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + box["height"] * 0.6)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"])
    page.mouse.up()
    expect(said).to_contain_text("of 600 trials")
    page.get_by_role("button", name="Clear ranges").click()
    expect(said).to_have_text("600 trials")


def test_failed_trials_are_told_with_their_parameters(open_page: Open, page_of_grid: Path) -> None:
    page = open_page(page_of_grid).page
    failed = page.locator("#failed")
    expect(failed).to_contain_text("ValueError: no bars left <b>")
    expect(failed).to_contain_text("#0 fast 4, slow 20, multiple 1, policy worst")
    page.locator("#trials").get_by_label("Status").select_option("failed")
    expect(page.locator("#trials [role=status]")).to_have_text("3 of 600 trials")


def test_10_000_trials(open_page: Open, page_of_many: Path) -> None:
    assert page_of_many.stat().st_size < 5_000_000
    page = open_page(page_of_many).page
    page.locator(".grid tr[data-at]").first.wait_for()
    ready = page.evaluate("performance.getEntriesByType('navigation')[0].domComplete")
    assert ready < 1_500, f"the page was there after {ready:.0f} ms"
    assert page.locator(".grid tbody tr[data-at]").count() < 60
    page.locator("#trials .rows").evaluate("box => { box.scrollTop = box.scrollHeight }")
    expect(page.locator(".grid tr[data-at='9999']")).to_be_visible()


@pytest.mark.parametrize("width", [320, 768])
def test_narrow_screens_do_not_scroll_sideways(
    open_page: Open, page_of_grid: Path, width: int
) -> None:
    page = open_page(page_of_grid, width=width, scheme="dark").page
    page.locator(".grid tr[data-at]").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("axes", [0, 1])
def test_few_parameters(open_page: Open, tmp_path: Path, axes: int) -> None:
    one = {"fast": [5, 10, 20][: 3 if axes else 1]}
    table = trials({**one, "slow": [1] * len(one["fast"])}, failed=0)
    page = open_page(write_sweep(sweep_view(sweep(one, trials=table)), tmp_path / "s.html")).page
    expect(page.locator("#heat")).to_have_count(0)
    expect(page.locator("#parallel")).to_have_count(axes)
    expect(page.locator(".verdict-line")).to_contain_text("likely above 0")


def test_nothing_finished(open_page: Open, tmp_path: Path) -> None:
    given = sweep(GRID, trials=trials(GRID, failed=600), best=None, deflation=Deflation())
    page = open_page(write_sweep(sweep_view(given), tmp_path / "sweep.html")).page
    expect(page.locator(".verdict-line")).to_contain_text("600 trials, 600 failed. No trial has")
    expect(page.locator("#spread")).to_contain_text("No trial has this figure")
