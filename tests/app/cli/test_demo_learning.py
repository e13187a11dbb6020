"""`intrabar demo-learning`: it ends with the verdict, and deletes nobody's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrabar.app.cli.main import run


@pytest.mark.slow
def test_it_goes_from_bars_to_a_verdict_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    verdicts = []
    for _ in range(2):
        assert run(["demo-learning"]) == 0
        verdicts.append(capsys.readouterr().out.strip().splitlines()[-1])
    assert verdicts[0] == verdicts[1]
    assert verdicts[0].split(":")[0] in ("Worth it", "Not worth it", "Open")
    assert (tmp_path / "demo-learning" / "policies" / "trend" / "w001" / "report.html").exists()


def test_another_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "config.yaml").write_text("name: mine\n")
    assert run(["demo-learning", "--out", str(mine)]) == 2
    assert "is there, and not of the demo; give --out" in capsys.readouterr().err
    assert (mine / "config.yaml").read_text() == "name: mine\n"
