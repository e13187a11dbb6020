"""The trainer: what it learns, the same bytes each time, what is exported, what it refuses."""

from __future__ import annotations

import hashlib
import io
import math
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import intrabar.learn.lstm_loop as training
from intrabar.engine.tables.feature_table import probe_features
from intrabar.errors import RunError
from intrabar.exits.network import highest
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import load_policy, write_policy
from intrabar.learn.exact import exact, median_of, seeds_of
from intrabar.learn.export import require_near
from intrabar.learn.hindsight import hindsight
from intrabar.learn.lstm_loop import Seed
from intrabar.learn.lstm_net import arrays_of, flat, module_of
from intrabar.learn.lstm_policy import (
    Trained,
    numbers_at,
    seeds_to_train,
    train_lstm,
    trained_until,
)
from intrabar.learn.lstm_training import LstmSettings, train_seed
from intrabar.learn.passes import passes
from intrabar.learn.resume import keep_seeds, kept_seeds
from intrabar.learn.window_arrays import Windows
from tests.learn.planted import windows_in

SHORT = LstmSettings(epochs=2, units=8)


@pytest.fixture(scope="module")
def w(tmp_path_factory: pytest.TempPathFactory) -> Windows:
    return windows_in(tmp_path_factory.mktemp("w") / "d")


@pytest.fixture(scope="module")
def made(w: Windows) -> Trained:
    return train_lstm(w, SHORT, seeds_to_train(1))


def planted(w: Windows) -> Windows:
    """Scores that the last row of the window tells: arm 2 where the trend is up, else arm 0."""
    up = w.of.last_rows[:, 0] > 0
    scores = np.zeros_like(w.of.scores)
    scores[:, 2], scores[:, 0], scores[:, 1] = np.where(up, 1.0, -1.0), np.where(up, -1.0, 1.0), 0.2
    label = np.where(up, 2, 0)
    return Windows(replace(w.of, scores=scores, label=label), w.parted, w.normal)


@pytest.mark.parametrize("loss", ["score", "label"])
def test_what_the_window_tells_is_learned(w: Windows, loss: str) -> None:
    world = planted(w)
    made = train_lstm(
        world, LstmSettings(loss=loss, epochs=10, batch=64, rate=3e-3), seeds_to_train(3)
    )
    best = world.won[world.validation].max(axis=1).mean()
    assert made.told["metrics"]["validation_score"] > 0.9 * best
    assert made.told["metrics"]["static_score"] < 0.5 * best
    assert not any("nothing was learned beyond it" in x for x in made.remarks)
    if loss == "score":
        assert 0.8 < made.policy.calibration < 1.3


def test_where_one_arm_is_as_good_that_is_told(w: Windows) -> None:
    scores = np.full_like(w.of.scores, -1.0)
    scores[:, 1] = 1.0
    same = Windows(
        replace(w.of, scores=scores, label=np.ones(len(scores), int)), w.parted, w.normal
    )
    made = train_lstm(same, LstmSettings(epochs=3, batch=64, rate=3e-3), seeds_to_train(3))
    arm = f"{w.of.arms[1]:g}"
    assert any(f"arm {arm} always earns as much" in x for x in made.remarks)


def test_the_median_of_three_seeds_is_saved_and_all_are_told(made: Trained, w: Windows) -> None:
    metrics, seeds = made.told["metrics"], made.told["seeds"]
    assert seeds == seeds_of(1)
    scores = metrics["validation_scores"]
    assert made.told["seed"] == seeds[scores.index(sorted(scores)[1])]
    assert metrics["spread"] == max(scores) - min(scores)
    curves = made.curves
    assert curves["seed"].unique().sort().to_list() == sorted(seeds)
    for seed, score in zip(seeds, scores, strict=True):
        assert curves.filter(seed=seed)["score"].max() == score
    assert_allclose(curves.select("^chosen_.*$").sum_horizontal().to_numpy(), 1.0)
    static = w.won[w.validation, int(np.argmax(w.arm_means))].mean()
    assert set(curves["static"].to_list()) == {static}
    assert [median_of(x) for x in ([3.0, 1.0, 2.0], [1.0, 1.0, 1.0], [2.0, 1.0])] == [2, 1, 1]


def test_the_score_told_is_that_of_what_trades(made: Trained, w: Windows) -> None:
    chosen = [int(highest(x)) for x in numbers_at(made.policy.net, w, w.validation)]
    assert made.told["metrics"]["validation_score"] == w.won[w.validation, chosen].mean()


def test_torch_compiled_torchscript_and_onnx_give_the_same_numbers(
    made: Trained, w: Windows
) -> None:
    import onnxruntime
    import torch

    windows = w.cut(w.validation[:50])
    own = passes(made.policy.net, windows)
    with pytest.warns(DeprecationWarning, match="torch.jit.load"):
        module = torch.jit.load(io.BytesIO(made.others[".pt"]))
    session = onnxruntime.InferenceSession(made.others[".onnx"])
    assert_allclose(module(torch.from_numpy(windows)).detach().numpy(), own, atol=1e-5)
    assert_allclose(session.run(None, {"windows": windows})[0], own, atol=1e-5)
    assert_allclose(
        made.policy.probes.outputs, passes(made.policy.net, made.policy.probes.inputs), atol=1e-5
    )
    assert max(made.told["parity"].values()) < 1e-5
    with pytest.raises(RunError, match=r"onnx gives other numbers.*nothing was saved"):
        require_near("onnx", own + 2e-5, own)


def test_a_policy_of_it_is_written_and_read(made: Trained, tmp_path: Path) -> None:
    write_policy(made.policy, tmp_path / "p", made.told)
    read = load_policy(tmp_path / "p", probe_features)
    assert isinstance(read, Policy)
    assert read.hash == made.policy.hash


def test_trained_until_is_the_last_end_of_any_label(made: Trained, w: Windows) -> None:
    assert made.policy.trained_until == w.of.end_time.max() == trained_until(w)


PROCESS = """
import hashlib, sys
from pathlib import Path
from intrabar.learn.lstm_policy import seeds_to_train, train_lstm
from intrabar.learn.lstm_training import LstmSettings
from tests.learn.planted import windows_in
made = train_lstm(windows_in(Path(sys.argv[1])), LstmSettings(epochs=2, units=8), seeds_to_train(1))
print(made.policy.hash, *(hashlib.sha256(made.others[x]).hexdigest() for x in sorted(made.others)))
"""


def test_the_same_seed_has_the_same_bytes_in_two_processes(made: Trained, tmp_path: Path) -> None:
    """Torch counts the types of a process: TorchScript is the same in its first training."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path / name)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONHASHSEED": name},
        )
        for name in ("1", "2")
    ]
    one, other = (process.communicate()[0] for process in processes)
    assert one == other
    onnx = hashlib.sha256(made.others[".onnx"]).hexdigest()
    assert [made.policy.hash, onnx] == [one.split()[0], one.split()[2]]


def test_another_seed_is_another_policy(made: Trained, w: Windows) -> None:
    assert train_lstm(w, SHORT, seeds_to_train(2)).policy.hash != made.policy.hash


def test_an_interrupted_training_goes_on_to_the_same_bytes(
    made: Trained, w: Windows, tmp_path: Path
) -> None:
    seeds = seeds_to_train(1)

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_lstm(w, SHORT, seeds, stop)
    assert [one.epoch for one in seeds] == [2, 2, 0] or [one.epoch for one in seeds] == [2, 1, 0]
    keep_seeds(tmp_path / "x.resume", "key", seeds)
    read = kept_seeds(tmp_path / "x.resume", "key", Seed)
    assert read is not None
    again = train_lstm(w, SHORT, read)
    assert again.policy.hash == made.policy.hash
    assert again.curves.equals(made.curves)


def test_a_loss_that_is_not_finite_stops_with_the_last_good_check(
    w: Windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The weights of the rows are broken once a first epoch is done."""
    real = training._epoch

    def broken(torch: Any, module: Any, adam: Any, task: Any, batch: int, rows: Any):
        if seed.epoch == 1:
            task = replace(task, weight=np.full_like(task.weight, math.inf))
        return real(torch, module, adam, task, batch, rows)

    monkeypatch.setattr(training, "_epoch", broken)
    seed = Seed(7)
    with exact() as torch:
        train_seed(torch, w, SHORT, seed)
    steps = math.ceil(len(w.train) / SHORT.batch)
    assert seed.stopped == f"the loss is not finite at step {steps + 1:,} of seed 7"
    assert (seed.epoch, seed.best is not None) == (1, True)


def test_a_seed_without_one_finite_check_saves_nothing(w: Windows) -> None:
    uniqueness = np.full(len(w.of), math.nan)
    broken = Windows(replace(w.of, uniqueness=uniqueness), w.parted, w.normal)
    with pytest.raises(RunError, match=r"step 1 of seed \d+, before any check: nothing was saved"):
        train_lstm(broken, SHORT, seeds_to_train(1))


def test_numbers_that_say_nothing_leave_the_best_arm_of_the_train(w: Windows) -> None:
    """Validation scores turned round: what is predicted falls where it should rise."""
    scores = planted(w).of.scores.copy()
    scores[w.validation] *= -1
    turned = Windows(replace(w.of, scores=scores), w.parted, w.normal)
    made = train_lstm(turned, LstmSettings(epochs=8, batch=64), seeds_to_train(1))
    assert made.policy.calibration <= 0
    assert any(
        "the arm with the highest mean of the train trades always" in x for x in made.remarks
    )


def test_labels_come_with_a_warning(w: Windows) -> None:
    made = train_lstm(w, replace(SHORT, loss="label"), seeds_to_train(1))
    assert any(x.startswith("loss label:") for x in made.remarks)
    assert {"temperature", "log_loss", "brier", "calibration_error"} <= made.told["metrics"].keys()


def test_weights_lie_as_the_compiled_pass_reads_them() -> None:
    import torch

    torch.manual_seed(1)
    module = module_of(3, 5, 4)
    plan, weights = flat(arrays_of(module))
    assert plan.tolist() == [[1, 3, 5, 0, 0], [0, 5, 4, 4 * 5 * (3 + 5 + 2), 0]]
    assert len(weights) == 4 * 5 * (3 + 5 + 2) + 4 * 6
    assert_array_equal(weights[:20], module.state_dict()["lstm.weight_ih_l0"].numpy()[:, 0])


def test_the_canary_of_hindsight_holds_for_scores_and_not_for_labels() -> None:
    assert hindsight(0).holds
    label = hindsight(0, LstmSettings(loss="label", epochs=2))
    assert not label.holds
    assert "of the best arm" in label.told
