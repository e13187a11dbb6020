"""Networks of others: read without a pickle, the same numbers, or refused with the reason."""

from __future__ import annotations

import io
import json
import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import nn

import intrabar as ib
from intrabar.app.cli.main import run
from intrabar.engine.tables.feature_table import probe_features
from intrabar.errors import IntrabarError
from intrabar.exits.network import forward, work_size
from intrabar.exits.policy import Policy
from intrabar.exits.policy_file import load_policy
from intrabar.model.instant import instant_ns

UNTIL = "2020-01-31"
ARMS = [1.0, 2.0, 3.0]
NAMES = ["ATR", "RSI", "EMA", "Close", "PositionType"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(3)


def numbers(policy: Policy, past: np.ndarray, position: np.ndarray) -> np.ndarray:
    """What trades, from rows of the feature table, for a long."""
    out = np.empty(len(policy.arms))
    inputs = past.shape[1] + len(position)
    work = np.empty(work_size(policy.net.plan, len(past), inputs))
    assert forward(policy.net, past, 1, position, out, work)
    return out


def archive(inputs: int = 5, **changed: Any) -> nn.Sequential:
    """An archive as stable-baselines3 writes it; its action network."""
    kind = changed.pop("kind", nn.ReLU)
    body, action = nn.Sequential(nn.Linear(inputs, 8), kind(), nn.Linear(8, 6), kind()), None
    action, value = nn.Linear(6, 3), nn.Linear(6, 1)
    state = {f"mlp_extractor.policy_net.{k}": v for k, v in body.state_dict().items()}
    state |= {f"mlp_extractor.value_net.{k}": v for k, v in body.state_dict().items()}
    state |= {f"action_net.{k}": v for k, v in action.state_dict().items()}
    state |= {f"value_net.{k}": v for k, v in value.state_dict().items()} | changed.pop("more", {})
    weights = io.BytesIO()
    torch.save(changed.pop("policy", state), weights)
    settings = {"policy_kwargs": {"activation_fn": f"<class 'torch.nn.modules.{kind.__name__}'>"}}
    with zipfile.ZipFile("ppo.zip", "w") as file:
        file.writestr("data", json.dumps(changed.pop("settings", settings)))
        file.writestr("policy.pth", weights.getvalue())
    return nn.Sequential(*body, action)


def taken(file: str = "ppo.zip", **given: Any) -> Policy:
    return ib.learn.adopt(file, **{"trained_until": UNTIL, **given})


SB3 = {"features": "exit/1", "arms": ARMS}


@pytest.mark.parametrize("kind", [nn.ReLU, nn.Tanh])
@pytest.mark.parametrize("inputs", [5, 9])
def test_an_archive_gives_the_numbers_of_its_network(kind: Any, inputs: int) -> None:
    net = archive(inputs, kind=kind)
    policy = taken(**SB3)
    read = load_policy(Path("policies/ppo"), probe_features)
    assert read.hash == policy.hash
    assert (policy.when, policy.loss) == ("entry" if inputs == 5 else "bar", "ppo")
    assert policy.declared
    assert policy.trained_until == instant_ns("2020-01-31T23:59:59.999999999Z")
    x = np.random.default_rng(1).normal(0, 20, (30, inputs))  # not clipped: it never was
    x[:, 5:] = np.clip(x[:, 5:], -5, 5)
    expected = net(torch.from_numpy(x.astype(np.float32))).detach().numpy()
    for row, wanted in zip(x, expected, strict=True):
        assert_allclose(numbers(policy, row[None, :5], row[5:]), wanted, rtol=1e-5, atol=1e-4)


def test_the_statistics_of_a_normaliser_are_taken_with_its_clip() -> None:
    net = archive()
    mean, var = np.arange(5.0), np.array([4.0, 1.0, 9.0, 0.25, 1.0])
    np.savez("normal.npz", mean=mean, var=var)
    policy = taken(**SB3, normal="normal.npz")
    x = np.random.default_rng(1).normal(0, 9, (30, 5))
    z = np.clip((x - mean) / np.sqrt(var + 1e-8), -10, 10).astype(np.float32)
    expected = net(torch.from_numpy(z)).detach().numpy()
    for row, wanted in zip(x, expected, strict=True):
        assert_allclose(numbers(policy, row[None], np.empty(0)), wanted, rtol=1e-5, atol=1e-5)


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("executed",)


def test_nothing_in_an_archive_is_executed() -> None:
    archive(policy=Evil())
    with pytest.raises(IntrabarError, match="no archive of stable-baselines3 with plain weights"):
        taken(**SB3)
    Path("vec.pkl").write_bytes(pickle.dumps(Evil()))
    archive()
    with pytest.raises(IntrabarError, match=r"a pickled VecNormalize is not read; .*np\.savez"):
        taken(**SB3, normal="vec.pkl")
    Path("own.pt").write_bytes(pickle.dumps(Evil()))
    Path("own.meta.json").write_text(json.dumps(meta()))
    with pytest.raises(IntrabarError, match=r"own\.pt is no TorchScript"):
        taken("own.pt", features="exit/raw")
    Path("own.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(IntrabarError, match="a pickle is not read"):
        taken("own.pkl", **SB3)
    assert not Path("executed").exists()
    assert not Path("policies").exists()


def meta(**changed: Any) -> dict[str, Any]:
    told = {"features": NAMES, "seq_len": 6, "sl_multiples": ARMS}
    told |= {"mean": [1.0, 50.0, 90.0, 90.0, 0.0], "std": [2.0, 10.0, 20.0, 20.0, 1.0]}
    return {**told, **changed}


class Recurrent(nn.Module):
    def __init__(self, layers: int = 1, deep: Any = None, bias: bool = True) -> None:
        super().__init__()
        self.rnn = nn.LSTM(5, 8, layers, batch_first=True, bias=bias)
        self.deep = nn.Linear(8, 8) if deep else None
        self.act = deep() if deep else None
        self.fc = nn.Linear(8, 3)

    def forward(self, x: Any) -> Any:
        last = self.rnn(x)[0][:, -1]
        return self.fc(last if self.deep is None else self.act(self.deep(last)))


class Softmaxed(Recurrent):
    def forward(self, x: Any) -> Any:
        return super().forward(x).softmax(dim=1)


def scripted(module: nn.Module, **told: Any) -> nn.Module:
    with warnings.catch_warnings(action="ignore"):
        torch.jit.trace(module.eval(), torch.zeros(2, 6, 5)).save("own.pt")
    Path("own.meta.json").write_text(json.dumps(meta(**told)))
    return module


@pytest.mark.parametrize(("layers", "deep"), [(1, None), (2, None), (1, nn.ReLU), (1, nn.Tanh)])
def test_torchscript_gives_the_numbers_of_its_network(layers: int, deep: Any) -> None:
    net = scripted(Recurrent(layers, deep))
    policy = taken("own.pt", features="exit/raw")
    assert (policy.window, policy.loss, policy.arms.tolist()) == (6, "label", ARMS)
    told = meta()
    x = np.random.default_rng(2).normal(60, 300, (20, 6, 5))
    z = ((x - told["mean"]) / told["std"]).astype(np.float32)
    expected = net(torch.from_numpy(z)).detach().numpy()
    for window, wanted in zip(x, expected, strict=True):
        assert_allclose(numbers(policy, window, np.empty(0)), wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "given", "words"),
    [
        (lambda: archive(), {"features": "exit/1"}, "tells no features and no arms: give"),
        (lambda: archive(7), SB3, "reads 7 numbers, the features are 5 .* or 9 with those of the"),
        (lambda: archive(), {**SB3, "arms": [1, 2]}, r"give 3 numbers; the arms are \[1.0, 2.0\]"),
        (lambda: archive(kind=nn.ELU), SB3, "its activation is ELU; expected tanh or relu"),
        (lambda: archive(settings={}), SB3, "its activation is not known"),
        (lambda: archive(more={"log_std": torch.zeros(3)}), SB3, "has log_std beside an MLP"),
        (lambda: archive(), {**SB3, "trained_until": "soon"}, "trained_until: 'soon' is no time"),
    ],
)
def test_an_archive_that_cannot_be_taken_is_refused(make: Any, given: Any, words: str) -> None:
    make()
    with pytest.raises(IntrabarError, match=words):
        taken(**given)
    assert not Path("policies").exists()


@pytest.mark.parametrize(
    ("module", "told", "words"),
    [
        (Recurrent(), {"features": NAMES[::-1]}, r"was trained with the features \['PositionType'"),
        (Recurrent(), {"mean": None}, r"own\.meta\.json lacks mean"),
        (Recurrent(), {"seq_len": None}, "lacks window, real bars"),
        (Recurrent(), {"mean": [0.0]}, r"mean \(1,\), scale \(5,\); expected \(5,\) each"),
        (Recurrent(), {"sha256": "0"}, "expected 0 of own.meta.json"),
        (Recurrent(bias=False), {}, "expected LSTM layers with biases"),
        (Softmaxed(), {}, "gives other numbers than the network that was trained"),
    ],
)
def test_torchscript_that_cannot_be_taken_is_refused(module: Any, told: Any, words: str) -> None:
    scripted(module, **told)
    with pytest.raises(IntrabarError, match=words):
        taken("own.pt", features="exit/raw")
    assert not Path("policies").exists()


def test_torchscript_without_its_meta_is_refused() -> None:
    scripted(Recurrent())
    Path("own.meta.json").unlink()
    with pytest.raises(IntrabarError, match=r"own\.meta\.json is missing: it tells features"):
        taken("own.pt", features="exit/raw")


def test_a_command_says_what_is_declared(capsys: pytest.CaptureFixture[str]) -> None:
    archive()
    options = ["--features", "exit/1", "--arms", "1,2,3", "--trained-until", UNTIL]
    assert run(["learn", "adopt", "ppo.zip", *options, "--name", "mine"]) == 0
    out = capsys.readouterr().out
    assert "mine: arms [1.0, 2.0, 3.0], declared as trained until 2020-01-31" in out
    told = json.loads(Path("policies/mine/policy.json").read_text())
    assert told["trained_until_is"] == "declared"
    assert told["adopted"]["file"] == "ppo.zip"
    assert run(["learn", "adopt", "ppo.zip", *options, "--name", "mine"]) == 2
    assert "mine is there already; give another name" in capsys.readouterr().err
