"""Values written as text: JSON, Python literals, and what NumPy writes; parsed, never evaluated."""

from __future__ import annotations

import ast
import json
import math
import warnings
from typing import Any

NAMES = {
    **{"nan": math.nan, "NaN": math.nan, "inf": math.inf, "Infinity": math.inf},
    **{"null": None, "true": True, "false": False, "True_": True, "False_": False},
}
"""Names of values, as pandas and NumPy write them."""

SCALARS = frozenset(
    (
        *("float16", "float32", "float64", "longdouble", "int8", "int16", "int32", "int64"),
        *("uint8", "uint16", "uint32", "uint64", "intc", "longlong", "ulonglong"),
        *("bool", "bool_", "str_", "Decimal"),
    )
)
"""Calls that stand for their one argument: `np.float64(0.1)`."""

ARRAYS = frozenset(("array", "asarray", "tuple", "list", "set", "frozenset", "tensor"))
"""Calls that stand for the list that is their first argument: `array([1.0], dtype=float32)`."""


def parse_literal(text: str) -> Any:
    """Parse the text of a JSON or Python literal.

    Raises:
        ValueError: it is neither; says what is in the way.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strings with stray backslashes
            tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body)
    except SyntaxError as error:
        reason = str(error.msg)
    except ValueError as error:
        reason = str(error)
    except (MemoryError, RecursionError):
        reason = "nested too deeply"
    raise ValueError(f"neither JSON nor a Python literal: {reason}")


def unparsed(text: str) -> str | None:
    """Return why a text is no literal that can be parsed, null if it is one."""
    try:
        parse_literal(text)
    except ValueError as error:
        return str(error)
    return None


def _value(node: ast.AST) -> Any:
    match node:
        case ast.Constant(value=None | bool() | int() | float() | str() | bytes() as constant):
            return constant
        case ast.Constant(value=value) if value is ...:
            raise ValueError("shortened with '...'")
        case ast.Name() | ast.Attribute() if _last_name(node) in NAMES:
            return NAMES[_last_name(node)]
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return [_value(part) for part in parts]
        case ast.Dict(keys=keys, values=values) if all(isinstance(k, ast.Constant) for k in keys):
            pairs = zip(keys, values, strict=True)
            return {_value(key): _value(held) for key, held in pairs if key is not None}
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=operand):
            number = _value(operand)
            if isinstance(number, int | float):
                return -number if isinstance(sign, ast.USub) else number
        case ast.Call(func=function, args=[argument, *_]):
            called = _last_name(function)
            if called in SCALARS:
                return _value(argument)
            if called in ARRAYS and isinstance(items := _value(argument), list):
                return items
    raise ValueError(f"'{_shown(node)}' is no value")


def _last_name(node: ast.AST) -> str:
    """Return a name, of NumPy or of no module."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name):
            return name
    return ""


def _shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 40 else f"{text[:39]}…"
