"""Fingerprints of first-party code: what a job depends on beyond its input files.

Snakemake tracks neither imported modules nor, by content, the script of a rule. A fingerprint in
`params` does: it changes when the code of a module, or of any latentmap module that it imports,
changes in meaning. Comments, docstrings and layout do not count; templates that lie beside a module
and have its name do, byte by byte.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from latentmap.plugins import used
from latentmap.store.digests import DigestMemory
from latentmap.store.files import Memory

ROOT = "latentmap"
TEMPLATES = (".html", ".css", ".js")

KNOWN_CODE: ContextVar[Memory | None] = ContextVar("known_code", default=None)
"""Asked before a file is parsed, where one plan follows another."""


def fingerprint(*modules: str, scripts: tuple[Path, ...] = ()) -> str:
    """Return 16 hexadecimal digits over modules and scripts and all they import of latentmap.

    Of a plug-in of others, what it imports of its own package counts, too.

    Args:
        modules: dotted names of modules, such as the plug-in that a job uses.
        scripts: Python files outside the package, such as the rule's script.
    """
    read = _read_all(modules, scripts)
    meanings = [f"{name} {read[name].meaning}" for name in sorted(read)]
    templates = [line for name in sorted(read) for line in _templates(read[name].path)]
    return hashlib.blake2b("\n".join(meanings + templates).encode(), digest_size=8).hexdigest()


def remember_code(path: Path | str) -> DigestMemory:
    """Parse no file from now on that is as it was when it was parsed for an earlier plan.

    Args:
        path: the Parquet file that it is remembered in.
    """
    own = hashlib.blake2b(Path(__file__).read_bytes(), digest_size=8).hexdigest()
    memory = DigestMemory(path, f"{platform.python_version()} {own}")
    KNOWN_CODE.set(memory)
    return memory


def imports_of(*modules: str, scripts: tuple[Path, ...] = ()) -> dict[str, Path]:
    """Return the files of modules and scripts and of all they import of latentmap, by name."""
    return {name: code.path for name, code in _read_all(modules, scripts).items()}


def _read_all(modules: Sequence[str], scripts: Sequence[Path]) -> dict[str, _Code]:
    roots = frozenset({ROOT, *(name.partition(".")[0] for name in used())})
    found = {path.name: _read(path, "", roots) for path in scripts}
    pending = [*modules, *(name for code in found.values() for name in code.imports)]
    while pending:
        name = pending.pop()
        path = _source(name)
        if name not in found and path is not None:
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            found[name] = _read(path, package, roots)
            pending.extend(found[name].imports)
    return found


@cache
def _source(module: str) -> Path | None:
    spec = find_spec(module)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


class _Code(NamedTuple):
    """What a file means, and the modules that its import statements name: ours, and of plug-ins.

    Imports below `if TYPE_CHECKING:` count too: a rerun too many is cheaper than one too few.
    """

    path: Path
    meaning: str
    imports: tuple[str, ...]


@cache
def _read(path: Path, package: str, roots: frozenset[str]) -> _Code:
    memory = KNOWN_CODE.get()
    told = _parsed(path) if memory is None else memory.digest(path, _parsed)
    meaning, imports = json.loads(told)
    names = [
        name
        for level, module, imported in imports
        for name in _imported(level, module, imported, package, roots)
    ]
    return _Code(path, meaning, tuple(name for name in names if name.partition(".")[0] in roots))


def _parsed(path: Path | str) -> str:
    """Return a digest of what a file means and what it imports: level, module, names from it."""
    # The tree is not kept: two hundred of them would slow every later garbage collection down.
    tree = ast.parse(Path(path).read_text("utf-8"), filename=str(path))
    imports = [one for node in _statements(tree) for one in _imports(node)]
    meaning = hashlib.blake2b(ast.dump(tree).encode(), digest_size=16).hexdigest()
    return json.dumps([meaning, imports])


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


def _imports(node: ast.AST) -> Iterator[tuple[int, str, list[str]]]:
    if isinstance(node, ast.Import):
        yield from ((0, alias.name, []) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield node.level, node.module or "", [alias.name for alias in node.names]


def _imported(
    level: int, module: str, imported: list[str], package: str, roots: frozenset[str]
) -> Iterator[str]:
    if level:  # relative to the package
        parents = package.split(".")[: len(package.split(".")) - level + 1]
        module = ".".join(filter(None, [*parents, module]))
    yield module
    if module.partition(".")[0] in roots:
        yield from (name for name in (f"{module}.{one}" for one in imported) if _is_module(name))


@cache
def _is_module(name: str) -> bool:
    parent = _source(name.rpartition(".")[0])
    # Only a package can have submodules; asking find_spec about a class would import its module.
    return parent is not None and parent.name == "__init__.py" and find_spec(name) is not None


@cache
def _templates(path: Path) -> list[str]:
    """Return a line for each template of a module: its name, and a digest of its bytes."""
    found = (path.with_suffix(suffix) for suffix in TEMPLATES)
    return [
        f"{one.name} {hashlib.blake2b(one.read_bytes(), digest_size=16).hexdigest()}"
        for one in found
        if one.exists()
    ]
