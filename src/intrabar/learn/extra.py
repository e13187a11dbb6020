"""The extra `ml`: what training needs and trading does not."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from intrabar.errors import UsageError, install_line

NEEDED = ("torch", "stable_baselines3", "gymnasium", "sklearn", "onnx", "onnxscript", "onnxruntime")


def is_there(name: str) -> bool:
    """Whether a package can be imported; it is not imported for that."""
    try:
        return find_spec(name) is not None
    except ImportError:  # who finds modules may refuse them
        return False


def versions_of(*names: str) -> dict[str, str]:
    """Versions of packages that are there."""
    return {name: version(name) for name in names}


def require_ml() -> None:
    """Refuse to learn without the packages of the extra `ml`.

    Raises
    ------
    UsageError
        "learning needs torch: pip install 'intrabar[ml]'".
    """
    missing = [name for name in NEEDED if not is_there(name)]
    if missing:
        raise UsageError(f"learning needs {', '.join(missing)}: {install_line('ml')}")
