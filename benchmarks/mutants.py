"""Change one thing at a time in the code, and see whether a test notices.

    python benchmarks/mutants.py --count 40 --seed 1

Each mutant is one change in one expression of `metrics` or `report`: a comparison, an operator, a
condition turned round, a number. The tests run in a copy of the project, those that are about the
changed module first (with --near only these, which says sooner what to look at), and stop at the
first failure. What no test notices is printed, to be judged: a change that alters nothing (an
equivalent mutant), or a test that is missing.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("metrics", "report")
TESTS = ("tests/metrics", "tests/report")

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one expression.

    Attributes:
        path: the file, relative to the project.
        node: the expression as it is.
        text: what takes its place.
    """

    path: Path
    node: ast.expr
    text: str

    def apply(self, source: str) -> str:
        """Return the file's text with the change."""
        lines = source.encode().splitlines(keepends=True)
        starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
        assert self.node.end_lineno and self.node.end_col_offset is not None
        first = starts[self.node.lineno - 1] + self.node.col_offset
        last = starts[self.node.end_lineno - 1] + self.node.end_col_offset
        whole = source.encode()
        return (whole[:first] + f"({self.text})".encode() + whole[last:]).decode()

    def __str__(self) -> str:
        """Say what is changed where."""
        return f"{self.path}:{self.node.lineno}: {ast.unparse(self.node)}  ->  {self.text}"


def mutants(path: Path) -> list[Mutant]:
    """Return every change of one file."""
    tree = ast.parse((ROOT / path).read_text())
    return [
        Mutant(path, node, ast.unparse(changed))
        for node in _code(tree)
        for changed in _changes(node)
    ]


def _code(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that run: no annotations, decorators or f-strings' parts."""
    for name, field in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "format_spec"):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.expr) and not isinstance(child, ast.JoinedStr):
                yield child
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                yield from _code(child)


def _changes(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        changed = deepcopy(node)
        changed.ops[0] = SWAPPED[type(node.ops[0])]()  # type: ignore[assignment]
        yield changed
    if isinstance(node, ast.BinOp | ast.BoolOp) and type(node.op) in SWAPPED:
        changed_op = deepcopy(node)
        changed_op.op = SWAPPED[type(node.op)]()  # type: ignore[assignment]
        yield changed_op
    if isinstance(node, ast.UnaryOp):
        yield node.operand
    if isinstance(node, ast.IfExp):
        yield ast.IfExp(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield ast.Constant(node.value + 1)


def verdict(mutant: Mutant, project: Path, timeout: float, *, near: bool) -> str:
    """Run the tests with the change, and return what became of it.

    Args:
        mutant: the change.
        project: a copy of the project, in which it is made and taken back.
        timeout: seconds for the tests; what takes longer is neither noticed nor survives.
        near: whether only the tests are run that are about the changed module.
    """
    file = project / mutant.path
    source = file.read_text()
    file.write_text(mutant.apply(source))
    try:
        code = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-x", "-m", "not slow"),
                *("-p", "no:cacheprovider", *_tests(mutant, project, near=near)),
            ],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            timeout=timeout,
            check=False,
        ).returncode
    except subprocess.TimeoutExpired:
        return "OVERTIME"
    finally:
        file.write_text(source)
    return "SURVIVES" if code == 0 else "noticed"


def _tests(mutant: Mutant, project: Path, *, near: bool) -> list[str]:
    """Return the files of tests, those first that are about the changed module: that name it."""
    path = mutant.path.with_suffix("")
    module = ".".join(path.parts[1:])
    files = [file for folder in TESTS for file in sorted((project / folder).glob("test_*.py"))]

    def far(file: Path) -> tuple[bool, bool, bool]:
        text = file.read_text()
        named = re.search(rf"\b{path.stem}\b", text)
        return module not in text, path.stem not in file.stem, named is None

    files.sort(key=far)
    closest = [file for file in files if not all(far(file))]
    return [str(file.relative_to(project)) for file in (closest if near and closest else files)]


def main() -> None:
    """Try as many mutants as asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=900, help="seconds for the tests of one")
    parser.add_argument("--near", action="store_true", help="only tests about the changed module")
    given = parser.parse_args()
    files = [
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in sorted((ROOT / "src/latentmap" / package).rglob("*.py"))
    ]
    possible = [mutant for path in files for mutant in mutants(path)]
    chosen = random.Random(given.seed).sample(possible, given.count)
    verdicts = Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        ignored = shutil.ignore_patterns(
            ".venv", ".git", "results", ".snakemake", "__pycache__", "node_modules"
        )
        shutil.copytree(ROOT, project, ignore=ignored)
        for number, mutant in enumerate(chosen, start=1):
            found = verdict(mutant, project, given.timeout, near=given.near)
            verdicts[found] += 1
            print(f"{number:3d} {found:8} {mutant}", flush=True)
    counts = ", ".join(f"{count} {found.lower()}" for found, count in verdicts.items())
    print(f"Of {given.count}: {counts}; {len(possible)} were possible in {len(files)} files.")


if __name__ == "__main__":
    main()
