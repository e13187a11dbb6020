from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from intrabar.errors import RunError
from intrabar.model.enums import Gate, PathPolicy, RunStatus
from intrabar.ui import report_view as module
from intrabar.ui.report_figures import HEADLINE
from intrabar.ui.report_input import Findings
from intrabar.ui.report_view import GATE_TEXT, report_view
from intrabar.ui.view_types import ReportView
from tests.ui.synthetic import empty_tables, facts, findings, tables, walk, without_results

BARS = [walk("MES", 6_000, 1), walk("MNQ", 6_000, 2, 15_000)]
TABLES = tables(BARS, 120)
FOUND = findings(TABLES, BARS)


@pytest.fixture(scope="module")
def view() -> ReportView:
    return report_view(facts("two symbols", BARS), TABLES, BARS, FOUND)


def test_view_is_json_without_nan(view: ReportView) -> None:
    assert json.loads(json.dumps(view, allow_nan=False))["name"] == "two symbols"


def test_campaigns_keep_their_rows(view: ReportView) -> None:
    table, shown = TABLES.campaigns, view["campaigns"]
    assert shown["campaign"] == table["campaign"].to_list()
    assert shown["net"] == pytest.approx(table["net"].to_list())
    words = [shown["reason"]["words"][c] for c in shown["reason"]["codes"]]
    assert words == table["reason"].to_list()
    assert shown["start"][0] == table["start"].to_physical()[0] // 10**9


def test_open_campaign_has_nulls() -> None:
    table = TABLES.campaigns.with_columns(
        end=pl.lit(None, pl.Datetime("ns", "UTC")),
        exit=pl.lit(None, pl.Float64),
        reason=pl.lit(None, pl.String),
    )
    shown = report_view(facts("open", BARS), replace(TABLES, campaigns=table), BARS, FOUND)
    assert set(shown["campaigns"]["end"]) == {None}
    assert set(shown["campaigns"]["exit"]) == {None}
    assert shown["campaigns"]["reason"] == {"words": [], "codes": [-1] * table.height}


def test_levels_of_exits_are_null_not_nan(view: ReportView) -> None:
    fills = view["fills"]
    exits = [fills["reason"]["words"][c] != "entry" for c in fills["reason"]["codes"]]
    assert all((stop is None) == out for stop, out in zip(fills["stop"], exits, strict=True))


def test_equity_is_thinned_to_its_extremes(view: ReportView) -> None:
    assert view["equity"]["total"] == 6_000
    assert len(view["equity"]["time"]) <= module.EQUITY_POINTS
    worst = min(d for d in view["equity"]["drawdown"] if d is not None)
    assert worst == pytest.approx(TABLES.equity["drawdown"].min())


def test_drawdown_is_never_positive_whatever_its_sign_was() -> None:
    positive = TABLES.equity.with_columns(-pl.col("drawdown"))
    shown = report_view(facts("sign", BARS), replace(TABLES, equity=positive), BARS, FOUND)
    assert max(d for d in shown["equity"]["drawdown"] if d is not None) == 0


def test_key_figures_come_from_the_metrics_in_a_fixed_order(view: ReportView) -> None:
    assert [f["name"] for f in view["figures"]] == list(HEADLINE)
    campaigns = next(f for f in view["figures"] if f["name"] == "campaigns")
    assert campaigns["value"] == TABLES.campaigns.height


def test_metric_tables(view: ReportView) -> None:
    titles = [table["title"] for table in view["metrics"]]
    assert titles == ["Growth and risk", "Drawdown", "Campaigns", "By symbol", "By strategy"]
    by_symbol = view["metrics"][3]
    assert by_symbol["columns"] == ["MES", "MNQ"]
    assert by_symbol["rows"][0]["values"] == [60, 60]


def test_metric_that_one_symbol_lacks_is_null() -> None:
    found = Findings(
        by_symbol={
            "A": {"net": {"value": 1.0, "unit": "account currency", "description": ""}},
            "B": {},
        }
    )
    shown = report_view(facts("gap", BARS), TABLES, BARS, found)
    assert shown["metrics"][0]["rows"][0]["values"] == [1, None]


def test_band(view: ReportView) -> None:
    band = view["band"]
    assert band is not None
    assert band["policy"] == "worst"
    assert [row["policy"] for row in band["rows"]] == ["worst", "shortest", "best"]
    assert all(len(c["time"]) <= module.CURVE_POINTS for c in band["curves"])
    assert FOUND.band[0].policy is PathPolicy.WORST


def test_costs_are_the_sums_of_the_tables(view: ReportView) -> None:
    mes = next(row for row in view["costs"] if row["symbol"] == "MES")
    fills = TABLES.fills.filter(pl.col("symbol") == "MES")
    campaigns = TABLES.campaigns.filter(pl.col("symbol") == "MES")
    assert mes["fills"] == fills.height
    assert mes["cost"] == pytest.approx(fills["cost"].sum())
    assert mes["net"] == pytest.approx(campaigns["net"].sum())


def test_a_split_is_no_trade_of_the_costs() -> None:
    split = TABLES.fills.head(1).with_columns(qty=pl.lit(0.0), price=pl.lit(2.0))
    more = replace(TABLES, fills=pl.concat([split, TABLES.fills]))
    shown = report_view(facts("split", BARS), more, BARS, FOUND)
    assert sum(row["fills"] for row in shown["costs"]) == TABLES.fills.height


def test_accruals_are_the_sums_of_the_ledger_without_settlements(view: ReportView) -> None:
    assert view["accruals"] == [
        {"kind": "borrow", "symbol": "MES", "lines": 1, "amount": -8},
        {"kind": "dividend", "symbol": "MES", "lines": 1, "amount": 120},
        {"kind": "interest", "symbol": "", "lines": 2, "amount": 6.75},
    ]


def test_moves_that_move_nothing_are_left_out_and_too_many_as_a_whole(
    view: ReportView, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert view["levels"]["total"] == len(view["levels"]["time"]) == TABLES.levels.height
    assert view["levels"]["target"] == [None] * TABLES.levels.height
    twice = replace(TABLES, levels=pl.concat([TABLES.levels.head(1)] * 2 + [TABLES.levels[1:]]))
    assert report_view(facts("a", BARS), twice, BARS, FOUND)["levels"] == view["levels"]
    monkeypatch.setattr(module, "MOVES_PER_PAGE", 10)
    many = report_view(facts("b", BARS), TABLES, BARS, FOUND)["levels"]
    assert (many["time"], many["total"]) == ([], TABLES.levels.height)


def test_the_band_counts_what_detail_settled_and_lacked() -> None:
    given = replace(facts("detail", BARS), policy=PathPolicy.DETAIL, without_detail=12)
    band = report_view(given, TABLES, BARS, FOUND)["band"]
    assert band is not None
    assert band["settled"] == TABLES.campaigns["settled"].sum() > 0
    assert band["ambiguous"] == TABLES.campaigns["ambiguous"].sum()
    assert (band["policy"], band["without_detail"]) == ("detail", 12)


def test_words_may_be_categories() -> None:
    fills = TABLES.fills.with_columns(pl.col(pl.String).cast(pl.Categorical))
    shown = report_view(facts("cat", BARS), replace(TABLES, fills=fills), BARS, FOUND)
    assert set(shown["fills"]["side"]["words"]) == {"buy", "sell"}
    assert [row["symbol"] for row in shown["costs"]] == ["MES", "MNQ"]


def test_orders_are_counted(view: ReportView) -> None:
    assert sum(row["count"] for row in view["orders"]) == TABLES.orders.height
    assert {"insufficient_margin", "none"} == {row["reject"] for row in view["orders"]}


def test_gates_that_never_closed_are_left_out() -> None:
    gates = TABLES.gates.with_columns(count=pl.lit(0))
    shown = report_view(facts("gates", BARS), replace(TABLES, gates=gates), BARS, FOUND)
    assert shown["gates"] == []


def test_every_gate_has_a_sentence() -> None:
    assert set(GATE_TEXT) == set(Gate)


def test_months_are_sorted_by_year(view: ReportView) -> None:
    assert [row["year"] for row in view["monthly"]] == [2022, 2023]
    assert view["monthly"][0]["months"][:10] == [None] * 9 + [-0.01]
    assert view["monthly"][1]["total"] == 0.0873


def test_unknown_metric_carries_its_reason(view: ReportView) -> None:
    calmar = next(row for row in view["metrics"][0]["rows"] if row["name"] == "calmar")
    assert (calmar["values"], calmar["reasons"]) == ([None], ["no drawdown yet"])


@pytest.mark.parametrize(
    ("name", "label"),
    [("max_drawdown", "Max drawdown"), ("sqn", "SQN"), ("average_mae", "Average MAE")],
)
def test_labels(name: str, label: str) -> None:
    found = Findings(metrics={"All": {name: {"value": 1.0, "unit": "ratio", "description": ""}}})
    shown = report_view(facts("labels", BARS), TABLES, BARS, found)
    assert shown["metrics"][0]["rows"][0]["label"] == label


def test_many_symbols_share_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BARS_PER_PAGE", 6_000)
    shown = report_view(facts("shared", BARS), TABLES, BARS, FOUND)
    assert [b["joined"] for b in shown["bars"]] == [2, 2]


def test_how_a_run_ended() -> None:
    how = [
        (RunStatus.FINISHED, False, "finished"),
        (RunStatus.FINISHED, True, "liquidated"),
        (RunStatus.RUINED, True, "ruined"),
    ]
    for status, is_liquidated, word in how:
        given = replace(facts("a", BARS, status), is_liquidated=is_liquidated, idle=["why"])
        view = report_view(given, empty_tables(), [], without_results(FOUND))
        assert (view["status"], view["idle"]) == (word, ["why"])


def test_empty_run() -> None:
    given = without_results(FOUND)
    shown = report_view(facts("empty", BARS, RunStatus.RUINED), empty_tables(), [], given)
    assert shown["status"] == "ruined"
    assert shown["start"] is None
    assert shown["band"] is None
    assert shown["figures"] == []
    assert shown["costs"] == []
    json.dumps(shown, allow_nan=False)


def test_missing_column_is_named() -> None:
    broken = replace(TABLES, fills=TABLES.fills.drop("stop", "target"))
    with pytest.raises(RunError, match="table fills has no column stop, target"):
        report_view(facts("broken", BARS), broken, BARS, FOUND)


def test_lines_keep_their_extremes(view: ReportView) -> None:
    line = FOUND.lines[0]
    curve = view["curves"][0]
    assert (curve["label"], curve["kind"]) == ("MES", "symbol")
    values = [v for v in curve["value"] if v is not None]
    assert min(values) == pytest.approx(np.min(line.value))
    assert max(values) == pytest.approx(np.max(line.value))
