"""Fingerprints of first-party code: what a job depends on beyond its input files.

Snakemake tracks neither imported modules nor, by content, the script of a rule. A fingerprint in
`params` does: it changes when the code of a module, or of any latentmap module that it imports,
changes in meaning. Comments, docstrings and layout do not count; templates that lie beside a module
and have its name do, byte by byte.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

ROOT = "latentmap"
TEMPLATES = (".html", ".css", ".js")


def fingerprint(*modules: str, scripts: tuple[Path, ...] = ()) -> str:
    """Return 16 hexadecimal digits over modules and scripts and all they import of latentmap.

    Args:
        modules: dotted names of latentmap modules, such as the plug-in that a job uses.
        scripts: Python files outside the package, such as the rule's script.
    """
    files = imports_of(*modules, scripts=scripts)
    meanings = [f"{name} {_read(files[name]).meaning}" for name in sorted(files)]
    templates = [
        f"{path.name} {_bytes(path)}"
        for name in sorted(files)
        for path in (files[name].with_suffix(suffix) for suffix in TEMPLATES)
        if path.exists()
    ]
    return hashlib.blake2b("\n".join(meanings + templates).encode(), digest_size=8).hexdigest()


def imports_of(*modules: str, scripts: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Return the files of modules and scripts and of all they import of latentmap, by name."""
    files = {str(path.name): path for path in scripts}
    pending = [*modules, *(name for path in scripts for name in _read(path).imports)]
    while pending:
        name = pending.pop()
        path = _source(name)
        if name not in files and path is not None:
            files[name] = path
            pending.extend(_read(path).imports)
    return files


@cache
def _source(module: str) -> Path | None:
    spec = find_spec(module)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


class _Code(NamedTuple):
    """What a file means, and the latentmap modules that its import statements name.

    Imports below `if TYPE_CHECKING:` count too: a rerun too many is cheaper than one too few.
    """

    meaning: str
    imports: tuple[str, ...]


@cache
def _read(path: Path) -> _Code:
    # The tree is not kept: two hundred of them would slow every later garbage collection down.
    tree = ast.parse(path.read_text("utf-8"), filename=str(path))
    names = [name for node in _statements(tree) for name in _imported(node)]
    meaning = hashlib.blake2b(ast.dump(tree).encode(), digest_size=16).hexdigest()
    return _Code(meaning, tuple(n for n in names if n == ROOT or n.startswith(f"{ROOT}.")))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Walk the statements below a node, without their expressions; remove every docstring."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        _remove_docstring(node.body)
    for field in ("body", "handlers", "orelse", "finalbody", "cases"):
        for child in getattr(node, field, ()):
            yield child
            yield from _statements(child)


def _remove_docstring(body: list[ast.stmt]) -> None:
    match body:
        case [ast.Expr(value=ast.Constant(value=str())), *_]:
            del body[0]


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None and node.level == 0:
        yield node.module
        if node.module.split(".")[0] == ROOT:
            submodules = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name for name in submodules if _is_module(name))


@cache
def _is_module(name: str) -> bool:
    parent = _source(name.rpartition(".")[0])
    # Only a package can have submodules; asking find_spec about a class would import its module.
    return parent is not None and parent.name == "__init__.py" and find_spec(name) is not None


@cache
def _bytes(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
