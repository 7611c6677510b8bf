"""`api-key create`, `list` and `revoke`."""

import click

from onboarding.api.wire import moment
from onboarding.cli.shell import environment_option, json_option, lifetime, opened, say
from onboarding.errors import Refused
from onboarding.services.api_keys import SCOPES, KeySummary

group = click.Group("api-key", help="Keys of programs for the API.")


@group.command()
@click.argument("name")
@click.option("--scopes", help=f"Comma separated; all of them unless named: {', '.join(SCOPES)}.")
@click.option("--expires-in", metavar="12h|90d", help="When it ends by itself. Without, it does not.")
@environment_option
@json_option
def create(name: str, scopes: str | None, expires_in: str | None, environment: str, as_json: bool) -> None:
    """Print a new key for the program NAME, once: it is stored nowhere."""
    with opened() as runtime:
        life = None if expires_in is None else lifetime(expires_in)
        made = runtime.api_keys.create(name, environment, () if scopes is None else _scopes(scopes), life)
    say(as_json, {"id": made.id, "key": made.key, "scopes": list(made.scopes)}, lambda: made.key)


@group.command("list")
@environment_option
@json_option
def list_(environment: str, as_json: bool) -> None:
    """List the keys: never the keys themselves, but how they begin."""
    with opened() as runtime:
        found = runtime.api_keys.all_of(environment)
    say(as_json, {"data": [_members(one) for one in found]}, lambda: "\n".join(map(_line, found)) or "No keys yet.")


@group.command()
@click.argument("name")
@environment_option
@json_option
def revoke(name: str, environment: str, as_json: bool) -> None:
    """End the key of the program NAME at once."""
    with opened() as runtime:
        runtime.api_keys.revoke(name, environment)
    say(as_json, {"name": name, "revoked": True}, lambda: f"Revoked {name}.")


def _scopes(given: str) -> tuple[str, ...]:
    """Raises Refused: a variable that is empty by mistake must not make a key that may do everything."""
    found = tuple(filter(None, (one.strip() for one in given.split(","))))
    if not found:
        raise Refused("--scopes: name at least one, or leave it out for all of them.")
    return found


def _members(one: KeySummary) -> dict[str, object]:
    return {
        "id": one.id,
        "name": one.name,
        "beginning": one.beginning,
        "scopes": list(one.scopes),
        "createdAt": moment(one.created_at),
        "expiresAt": moment(one.expires_at) if one.expires_at else None,
        "lastUsedAt": moment(one.last_used_at) if one.last_used_at else None,
        "revoked": one.is_revoked,
    }


def _line(one: KeySummary) -> str:
    used = f"used {moment(one.last_used_at)}" if one.last_used_at else "never used"
    return f"{one.beginning}…  {one.name}  {','.join(one.scopes)}  {'revoked' if one.is_revoked else used}"
