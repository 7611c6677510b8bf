"""`operator add`, `list` and `remove`: the people of the console."""

import click

from onboarding.api.wire import moment
from onboarding.cli.shell import json_option, opened, say

group = click.Group("operator", help="People of the console.")


@group.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["operator", "viewer"]), help="A viewer changes nothing. New: operator.")
@json_option
def add(email: str, role: str | None, as_json: bool) -> None:
    """Print a one-time sign-in link for EMAIL."""
    with opened() as runtime:
        runtime.environments.first()
        made = runtime.operators.invite(email, role)
    say(as_json, {"url": made.url, "expiresAt": moment(made.expires_at)}, lambda: made.url)


@group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List everybody who may sign in."""
    with opened() as runtime:
        runtime.environments.first()
        found = runtime.operators.people()
    lines = [f"{one.email}  {one.role}" for one in found]
    rows = [{"email": one.email, "role": one.role} for one in found]
    say(as_json, {"data": rows}, lambda: "\n".join(lines) or "Nobody yet.")


@group.command()
@click.argument("email")
@json_option
def remove(email: str, as_json: bool) -> None:
    """Take a person's access away: sessions and sign-in links end at once."""
    with opened() as runtime:
        runtime.environments.first()
        runtime.operators.remove(email)
    say(as_json, {"email": email, "removed": True}, lambda: f"Removed {email}.")
