"""Conversations as messages again."""

from __future__ import annotations

import json

import pytest

from latentmap.explorer.messages import messages_of
from latentmap.samples.conversations import as_prose

TURNS = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What is this?\n\nA: one\nB: two"},
    {"role": "assistant", "content": "</script> one: A"},
    {"role": "user", "content": "\u202eThank you"},
]


def test_a_conversation_that_was_made_prose_is_the_same_again():
    assert json.loads(messages_of(as_prose(TURNS))) == TURNS
    shared = [{"from": turn["role"], "value": turn["content"]} for turn in TURNS]
    assert json.loads(messages_of(as_prose(json.dumps(shared)))) == TURNS


def test_turns_of_a_text_are_messages():
    found = json.loads(messages_of("\n\nHuman: Hi.\n\nAssistant: Hello.\nYes?"))
    assert found == [
        {"role": "human", "content": "Hi."},
        {"role": "assistant", "content": "Hello.\nYes?"},
    ]


@pytest.mark.parametrize(
    "text",
    [None, "", "Is it near?", "Note: a user: b", "A question.\nuser: no", "users: many", "user"],
)
def test_other_texts_are_no_conversations(text):
    assert messages_of(text) is None
