"""Docstrings of installed Python packages: thousands of real texts, no network."""

from __future__ import annotations

import ast
import logging
import warnings
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePath
from typing import NamedTuple

import polars as pl
import pyarrow as pa
from pydantic import Field

from latentmap.errors import LatentmapError
from latentmap.samples.columns import ColumnMap
from latentmap.samples.images import Images
from latentmap.samples.indexing import index_rows
from latentmap.samples.raw import raw_samples
from latentmap.samples.source import Content, Source
from latentmap.samples.tables.rows import Rows
from latentmap.samples.texts import TextSourceOptions
from latentmap.store.samples import evenly_spaced
from latentmap.store.tables import check_parquet, write_parquet

READER = 1
"""Version of the reader: raised whenever it takes other docstrings from the same files."""

COLUMNS = ColumnMap(id="id", label="package", source_group="module", text="text")

SKIPPED = frozenset(("test", "tests", "testing", "_vendor", "vendored", "externals", "extern"))
"""Folders of tests, and of packages that others wrote."""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | Definition
KINDS: dict[type[ast.AST], str] = {ast.Module: "module", ast.ClassDef: "class"}


class DocstringsOptions(TextSourceOptions):
    """Options of `docstrings`.

    Attributes:
        input: none; the packages are those installed here.
        packages: the packages to read, by the names that `pip` installs them under.
        per_package: at most so many files and so many docstrings of each, evenly spaced.
        min_length: characters that a docstring must have to be taken.
    """

    packages: tuple[str, ...] = Field(
        (
            "altair",
            "huggingface-hub",
            "networkx",
            "numpy",
            "pandas",
            "polars",
            "scikit-learn",
            "scipy",
            "sympy",
            "transformers",
        ),
        min_length=1,
    )
    per_package: int = Field(500, ge=1)
    min_length: int = Field(60, ge=1)


class Docstring(NamedTuple):
    """A documented object.

    Attributes:
        id: its dotted name.
        package: the package that was asked for.
        module: dotted name of its module.
        object: `module`, `class` or `function`.
        text: its docstring, without the indentation of the code.
    """

    id: str
    package: str
    module: str
    object: str
    text: str


class DocstringsSource(Source[DocstringsOptions]):
    """Label = package, source group = module; the files are parsed, nothing is imported."""

    Options = DocstringsOptions

    def __init__(self, options: DocstringsOptions, file: Path | None = None) -> None:
        super().__init__(options)
        self._file = file

    @property
    def is_remote(self) -> bool:
        """Whether the packages are still to be read, which takes longer than planning may."""
        return self._file is None

    def revision(self) -> str:
        """Return the versions of the packages; see `Source.revision`."""
        versions = [f"{name} {_distribution(name).version}" for name in self.options.packages]
        return ", ".join([*versions, f"reader {READER}"])

    def download_to(self, path: Path) -> None:
        """Read the packages and write their docstrings as one Parquet file.

        Raises:
            LatentmapError: a package is not installed.
        """
        found = [doc for name in self.options.packages for doc in self._read_package(name)]
        schema = pa.schema([(name, pa.string()) for name in Docstring._fields])
        write_parquet(path, pa.Table.from_pylist([doc._asdict() for doc in found], schema))

    def local(self, path: Path | str) -> DocstringsSource:
        """Return the source that reads the file which `download_to` wrote."""
        return DocstringsSource(self.options, Path(path))

    @property
    def gives(self) -> frozenset[Content]:
        """See `Source.gives`."""
        return frozenset(("texts",))

    def index(self) -> pl.DataFrame:
        """List all docstrings; see `Source.index`."""
        table = self._rows.table()
        return index_rows(table, COLUMNS, Images(Path()), same=self.options.deduplicate)

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Read docstrings; see `Source.read`. The extra column `object` says of what."""
        return raw_samples(self._rows.take(rows), COLUMNS, Images(Path()), rows)

    @property
    def _rows(self) -> Rows:
        if self._file is None:
            raise LatentmapError("The packages' docstrings are not read yet.")
        check_parquet(self._file)
        return Rows([self._file])

    def _read_package(self, name: str) -> list[Docstring]:
        files = _python_files(_distribution(name))
        chosen = [files[n] for n in evenly_spaced(len(files), self.options.per_package)]
        found = [
            doc
            for module, path in chosen
            for doc in _docstrings(name, module, path)
            if len(doc.text) >= self.options.min_length
        ]
        if not found:
            raise LatentmapError(
                f"docstrings: no docstring of '{name}' has {self.options.min_length} characters. "
                "Take it out of 'packages', or lower 'min_length'."
            )
        taken = [found[n] for n in evenly_spaced(len(found), self.options.per_package)]
        logging.info(
            "%s: %d of %d docstrings in %d files", name, len(taken), len(found), len(chosen)
        )
        return taken


def _distribution(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise LatentmapError(
            f"docstrings: '{name}' is not installed. Run 'pip install {name}', or take it out of "
            "'packages'."
        ) from None


def _python_files(package: Distribution) -> list[tuple[str, Path]]:
    """List the modules of an installed package and their files, in the order of their names."""
    files = (file for file in package.files or () if file.suffix == ".py")
    shown = (file for file in files if not SKIPPED.intersection(file.parts) and _is_module(file))
    return sorted((_module_name(file), Path(str(package.locate_file(file)))) for file in shown)


def _is_module(file: PurePath) -> bool:
    return all(part.isidentifier() for part in file.with_suffix("").parts)


def _module_name(file: PurePath) -> str:
    parts = file.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _docstrings(package: str, module: str, path: Path) -> Iterator[Docstring]:
    """Yield the docstrings of a file in their order; a file that is no Python has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strings with stray backslashes
            tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, OSError):
        logging.warning("%s cannot be parsed and is left out", path.name)
        return
    for name, node in _documented(module, tree):
        text = ast.get_docstring(node)
        if text is not None:
            # Code may write half a surrogate pair, which is no character.
            text = text.encode("utf-8", "backslashreplace").decode()
            yield Docstring(name, package, module, KINDS.get(type(node), "function"), text)


def _documented(name: str, node: Documented) -> Iterator[tuple[str, Documented]]:
    """Yield an object and all that is defined in it, except inside functions."""
    yield name, node
    if isinstance(node, ast.Module | ast.ClassDef):
        for inner in _definitions(node):
            yield from _documented(f"{name}.{inner.name}", inner)


def _definitions(node: ast.AST) -> Iterator[Definition]:
    """Yield what a body defines, inside `if` and `try` too."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            yield child
        elif isinstance(child, ast.If | ast.Try | ast.ExceptHandler):
            yield from _definitions(child)
