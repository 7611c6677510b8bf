"""`environment list`, `add` and `set`: worlds of keys, integrations and connections that never mix."""

import click

from onboarding.cli.shell import json_option, opened, say

group = click.Group("environment", help="Worlds that never mix.")


@group.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the environments and their settings."""
    with opened() as runtime:
        found = runtime.environments.all_of()
    members = [{"id": one.id, "name": one.name, "unknownSubscribers": one.unknown_subscribers} for one in found]
    lines = "\n".join(f"{one.name}  unknown subscribers: {one.unknown_subscribers}" for one in found)
    say(as_json, {"data": members}, lambda: lines or "Nothing is set up. Run `flask --app app setup`.")


@group.command()
@click.argument("name")
@json_option
def add(name: str, as_json: bool) -> None:
    """Make the environment NAME."""
    with opened() as runtime:
        made = runtime.environments.add(name)
    say(as_json, {"id": made.id, "name": made.name}, lambda: f"Made the environment {made.name}.")


@group.command("set")
@click.argument("name")
@click.option("--unknown-subscribers", type=click.Choice(["create", "refuse"]), required=True)
@json_option
def set_(name: str, unknown_subscribers: str, as_json: bool) -> None:
    """Say what happens in the environment NAME when a program names a subscriber that is not there."""
    with opened() as runtime:
        runtime.environments.set_unknown_subscribers(name, unknown_subscribers)
    members: dict[str, object] = {"name": name, "unknownSubscribers": unknown_subscribers}
    say(as_json, members, lambda: f"{name}: unknown subscribers: {unknown_subscribers}.")
