"""What learned exits decided, as the report shows it."""

from __future__ import annotations

import polars as pl

from intrabar.ui.decisions_view import FEWEST, GROUPS, ROWS, decisions_view


def decisions(n: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "time": pl.Series(range(n)).cast(pl.Int64) * 1_000_000_000,
            "strategy": ["A" if k % 2 else "B" for k in range(n)],
            "symbol": ["X"] * n,
            "side": [1 if k % 3 else -1 for k in range(n)],
            "multiple": [1.0 if k < n // 2 else 2.5 for k in range(n)],
            "propensity": [0.5] * n,
            "reward": [None if k == n - 1 else 0.25 for k in range(n)],
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("ns", "UTC")))


def test_shares_of_arms_sum_to_1_and_follow_the_decisions() -> None:
    view = decisions_view(decisions(1000), None)
    assert view is not None
    assert (view["count"], len(view["rows"]), view["bandits"]) == (1000, ROWS, [])
    assert [x["strategy"] for x in view["arms"]] == ["B", "A"]
    for arms in view["arms"]:
        assert [x["label"] for x in arms["lines"]] == ["arm 1", "arm 2.5"]
        first, second = (x["value"] for x in arms["lines"])
        assert len(first) == len(arms["time"]) == GROUPS
        assert all(a + b == 1.0 for a, b in zip(first, second, strict=True))  # type: ignore[operator]
        assert (first[0], first[-1]) == (1.0, 0.0)
        assert arms["time"] == sorted(arms["time"])


def test_a_few_decisions_are_one_stretch_and_an_open_campaign_has_no_reward() -> None:
    view = decisions_view(decisions(FEWEST + 1), None)
    assert view is not None
    assert all(len(arms["time"]) == 1 for arms in view["arms"])
    last = view["rows"][-1]
    assert (last["side"], last["arm"], last["reward"]) == ("long", 2.5, None)
    assert view["rows"][0]["side"] == "short"


def test_nothing_decided_is_no_part_of_the_page() -> None:
    assert decisions_view(None, None) is None
    assert decisions_view(decisions(0), None) is None


def test_bandits_are_shown_as_they_are() -> None:
    bandits = pl.DataFrame(
        {
            "strategy": ["A"],
            "symbol": ["X"],
            "arm": [2.0],
            "chosen": [7],
            "estimate": [0.125],
            "width": [0.5],
            "mean_reward": [None],
        }
    )
    view = decisions_view(decisions(10), bandits)
    assert view is not None
    assert view["bandits"] == [
        {
            "strategy": "A",
            "symbol": "X",
            "arm": 2.0,
            "chosen": 7,
            "estimate": 0.125,
            "width": 0.5,
            "mean_reward": None,
        }
    ]


def test_drift_is_a_line_by_strategy_and_no_limit_is_null() -> None:
    drift = pl.DataFrame(
        {
            "strategy": ["B", "B", "A"],
            "time": pl.Series([1, 2, 3]).cast(pl.Int64) * 1_000_000_000,
            "psi": [0.1, 0.5, 0.2],
            "limit": [0.25, 0.25, None],
            "told": ["low", "high", "no limit"],
        }
    ).with_columns(pl.col("time").cast(pl.Datetime("ns", "UTC")))
    view = decisions_view(decisions(10), None, drift)
    assert view is not None
    first, second = view["drift"]
    assert (first["strategy"], first["told"], first["time"]) == ("B", "high", [1.0, 2.0])
    assert (first["psi"], first["limit"]) == ([0.1, 0.5], [0.25, 0.25])
    assert (second["strategy"], second["limit"]) == ("A", [None])
