"""Compiled kernels are kept in a folder of their own, or nowhere: never beside the sources."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ONE = "from intrabar.model.prices import same; print(same(1.0, 1.0, 0.01))"
ASK = "import intrabar.kernel as k; print(k.CACHE.is_dir()); print(k.CACHE); print(k.NOT_KEPT)"


def test_a_cache_that_cannot_be_written_ends_with_the_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    env = {**os.environ, "INTRABAR_CACHE": str(tmp_path / "file")}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=True
    )
    is_there, folder, why = done.stdout.splitlines()
    assert is_there == "True"
    assert str(tmp_path / "file") in why
    assert not Path(folder).exists()


def test_what_is_compiled_is_announced_once_and_not_again(tmp_path: Path) -> None:
    env = {**os.environ, "INTRABAR_CACHE": str(tmp_path)}
    for line in ("compiling the market, once for this machine (about half a minute) ...\n", ""):
        done = subprocess.run(
            [sys.executable, "-c", ONE], env=env, capture_output=True, text=True, check=True
        )
        assert (done.stdout, done.stderr) == ("True\n", line)
