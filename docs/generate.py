"""Write the tables of the docs that say what the code says: keys, plug-ins, pooling methods."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

import latentmap
from latentmap.config import Options, Registry
from latentmap.encode.encoder import ENCODERS
from latentmap.pool.method import METHODS
from latentmap.project.projection import PROJECTIONS
from latentmap.run import Run
from latentmap.samples.columns import ColumnMap
from latentmap.samples.source import SOURCES
from latentmap.schema import Key, keys
from latentmap.targets.derivation import DERIVATIONS

ROOT = Path(__file__).parents[1]
LATENT = (16, 64, 64)
END_OF_YAML = "\n..."

Row = Sequence[str]


def pages() -> dict[Path, str]:
    """Return the text of every page with tables, by its path, with the tables made anew."""
    tables = {
        "keys": _table(("key", "meaning", "default"), _keys(Run)),
        "columns": _table(("key", "meaning"), (row[:2] for row in _keys(ColumnMap, "columns."))),
        "sources": _table(("kind", "description"), _kinds(SOURCES)),
        "options of sources": _options(SOURCES),
        "derived targets": _table(("name", "what it gives"), _derived()),
        "encoders": _table(("kind", "description"), _kinds(ENCODERS)),
        "options of encoders": _options(ENCODERS),
        "options of projections": _options(PROJECTIONS),
        "functions": _table(("function", "what it does", "docstring"), _functions()),
        "methods": _table(
            ("method", "dims", "tokens", "what it keeps", "reference"),
            _methods(),
            "|---|---:|---:|---|---|",
        ),
    }
    names = ("config/README.md", "docs/pooling.md", "docs/reference/functions.md")
    found = (ROOT / name for name in names)
    return {path: _filled(path.read_text("utf-8"), tables) for path in found}


def _filled(page: str, tables: Mapping[str, str]) -> str:
    """Put tables between the comments that name them."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n{tables[match[2]]}\n{match[3]}"

    return re.sub(
        r"(<!-- ([\w ]+): `make docs` -->)\n.*?(<!-- end -->)", fill, page, flags=re.DOTALL
    )


def _table(header: Row, rows: Iterable[Row], rule: str = "") -> str:
    lines = [f"| {' | '.join(row)} |" for row in (header, *rows)]
    return "\n".join([lines[0], rule or "|" + "---|" * len(header), *lines[1:]])


def _keys(model: type[Options], prefix: str = "") -> Iterator[Row]:
    for key in keys(model, prefix):
        if key.meaning:
            yield f"`{key.name}`", _cell(key.meaning), _default(key)


def _functions() -> Iterator[Row]:
    """Yield every function of the front door, with its arguments and where its docstring is."""
    for name in latentmap.__all__:
        function = getattr(latentmap, name)
        if inspect.isfunction(function):
            arguments = ", ".join(
                f"**{one}" if how.kind is how.VAR_KEYWORD else one
                for one, how in inspect.signature(function).parameters.items()
            )
            file = Path(inspect.getfile(function)).relative_to(ROOT)
            does = (inspect.getdoc(function) or "").partition("\n")[0]
            yield f"`lm.{name}({arguments})`", _cell(does), f"`{file}`"


def _kinds(registry: Registry[Any]) -> Iterator[Row]:
    return ((f"`{name}`", registry.description(name)) for name in registry)


def _options(registry: Registry[Any]) -> str:
    """Return the options of all plug-ins, those that several share once."""
    owners: dict[tuple[str, str, str], list[str]] = {}
    for name in registry:
        for key in keys(registry[name].Options):
            # The keys of columns have a table of their own.
            if not key.name.startswith("columns."):
                row = key.name, _cell(key.meaning), _default(key)
                owners.setdefault(row, []).append(name)
    rows = [
        (
            f"`{key}`",
            "all" if len(names) == len(registry.names()) else ", ".join(names),
            told,
            default,
        )
        for (key, told, default), names in owners.items()
    ]
    rows.sort(key=lambda row: (row[1] != "all", -row[1].count(","), row[1]))
    return _table(("key", "of", "meaning", "default"), rows)


def _derived() -> Iterator[Row]:
    """Yield the derived targets, with the names of those of each."""
    for name, description in _kinds(DERIVATIONS):
        given = [f"`{one}`" for one in DERIVATIONS[name.strip("`")].names if one]
        yield name, " ".join([description, *([f"({', '.join(given)})"] if given else [])])


def _methods() -> Iterator[Row]:
    """Yield the pooling methods, the shortest vectors first."""
    methods = {name: METHODS.create(name) for name in METHODS}
    for name, method in sorted(methods.items(), key=lambda item: (item[1].dims(LATENT), item[0])):
        dims, tokens = f"{method.dims(LATENT):,}", f"{method.tokens(LATENT):,}"
        yield f"`{name}`", dims, tokens, METHODS.description(name), method.reference


def _default(key: Key) -> str:
    if key.field.is_required():
        return "required"
    value = key.field.get_default(call_default_factory=True)
    if isinstance(value, Options):
        given = value.model_dump(mode="json", exclude_none=True)
        value = given if isinstance(value, ColumnMap) else None
    if value in (None, "", (), {}):
        return ""
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, width=float("inf"), sort_keys=False)
    return _cell(f"`{text.partition(END_OF_YAML)[0].strip()}`")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, "utf-8")
