"""Pictures of the pages: a report, a sweep and a verdict. Run before a release.

Needs the developers' packages and a Chromium (`chromium` on the path).
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from intrabar.app.cli.main import run

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "examples" / "sweep.yaml"
SIZES = {"report": (1200, 1250), "sweep": (1200, 1240), "validation": (1200, 820)}


def pages(home: Path) -> None:
    """Make the pages below a folder of runs."""
    run(["demo", "--out", str(home / "demo")])
    run(["sweep", str(EXAMPLE), "--name", "Crossovers of IBM", "--out", str(home / "sweep")])
    run(["validate", "last", "--out", str(home / "sweep")])


def photograph(home: Path) -> None:
    """Take the picture of each page as it opens."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(next(home.rglob(f"{name}.html")).as_uri())
            page.locator("main h1").wait_for()
            page.wait_for_timeout(500)  # charts draw after the page stands
            page.screenshot(path=HERE / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        pages(Path(folder))
        photograph(Path(folder))
