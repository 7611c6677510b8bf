"""Actors and API callers."""

import pytest

from onboarding.callers import SHELL, SYSTEM, Actor, ActorKind, ApiCaller, CallerEnvironment

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("actor", "stored"),
    [
        (Actor(ActorKind.OPERATOR, "ada@example.com"), "operator:ada@example.com"),
        (Actor(ActorKind.API_KEY, "key_1"), "key:key_1"),
        (Actor(ActorKind.LINK, "lnk_1"), "link:lnk_1"),
        (SHELL, "shell"),
        (SYSTEM, "system"),
    ],
)
def test_actor_as_stored_in_the_audit(actor: Actor, stored: str) -> None:
    assert str(actor) == stored


def test_only_the_secrets_scope_shows_secrets() -> None:
    environment = CallerEnvironment("env_1", "Development", creates_subscribers=True)
    actor = Actor(ActorKind.API_KEY, "key_1")

    assert not ApiCaller(environment, actor, frozenset({"connections:read"})).may_see_secrets
    assert ApiCaller(environment, actor, frozenset({"connections:secrets"})).may_see_secrets
