"""The LSTM exit: three seeds trained, the one of the median score calibrated and made a policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from intrabar.errors import RunError
from intrabar.exits.network import Network
from intrabar.exits.policy import Policy
from intrabar.exits.policy_arrays import Probes
from intrabar.learn.calibrate import (
    Reliability,
    differences,
    fit_of,
    reliability_of,
    shares_of,
    slope_of,
    temperature_of,
)
from intrabar.learn.exact import exact, median_of, seeds_of
from intrabar.learn.export import onnx, parity_of, require_near, torchscript
from intrabar.learn.extra import versions_of
from intrabar.learn.lstm_loop import Seed
from intrabar.learn.lstm_net import flat, module_of, put_into
from intrabar.learn.lstm_training import LstmSettings, train_seed
from intrabar.learn.normal import OWN_PROBES, probe_bars, probe_inputs
from intrabar.learn.passes import passes
from intrabar.learn.settings import hash_of
from intrabar.learn.trained import Trained
from intrabar.learn.watch import Watch, part_of
from intrabar.learn.window_arrays import FARTHEST_SCORE, Windows
from intrabar.model.bars import Floats
from intrabar.model.instant import instant_text

LABEL_WARNING = (
    "loss label: the arm that is oftenest best in hindsight is the one that scatters most, not the "
    "one that earns most; loss score learns what each arm earns"
)
JUDGED = 4_096  # windows in one call


def seeds_to_train(seed: int) -> list[Seed]:
    """Seeds that nothing has been trained of yet."""
    return [Seed(each) for each in seeds_of(seed)]


def train_lstm(
    w: Windows,
    s: LstmSettings,
    seeds: Sequence[Seed],
    watch: Watch | None = None,
) -> Trained:
    """Train seeds, from where each stands, and make a policy of the one with the median score.

    Parameters
    ----------
    w : Windows
    s : LstmSettings
    seeds : sequence of Seed
        Changed; a `KeyboardInterrupt` leaves them so that they can go on.
    watch : callable or None

    Raises
    ------
    RunError
        A seed has not one finite check, or the exported files give other numbers.
    UsageError
        The extra `ml` is missing, or there are too few bars for the probes.
    """
    with exact() as torch:
        for k, seed in enumerate(seeds):
            train_seed(torch, w, s, seed, part_of(watch, k, len(seeds)))
            if seed.best is None:
                raise RunError(f"{seed.stopped}, before any check: nothing was saved")
        return _made(torch, w, s, seeds)


def _made(torch: Any, w: Windows, s: LstmSettings, seeds: Sequence[Seed]) -> Trained:
    scores = [seed.score for seed in seeds]
    chosen = seeds[median_of(scores)]
    assert chosen.best is not None
    module = module_of(len(w.of.features.names), s.units, len(w.of.arms))
    put_into(module, chosen.best)
    net = Network(*flat(chosen.best), w.of.features.signs, w.normal.mean, w.normal.scale)
    judged = Judged.of(net, w, s.loss)
    policy = _policy(torch, module, net, w, s, judged.calibration)
    shape = policy.window, len(net.mean)
    files = {"torchscript": torchscript(torch, module, *shape), "onnx": onnx(torch, module, *shape)}
    parity = parity_of(torch, module, files, policy.probes.inputs)
    own = passes(net, policy.probes.inputs)
    parity["compiled"] = require_near("the compiled pass", own, policy.probes.outputs)
    static = float(w.won[w.validation, policy.static_arm].mean())
    told: dict[str, Any] = {
        "seeds": [seed.seed for seed in seeds],
        "seed": chosen.seed,
        "spans": _spans(w),
        "hyperparameters": asdict(s),
        "parity": parity,
        "metrics": {
            "validation_score": chosen.score,
            "validation_scores": scores,
            "spread": max(scores) - min(scores),
            "static_arm": float(w.of.arms[policy.static_arm]),
            "static_score": static,
            **judged.told,
        },
        "rows": w.parted.counts(),
    }
    told["hyperparameters_hash"] = hash_of(told["hyperparameters"])
    curves = pl.DataFrame([row for seed in seeds for row in seed.curve], infer_schema_length=None)
    others = {".pt": files["torchscript"], ".onnx": files["onnx"]}
    others[".meta.json"] = _meta(policy, w, chosen.seed, files)
    remarks = _remarks(w, s, seeds, judged)
    if chosen.score <= static and judged.calibration > 0.0:
        remarks.append(
            f"on the validation rows arm {w.of.arms[policy.static_arm]:g} always earns as much or "
            f"more ({static:.4f} against {chosen.score:.4f}): nothing was learned beyond it"
        )
    return Trained(policy, curves, told, others, remarks, judged.reliability)


@dataclass(frozen=True, eq=False)
class Judged:
    """What the numbers of a network are worth on the validation rows.

    Parameters
    ----------
    calibration : float
        The slope, or the temperature.
    told : dict
        Figures.
    reliability : Reliability
    shares : (K,) float64
        How often each arm is chosen.
    """

    calibration: float
    told: dict[str, Any]
    reliability: Reliability
    shares: Floats

    @classmethod
    def of(cls, net: Network, w: Windows, loss: str) -> Judged:
        """By the pass that trades, in float64."""
        rows = w.validation
        numbers = numbers_at(net, w, rows)
        shares = np.bincount(numbers.argmax(axis=1), minlength=len(w.of.arms)) / len(rows)
        if loss == "label":
            label = w.of.label[rows]
            calibration = temperature_of(numbers, label)
            before, after = (fit_of(numbers, label, t)._asdict() for t in (1.0, calibration))
            told = {"temperature": calibration, **after, "before": before}
            probability = shares_of(numbers, calibration)
            hit = np.arange(len(w.of.arms)) == label[:, None]
            return cls(
                calibration,
                told,
                reliability_of(probability.ravel(), hit.ravel().astype(np.float64)),
                shares,
            )
        scores = np.clip(w.of.scores[rows], -FARTHEST_SCORE, FARTHEST_SCORE)
        slope, known = slope_of(numbers, scores), np.isfinite(scores)
        return cls(
            slope,
            {"slope": slope},
            reliability_of(differences(numbers)[known], differences(scores)[known]),
            shares,
        )


def numbers_at(net: Network, w: Windows, rows: NDArray[np.int64]) -> Floats:
    """What trades, over some rows: (k, K) float64."""
    parts = [rows[at : at + JUDGED] for at in range(0, len(rows), JUDGED)]
    return np.concatenate([passes(net, w.cut(part)) for part in parts])


def trained_until(w: Windows) -> int:
    """The last instant that a label of the train or of the validation touched, ns UTC."""
    used = np.concatenate([w.train, w.validation])
    return int(w.of.end_time[used].max())


def _policy(
    torch: Any, module: Any, net: Network, w: Windows, s: LstmSettings, calibration: float
) -> Policy:
    bars, features = probe_bars(w.of.features, w.of.market, w.parted.cut)
    spread = np.linspace(0, len(w.train) - 1, OWN_PROBES).astype(np.int64)
    inputs = probe_inputs(w.cut(w.train[spread]).astype(np.float64))
    module.eval()
    with torch.no_grad():
        outputs = module(torch.from_numpy(inputs.astype(np.float32))).numpy().astype(np.float64)
    return Policy(
        w.of.features,
        "entry",
        s.loss,
        net,
        w.of.arms,
        w.arm_means,
        calibration,
        w.normal.deciles,
        w.normal.psi_limit,
        Probes(bars, features, inputs, outputs),
        trained_until(w),
        course=w.of.course,
    )


def _meta(policy: Policy, w: Windows, seed: int, files: dict[str, bytes]) -> bytes:
    """What a reader of the TorchScript file has to know."""
    from intrabar.sources import versions

    told = {
        "features": policy.features.text,
        "features_hash": policy.features.hash,
        "window": policy.window,
        "arms": policy.arms.tolist(),
        "signs": policy.net.signs.tolist(),
        "mean": policy.net.mean.tolist(),
        "scale": policy.net.scale.tolist(),
        "loss": policy.loss,
        "calibration": policy.calibration,
        "trained_until": instant_text(policy.trained_until),
        "seed": seed,
        "versions": {**versions(), **learning_versions()},
        "sha256": hashlib.sha256(files["torchscript"]).hexdigest(),
    }
    return (json.dumps(told, indent=2, allow_nan=False) + "\n").encode()


def learning_versions() -> dict[str, str]:
    """Versions of what trained."""
    return versions_of("torch", "onnx", "onnxruntime")


def _spans(w: Windows) -> dict[str, list[str]]:
    spans = {}
    for name, rows in (("train", w.train), ("validation", w.validation)):
        ends = int(w.of.time[rows].min()), int(w.of.end_time[rows].max())
        spans[name] = [instant_text(x) for x in ends]
    return spans


def _remarks(w: Windows, s: LstmSettings, seeds: Sequence[Seed], judged: Judged) -> list[str]:
    told = list(w.normal.remarks)
    if s.loss == "label":
        told.append(LABEL_WARNING)
    elif judged.calibration <= 0.0:
        told.append(
            f"on the validation rows scores do not rise with what is predicted (slope "
            f"{judged.calibration:.3f}): the arm with the highest mean of the train trades always"
        )
    told += [
        f"{seed.stopped}: its best check before that, of {seed.score:.4f}, is kept"
        for seed in seeds
        if "not finite" in seed.stopped
    ]
    most = int(np.argmax(judged.shares))
    if judged.shares[most] == 1.0 and judged.calibration > 0.0:
        told.append(f"arm {w.of.arms[most]:g} is chosen on every validation row")
    return told
