"""Who is measured: scripts, environments, and where an engine's rules are not the workload's."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
SIZES = {
    "W1": 1_000_000,
    "W2": 1_000_000,
    "W3": 1_000,
    "W4": 500,
    "W1 Python": 100_000,
    "W2 Python": 50_000,
}


@dataclass(frozen=True)
class Engine:
    """One engine, and what it can be asked for.

    Parameters
    ----------
    name : str
    script : file in this folder
    workloads : mapping of a workload to where its rules differ, "" for nowhere
    packages : what its environment holds; none for the environment of the runner
    quick : whether a short benchmark includes it
    floor_rules : mapping of a workload to the rules under which the floor trades as it does
    variables : of the environment of its process
    """

    name: str
    script: str
    workloads: dict[str, str]
    packages: tuple[str, ...] = ()
    quick: bool = False
    floor_rules: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Path:
        """Folder of its virtual environment."""
        return HERE.parent / f".venv-bench-{self.script.removeprefix('peer_').removesuffix('.py')}"

    def install(self) -> Path:
        """Make the environment where it is not there yet; returns its Python.

        Raises
        ------
        subprocess.CalledProcessError
            It does not install here.
        """
        if not self.packages:
            return Path(sys.executable)
        python, ready = self.environment / "bin" / "python", self.environment / "ready"
        if not ready.exists() or ready.read_text() != repr(self.packages):
            print(f"installing {self.name} into {self.environment.name}", flush=True)
            said = {"check": True, "capture_output": True, "text": True}
            uv = Path(sys.executable).with_name("uv")
            if uv.exists():
                make = [str(uv), "venv", "-q", "--clear", "--python", sys.executable]
                put = [str(uv), "pip", "install", "-q", "--python", str(python)]
            else:
                make = [sys.executable, "-m", "venv", "--clear"]
                put = [str(python), "-m", "pip", "install", "-q"]
            subprocess.run([*make, str(self.environment)], **said)  # type: ignore[call-overload]
            subprocess.run([*put, *self.packages], **said)  # type: ignore[call-overload]
            ready.write_text(repr(self.packages))
        return python

    def start(self) -> subprocess.Popen[str]:
        """Start its process; what it and its libraries print goes to stderr."""
        command = [str(self.install()), "-W", "ignore", str(HERE / self.script)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        own = {k: v for k, v in os.environ.items() if not self.packages or k != "PYTHONPATH"}
        return subprocess.Popen(command, env=own | self.variables, **pipes)  # type: ignore[call-overload, no-any-return]


EXACT = dict.fromkeys(("W1", "W2", "W3", "W4"), "")
VECTORBT = {
    "W1": "",
    "W2": "stops and targets count from the bar after the entry; targets slip too",
    "W3": "",
    "W4": "fractions of shares",
}
FLOOR = Engine("floor", "floor.py", EXACT | {"W1 Python": "", "W2 Python": ""}, quick=True)
OURS = Engine("intrabar", "ours.py", EXACT | {"W1 Python": "", "W2 Python": ""}, quick=True)
PEERS = (
    Engine(
        "vectorbt, Numba",
        "peer_vectorbt.py",
        VECTORBT,
        ("vectorbt[rust]",),
        True,
        {"W2": "late, targets slip", "W4": "fractions"},
        {"VECTORBT_ENGINE": "numba"},
    ),
    Engine(
        "vectorbt, Rust",
        "peer_vectorbt.py",
        VECTORBT,
        ("vectorbt[rust]",),
        True,
        {"W2": "late, targets slip", "W4": "fractions"},
        {"VECTORBT_ENGINE": "rust"},
    ),
    Engine(
        "raptorbt",
        "peer_raptorbt.py",
        {
            "W1": "a run per direction, sizes as parts of a capital",
            "W3": "a run per direction, sizes as parts of a capital",
            "W4": "no resizing: equal weights at the entry only",
            "W2 Python": "stops and targets count from the bar after the entry; fewer entries",
        },
        ("raptorbt", "pandas"),
        True,
        {"W2 Python": "late"},
        {"RAYON_NUM_THREADS": "1"},
    ),
    Engine(
        "polars_backtest",
        "peer_polars_backtest.py",
        {"W4": "weights without orders or shares; trades are counted, not fills"},
        ("polars-backtest", "numpy"),
        True,
    ),
    Engine(
        "backtesting.py",
        "peer_backtesting.py",
        {"W1 Python": "", "W2 Python": "slippage on entries, not on stops"},
        ("backtesting",),
        True,
        {"W2 Python": "only entries slip"},
    ),
    Engine(
        "hftbacktest",
        "peer_hftbacktest.py",
        {"W1": "an order book with a spread of 0.01 around each open"},
        ("hftbacktest",),
    ),
    Engine(
        "backtrader",
        "peer_backtrader.py",
        {
            "W1 Python": "",
            "W2 Python": "stops and targets count from the bar after the entry; "
            "averages start from a simple mean",
        },
        ("backtrader", "numpy", "pandas"),
        floor_rules={"W2 Python": "late"},
    ),
    Engine(
        "nautilus_trader",
        "peer_nautilus.py",
        {
            "W1 Python": "orders fill at the close that decides them",
            "W2 Python": "orders fill at the close that decides them; next to no slippage",
        },
        ("nautilus_trader<2", "pandas<3"),
        floor_rules={"W1 Python": "at the close"},
    ),
    Engine(
        "bt",
        "peer_bt.py",
        {
            "W1 Python": "sizes are weights of the equity",
            "W4": "fractions of shares, sized at the open",
        },
        ("bt",),
        floor_rules={"W4": "fractions"},
    ),
    Engine(
        "pybroker",
        "peer_pybroker.py",
        {
            "W1 Python": "",
            "W2 Python": "distances of stop and target count from the fill, "
            "from the bar after it on",
        },
        ("lib-pybroker",),
        floor_rules={"W2 Python": "late"},
    ),
    Engine(
        "zipline",
        "peer_zipline.py",
        {"W1 Python": "whole days of minutes only; prices of three decimals"},
        ("zipline-reloaded",),
    ),
)
