"""docs/pooling.md names every method with its true size."""

from __future__ import annotations

from pathlib import Path

import pytest

from latentmap.pool.method import METHODS

PAGE = Path(__file__).parents[2] / "docs" / "pooling.md"
SHAPE = (16, 64, 64)


def rows() -> dict[str, list[str]]:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {first.strip("`"): others for first, *others in cells}


def test_every_method_is_listed() -> None:
    assert set(rows()) == set(METHODS)


@pytest.mark.parametrize("name", METHODS.names())
def test_dims_tokens_and_words_are_those_of_the_code(name: str) -> None:
    method = METHODS.create(name)
    dims, tokens, keeps, reference = rows()[name]
    assert int(dims.replace(",", "")) == method.dims(SHAPE)
    assert int(tokens.replace(",", "")) == method.tokens(SHAPE)
    assert keeps == METHODS.description(name)
    assert reference == method.reference
