"""`operator add`, `list` and `remove`: the users of the console."""

import click

from onboarding.cli.shell import json_option, open_runtime, print_result, shell_actor
from onboarding.cli.usage import Group
from onboarding.documents import timestamp

group = Group("operator", help="Users of the console.")


@group.command()
@click.argument("email")
@click.option("--role", type=click.Choice(["operator", "viewer"]), help="A viewer changes nothing. New: operator.")
@json_option
def add(email: str, role: str | None, as_json: bool) -> None:
    """Print a one-time sign-in link for EMAIL."""
    with open_runtime() as runtime:
        runtime.environments.first()
        link = runtime.operators.invite(email, shell_actor(), role)
    print_result(as_json, {"url": link.url, "expiresAt": timestamp(link.expires_at)}, lambda: link.url)


@group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List everyone who may sign in."""
    with open_runtime() as runtime:
        runtime.environments.first()
        found = runtime.operators.list_all()
    lines = [f"{one.email}  {one.role}" for one in found]
    rows = [{"email": one.email, "role": one.role} for one in found]
    print_result(as_json, {"data": rows}, lambda: lines or "Nobody yet.")


@group.command()
@click.argument("email")
@json_option
def remove(email: str, as_json: bool) -> None:
    """Remove an operator: sessions and sign-in links end at once."""
    with open_runtime() as runtime:
        runtime.environments.first()
        runtime.operators.remove(email, shell_actor())
    print_result(as_json, {"email": email, "removed": True}, lambda: f"Removed {email}.")
