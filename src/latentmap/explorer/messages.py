"""Conversations that were read as prose, as messages again."""

from __future__ import annotations

import re

from latentmap.store.files import json_text

SPEAKERS = (
    *("system", "developer", "user", "human", "prompter", "assistant", "gpt", "chatgpt", "bot"),
    *("model", "tool", "function", "function_call", "observation", "ipython"),
)
"""Those that data sets of conversations name, in lower case."""

TURN = re.compile(rf"^({'|'.join(SPEAKERS)}): ?", re.IGNORECASE | re.MULTILINE)


def messages_of(text: str | None) -> str | None:
    """Return the messages of a text whose turns begin with their speakers, as JSON.

    `samples.conversations.as_prose` writes a line `speaker: content` for each message, and some
    data sets are such texts.

    Returns:
        A list of `{role, content}`; None of a text that does not begin with a speaker.
    """
    found = [] if text is None else list(TURN.finditer(text))
    if text is None or not found or text[: found[0].start()].strip():
        return None
    ends = [*(turn.start() for turn in found[1:]), len(text)]
    return json_text(
        [
            {"role": turn[1].lower(), "content": text[turn.end() : end].strip()}
            for turn, end in zip(found, ends, strict=True)
        ],
        ensure_ascii=False,
    )
