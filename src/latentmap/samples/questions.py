"""The questions of SpatialRGPT-Bench, by their 24 categories, and when they hold in a scene.

Cheng et al. 2024, SpatialRGPT: Grounded Spatial Reasoning in Vision Language Models. A relation is
asked only where it holds both in the picture and in the scene, by a margin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from latentmap.samples.scenery import Thing

LONGER = 1.3
"""Least ratio of two lengths of which one is called greater."""

LARGER = 1.7
"""Least ratio of two areas of which one is called greater."""

FARTHER = 1.25
"""Least ratio of two distances from the viewer of which one is called greater."""

Holds = Callable[[Thing, Thing], bool]
Answer = Callable[[Thing, Thing], str]


@dataclass(frozen=True)
class Category:
    """One category of questions about an ordered pair of things, or about the first alone.

    Attributes:
        type: "qualitative" or "quantitative".
        text: the question.
        holds: whether it may be asked about two things.
        answer: the true answer where it may.
        regions: how many things are boxed.
    """

    type: str
    text: str
    holds: Holds
    answer: Answer
    regions: int = 2


def _left(a: Thing, b: Thing) -> bool:
    return a.box[2] <= b.box[0] and a.solid.across < b.solid.across


def _above(a: Thing, b: Thing) -> bool:
    return a.box[3] <= b.box[1] and _middle(a)[1] > _middle(b)[1]


def _behind(a: Thing, b: Thing) -> bool:
    return _both_stand(a, b) and a.solid.depth >= FARTHER * b.solid.depth


def _tall(a: Thing, b: Thing) -> bool:
    seen = a.box[3] - a.box[1] >= LONGER * (b.box[3] - b.box[1])
    return seen and a.solid.height >= LONGER * b.solid.height


def _wide(a: Thing, b: Thing) -> bool:
    seen = a.box[2] - a.box[0] >= LONGER * (b.box[2] - b.box[0])
    return seen and a.solid.width >= LONGER * b.solid.width


def _big(a: Thing, b: Thing) -> bool:
    seen = _seen_area(a) >= LARGER * _seen_area(b)
    return seen and _area(a) >= LARGER * _area(b)


def _both_stand(a: Thing, b: Thing) -> bool:
    return a.solid.altitude == b.solid.altitude == 0


def _either(relation: Holds) -> Holds:
    return lambda a, b: relation(a, b) or relation(b, a)


def _inverse(relation: Holds) -> Holds:
    return lambda a, b: relation(b, a)


def _seen_area(thing: Thing) -> float:
    x0, y0, x1, y1 = thing.box
    return (x1 - x0) * (y1 - y0)


def _area(thing: Thing) -> float:
    return thing.solid.width * thing.solid.height


def _middle(thing: Thing) -> tuple[float, float, float]:
    """Return where its middle is, in metres: across, up, away."""
    solid = thing.solid
    return solid.across, solid.altitude + solid.height / 2, solid.depth


def _metres(length: float) -> str:
    return f"{length:.2f} meters"


def _apart(*axes: int) -> Answer:
    """Answer with the distance of two middles along these axes."""

    def answer(a: Thing, b: Thing) -> str:
        gap = np.subtract(_middle(a), _middle(b))[list(axes)]
        return _metres(float(np.sqrt((gap**2).sum())))

    return answer


def _clock(a: Thing, b: Thing) -> str:
    """Answer with the hour at which b is for who stands at a and looks away from the viewer."""
    across, _, away = np.subtract(_middle(b), _middle(a))
    hour = round(float(np.degrees(np.arctan2(across, away))) / 30) % 12
    return f"{hour or 12} o'clock"


def _predicate(word: str, relation: Holds) -> Category:
    text = f"Is Region [0] {word} compared with Region [1]?"
    return Category("qualitative", text, relation, lambda a, b: "Yes.")


def _choice(word: str, relation: Holds) -> Category:
    text = f"Which is {word}, Region [0] or Region [1]?"
    return Category("qualitative", text, relation, lambda a, b: "Region [0].")


def _measure(text: str, holds: Holds, answer: Answer, regions: int = 2) -> Category:
    return Category("quantitative", text, holds, answer, regions)


def _always(a: Thing, b: Thing) -> bool:
    return True


_RELATIONS: dict[str, Holds] = {
    "above": _above,
    "behind": _behind,
    "below": _inverse(_above),
    "big": _big,
    "front": _inverse(_behind),
    "left": _left,
    "right": _inverse(_left),
    "short": _inverse(_tall),
    "small": _inverse(_big),
    "tall": _tall,
    "thin": _inverse(_wide),
    "wide": _wide,
}
_CHOSEN = ("above", "below", "left", "right", "short", "tall")

CATEGORIES: dict[str, Category] = {
    **{f"{word}_predicate": _predicate(word, holds) for word, holds in _RELATIONS.items()},
    **{f"{word}_choice": _choice(word, _RELATIONS[word]) for word in _CHOSEN},
    "direction": _measure(
        "If you are at Region [0], where will you find Region [1]?", _both_stand, _clock
    ),
    "distance_data": _measure(
        "How far apart are Region [0] and Region [1]?", _always, _apart(0, 1, 2)
    ),
    "horizontal_distance_data": _measure(
        "What is the horizontal distance between Region [0] and Region [1]?",
        _either(_left),
        _apart(0, 2),
    ),
    "vertical_distance_data": _measure(
        "What is the vertical distance between Region [0] and Region [1]?",
        _either(_above),
        _apart(1),
    ),
    "height_data": _measure(
        "How tall is Region [0]?", _always, lambda a, b: _metres(a.solid.height), regions=1
    ),
    "width_data": _measure(
        "How wide is Region [0]?", _always, lambda a, b: _metres(a.solid.width), regions=1
    ),
}


@dataclass(frozen=True)
class Question:
    """A question about the things of one scene.

    Attributes:
        label: its category.
        regions: the things it is about; `Region [i]` is the i-th.
    """

    label: str
    regions: tuple[Thing, ...]

    @property
    def category(self) -> Category:
        """Its category."""
        return CATEGORIES[self.label]

    @property
    def answer(self) -> str:
        """The true answer."""
        return self.category.answer(self.regions[0], self.regions[-1])


def ask(
    labels: list[str], things: tuple[Thing, ...], generator: np.random.Generator
) -> list[Question]:
    """Ask one question per label, each about other things; fewer where no things are left."""
    questions: list[Question] = []
    asked: set[frozenset[str]] = set()
    for label in labels:
        question = _ask(label, things, asked, generator)
        if question is not None:
            questions.append(question)
            asked.add(_names(question.regions))
    return questions


def _ask(
    label: str,
    things: tuple[Thing, ...],
    asked: set[frozenset[str]],
    generator: np.random.Generator,
) -> Question | None:
    category = CATEGORIES[label]
    pairs = [(a, b) for a in things for b in things if a is not b]
    for number in generator.permutation(len(pairs)):
        regions = pairs[number][: category.regions]
        if category.holds(*pairs[number]) and _names(regions) not in asked:
            return Question(label, regions)
    return None


def _names(regions: tuple[Thing, ...]) -> frozenset[str]:
    return frozenset(thing.name for thing in regions)
