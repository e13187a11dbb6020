"""A real Ray cluster of two worker processes, one of which is killed more than once."""

from __future__ import annotations

import importlib
import os
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import intrabar
from intrabar.app.calls.sweep import planned, pool_for
from intrabar.errors import ConfigError, RunError
from intrabar.research.sweep import cluster
from intrabar.research.sweep.cluster import Cluster, own_modules
from intrabar.research.sweep.sweep import carry_out
from intrabar.research.sweep.threads import Threads
from intrabar.research.sweep.trial import Outcome, Trial
from tests.research.toy import Toy, walk

RULES = """
from dataclasses import dataclass
import intrabar as ib

def worth(a, b):
    return a * 1.25 - b

@dataclass
class AtTheLow(ib.Strategy):
    days: int = 5

    def indicators(self):
        return {"least": ib.lowest(self.days)}

    def on_close(self, now):
        if now.is_flat and now.close <= 1.02 * now["least"]:
            now.buy(10, take_profit=now.close * 1.01, stop_loss=now.close * 0.98)
"""
PACKAGE = str(Path(intrabar.__file__).parents[1])
TESTS = str(Path(__file__).parents[3])


SPACE = {"parameters": {"days": [2, 5, 9], "account.path_policy": ["worst", "best"]}}


def batches(number: int, size: int, **what: str) -> Iterator[list[Trial]]:
    """Trials in batches; `_7="kills once"` is what becomes of the process of trial 7."""
    trials = [Trial(k, {"what": what.get(f"_{k}", "")}) for k in range(number)]
    for k in range(0, number, size):
        yield trials[k : k + size]


def told(parts: Iterator[list[Outcome]]) -> dict[int, tuple[Any, ...]]:
    """All that is in outcomes, by number; each number once."""
    outcomes = [outcome for part in parts for outcome in part]
    by_number = {
        o.trial.number: (o.trial, o.key, o.status, o.metrics, o.returns.tobytes(), o.error)
        for o in outcomes
    }
    assert len(by_number) == len(outcomes)
    return by_number


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working folder with a module that is loaded here and that no worker has on its path."""
    folder = tmp_path / "work" / "mine"
    folder.mkdir(parents=True)
    (folder / "house_rules.py").write_text(RULES)
    monkeypatch.syspath_prepend(str(folder))
    importlib.import_module("house_rules")
    sys.path.remove(str(folder))
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([PACKAGE, TESTS]))
    yield folder.parent
    del sys.modules["house_rules"]


@pytest.mark.usefixtures("working_folder")
def test_a_cluster_gives_what_this_process_gives_whoever_dies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    work = Toy(tmp_path, np.linspace(0.0, 1.0, 500))
    calm = told(map(work.run, batches(400, 16)))
    plan = planned("house_rules:AtTheLow", walk(300), SPACE, {"symbols": ["X"], "calendar": "24/7"})
    with Cluster(workers=2) as pool:
        # A sweep over a strategy of the user's: the same bits as on threads.
        near, far = (carry_out(plan.work, plan.space, p) for p in (Threads(1), pool))
        assert far.table["error"].to_list() == [""] * 6
        assert far.table.drop("seconds").equals(near.table.drop("seconds"))
        assert far.table["campaigns"].min() > 0
        assert far.digest == near.digest
        assert np.array_equal(far.returns, near.returns)

        # One process is killed in the middle: no trial is lost, none is there twice.
        assert told(pool.map(work, batches(400, 16, _150="kills once"))) == {
            **calm,
            150: (Trial(150, {"what": "kills once"}), *calm[150][1:]),
        }
        assert (tmp_path / "died-150").exists()

        # A trial that kills every process has failed; the others of its task have not.
        monkeypatch.setattr(cluster, "TRIES", 2)
        outcomes = told(pool.map(work, batches(24, 7, _1="kills always")))
        _, key, status, metrics, returns, error = outcomes.pop(1)
        assert (key, status, metrics, returns) == ("toy-1", "failed", {}, b"")
        assert error.startswith("its process died 2 times")
        assert outcomes == {k: calm[k] for k in range(24) if k != 1}

        assert list(pool.map(work, [])) == []
        with pytest.raises(RunError, match="cannot run this: ZeroDivisionError: the work itself"):
            told(pool.map(work, batches(3, 1, _1="breaks")))
        with monkeypatch.context() as changed:
            changed.setattr(cluster, "package_code", lambda: "older")
            with pytest.raises(RunError, match="another version of Intrabar, Python"):
                told(pool.map(work, batches(3, 1)))

        # The cluster goes: what had come back is here, the rest is an error and no hanging.
        monkeypatch.setattr(cluster, "BEAT", 0.5)
        monkeypatch.setattr(cluster, "SILENCE", 1.0)
        parts = pool.map(work, batches(100_000, 16))
        first = next(parts)
        _kill_head()
        with pytest.raises(RunError, match=r"the cluster is lost: .*finished trials are kept"):
            list(parts)
        assert [o.status for o in first] == ["finished"] * len(first)
    assert capfd.readouterr().out == ""


def _kill_head() -> None:
    """Kill the process that every cluster hangs on."""
    from ray._private import worker

    node: Any = worker._global_node
    node.all_processes["gcs_server"][0].process.kill()


def test_the_work_of_a_cluster_holds_the_bars_of_files_that_workers_do_not_have(
    tmp_path: Path,
) -> None:
    symbols = [f"S{k}" for k in range(12)]
    files = [tmp_path / f"{symbol}.csv" for symbol in symbols]
    for file in files:
        walk(60).write_csv(file, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    data = [{"symbol": s, "file": str(f)} for s, f in zip(symbols, files, strict=True)]
    config = {"data": data, "calendar": "24/7"}
    space = {"parameters": {"symbols": symbols, "fast": [2, 3], "account.cash": [1e4, 1e5]}}
    plan = planned("MovingAverageCrossover", None, space, {"config": config})
    pool_for(plan, 1, "ray")
    sent = pickle.loads(pickle.dumps(plan.work))
    for file in files:
        file.unlink()
    outcomes = sent.run(list(plan.space))
    assert [o.error for o in outcomes] == [""] * 48
    assert [o.key for o in outcomes] == [plan.work.key(t) for t in plan.space]


def test_an_address_needs_a_cluster() -> None:
    plan = planned("CoinFlip", walk(60), {"parameters": {"seed": [1]}}, {})
    with pytest.raises(ConfigError, match="address: is that of a Ray cluster"):
        pool_for(plan, 1, "threads", "127.0.0.1:6379")


def test_an_address_at_which_nobody_is() -> None:
    with pytest.raises(RunError, match=r"no cluster answers at 127.0.0.1:1; start one"):
        list(Cluster("127.0.0.1:1").map(Toy(Path(), np.empty(0)), batches(1, 1)))


@pytest.mark.parametrize("address", ["auto", "ray://head:10001", "head", "head:0", ":6379"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ConfigError, match="must be host:port"):
        list(Cluster(address).map(Toy(Path(), np.empty(0)), batches(1, 1)))


def test_without_ray_the_message_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'intrabar\[cluster\]'"):
        list(Cluster().map(Toy(Path(), np.empty(0)), batches(1, 1)))


def test_a_module_that_names_a_file_that_is_not_there_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = ModuleType("told")
    module.__file__ = "_told.py"
    monkeypatch.setitem(sys.modules, "told", module)
    assert "told.py" not in own_modules()
    (tmp_path / "_told.py").write_text("")
    assert own_modules()["told.py"] == b""
