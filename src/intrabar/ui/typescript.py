"""Write the types of the pages' JSON in TypeScript, from those in Python.

`python -m intrabar.ui.typescript` writes the files of `FILES` below `frontend/src`; a test fails
where one of them differs. A `TypedDict` becomes an interface, a union or a `Literal` a type,
`SCHEMA` a constant. What does not consist of these stays in Python.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import MappingProxyType

FILES = MappingProxyType(
    {
        "coded.ts": ("coded.py",),
        "parity/view.ts": ("parity_view.py",),
        "report/view.ts": ("view_types.py",),
        "sweep/view.ts": ("sweep_view.py",),
        "validation/view.ts": ("validation_input.py", "validation_view.py"),
    }
)
"""A file of TypeScript, and the modules whose types are in it."""

PLAIN = {
    "str": "string",
    "int": "number",
    "float": "number",
    "bool": "boolean",
    "None": "null",
    "object": "unknown",
}
RENAMED = {"Number": "Num"}  # there is another Number in TypeScript
SHARED = ("Coded", "Number")
HEAD = "/** Written by `python -m intrabar.ui.typescript` of {}; edit that. */\n"


class _UntoldError(Exception):
    """A type of Python that no page reads."""


def typescript(name: str) -> str:
    """The text of one of `FILES`.

    Parameters
    ----------
    name : str
        Its path below `frontend/src`.
    """
    modules = FILES[name]
    known: set[str] = set() if name == "coded.ts" else set(SHARED)
    parts: list[str] = []
    for module in modules:
        tree = ast.parse((Path(__file__).parent / module).read_text(encoding="utf-8"))
        parts += _types(tree.body, known)
    paths = " and ".join(f"`intrabar/ui/{module}`" for module in modules)
    body = "\n".join(parts)
    used = [RENAMED.get(one, one) for one in SHARED]
    used = [one for one in used if one in body and name != "coded.ts"]
    imports = f'import type {{ {", ".join(used)} }} from "../coded";\n' if used else ""
    return "\n".join(filter(None, [HEAD.format(paths) + imports, body]))


def _types(body: Sequence[ast.stmt], known: set[str]) -> Iterator[str]:
    """The types of a module, in order; `known` takes the names of those that are told."""
    for one in body:
        try:
            if isinstance(one, ast.ClassDef) and _is_typed_dict(one):
                known.add(one.name)
                yield _interface(one, known)
            elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name):
                name = one.targets[0].id
                text = _constant(name, one.value) or _alias(name, one.value, known)
                known.add(name)
                yield text
        except _UntoldError:
            continue


def _is_typed_dict(one: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "TypedDict" for base in one.bases)


def _interface(one: ast.ClassDef, known: set[str]) -> str:
    told = (ast.get_docstring(one) or "").splitlines()
    comment = f"/** {told[0]} */" if len(told) == 1 else "\n * ".join(["/**", *told]) + "\n */"
    fields = [
        f"  {field.target.id}: {_type(field.annotation, known)};"
        for field in one.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    ]
    comment = "\n".join(line.rstrip() for line in comment.splitlines())
    return "\n".join([comment, f"export interface {one.name} {{", *fields, "}\n"])


def _constant(name: str, value: ast.expr) -> str:
    if name == "SCHEMA" and isinstance(value, ast.Constant):
        return f"export const SCHEMA = {value.value!r};\n"
    return ""


def _alias(name: str, value: ast.expr, known: set[str]) -> str:
    if not isinstance(value, ast.BinOp | ast.Subscript):
        raise _UntoldError
    return f"export type {RENAMED.get(name, name)} = {_type(value, known)};\n"


def _type(given: ast.expr, known: set[str]) -> str:
    """A type in TypeScript."""
    match given:
        case ast.Name(id=name) if name in PLAIN:
            return PLAIN[name]
        case ast.Name(id=name) if name in known:
            return RENAMED.get(name, name)
        case ast.Constant(value=None):
            return "null"
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            parts = [_type(left, known), _type(right, known)]
            return " | ".join(dict.fromkeys(" | ".join(parts).split(" | ")))
        case ast.Subscript(value=ast.Name(id="list"), slice=inner):
            text = _type(inner, known)
            return f"({text})[]" if " | " in text else f"{text}[]"
        case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
            return f"Record<{_type(key, known)}, {_type(value, known)}>"
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            words = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return " | ".join(ast.unparse(word).replace("'", '"') for word in words)
    raise _UntoldError(ast.unparse(given))


def write(folder: Path) -> None:
    """Write the files below `frontend/src`."""
    for name in FILES:
        (folder / name).write_text(typescript(name), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "frontend/src"))
