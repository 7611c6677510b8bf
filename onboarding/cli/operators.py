"""`operator add`: a one-time sign-in link for a person of the console."""

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
        made = runtime.access.invite(email, role)
    say(as_json, {"url": made.url, "expiresAt": moment(made.expires_at)}, lambda: made.url)
