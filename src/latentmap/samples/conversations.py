"""Conversations, in the forms that people store them in, as lines of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from latentmap.samples.cells import as_text
from latentmap.samples.literals import parse_literal, unparsed

SPEAKERS = ("role", "from", "speaker", "author")
CONTENTS = ("content", "value", "text", "parts")
USERS = ("human", "user")
NESTED = ("messages", "conversations", "conversation", "turns", "dialog", "dialogue")

LOOKS_LIKE_ONE = re.compile(r"""\s*[\[{].*["'](role|from|speaker)["']\s*:""", re.DOTALL)
"""Text that is meant as a conversation, whether or not it can be parsed."""


def as_prose(value: Any) -> str | None:
    """Return a cell as text; of a conversation one `speaker: content` a line.

    A conversation is a list of messages, each with a `role` (or `from`) and a `content` (or
    `value`), which may be a list of parts; of lists of both, as `datasets` stores it; or that
    under a key such as `messages`, or as the text of a JSON or Python literal. Messages without
    content are left out; a part that is no text is named in brackets, such as `[image]`.
    """
    parsed = value
    if isinstance(value, str):
        if value.lstrip()[:1] not in ("[", "{"):
            return value
        try:
            parsed = parse_literal(value)
        except ValueError:
            return value
    if parsed == []:
        return None
    messages = _messages(parsed)
    return as_text(value) if messages is None else _lines(messages)


def last_said(value: Any) -> str | None:
    """Return the answer in a cell: of a conversation what another than the user says last."""
    parsed = value
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            parsed = parse_literal(value)
        except ValueError:
            return value
    messages = _messages(parsed)
    if messages is None:
        return as_text(value)
    answers = (m for m in reversed(messages) if as_text(_speaker(m)) not in USERS)
    return next((_said(_content(message)) for message in answers), None)


def unreadable(value: str) -> str | None:
    """Return why a text that is meant as a conversation cannot be read as one, null if it can."""
    return unparsed(value) if LOOKS_LIKE_ONE.match(value) else None


def _lines(messages: Iterable[Mapping[str, Any]]) -> str:
    turns = [(as_text(_speaker(message)), _said(_content(message))) for message in messages]
    return "\n".join(
        f"{speaker}: {said}" if speaker else said for speaker, said in turns if said.strip()
    )


def _messages(value: Any) -> Sequence[Mapping[str, Any]] | None:
    if isinstance(value, dict):
        if _first(value, SPEAKERS) and _first(value, CONTENTS):
            return _turned(value)
        nested = _first(value, NESTED)
        return None if nested is None else _messages(value[nested])
    if not isinstance(value, list | tuple) or not value:
        return None
    # Some have no content, such as an assistant's call of a tool.
    if not all(isinstance(said, dict) and _first(said, SPEAKERS + CONTENTS) for said in value):
        return None
    return value if any(_first(said, CONTENTS) for said in value) else None


def _turned(value: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return one message as a list of it, and lists of speakers and contents message by message."""
    speaker, content = _speaker(value), _content(value)
    are_lists = isinstance(speaker, list) and isinstance(content, list)
    if not are_lists or len(speaker) != len(content):
        return [value]
    pairs = zip(speaker, content, strict=True)
    return [{"role": role, "content": said} for role, said in pairs]


def _speaker(message: Mapping[str, Any]) -> Any:
    key = _first(message, SPEAKERS)
    value = None if key is None else message[key]
    return value.get("role") if isinstance(value, dict) else value


def _content(message: Mapping[str, Any]) -> Any:
    key = _first(message, CONTENTS)
    return None if key is None else message[key]


def _said(content: Any) -> str:
    """Return what a message says: text, or the parts that it is made of."""
    if isinstance(content, str) and content.lstrip().startswith("[{"):
        content = _parts(content) or content
    if isinstance(content, list | tuple):
        return "\n".join(filter(str.strip, map(_said, content)))
    if isinstance(content, dict):
        return _part(content)
    return as_text(content) or ""


def _parts(text: str) -> list[Any] | None:
    """Return the parts that a text lists as a literal; null of any other text."""
    try:
        parts = parse_literal(text)
    except ValueError:
        return None
    are_parts = all(isinstance(part, dict) and "type" in part for part in parts)
    return parts if are_parts else None


def _part(part: Mapping[str, Any]) -> str:
    """Return the text of a part, or in brackets what else it is."""
    key = _first(part, CONTENTS)
    if key is not None and part[key] is not None:
        return _said(part[key])
    kind = as_text(part.get("type")) or next((name for name, held in part.items() if held), "")
    return f"[{kind.removeprefix('input_').removesuffix('_url')}]" if kind else ""


def _first(value: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """Return the first of some keys that a mapping has, before those whose value is null."""
    for name in names:
        if value.get(name) is not None:
            return name
    for name in names:
        if name in value:
            return name
    return None
