"""The tables of the docs are what the code says."""

import importlib.util
from pathlib import Path

import pytest

from latentmap.config import Options
from latentmap.schema import keys

ROOT = Path(__file__).parents[1]
TABLES = {
    "config/README.md": 8,
    "docs/pooling.md": 1,
    "docs/reference/functions.md": 1,
}


@pytest.fixture(scope="module")
def generated():
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {path.relative_to(ROOT).as_posix(): text for path, text in module.pages().items()}


def test_tables_are_current(generated):
    assert generated == {name: (ROOT / name).read_text("utf-8") for name in TABLES}, (
        "Run `make docs`."
    )


@pytest.mark.parametrize(("name", "count"), TABLES.items())
def test_every_marked_table_is_filled(name, count, generated):
    parts = generated[name].split("`make docs` -->\n")[1:]
    assert len(parts) == count
    assert all(part.startswith("| ") and part.count("\n| ") > 1 for part in parts)


def test_keys_are_told_by_the_docstrings_of_a_model_and_its_bases():
    class Inner(Options):
        """Inside.

        Attributes:
            size: how large,
                in pixels.
        """

        size: int = 3

    class Base(Options):
        """Above.

        Attributes:
            first: of the base.
            second: of the base.
        """

        first: str
        second: Inner | None = None

    class Model(Base):
        """Both.

        Attributes:
            first: of the model.
            parts: several.
        """

        parts: tuple[Inner, ...] = ()
        named: dict[str, Inner]

    assert [(key.name, key.meaning) for key in keys(Model)] == [
        ("first", "of the model."),
        ("second", "of the base."),
        ("second.size", "how large, in pixels."),
        ("parts", "several."),
        ("parts[].size", "how large, in pixels."),
        ("named", ""),
        ("named.{name}.size", "how large, in pixels."),
    ]
