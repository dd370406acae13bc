"""Configurations as they were typed: YAML files, and `key=value` of the command line.

YAML guesses what an unquoted word means: `007` is 7, `1_000` is 1000, `on` is true, `12:30` is 750,
a date is a date. Here every word stays the text that was typed, but for null: an option that is a
number or a switch reads it from the text, and one that is text has what the user wrote.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from latentmap.errors import LatentmapError

NULL, MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"

QUOTE = "Put quotes around a text with one of : # , { } [ ] & * ! | > ' \" % @ in it"


class _Loader(yaml.SafeLoader):
    """Reads words as text, and no key of a mapping twice."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        counts = Counter(key.value for key in keys)
        for key in keys:
            if counts[key.value] > 1 and key.tag != MERGE:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key '{key.value}' is there twice", key.start_mark
                )
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Writes words so that `_Loader` reads them as they are: without quotes where it needs none."""


for _taught in (_Loader, _Dumper):
    _taught.yaml_implicit_resolvers = {
        first: [(tag, form) for tag, form in found if tag in (NULL, MERGE)]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_config(
    paths: Iterable[Path | str], pairs: Iterable[str] = (), texts: Collection[str] = ()
) -> dict[str, Any]:
    """Read YAML files as Snakemake does: later files replace what they name, key by key.

    Args:
        paths: the files.
        pairs: `key=value` of the command line, which come after the files.
        texts: keys whose values are text: they are what was typed, whatever it means to YAML.

    Raises:
        LatentmapError: a file or a value cannot be read as YAML, or not all of a value would be.
    """
    config: dict[str, Any] = {}
    for path in paths:
        read = read_yaml(path)
        if not isinstance(read, Mapping | None):
            raise LatentmapError(f"{path} must hold keys with values, such as 'run: mine'.")
        config = merged(config, read or {})
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise LatentmapError(f"--config takes key=value, not '{pair}'.")
        read = _text(value) if key in texts else _value(key, value)
        config = merged(config, {key: read})
    return config


def config_text(config: Mapping[str, Any]) -> str:
    """Return a configuration as the text of a file that `read_config` reads as this one."""
    return yaml.dump(dict(config), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read_yaml(path: Path | str) -> Any:
    """Read a YAML file.

    Raises:
        LatentmapError: there is none, or it is damaged.
    """
    try:
        return yaml.load(Path(path).read_text("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LatentmapError(
            f"Cannot read the configuration {path}: {_in_one_line(error)}"
        ) from None


def _text(value: str) -> str | None:
    """Return a text as it was typed; of one in quotes, what is in them."""
    if value in ("", "null", "~"):
        return None
    if re.fullmatch(r"'([^']|'')*'|\"([^\"\\]|\\.)*\"", value):
        try:
            return str(yaml.safe_load(value))
        except yaml.YAMLError:
            return value
    return value


def _value(key: str, value: str) -> Any:
    """Return a value that is a list, a mapping, a number or a word."""
    try:
        read = yaml.load(value, _Loader)
        *_, last, _ = yaml.scan(value)
    except yaml.YAMLError as error:
        raise LatentmapError(
            f"--config {key}: '{value}' is no YAML ({_in_one_line(error)}). {QUOTE}."
        ) from None
    left_out = value[last.end_mark.index :].strip()
    if left_out:
        raise LatentmapError(
            f"--config {key}: in '{value}', '{left_out}' would be a comment. {QUOTE}, or leave "
            "that out."
        )
    return read


def _in_one_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem}, line {mark.line + 1}, column {mark.column + 1}"
    return " ".join(str(error).split())


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with another laid over it, key by key; lists are replaced whole."""
    laid = dict(base)
    for key, value in change.items():
        old = laid.get(key)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        laid[key] = merged(old, value) if nested else value  # type: ignore[arg-type]
    return laid
