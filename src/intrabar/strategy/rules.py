"""From a small Python function to an address that a compiled bot can call.

A rule reads records: `now` (the bar and its indicators) and `p` (the parameters), all float64
fields by name. The functions that come with Intrabar are cached on disk, because the cache's
folder changes with their source; a user's rule is compiled anew in each process, since nothing
would tell the cache that a function it calls in another file has changed.
"""

from __future__ import annotations

import dis
import hashlib
import sys
import types as python_types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import NumbaError
from numpy.typing import NDArray

from intrabar.errors import ConfigError
from intrabar.kernel import CACHE, COMPILED_FROM, carray, cfunc, intrinsic
from intrabar.model.session import CLOCK_FIELDS
from intrabar.model.values import is_number
from intrabar.shipped import RULES
from intrabar.sim.tables import pointer

DEEPEST = 20  # functions that call each other
BAR_FIELDS = ("open", "high", "low", "close", "volume")

# The arguments that follow `now` and `p`, and what comes back.
SHAPES = {
    "decide_side": ("int64(int64, int64)", "", "return int(rule(now, p))"),
    "wants_out": ("int64(int64, int64, int64)", ", side", "return int(rule(now, p, side))"),
    "stop_entry": ("float64(int64, int64, int64)", ", side", "return rule(now, p, side)"),
    "limit_entry": ("float64(int64, int64, int64)", ", side", "return rule(now, p, side)"),
    "initial_levels": (
        "int64(int64, int64, int64, float64, int64)",
        ", side, price, out_address",
        "out = carray(pointer(out_address), 2, np.float64)\n"
        "    out[0], out[1] = rule(now, p, side, price)\n"
        "    return 0",
    ),
    "update_stop": (
        "float64(int64, int64, int64, float64, float64)",
        ", side, entry, stop",
        "return rule(now, p, side, entry, stop)",
    ),
}

MODULE = '''"""Made from {origin}; removed with the cache."""
@cfunc({signature!r}, cache={cached})
def call(now_address, p_address{arguments}):
    now = carray(pointer(now_address), 1, NOW)[0]
    p = carray(pointer(p_address), 1, PARAMETERS)[0]
    {body}
'''


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule's address; the object behind it must be kept alive as long as it is called."""

    address: int
    keeper: Any


def record_of(names: Sequence[str]) -> np.dtype[Any]:
    """A record of float64 fields."""
    return np.dtype([(name, "f8") for name in names])


@lru_cache(maxsize=512)
def steps_of(code: python_types.CodeType) -> tuple[dis.Instruction, ...]:
    """The steps of a function: many runs read the same rules."""
    return tuple(dis.get_instructions(code))


def fields_read(fields: Sequence[str], *rules: Callable[..., Any]) -> tuple[str, ...]:
    """Those of some fields of `now` that rules name, so that the others need not be fetched.

    All of them where a rule hands `now` on to something else.
    """
    named: set[str] = set()
    for rule in rules:
        now = rule.__code__.co_varnames[0]  # the first parameter, whatever it is called
        if now in rule.__code__.co_cellvars:
            return tuple(fields)
        for step, after in pairwise(steps_of(rule.__code__)):
            if not step.opname.startswith("LOAD_FAST"):
                continue
            # From Python 3.13 on, one step may load two names.
            loaded = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            if now in loaded[:-1] or (now == loaded[-1] and after.opname != "LOAD_ATTR"):
                return tuple(fields)
            if now == loaded[-1]:
                named.add(after.argval)
    return tuple(name for name in fields if name in named)


def parameters_of(value: Any) -> NDArray[Any]:
    """The numbers of a dataclass as one record; words are left out."""
    numbers = {f.name: getattr(value, f.name) for f in fields(value)}
    kept = {k: float(v) for k, v in numbers.items() if is_number(v) or isinstance(v, bool)}
    record = np.zeros(1, record_of(list(kept) or ["none"]))
    for name, number in kept.items():
        record[name] = number
    return record


def compile_rule(
    owner: Any, name: str, now: np.dtype[Any], parameters: np.dtype[Any]
) -> CompiledRule | None:
    """Compile the static function `name` of a rule; None where it is plain Python.

    Parameters
    ----------
    owner : entry or exit
        Its class has the function.
    now, parameters : dtype
        Records of float64 fields that the function reads by name.

    Returns
    -------
    CompiledRule or None
        None when Numba cannot compile the function, or it may raise; it then runs as a Python hook.
    """
    function: Callable[..., Any] = getattr(type(owner), name)
    if may_raise(function):
        return None
    return _compile(function, name, type(owner).__name__, now, parameters)


@lru_cache(maxsize=512)  # a process that makes ever new rules lets go of the old ones
def _compile(
    function: Callable[..., Any],
    name: str,
    owner: str,
    now: np.dtype[Any],
    parameters: np.dtype[Any],
) -> CompiledRule | None:
    signature, arguments, body = SHAPES[name]
    ours = function.__module__ in COMPILED_FROM
    origin = f"{function.__module__}.{function.__qualname__}"
    text = MODULE.format(
        origin=origin, signature=signature, arguments=arguments, body=body, cached=ours
    )
    key = hashlib.sha256(f"{text}{now.descr}{parameters.descr}".encode()).hexdigest()[:16]
    path = CACHE / RULES / f"{owner}_{name}_{key}.py"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    # Numba's cache finds the environment of what it loads by the name of a module.
    module = python_types.ModuleType(f"intrabar_rule_{key}")
    sys.modules[module.__name__] = module
    space = vars(module)
    space.update(
        cfunc=cfunc,
        carray=carray,
        np=np,
        pointer=pointer,
        NOW=now,
        PARAMETERS=parameters,
        rule=numba.njit(error_model="numpy")(function),
    )
    try:
        exec(compile(text, str(path), "exec"), space)
        call = space["call"]
        return CompiledRule(call.address, call)
    except (NumbaError, KeyError):  # KeyError: a field that a record does not have
        missing = missing_field(function, now, parameters)
        if missing:
            raise ConfigError(f"{origin}: {missing}") from None
        return None


def may_raise(function: Any, seen: frozenset[Any] = frozenset()) -> bool:
    """Whether a function, or one that it names, has a `raise` or an `assert`.

    A compiled rule has nobody to raise to: its error would be printed, and its answer taken.
    """
    function = getattr(function, "py_func", function)
    code = getattr(function, "__code__", None)
    if code is None or code in seen or len(seen) > DEEPEST:
        return False
    steps = steps_of(code)
    if any(step.opname == "RAISE_VARARGS" for step in steps):
        return True
    # Globals alone: `now.cross` names no function.
    read = {step.argval for step in steps if step.opname == "LOAD_GLOBAL"}
    named = [function.__globals__.get(name) for name in sorted(read)]
    named += [cell.cell_contents for cell in function.__closure__ or ()]
    return any(may_raise(one, seen | {code}) for one in named if callable(one))


def missing_field(function: Any, now: np.dtype[Any], parameters: np.dtype[Any]) -> str:
    """What is wrong when a rule reads a name that its records do not have; "" if nothing is."""
    records = dict(
        zip(function.__code__.co_varnames, (now.names or (), parameters.names or ()), strict=False)
    )
    read = ""
    for step in steps_of(function.__code__):
        if step.opname == "LOAD_ATTR" and step.argval not in records.get(read, (step.argval,)):
            own = [x for x in now.names or () if x not in (*BAR_FIELDS, *CLOCK_FIELDS)]
            return (
                f"reads {step.argval!r}, which is neither in the bar ({', '.join(BAR_FIELDS)}), "
                f"on the clock ({', '.join(CLOCK_FIELDS)}), "
                f"an indicator ({', '.join(own) or 'there is none'}) "
                f"nor a parameter ({', '.join(parameters.names or ())})"
            )
        loads = step.opname.startswith("LOAD_FAST")
        read = (step.argval[-1] if isinstance(step.argval, tuple) else step.argval) if loads else ""
    return ""


@intrinsic
def call_side(typing_context: Any, address: Any, now: Any, p: Any) -> Any:
    """Call a compiled `decide_side`."""
    return types.int64(types.int64, types.int64, types.int64), _emitter("ii", "i")


@intrinsic
def call_out(typing_context: Any, address: Any, now: Any, p: Any, side: Any) -> Any:
    """Call a compiled `wants_out`."""
    i = types.int64
    return types.int64(i, i, i, i), _emitter("iii", "i")


@intrinsic
def call_price(typing_context: Any, address: Any, now: Any, p: Any, side: Any) -> Any:
    """Call a compiled `stop_entry` or `limit_entry`."""
    i = types.int64
    return types.float64(i, i, i, i), _emitter("iii", "f")


@intrinsic
def call_levels(
    typing_context: Any, address: Any, now: Any, p: Any, side: Any, price: Any, out: Any
) -> Any:
    """Call a compiled `initial_levels`; the two levels are written to `out`."""
    i, f = types.int64, types.float64
    return types.int64(i, i, i, i, f, i), _emitter("iiifi", "i")


@intrinsic
def call_stop(
    typing_context: Any, address: Any, now: Any, p: Any, side: Any, entry: Any, stop: Any
) -> Any:
    """Call a compiled `update_stop`."""
    i, f = types.int64, types.float64
    return types.float64(i, i, i, i, f, f), _emitter("iiiff", "f")


@intrinsic
def call_decide(
    typing_context: Any, address: Any, learner: Any, i: Any, j: Any, side: Any, draw: Any
) -> Any:
    """Call a compiled `decide`."""
    n, f = types.int64, types.float64
    return types.int64(n, n, n, n, n, f), _emitter("iiiif", "i")


@intrinsic
def call_held(
    typing_context: Any,
    address: Any,
    learner: Any,
    book: Any,
    i: Any,
    j: Any,
    strategy: Any,
    atr: Any,
) -> Any:
    """Call a compiled `decide_held`."""
    n, f = types.int64, types.float64
    return types.int64(n, n, n, n, n, n, f), _emitter("iiiiif", "i")


def _emitter(arguments: str, result: str) -> Any:
    kinds = {"i": ir.IntType(64), "f": ir.DoubleType()}
    function = ir.FunctionType(kinds[result], [kinds[a] for a in arguments])

    def emit(_: Any, builder: Any, __: Any, values: Any) -> Any:
        return builder.call(builder.inttoptr(values[0], function.as_pointer()), values[1:])

    return emit
