"""`api-key create`, `list` and `revoke`."""

import click

from onboarding.cli.shell import (
    environment_option,
    json_option,
    open_runtime,
    parse_lifetime,
    print_result,
    shell_actor,
    split_list,
)
from onboarding.cli.usage import Group
from onboarding.documents import timestamp
from onboarding.errors import Refused
from onboarding.services.api_keys import SCOPES, KeySummary, NewApiKey

group = Group("api-key", help="Keys with which programs call the API.")


@group.command()
@click.argument("name")
@click.option("--scopes", help=f"What the program may do, separated by commas. Default: all of {', '.join(SCOPES)}.")
@click.option("--expires-in", metavar="12h|90d", help="Default: the key does not expire.")
@environment_option
@json_option
def create(name: str, scopes: str | None, expires_in: str | None, environment: str, as_json: bool) -> None:
    """Create a key for the program NAME and print it. It is shown once and is not stored."""
    with open_runtime() as runtime:
        lifetime = None if expires_in is None else parse_lifetime(expires_in)
        new = NewApiKey(name, environment, () if scopes is None else _scopes(scopes), lifetime)
        created = runtime.api_keys.create(new, shell_actor())
    members: dict[str, object] = {"id": created.id, "key": created.key, "scopes": list(created.scopes)}
    print_result(as_json, members, lambda: created.key)


@group.command("list")
@environment_option
@json_option
def list_(environment: str, as_json: bool) -> None:
    """List the keys with their first characters, scopes and last use."""
    with open_runtime() as runtime:
        found = runtime.api_keys.all_of(environment)
    members: dict[str, object] = {"data": [_members(one) for one in found]}
    print_result(as_json, members, lambda: list(map(_line, found)) or "No keys yet.")


@group.command()
@click.argument("name")
@environment_option
@json_option
def revoke(name: str, environment: str, as_json: bool) -> None:
    """Revoke the key of the program NAME at once."""
    with open_runtime() as runtime:
        runtime.api_keys.revoke(name, environment, shell_actor())
    print_result(as_json, {"name": name, "revoked": True}, lambda: f"Revoked {name}.")


def _scopes(given: str) -> tuple[str, ...]:
    """Parse the scopes. Raises Refused for an empty list.

    A shell variable that is unset by mistake must not give a key all scopes.
    """
    found = split_list(given)
    if not found:
        raise Refused("--scopes: name at least one, or leave it out for all of them.")
    return found


def _members(one: KeySummary) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "beginning": one.beginning,
        "scopes": list(one.scopes),
        "createdAt": timestamp(one.created_at),
        "expiresAt": timestamp(one.expires_at) if one.expires_at else None,
        "lastUsedAt": timestamp(one.last_used_at) if one.last_used_at else None,
        "revoked": one.is_revoked,
    }


def _line(one: KeySummary) -> str:
    used = f"used {timestamp(one.last_used_at)}" if one.last_used_at else "never used"
    return f"{one.beginning}…  {one.name}  {','.join(one.scopes)}  {'revoked' if one.is_revoked else used}"
