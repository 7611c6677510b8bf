"""Values that people paste into commands: spaces and quotes around them are removed, other shapes are refused."""

import json
from dataclasses import replace
from typing import Any

import pytest

from onboarding.callers import SHELL
from onboarding.errors import Refused
from onboarding.services.integrations.records import IntegrationChange, NewIntegration
from tests.browser_client import Site
from tests.cli.shell import Run, is_one_line

# Starting a process for each command is slow.
pytestmark = [pytest.mark.slow, pytest.mark.once]

_CLIENT_ID_SHAPE = "such as 1234567890.1234567890"
_IDENTIFIER_SHAPE = "such as slack-prod"


@pytest.mark.parametrize("around", [" ", "\t", "\r\n", "\u00a0", "\u200b", "\ufeff"])
def test_spaces_and_quotes_around_a_value_are_removed(site: Site, around: str) -> None:
    values: dict[str, Any] = {"client_id": "1.1", "client_secret": "s1", "signing_secret": "s2", "name": "Acme"}
    pasted: dict[str, Any] = {name: f"{around}{value}{around}" for name, value in values.items()}
    integrations = site.runtime.integrations
    integrations.add(NewIntegration("acme", environment="Development", is_practice=True, **pasted), SHELL)
    environment = site.runtime.environments.first()
    integrations.change(environment.id, "acme", IntegrationChange(name=f"{around}Acme Two{around}"), SHELL)
    acme = next(one for one in integrations.all_of(environment.id) if one.identifier == "acme")
    assert (acme.client_id, acme.name) == ("1.1", "Acme Two")
    stored = site.runtime.practice.registration("1.1")
    assert stored is not None
    assert (stored.client_secret, stored.signing_secret) == ("s1", "s2")


@pytest.mark.parametrize(
    "secret",
    ["", " ", "\u200b", "sec ret", "sec\u00a0ret", "sec\u200bret", "sec\nret", "s\u00e9cret", "s\x1b1", "s" * 201],
)
@pytest.mark.parametrize("field", ["client_secret", "signing_secret"])
def test_secret_of_another_shape_is_refused(site: Site, field: str, secret: str) -> None:
    values: dict[str, Any] = {"client_id": "1.1", "client_secret": "s1", field: secret}
    shown = f"The {field.replace('_', ' ')} must be letters and digits without spaces"
    with pytest.raises(Refused, match=shown) as refusal:
        site.runtime.integrations.add(NewIntegration("acme", "Acme", "Development", **values), SHELL)
    assert refusal.value.field == field
    environment = site.runtime.environments.first()
    given: dict[str, Any] = {field: secret}
    change = replace(IntegrationChange(), **given)
    with pytest.raises(Refused, match=shown):
        site.runtime.integrations.change(environment.id, "slack-practice", change, SHELL)


@pytest.mark.parametrize(
    "client_id", ["", "abc", "1", "1.", ".1", "1.1.1", "1 .1", "1.1x", "A0123.1", "1.1\n2", "1" * 200 + ".1"]
)
def test_client_id_of_another_shape_is_refused(site: Site, client_id: str) -> None:
    with pytest.raises(Refused, match=_CLIENT_ID_SHAPE):
        site.runtime.integrations.add(NewIntegration("acme", "Acme", "Development", client_id, "s"), SHELL)


_BAD_IDENTIFIERS = [
    "",
    ".",
    "..",
    "bad id",
    "bad\nid",
    "acme\n",
    "\u00e9moji\U0001f389",
    "a/b",
    "a\u200bb",
    "a" * 101,
    "a" * 300,
]


@pytest.mark.parametrize("identifier", _BAD_IDENTIFIERS)
def test_identifier_of_another_shape_is_refused(site: Site, identifier: str) -> None:
    for new in (
        NewIntegration(identifier, "Acme", "Development", "1.1", "s"),
        NewIntegration.for_practice(identifier, "Acme", "Development"),
    ):
        with pytest.raises(Refused, match=_IDENTIFIER_SHAPE):
            site.runtime.integrations.add(new, SHELL)


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "x" * 300, "Ac\nme", "Ac\x1b[31mme", "Ac\u202eme", "Ac\u200bme"])
def test_name_that_cannot_be_shown_is_refused(site: Site, name: str) -> None:
    with pytest.raises(Refused, match="name must have 1 to 100 characters"):
        site.runtime.integrations.add(NewIntegration.for_practice("acme", name, "Development"), SHELL)
    environment = site.runtime.environments.first()
    with pytest.raises(Refused, match="name must have 1 to 100 characters"):
        site.runtime.integrations.change(environment.id, "slack-practice", IntegrationChange(name=name), SHELL)


def test_name_may_be_of_any_script_and_hold_joined_emoji(site: Site) -> None:
    name = "\u0645\u06cc\u200c\u062e \U0001f469\u200d\U0001f4bb"
    site.runtime.integrations.add(NewIntegration.for_practice("acme", name, "Development"), SHELL)


def test_commands_refuse_them_in_one_line(run: Run) -> None:
    real = ("--client-secret", "s", "--client-id")
    is_one_line(run("integration", "add", "acme", *real, "abc"), _CLIENT_ID_SHAPE)
    is_one_line(run("integration", "add", "bad id", *real, "1.1"), _IDENTIFIER_SHAPE)
    is_one_line(
        run("integration", "add", "acme", *real, "1.1", "--signing-secret", "a b"), "The signing secret must be"
    )
    is_one_line(run("integration", "set", "slack-practice", "--client-secret", "a\u00a0b"), "The client secret must be")
    is_one_line(run("integration", "set", "slack-practice", "--name", ""), "name must have 1 to 100")
    added = run("integration", "add", "acme", "--client-secret", " s\u200b", "--client-id", "\u00a01.1", "--json")
    assert json.loads(added.stdout)["identifier"] == "acme"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--subscriber", "bea", "--reference", "a\nb"), "reference must have"),
        (("--subscriber", "bea", "--reference", "a" * 101), "reference must have"),
        (("--subscriber", "bea", "--reference", ""), "reference must have"),
        (("--offer-context", "tenant=a", "--label", "a\x1bb"), "label of an offered context"),
        (("--offer-context", "tenant=a", "--label", "a" * 101), "label of an offered context"),
        # A variable of the shell that is unset by mistake.
        (("--subscriber", "", "--context", "tenant=a"), "subscriber id must have"),
        (("--subscriber", "", "--open"), "subscriber id must have"),
        (("--subscriber", "bea", "--workspace", ""), "workspace id"),
        (("--subscriber", "bea", "--expires-in", ""), "30m"),
        (("--subscriber", ".."), "subscriber id must have"),
        (("--subscriber", "be\na"), "subscriber id must have"),
        (("--subscriber", "be\u200ba"), "subscriber id must have"),
        (("--subscriber", "be\u200da"), "subscriber id must have"),
        (("--subscriber", "be\u2028a"), "subscriber id must have"),
        (("--subscriber", "be\u202ea"), "subscriber id must have"),
        (("--subscriber", "be\u00a0a"), "subscriber id must have"),
        (("--subscriber", "b" * 300), "subscriber id must have"),
        (("--context", "tenant=.."), "TYPE=ID"),
        (("--context", "tenant=a\n"), "TYPE=ID"),
        (("--context", f"tenant={'a' * 300}"), "TYPE=ID"),
        (("--subscriber", "bea", "--workspace", "T1\n"), "workspace id"),
        (("--subscriber", "bea", "--return-url", "https://exa\nmple.com"), "return address"),
        (("--subscriber", "bea", "--return-url", f"https://example.com/{'a' * 2000}"), "return address"),
    ],
)
def test_link_with_such_a_value_is_refused_in_one_line(run: Run, arguments: tuple[str, ...], word: str) -> None:
    is_one_line(run("link", "create", "--integration", "slack-practice", *arguments), word)
