"""What is wrong with a configuration, one line for each key: what is allowed there instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from latentmap.config import unknown


def complaints(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return one line for every wrong key or value, with the nearest match and what is allowed.

    Args:
        error: what the validation found.
        model: of the configuration.
    """
    return [
        _explain(detail, model)
        for detail in error.errors()
        if not (_is_other_form(detail) or _is_emptied(detail))
    ]


def _is_other_form(detail: ErrorDetails) -> bool:
    """Whether a list was refused for not being the word that may stand in its place."""
    return detail["type"] == "literal_error" and isinstance(detail["input"], list | tuple)


def _is_emptied(detail: ErrorDetails) -> bool:
    """Whether a list is too short only without those of its parts that were refused themselves."""
    given = detail["input"]
    return detail["type"] == "too_short" and len(given) > detail["ctx"]["actual_length"]


def _explain(detail: ErrorDetails, model: type[BaseModel]) -> str:
    """Say in one line which key is wrong, what is allowed there, and the nearest match."""
    # Pydantic also names the form of a value that it tried, as `tuple[…]`.
    place = tuple(part for part in detail["loc"] if "[" not in str(part))
    *parents, key = place or ("",)
    where = ".".join(str(part) for part in place)
    context = detail.get("ctx", {})
    if detail["type"] == "extra_forbidden":
        allowed = _keys_at(tuple(parents), model)
        if not allowed:
            return f"{where}: '{parents[-1]}' takes no options; leave this key out."
        return f"{where}: " + unknown("key", str(key), allowed)
    if detail["type"] == "literal_error":
        return f"{where}: " + unknown("value", str(detail["input"]), _quoted(context["expected"]))
    if detail["type"] == "union_tag_invalid":
        return f"{where}.kind: " + unknown(
            "kind", context["tag"], _quoted(context["expected_tags"])
        )
    if detail["type"] == "union_tag_not_found":
        return f"{where}: 'kind' is missing."
    if detail["type"] == "missing":
        return f"{where}: this key is missing."
    if detail["type"] == "value_error":
        return f"{where}: {context['error']}." if where else f"{context['error']}."
    return f"{where}: {detail['msg']} (given: {detail['input']!r})."


def _quoted(values: str) -> list[str]:
    return re.findall(r"'([^']*)'", values)


def _keys_at(location: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    """Return the keys allowed at a place of the configuration, by its schema."""
    schema = model.model_json_schema()
    nodes: list[dict[str, Any]] = [schema]
    for part in location:
        alternatives = [inner for node in nodes for inner in _alternatives(node, schema)]
        nodes = [inner for node in alternatives for inner in _below(node, part)]
    found = [inner for node in nodes for inner in _alternatives(node, schema)]
    return sorted({key for node in found for key in node.get("properties", {})})


def _alternatives(node: dict[str, Any], schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a node of the schema without its references, and each of the nodes it may stand for."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    yield node
    for option in (*node.get("oneOf", ()), *node.get("anyOf", ())):
        yield from _alternatives(option, schema)


def _below(node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
    """Yield what a node of the schema has under a key, an index or the kind of a plug-in."""
    kinds = node.get("discriminator", {}).get("mapping", {})
    if part in kinds:
        yield {"$ref": kinds[part]}
    elif isinstance(part, int) and "items" in node:
        yield node["items"]
    elif part in node.get("properties", {}):
        yield node["properties"][part]
    elif isinstance(node.get("additionalProperties"), dict):
        yield node["additionalProperties"]
