"""The name of the kernels' folder changes with every file that a compiled result depends on."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

import intrabar
from intrabar import kernel, sources
from intrabar.exits import FixedRatio, TrailingATR
from intrabar.strategy import entries
from intrabar.strategy.given_side import GivenSide

PACKAGE = Path(intrabar.__file__).parent
DECORATORS = {"kernel", "inlined", "intrinsic", "cfunc"}

# Rules and constants that are compiled into kernels of other files.
EDITED = [
    ("strategy/entries.py", "now.draw < 0.5 * p.chance", "now.draw < 0.1 * p.chance"),
    ("strategy/given_side.py", "int(now.given_side)", "-int(now.given_side)"),
    ("exits/fixed_ratio.py", "side * p.reward * risk", "2.0 * side * p.reward * risk"),
    ("exits/trailing_atr.py", "now.close - side", "now.close - 2 * side"),
    ("analysis/returns.py", "ROUNDING = ", "ROUNDING = 2.0 * "),
    ("model/bars.py", "DAY_NS = ", "DAY_NS = 2 * "),
    ("model/enums.py", "FLATTEN = 2", "FLATTEN = 9"),
    ("sim/costs.py", "OF_A_LOT = ", "OF_A_LOT = 2.0 * "),
    ("analysis/sleeves.py", "FILL = ", "FILL = 1 + "),
    ("indicators/indicator.py", "Floats = ", "Floats  = "),
]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    copytree(PACKAGE, folder / "intrabar", ignore=ignore_patterns("__pycache__", "static"))
    return folder


def digests(folder: Path) -> list[str]:
    """Names of the kernels' folder and of the code, asked in a process of its own."""
    ask = (
        "from intrabar import sources as s; x = s.read_sources();"
        "print(s.digest_of(s.kernel_modules(x), x), s.package_code())"
    )
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", ask]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=True, cwd=folder
    ).stdout.split()


@pytest.mark.parametrize(("file", "old", "new"), EDITED, ids=[file for file, _, _ in EDITED])
def test_an_edit_of_a_rule_or_a_constant_gives_other_kernels(
    copy: Path, file: str, old: str, new: str
) -> None:
    path = copy / "intrabar" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    before = digests(copy)
    try:
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        after = digests(copy)
    finally:
        path.write_text(text, encoding="utf-8")
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert digests(copy) == before


@pytest.mark.parametrize(
    "file",
    [
        "research/sweep/lean.py",
        "app/compose/recipe.py",
        "app/compose/factories.py",
        "data/instruments.toml",
    ],
)
def test_what_makes_an_outcome_changes_the_key_of_a_trial_and_no_kernel(
    copy: Path, file: str
) -> None:
    path = copy / "intrabar" / file
    text = path.read_text(encoding="utf-8")
    before = digests(copy)
    try:
        path.write_text(text + "\n# edited\n", encoding="utf-8")
        after = digests(copy)
    finally:
        path.write_text(text, encoding="utf-8")
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_every_module_that_a_kernel_reaches_decides_the_name() -> None:
    """By the syntax tree, which the digest at start has no time for."""
    texts = sources.read_sources()
    reached: set[str] = set()
    waiting = [name for name, text in texts.items() if _declares_a_kernel(text) or _is_rule(name)]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(_imports(name, texts))
    assert sources.kernel_modules(texts) == reached
    digest = sources.digest_of(reached, texts)
    for name in reached:
        edited = {**texts, name: texts[name] + b"#"}
        assert sources.digest_of(sources.kernel_modules(edited), edited) != digest, name


def test_no_front_end_or_command_is_compiled_anew_for() -> None:
    beyond = ("app", "ui", "web", "research", "engine", "data")
    assert not [m for m in kernel.COMPILED_FROM if m.split(".")[1] in beyond]


def test_the_shipped_rules_are_among_them() -> None:
    """A rule of any other module is compiled in each process (`rules.compile_rule`)."""
    shipped = [v for v in vars(entries).values() if hasattr(v, "decide_side")]
    for rule in (*shipped, FixedRatio, TrailingATR, GivenSide):
        assert rule.__module__ in kernel.COMPILED_FROM


def test_the_last_three_folders_stay(tmp_path: Path) -> None:
    for age in range(6):
        folder = tmp_path / "kernels" / f"old{age}"
        folder.mkdir(parents=True)
        then = time.time() - 86_400.0 * (age + 1)
        os.utime(folder, (then, then))
    env = {**os.environ, "INTRABAR_CACHE": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import intrabar.kernel"], env=env, check=True)
    there = {p.name for p in (tmp_path / "kernels").iterdir()}
    assert there == {kernel.DIGEST, "old0", "old1"}


def _is_rule(name: str) -> bool:
    return name.startswith(sources.RULES)


def _declares_a_kernel(text: bytes) -> bool:
    if not any(word.encode() in text for word in DECORATORS):
        return False
    used: list[ast.expr] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            used += node.decorator_list
        if isinstance(node, ast.Call):
            used.append(node.func)
    return any(isinstance(node, ast.Name) and node.id in DECORATORS for node in used)


def _imports(name: str, texts: Mapping[str, bytes]) -> Iterator[str]:
    for node in ast.walk(ast.parse(texts[name])):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, (name, "imports by a relative name")
            named = [f"{node.module}.{alias.name}" for alias in node.names]
            found = {str(node.module), *named}
        elif isinstance(node, ast.Import):
            found = {alias.name for alias in node.names}
        else:
            continue
        yield from (each for each in found if each in texts and each != "intrabar")
