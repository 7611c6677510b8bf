"""Scopes: each of Slack's has a sentence, the practice Slack accepts them all, and a newer one is shown by its name."""

import pytest

from onboarding.practice import permissions
from onboarding.slack import scopes

_VERBS = [
    "Add",
    "Administer",
    "Answer",
    "Approve",
    "Assign",
    "Begin",
    "Change",
    "Confirm",
    "Create",
    "Decide",
    "Delete",
    "Give",
    "Invite",
    "Join",
    "Keep",
    "Manage",
    "Pin",
    "Post",
    "Read",
    "Receive",
    "Request",
    "Search",
    "See",
    "Send",
    "Set",
    "Share",
    "Show",
    "Start",
    "Upload",
    "Use",
]


@pytest.mark.parametrize("scope", scopes.SENTENCES)
def test_scope_has_a_sentence_and_works_in_practice(scope: str) -> None:
    assert scopes.is_scope(scope)
    assert permissions.are_acceptable([scope])
    text = scopes.sentence(scope)
    # It is read after "Northwind asks to".
    assert text.split()[0].strip(",") in _VERBS
    assert not text.endswith(".")


def test_no_two_scopes_of_a_bot_read_the_same() -> None:
    known = [
        text for scope, text in scopes.SENTENCES.items() if not scope.startswith(("identity.", "email", "profile"))
    ]
    assert len(known) == len(set(known))


@pytest.mark.parametrize("scope", ["agents:write", "chat:write.new", "chat:write:bot", "new_family.of:read", "a"])
def test_newer_scope_is_accepted_with_a_neutral_sentence(scope: str) -> None:
    assert scopes.is_scope(scope)
    assert scopes.sentence(scope) == scopes.OTHER


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "chat write",
        "chat:write ",
        "Chat:write",
        "chat::write",
        "chat:",
        ":write",
        "chat:write\n",
        "châts:read",
        "a,b",
        "a" * 101,
    ],
)
def test_text_that_cannot_be_a_scope_is_refused(text: str) -> None:
    assert not scopes.is_scope(text)
