"""Rendered scenes of simple objects with true spatial questions; made on the spot, no network."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, Self

import numpy as np
import polars as pl
import pyarrow as pa
from PIL import Image
from pydantic import Field, model_validator

from latentmap.samples.questions import CATEGORIES, Question, ask
from latentmap.samples.rendering import Scene, render
from latentmap.samples.scenery import (
    Scenery,
    Variation,
    random_scenery,
    swapped_sceneries,
)
from latentmap.samples.source import RAW_SCHEMA, Content, Source, SourceOptions
from latentmap.samples.truth import TRUTH_SCHEMA, truth
from latentmap.store.files import digest

GENERATOR = 1
"""Version of the generator: raised whenever a scene of the same options changes."""

EXTRA_SCHEMA = pa.schema(
    [
        pa.field("question_type", pa.string()),
        pa.field("objects", pa.list_(pa.string())),
        pa.field("answer", pa.string()),
        pa.field("pair", pa.string()),
        *TRUTH_SCHEMA,
    ]
)

_LAYOUT, _LABELS = 0, 1


class ScenesOptions(SourceOptions):
    """Options of generated scenes.

    Attributes:
        input: none; the scenes are made.
        images: scenes to make; more of them leave the first ones as they are.
        questions: about each image, each about other objects; a swapped image has one.
        seed: of everything random.
        swapped: make pairs of images in which two objects have exchanged places, and ask whether
            the warm-coloured one is left or right of the other: what throws position away sits at
            chance. `both_ways` makes four of a kind, in which they change places from left to right
            and from top to bottom. Column `pair` says which belong together.
        variations: also make all images of a pair with another `background` or another `light`.
    """

    images: int = Field(96, ge=1)
    questions: int = Field(4, ge=1, le=8)
    seed: int = Field(0, ge=0)
    swapped: bool | Literal["both_ways"] = False
    variations: tuple[Variation, ...] = ()

    @model_validator(mode="after")
    def _vary_pairs(self) -> Self:
        if self.variations and not self.swapped:
            raise ValueError("variations are of swapped images; set 'swapped'")
        return self

    @property
    def places(self) -> int:
        """In how many ways two objects are placed that change places; one if they do not."""
        return {False: 1, True: 2, "both_ways": 4}[self.swapped]

    @property
    def set_size(self) -> int:
        """How many images show the same things."""
        return self.places * (1 + len(self.variations))


class Scenes(Source[ScenesOptions]):
    """A deterministic generator of scenes; every label is true of its scene.

    Labels are the categories of SpatialRGPT-Bench, equally often in every 24 questions. What else
    is true of a scene and of the things that a question is about is in columns (`TRUTH_SCHEMA`).
    """

    Options = ScenesOptions

    @property
    def gives(self) -> frozenset[Content]:
        """See `Source.gives`."""
        return frozenset(("images", "texts", "boxes"))

    def index(self) -> pl.DataFrame:
        """List the questions of all images; a digest stands for generator, options and row."""
        rows = range(self.options.images * self._questions)
        return pl.DataFrame(
            {
                "id": [self._id(row) for row in rows],
                "label": [self._question(row).label for row in rows],
                "digest": [self._digest(row) for row in rows],
            },
            schema={"id": pl.String, "label": pl.String, "digest": pl.String},
        )

    def read(self, rows: Sequence[int]) -> pa.Table:
        """Make these questions; an image that several of them share is rendered once."""
        images = {
            image: _png(self._view(image)[0].scene)
            for image in sorted({row // self._questions for row in rows})
        }
        samples = [self._sample(row) | {"image": images[row // self._questions]} for row in rows]
        return pa.Table.from_pylist(samples, pa.schema([*RAW_SCHEMA, *EXTRA_SCHEMA]))

    @property
    def _questions(self) -> int:
        return 1 if self.options.swapped else self.options.questions

    def _sample(self, row: int) -> dict[str, Any]:
        image = row // self._questions
        question = self._question(row)
        return {
            "id": self._id(row),
            "digest": self._digest(row),
            "label": question.label,
            "source_group": self._group(image),
            "text": question.category.text,
            "boxes": [[round(edge, 2) for edge in thing.box] for thing in question.regions],
            "question_type": question.category.type,
            "objects": [thing.name for thing in question.regions],
            "answer": question.answer,
            "pair": self._group(image) if self.options.swapped else None,
            **truth(self._view(image)[0], question.regions),
        }

    def _id(self, row: int) -> str:
        image, number = divmod(row, self._questions)
        return f"{self._name(image)}-{number}"

    def _group(self, image: int) -> str:
        # The images of a set show the same things: none may inform about the others.
        return self._name(image - image % self.options.set_size)

    def _name(self, image: int) -> str:
        kind = "swapped" if self.options.swapped else "scene"
        return f"{kind}-{self.options.seed}-{image:05d}"

    def _digest(self, row: int) -> str:
        options = self.options
        what = (
            *(GENERATOR, options.seed, options.questions, options.swapped, row),
            *options.variations,
        )
        return digest("scenes", *(str(part) for part in what))

    def _question(self, row: int) -> Question:
        image, number = divmod(row, self._questions)
        return self._view(image)[1][number]

    @cache  # noqa: B019 - a source lives as long as its job
    def _view(self, image: int) -> tuple[Scenery, list[Question]]:
        """Return what image number `image` shows, and what is asked about it."""
        if self.options.swapped:
            return self._swapped_view(image)
        first = image * self._questions
        labels = [self._label(row) for row in range(first, first + self._questions)]
        generator = self._generator(_LAYOUT, image)
        while True:
            scenery = random_scenery(generator)
            questions = ask(labels, scenery.things, generator)
            if len(questions) == len(labels):
                return scenery, questions

    def _swapped_view(self, image: int) -> tuple[Scenery, list[Question]]:
        options = self.options
        number, place = divmod(image, options.set_size)
        generator = self._generator(_LAYOUT, number * options.places)
        sceneries = swapped_sceneries(generator, both_ways=options.swapped == "both_ways")
        varied, place = divmod(place, options.places)
        first = int(generator.integers(options.places))
        scenery = sceneries[(place + first) % options.places]
        if varied:
            scenery = scenery.but(options.variations[varied - 1])
        label = next(
            label
            for label in ("left_predicate", "right_predicate")
            if CATEGORIES[label].holds(*scenery.things)
        )
        return scenery, [Question(label, scenery.things)]

    def _label(self, row: int) -> str:
        block, place = divmod(row, len(CATEGORIES))
        return self._generator(_LABELS, block).permutation(sorted(CATEGORIES))[place].item()

    def _generator(self, *key: int) -> np.random.Generator:
        return np.random.default_rng([GENERATOR, self.options.seed, *key])


def _png(scene: Scene) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(render(scene)).save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
