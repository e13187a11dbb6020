"""The extra `ml`: what training needs and trading does not."""

from __future__ import annotations

from importlib.util import find_spec

from intrabar.errors import UsageError, install_line

NEEDED = ("torch", "stable_baselines3", "gymnasium", "sklearn", "onnx", "onnxscript", "onnxruntime")


def require_ml() -> None:
    """Refuse to learn without the packages of the extra `ml`.

    Raises
    ------
    UsageError
        "learning needs torch: pip install 'intrabar[ml]'".
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise UsageError(f"learning needs {', '.join(missing)}: {install_line('ml')}")
