"""`environment list`, `add` and `set`: separate sets of keys, integrations and connections."""

import click

from onboarding.cli.shell import json_option, open_runtime, print_result, shell_actor
from onboarding.cli.usage import Group

group = Group("environment", help="Separate sets of keys, integrations and connections.")


@group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the environments and their settings."""
    with open_runtime() as runtime:
        found = runtime.environments.list_all()
    members = [{"id": one.id, "name": one.name, "unknownSubscribers": one.unknown_subscribers} for one in found]
    lines = [f"{one.name}  unknown subscribers: {one.unknown_subscribers}" for one in found]
    print_result(as_json, {"data": members}, lambda: lines or "No environments yet.")


@group.command()
@click.argument("name")
@json_option
def add(name: str, as_json: bool) -> None:
    """Create the environment NAME."""
    with open_runtime() as runtime:
        created = runtime.environments.add(name, shell_actor())
    members: dict[str, object] = {"id": created.id, "name": created.name}
    print_result(as_json, members, lambda: f"Created the environment {created.name}.")


@group.command("set")
@click.argument("name")
@click.option(
    "--unknown-subscribers",
    type=click.Choice(["create", "refuse"]),
    help="Create a subscriber that a request names for the first time, or refuse the request with 404.",
)
@json_option
def set_(name: str, unknown_subscribers: str | None, as_json: bool) -> None:
    """Change the environment NAME."""
    if unknown_subscribers is None:
        raise click.UsageError("Name what to change: --unknown-subscribers.", click.get_current_context())
    with open_runtime() as runtime:
        runtime.environments.set_unknown_subscribers(name, unknown_subscribers, shell_actor())
    members: dict[str, object] = {"name": name, "unknownSubscribers": unknown_subscribers}
    print_result(as_json, members, lambda: f"{name}: unknown subscribers: {unknown_subscribers}.")
