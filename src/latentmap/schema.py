"""What the models of options say of every key: the JSON schema for editors, tables for the docs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from latentmap.config import Options, meanings


class Key(NamedTuple):
    """One key of a configuration.

    Attributes:
        name: with a dot before the keys inside another.
        meaning: what its model says of it.
        field: its type and default.
    """

    name: str
    meaning: str
    field: FieldInfo


def json_schema(model: type[Options]) -> dict[str, Any]:
    """Return the JSON schema of a model, in which every key has its description."""
    return model.model_json_schema(schema_generator=_Described)


def keys(model: type[Options], prefix: str = "") -> Iterator[Key]:
    """Yield the keys of a model, each followed by those inside it.

    Args:
        model: the model.
        prefix: what stands before their names.
    """
    told = meanings(model)
    for name, field in model.model_fields.items():
        yield Key(prefix + name, told.get(name, ""), field)
        inner = set(_models(field.annotation))
        if len(inner) == 1:
            yield from keys(inner.pop(), f"{prefix}{name}{_between(field.annotation)}")


class _Described(GenerateJsonSchema):
    """Says of every key what the docstring of its model does, and of a model only the rest."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of one model."""
        found = super().model_schema(schema)
        for name, meaning in meanings(schema["cls"]).items():
            if name in found.get("properties", {}):
                found["properties"][name]["description"] = meaning
        if "description" in found:
            found["description"] = found["description"].partition("\n\nAttributes:")[0]
        return found


def _models(annotation: Any) -> Iterator[type[Options]]:
    """Yield the models of options in a type."""
    if isinstance(annotation, type) and issubclass(annotation, Options):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _between(annotation: Any) -> str:
    """Return what stands between a key and those inside it: lists and mappings hold several."""
    kinds = {getattr(part, "__origin__", None) for part in (annotation, *get_args(annotation))}
    return "[]." if tuple in kinds else ".{name}." if dict in kinds else "."
