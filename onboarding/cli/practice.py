"""`practice clear`: remove what practice mode made."""

import click

from onboarding.cli.shell import json_option, opened, say

group = click.Group("practice", help="The practice Slack.")


@group.command()
@json_option
def clear(as_json: bool) -> None:
    """Remove every practice integration, with its connections, links and attempts."""
    with opened() as runtime:
        removed = runtime.integrations.clear_practice(runtime.environments.first().id)
    say(as_json, {"removed": removed}, lambda: f"Practice integrations removed: {removed}.")
