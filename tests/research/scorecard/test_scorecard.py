"""The scorecard's core: pairs, rival, timing, account, looks and the verdict."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from intrabar.analysis.bootstrap import Interval
from intrabar.analysis.figure import Undefined
from intrabar.errors import RunError, UsageError
from intrabar.model.bars import DAY_NS
from intrabar.research.scorecard.account import deflated, difference_of
from intrabar.research.scorecard.evidence import Entries, Scores, Training, Window
from intrabar.research.scorecard.looks import looked
from intrabar.research.scorecard.pairs import Compared, compared, shares_of, timing
from intrabar.research.scorecard.rival import rivals_of
from intrabar.research.scorecard.scorecard import figures_of, judged, look_of, scorecard
from intrabar.research.scorecard.verdict import pairs_needed, verdict_of
from intrabar.research.sweep.ledger import Ledger
from tests.research.scorecard.evidence import ARMS, PASSED, evidence


def card(given, looks=1, seed=0):
    figures = figures_of(given, seed)
    return judged(given, figures, [look_of(given, figures, seed)] * looks, seed)


def test_a_gain_is_worth_it_and_every_figure_is_told():
    found = card(evidence())
    assert found.verdict.word == "worth it", found.verdict
    told = json.loads(json.dumps(found.as_json()))
    assert told["verdict"]["word"] == "worth it"
    assert [w["rival"] for w in told["windows"]] == [1.0] * 4
    assert told["pairs"]["pairs"] == 400
    assert told["pairs"]["low"] > 0.0
    assert len(told["by_window"]) == 4
    assert [x["name"] for x in told["by_side"]] == ["long", "short"]
    assert told["shares"] == [pytest.approx(134 / 400), 0.0, pytest.approx(266 / 400)]
    assert told["timing_p"] < 0.01  # the gain hangs on the moment
    assert told["account"]["looks"] == 1
    assert "Worth it" in repr(found)


def test_nothing_gained_is_open_with_the_pairs_it_would_take_or_not_worth_it():
    found = card(evidence(gain=0.0, seed=3))
    assert found.verdict.word in ("open", "not worth it")
    lost = card(evidence(gain=-0.3))
    assert lost.verdict.word == "not worth it"
    assert "upper end" in lost.verdict.sentence


def test_the_mean_is_of_pairs_and_the_interval_of_days():
    # 40 days with ten equal pairs each are 40 values, not 400
    rng = np.random.default_rng(0)
    daily = rng.standard_normal(40)
    many = compared("all", np.repeat(daily, 10), np.repeat(np.arange(40), 10), 0)
    one = compared("all", daily, np.arange(40), 0)
    assert (many.pairs, many.days) == (400, 40)
    assert many.mean == pytest.approx(one.mean)
    assert many.interval.low == pytest.approx(one.interval.low)
    assert many.interval.high == pytest.approx(one.interval.high)


def test_days_count_by_their_pairs():
    d = np.array([1.0] * 9 + [-1.0] + [0.0] * 10)
    day = np.array([0] * 9 + [1] + list(range(2, 12)))
    assert compared("all", d, day, 0).mean == pytest.approx(8 / 20)


def test_entries_without_both_campaigns_are_no_pairs_and_are_told():
    given = evidence()
    learned = given.entries.here.learned.copy()
    learned[:30] = np.nan
    here = Scores(learned, given.entries.here.static)
    found = card(replace(given, entries=replace(given.entries, here=here)))
    assert found.figures.pairs.pairs == 370
    assert "warning: 30 of 400 entries are no pair" in " ".join(found.remarks)


def test_the_rival_is_the_best_static_arm_of_the_train_over_the_bots_own_entries():
    scores = np.array([[0.0, 1.0, 5.0], [0.0, 1.0, np.nan], [0.0, 1.0, -7.0]])
    window = Window("w000", (0, 1), (2, 3), scores, 300)
    found = rivals_of(evidence(windows=4))[0]
    assert found.arm == 0
    assert found.rows == 300
    given = evidence(windows=1)
    # an arm without a campaign at an entry is not compared there with those that have one
    rival = rivals_of(replace(given, windows=(window,)))[0]
    assert rival.arm == 1
    assert rival.rows == 2
    tied = replace(window, scores=np.array([[1.0, 1.0 + 1e-12, 0.0]]))
    assert rivals_of(replace(given, windows=(tied,)))[0].arm == 0
    few = replace(window, own_entries=199)
    told = rivals_of(replace(given, windows=(few,)))[0]
    assert told.of_every_bar
    assert "199 entries of its own there, 200 are needed" in told.told(ARMS.tolist())


def test_an_arm_that_the_exit_does_not_have_is_never_the_rival():
    given = evidence(windows=1)
    scores = np.tile([0.0, 0.1, 9.0], (300, 1))
    window = replace(given.windows[0], scores=scores)
    given = replace(given, windows=(window,), learnable=2, own=2)
    assert rivals_of(given)[0].arm == 1
    assert "arm 3, your own" in card(given).figures.against


def test_no_campaign_on_a_train_is_refused():
    given = evidence(windows=1)
    window = replace(given.windows[0], scores=np.full((3, 3), np.nan))
    with pytest.raises(UsageError, match="begin the data earlier"):
        card(replace(given, windows=(window,)))


def test_the_arm_without_the_moment_is_told():
    given = evidence(gain=0.0)
    static = given.entries.here.static.copy()
    static[:, 2] += 0.5  # arm 3 is better everywhere, arm 1 is what the train says
    learned = static[np.arange(400), given.entries.arm] - 0.1
    here = Scores(learned, static)
    found = card(replace(given, entries=replace(given.entries, here=here)))
    assert "it knows the arm, not the moment" in " ".join(found.remarks)
    assert found.figures.timing > 0.05


def test_timing_of_arms_that_change_while_held_is_unknown():
    given = evidence()
    entries = replace(given.entries, arm=np.full(400, -1))
    assert isinstance(timing(replace(given, entries=entries), 0), Undefined)
    assert isinstance(shares_of(replace(given, entries=entries)), Undefined)


def test_timing_by_hand():
    # the right arm at every third entry: only shifts by threes do as well, and there are some
    n = 60
    arm = np.where(np.arange(n) % 3 == 0, 1, 0)
    static = np.zeros((n, 3))
    static[np.arange(n), arm] = 1.0
    given = evidence(n=n)
    here = Scores(static[np.arange(n), arm], static)
    found = timing(replace(given, entries=replace(given.entries, arm=arm, here=here)), 0)
    shifts = np.arange(6, 55)
    assert found == pytest.approx((1 + np.sum(shifts % 3 == 0)) / (1 + len(shifts)))


def test_looks_deflate():
    given = evidence(gain=0.06)
    shares = [card(given, looks=k).deflated.probability for k in (1, 2, 10, 1000)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1]
    many = card(given, looks=1000)
    assert many.verdict.word == "open"
    assert "deflated Sharpe ratio" in many.verdict.sentence


def test_the_variance_of_looks_is_the_larger_of_chance_and_what_they_were():
    account = difference_of(evidence().returns, 0)
    assert deflated(account, [0.1, 0.1]).variance == pytest.approx(1.0 / account.days)
    wide = [0.1, 0.9, -0.8]
    assert deflated(account, wide).variance == pytest.approx(np.var(wide, ddof=1))
    assert deflated(account, [*wide, np.nan]).looks == 4


def test_asked_twice_has_two_looks_and_one_more_day_or_another_seed_still_counts(tmp_path):
    given = evidence()
    longer = evidence(n=401)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        counts = [
            scorecard(given, ledger).deflated.looks,
            scorecard(given, ledger).deflated.looks,
            scorecard(longer, ledger, seed=7).deflated.looks,
            scorecard(
                replace(given, training=Training("other", "def", canaries=PASSED), data="x"),
                ledger,
            ).deflated.looks,
            scorecard(replace(given, bot="Range"), ledger).deflated.looks,
        ]
    assert counts == [1, 2, 3, 4, 1]
    with Ledger(tmp_path / "ledger.sqlite") as ledger:  # they are kept
        assert scorecard(given, ledger).deflated.looks == 5


def test_looks_of_other_symbols_and_times_do_not_count(tmp_path):
    given = evidence()
    figures = figures_of(given)
    look = look_of(given, figures, 0)
    both = replace(look, symbols=("A", "B"))
    later = replace(look, first=look.last + DAY_NS, last=look.last + 9 * DAY_NS)
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        assert len(looked(ledger, look)) == 1
        assert len(looked(ledger, replace(look, symbols=("B",)))) == 1
        assert len(looked(ledger, both)) == 3
        assert len(looked(ledger, both)) == 4  # one look, though it has two lines
        assert len(looked(ledger, later)) == 1
        assert len(looked(ledger, replace(later, first=look.last))) == 5
        assert looked(ledger, look)[-1] is look


def test_a_look_that_cannot_be_written_shows_nothing(tmp_path):
    given = evidence()
    path = tmp_path / "ledger.sqlite"
    with Ledger(path) as ledger:
        ledger._file.execute("PRAGMA query_only = 1")
        with pytest.raises(RunError, match="the ledger cannot be used"):
            scorecard(given, ledger)


def pair(mean, low, high, n=400, days=300):
    return Compared("all", n, days, mean, Interval(mean, low, high, 0.95, 1.0, 2000))


GOOD = pair(0.1, 0.02, 0.2)


@pytest.mark.parametrize(
    ("changes", "word", "told"),
    [
        ({}, "worth it", "Worth it"),
        ({"pairs": pair(0.1, 0.02, 0.2, n=99, days=80)}, "open", "99 pairs, 100 are needed"),
        ({"pairs": pair(0.1, 0.02, 0.2, days=59)}, "open", "entries on 59 days"),
        ({"pairs": pair(0.1, -0.1, 0.3)}, "open", "the lower end of the difference, -0.1000"),
        ({"pairs": pair(-0.1, -0.2, 0.0)}, "not worth it", "the upper end of the difference"),
        ({"windows": [GOOD, pair(-0.1, -1, 1)]}, "open", "above 0 in 1 of 2 windows"),
        ({"other_path": pair(-0.01, -1, 1)}, "open", "under the other path"),
        ({"deflated": 0.949}, "open", "the deflated Sharpe ratio"),
        ({"deflated": Undefined("none")}, "open", "no deflated Sharpe ratio: none"),
        ({"training": Training("a", "h", canaries=())}, "open", "none of its canaries is known"),
        ({"training": Training("a", "h", canaries=None)}, "worth it", "Worth it"),
        (
            {"training": Training("a", "h", canaries=(("null", False, "0.2"),))},
            "not worth it",
            "canary null: 0.2",
        ),
        (
            {"training": Training("a", "h", ("in sample",), PASSED)},
            "open",
            "in sample",
        ),
    ],
)
def test_the_verdict(changes, word, told):
    given = {
        "pairs": GOOD,
        "other_path": GOOD,
        "windows": [GOOD],
        "deflated": 0.95,
        "training": Training("a", "h", canaries=PASSED),
        **changes,
    }
    found = verdict_of(**given)
    assert found.word == word
    assert told in found.sentence


def test_the_pairs_it_would_take():
    # twice as wide as far: four times the pairs
    assert pairs_needed(pair(0.1, -0.1, 0.3)) == 1600
    assert pairs_needed(pair(-0.1, -0.4, 0.1)) == 1600
    assert pairs_needed(pair(0.1, 0.02, 0.2)) is None
    assert pairs_needed(pair(0.1, 0.02, 0.2, n=50, days=50)) == 100
    assert (
        "It would take 1,600 pairs"
        in verdict_of(
            pair(0.1, -0.1, 0.3), GOOD, [GOOD], 0.99, Training("a", "h", canaries=PASSED)
        ).sentence
    )


def test_evidence_that_does_not_fit_is_refused():
    given = evidence()
    short = Scores(given.entries.here.learned[:-1], given.entries.here.static)
    with pytest.raises(UsageError, match="400 entries and 3 arms were expected"):
        replace(given, entries=replace(given.entries, here=short))
    backwards: Entries = replace(given.entries, time=given.entries.time[::-1])
    with pytest.raises(UsageError, match="not in the order"):
        replace(given, entries=backwards)


def test_the_same_seed_gives_the_same_scorecard():
    assert card(evidence(), seed=4).as_json() == card(evidence(), seed=4).as_json()
