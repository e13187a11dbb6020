"""The report in a browser, made of synthetic runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from intrabar.app.pages.report import report as write
from intrabar.model.enums import RunStatus
from intrabar.model.instrument import Instrument
from intrabar.strategy.signals import Signals
from intrabar.ui.report_view import report_view
from intrabar.web.pages import write_report
from tests.strategy.markets import DAY_NS, run_of
from tests.strategy.markets import walk as market_of
from tests.ui.synthetic import empty_tables, facts, findings, tables, walk, without_results
from tests.web.conftest import Seen

pytestmark = pytest.mark.browser

Open = Callable[..., Seen]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bars = [walk("MES", 8_000, 1), walk("MNQ", 8_000, 2, 15_000)]
    run = tables(bars, 400)
    view = report_view(facts("Two symbols", bars), run, bars, findings(run, bars))
    return write_report(view, tmp_path_factory.mktemp("report") / "report.html")


@pytest.fixture(scope="module")
def long_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    bars = [walk("MES", 100_000, 3)]
    run = tables(bars, 2_000)
    view = report_view(facts("Long", bars), run, bars, findings(run, bars))
    return write_report(view, tmp_path_factory.mktemp("report") / "long.html")


def column(page: Page, title: str) -> list[str]:
    """Texts of a column of the campaign table, of the rows in the page."""
    heads = page.locator(".grid thead th").all_inner_texts()
    at = next(i for i, text in enumerate(heads) if text.strip(" ▴▾\n") == title)
    return page.locator(f".grid tbody tr td:nth-child({at + 1})").all_inner_texts()


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))


def visible_time(page: Page) -> str:
    return page.get_by_label("Visible time").last.inner_text()


def row(page: Page, n: int):
    return page.locator(".grid tbody tr[data-at]").nth(n)


def test_parts_are_there(open_page: Open, report: Path) -> None:
    page = open_page(report).page
    assert page.title() == "Two symbols · report"
    for title in (
        "What the bars cannot tell",
        "Equity and drawdown",
        "Market and fills",
        "Campaigns",
        "Distribution of R",
        "Monthly returns",
        "Metrics",
        "Costs and accruals",
        "What the bot did not do, and why",
        "Manifest",
    ):
        expect(page.get_by_role("heading", name=title, exact=True).first).to_be_visible()
    expect(page.locator(".figure")).to_have_count(8)
    expect(page.locator(".band-count")).to_contain_text("of 400 campaigns")


def test_sorting(open_page: Open, report: Path) -> None:
    page = open_page(report).page
    head = page.locator(".grid th", has_text="Net")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    rising = [number(t) for t in column(page, "Net")]
    assert rising == sorted(rising)
    assert rising[0] < 0
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    falling = [number(t) for t in column(page, "Net")]
    assert falling == sorted(falling, reverse=True)


def test_filters(open_page: Open, report: Path) -> None:
    page = open_page(report).page
    filters = page.locator(".filters")
    filters.get_by_label("Symbol").select_option("MNQ")
    filters.get_by_label("Side").select_option("short")
    filters.get_by_label("Left by").select_option("target")
    assert set(column(page, "Symbol")) == {"MNQ"}
    assert set(column(page, "Side")) == {"short"}
    expect(page.locator("#campaigns [role=status]")).to_contain_text("of 400")
    page.get_by_role("button", name="Clear filters").click()
    expect(page.locator("#campaigns [role=status]")).to_have_text("400 campaigns")


def test_only_rows_on_screen_are_in_the_page(open_page: Open, report: Path) -> None:
    page = open_page(report).page
    assert page.locator(".grid tbody tr[data-at]").count() < 60
    page.locator(".rows").evaluate("box => { box.scrollTop = box.scrollHeight }")
    expect(page.locator(".grid tr[data-at='399']")).to_be_visible()


def test_campaign_moves_the_chart(open_page: Open, report: Path) -> None:
    page = open_page(report).page
    before = visible_time(page)
    row(page, 6).click()
    expect(row(page, 6)).to_have_attribute("aria-selected", "true")
    start = row(page, 6).locator("td").nth(3).inner_text()
    symbol = row(page, 6).locator("td").nth(1).inner_text()
    expect(page.locator(".selected")).to_contain_text(start)
    expect(page.locator("#market select")).to_have_value(symbol)
    expect(page.locator(".candle-chart")).to_be_in_viewport()
    after = visible_time(page)
    assert after != before
    first, last = after.split(" to ")
    assert first < start < last
    page.get_by_role("button", name="Next campaign").click()
    expect(row(page, 7)).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Clear", exact=True).click()
    expect(page.locator(".selected")).to_contain_text("Choose a campaign")


def test_keyboard(open_page: Open, report: Path) -> None:
    page = open_page(report).page
    row(page, 0).focus()
    page.keyboard.press("ArrowDown")
    expect(row(page, 1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, 1)).to_have_attribute("aria-selected", "true")
    chart = page.locator(".candle-chart")
    chart.focus()
    before = visible_time(page)
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(
        "before => document.querySelector('output').textContent !== before", arg=before
    )


def test_theme(open_page: Open, report: Path) -> None:
    page = open_page(report, scheme="dark").page
    html = page.locator("html")
    expect(html).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Switch to light colors").click()
    expect(html).to_have_attribute("data-theme", "light")
    page.reload()
    expect(html).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("width", [320, 390, 768])
def test_narrow_screens_do_not_scroll_sideways(open_page: Open, report: Path, width: int) -> None:
    page = open_page(report, width=width).page
    row(page, 2).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_100_000_bars(open_page: Open, long_report: Path) -> None:
    page = open_page(long_report).page
    page.get_by_role("button", name="All", exact=True).click()
    page.wait_for_function("() => document.querySelector('output').textContent.startsWith('2022')")
    assert visible_time(page) == "2022-01-03 14:35 to 2022-12-16 19:50"
    page.locator(".candle-chart").scroll_into_view_if_needed()
    slowest = page.evaluate(ZOOM_AND_PAN)
    # A frame is 17 ms on a quiet machine; ten times that is a fault, not a load.
    assert slowest < 170, f"median frame of zoom and pan is {slowest:.0f} ms"


ZOOM_AND_PAN = """async () => {
  const chart = document.querySelector('.candle-chart');
  const press = (key) => chart.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));
  const frames = [];
  let last = await new Promise(requestAnimationFrame);
  for (let i = 0; i < 60; i++) {
    press(['+', 'ArrowLeft', '-', 'ArrowRight'][i % 4]);
    const now = await new Promise(requestAnimationFrame);
    frames.push(now - last);
    last = now;
  }
  return frames.sort((a, b) => a - b)[30];
}"""


def test_ruined_run_without_campaigns(open_page: Open, tmp_path: Path) -> None:
    bars = [walk("MES", 300, 1)]
    found = without_results(findings(tables(bars, 4), bars))
    view = report_view(facts("Nothing", bars, RunStatus.RUINED), empty_tables(), [], found)
    page = open_page(write_report(view, tmp_path / "report.html")).page
    expect(page.get_by_role("alert")).to_contain_text("The account was ruined")
    expect(page.locator("#campaigns")).to_contain_text("No order was filled")
    expect(page.locator("#market")).to_contain_text("written without bars")


def test_a_run_that_traded_nothing_says_why_and_shows_no_zeros(
    open_page: Open, tmp_path: Path
) -> None:
    result = run_of(market_of(60, 3, period=DAY_NS), Signals(np.zeros(60)))
    page = open_page(write(result, tmp_path / "report.html")).page
    why = "its sides are 0 or say nothing at every bar"
    expect(page.locator(".warnings")).to_contain_text(why)
    expect(page.locator("#campaigns")).to_contain_text(why)
    expect(page.locator("#equity")).to_contain_text("the equity stayed at 100,000 USD")
    expect(page.locator("#metrics")).to_contain_text("Nothing was traded")
    assert page.locator(".figure-value, .monthly td, .equity-chart").count() == 0
    assert "0.00" not in page.locator("main").inner_text().replace("100.00", "")


def test_a_liquidated_account_is_not_called_finished(open_page: Open, tmp_path: Path) -> None:
    rising = market_of(60, 3, period=DAY_NS)
    for name in ("open", "high", "low", "close"):
        getattr(rising, name)[20:] *= 1.6
    margin = Instrument("A", initial_margin_rate=0.5, maintenance_margin_rate=0.5)
    result = run_of(rising, Signals(-np.ones(60), qty=900), instruments=[margin])
    page = open_page(write(result, tmp_path / "report.html")).page
    expect(page.locator(".status")).to_have_text("liquidated")
    expect(page.get_by_role("alert")).to_contain_text("The account was liquidated")


@pytest.mark.parametrize("damage", ["cut", "schema", "fields", "none"])
def test_unreadable_view_says_so(
    open_page: Open, report: Path, tmp_path: Path, damage: str
) -> None:
    text = report.read_text(encoding="utf-8")
    start = text.index('type="application/json">') + len('type="application/json">')
    end = text.index("</script>", start)
    inside = {
        "cut": text[start : end - 40],
        "schema": '{"schema":99}',
        "fields": '{"schema":2}',
        "none": "",
    }[damage]
    broken = tmp_path / "broken.html"
    broken.write_text(text[:start] + inside + text[end:], encoding="utf-8")
    page = open_page(broken).page
    expect(page.get_by_role("heading", name="This report cannot be shown")).to_be_visible()
    expect(page.get_by_role("alert")).not_to_be_empty()


def test_page_prints(open_page: Open, report: Path) -> None:
    page = open_page(report, scheme="dark").page
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("width", [390, 1280])
def test_drift_and_predictions_are_drawn(open_page: Open, tmp_path: Path, width: int) -> None:
    bars = [walk("MES", 500, 1)]
    run = tables(bars, 20)
    view = report_view(facts("Learned", bars), run, bars, findings(run, bars))
    drift = {"strategy": "s", "time": [1.7e9, 1.8e9], "psi": [0.1, 0.4], "told": "rsi has moved"}
    view["decisions"] = {
        "count": 1000,
        "arms": [],
        "bandits": [],
        "rows": [],
        "drift": [
            {**drift, "limit": [0.25, 0.25]},
            {**drift, "strategy": "t", "time": [1.8e9], "psi": [0.4], "limit": [None]},
        ],
    }
    model = {"rows": 300, "skill": 0.02, "low": -0.01, "high": 0.05}
    view["forecasts"] = [
        {
            "file": "p.csv",
            "symbol": "MES",
            "horizon": 3,
            "rows": 600,
            "verdict": "no better",
            "refits": [
                *({**model, "trained_until": f"{2000 + k}-01-01T00:00:00Z"} for k in range(30)),
                {**model, "trained_until": "2031-01-01T00:00:00Z", "low": None, "high": None},
            ],
            "quantiles": [{"probability": p, "below": p + 0.02} for p in (0.05, 0.5, 0.95)],
            "left_out": [],
        }
    ]
    page = open_page(write_report(view, tmp_path / "report.html"), width=width).page
    shown = page.locator("#decisions")
    expect(shown.locator("svg.lines")).to_have_count(1)
    expect(shown).to_contain_text("Last 500 decisions: rsi has moved.")
    expect(shown.locator(".legend")).to_contain_text("limit")
    part = page.locator("#forecasts")
    expect(part.get_by_role("heading", level=3)).to_have_text("MES, 3 bars ahead: no better")
    expect(part.locator(".whisker")).to_have_count(30)
    expect(part.locator(".whisker-value")).to_have_count(31)
    expect(part).to_contain_text("1 of 31 models have no interval")
    expect(part).to_contain_text("7.00\u202f% below the 5\u202f% quantile")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
