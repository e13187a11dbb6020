"""Write pages: the built ones with a view inside, each one file that opens offline."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from tempfile import NamedTemporaryFile

from intrabar.errors import RunError
from intrabar.ui.parity_view import ParityView
from intrabar.ui.sweep_view import SweepView
from intrabar.ui.validation_view import ValidationView
from intrabar.ui.view_types import ReportView

PLACEHOLDER = "__INTRABAR_VIEW__"

# A JSON text may stand inside a script element once it can neither close it nor open a comment;
# the two line separators are legal in JSON but end a line in older JavaScript.
_ESCAPES = str.maketrans({"<": "\\u003c", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def write_report(view: ReportView, path: Path | str) -> Path:
    """Write the report page of a run.

    Parameters
    ----------
    view : ReportView
    path : path
        The HTML file; its folder is made. A reader sees the old file or the whole new one.

    Returns
    -------
    Path
        Where it was written.

    Raises
    ------
    RunError
        The page was not built when the package was installed, or the file cannot be written.
    """
    return _write("report", view, Path(path))


def write_sweep(view: SweepView, path: Path | str) -> Path:
    """Write the page of a sweep, as `write_report` does that of a run."""
    return _write("sweep", view, Path(path))


def write_validation(view: ValidationView, path: Path | str) -> Path:
    """Write the page of a validation, as `write_report` does that of a run."""
    return _write("validation", view, Path(path))


def write_parity(view: ParityView, path: Path | str) -> Path:
    """Write the page of a parity, as `write_report` does that of a run."""
    return _write("parity", view, Path(path))


def _write(name: str, view: Mapping[str, object], target: Path) -> Path:
    before, after = _template(name).split(PLACEHOLDER)
    text = json.dumps(view, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace_text(target, before + text.translate(_ESCAPES) + after)
    except OSError as e:
        raise RunError(f"the {name} {target} was not written: {e}") from e
    return target


def replace_text(target: Path, text: str) -> None:
    """Write a file in one go: a reader finds the old text or the new one. Raises OSError."""
    part = NamedTemporaryFile(  # noqa: SIM115 - closed below, before it is renamed
        "w", encoding="utf-8", dir=target.parent, prefix=f".{target.name}.", delete=False
    )
    try:
        with part:
            part.write(text)
        os.chmod(part.name, 0o644)
        os.replace(part.name, target)
    except BaseException:
        os.unlink(part.name)
        raise


def _template(name: str) -> str:
    page = files("intrabar.web").joinpath("static", f"{name}.html")
    try:
        text = page.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise RunError(
            f"the {name} page is not built; install the package again (pip install -e .), "
            "which builds it with Node"
        ) from None
    if text.count(PLACEHOLDER) != 1:
        raise RunError(f"the page {page} is broken: install the package again")
    return text
